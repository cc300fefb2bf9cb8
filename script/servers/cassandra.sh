# Apache Cassandra from Maven Central: one node, without passwords or TLS. See script/lib/cassandra.sh for its settings.

nodes=1 secured= compiler=
. script/lib/cassandra.sh
