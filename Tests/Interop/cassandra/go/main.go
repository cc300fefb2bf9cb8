// Exchanges rows with the store through gocql, with the statements and types that eGo uses: "write" makes a row as eGo does,
// "check" reads ours as eGo does and fails where eGo would.
//
//	exchange write|check HOST PORT KEYSPACE TABLE [SHARD]
//
// With SHARD the table's key is (shard_number, persistence_id), and reads name the shard.
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/gocql/gocql"
)

func main() {
	action, host, keyspace, table := os.Args[1], os.Args[2], os.Args[4], os.Args[5]
	port, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	shard, isSharded := int64(3), len(os.Args) > 6
	if isSharded {
		if shard, err = strconv.ParseInt(os.Args[6], 10, 64); err != nil {
			log.Fatal(err)
		}
	}
	cluster := gocql.NewCluster(host)
	cluster.Port, cluster.Keyspace, cluster.Consistency = port, keyspace, gocql.Quorum
	cluster.Timeout, cluster.ConnectTimeout = time.Minute, time.Minute
	session, err := cluster.CreateSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	golden, err := base64.StdEncoding.DecodeString("CiR0eXBlLmdvb2dsZWFwaXMuY29tL3NhbXBsZXBiLkFjY291bnQSFQoKYWNjb3VudC00MhEAAAAAAGiwQA==")
	if err != nil {
		log.Fatal(err)
	}
	if action == "write" {
		// Go's zero time, as eGo writes it where nobody set one.
		err := session.Query(fmt.Sprintf(`INSERT INTO %q (persistence_id, version_number, state_payload, state_manifest, timestamp,
			shard_number) VALUES (?, ?, ?, ?, ?, ?)`, table),
			"go-42", uint64(7), golden, "google.protobuf.Any", int64(-6795364578871345152), shard).Exec()
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	where, arguments := "persistence_id = ?", func(id string) []any { return []any{id} }
	if isSharded {
		where, arguments = "shard_number = ? AND persistence_id = ?", func(id string) []any { return []any{shard, id} }
	}
	read := func(id string) (version uint64, payload []byte, manifest string, timestamp int64, err error) {
		err = session.Query(fmt.Sprintf(`SELECT version_number, state_payload, state_manifest, timestamp FROM %q WHERE %s`, table, where),
			arguments(id)...).Scan(&version, &payload, &manifest, &timestamp)
		return
	}
	version, payload, manifest, timestamp, err := read("swift-42")
	if err != nil || version != 9 || !bytes.Equal(payload, golden) || manifest != "google.protobuf.Any" || timestamp != 1700000000123 {
		log.Fatalf("another row: %d %x %s %d %v", version, payload, manifest, timestamp, err)
	}
	if _, _, _, _, err := read("swift-gone"); !errors.Is(err, gocql.ErrNotFound) {
		log.Fatalf("a deleted state has a row: %v", err)
	}
}
