# Apache Cassandra from Maven Central: a cluster of three nodes on 127.0.0.1, 127.0.0.2 and 127.0.0.3, which can be killed and
# brought back one by one: `script/server cassandra-cluster crash 2`, `script/server cassandra-cluster start 2`.
# It is not for measuring: what starts sooner is compiled less well.

nodes=3 secured= compiler=-XX:TieredStopAtLevel=1
. script/lib/cassandra.sh
