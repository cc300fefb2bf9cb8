# Apache Cassandra from Maven Central: one node that asks for a password (cassandra, cassandra), keeps to rights that were
# granted, and speaks TLS only. The certificates are made on the spot.
# It is not for measuring: what starts sooner is compiled less well.

nodes=1 secured=1 compiler=-XX:TieredStopAtLevel=1
. script/lib/cassandra.sh
