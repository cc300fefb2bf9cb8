// What the Cassandra store is held against: gocql doing the same requests on the same table, measured the same way.
//
//	baseline HOST PORT KEYSPACE TABLE write|read|cas IN_FLIGHT COUNT
//
// Prints operations per second, and microseconds of CPU of this process per operation.
//
// write and read are what the store does with writes=latest, cas what it does for conditional writes; each of the tasks in flight
// has a row of its own. gocql's gathering of writes is off where one is in flight: it waits for company that does not come.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gocql/gocql"
)

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	host, keyspace, table, kind := os.Args[1], os.Args[3], os.Args[4], os.Args[5]
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	inFlight, err := strconv.Atoi(os.Args[6])
	if err != nil {
		log.Fatal(err)
	}
	count, err := strconv.Atoi(os.Args[7])
	if err != nil {
		log.Fatal(err)
	}
	cluster := gocql.NewCluster(host)
	cluster.Port, cluster.Keyspace, cluster.Consistency = port, keyspace, gocql.LocalQuorum
	cluster.Timeout, cluster.ConnectTimeout = time.Minute, time.Minute
	cluster.NumConns = 1
	cluster.SerialConsistency = gocql.Serial
	if inFlight == 1 {
		cluster.WriteCoalesceWaitTime = 0
	}
	cluster.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	session, err := cluster.CreateSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	payload := make([]byte, 200)
	insert := fmt.Sprintf(`INSERT INTO %q.%q (persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number)
		VALUES (?, ?, ?, ?, ?, ?)`, keyspace, table)
	selection := fmt.Sprintf(`SELECT version_number, state_payload, state_manifest, timestamp, shard_number FROM %q.%q
		WHERE persistence_id = ?`, keyspace, table)
	update := fmt.Sprintf(`UPDATE %q.%q SET version_number = ?, state_payload = ?, state_manifest = ?, timestamp = ?, shard_number = ?
		WHERE persistence_id = ? IF version_number = ?`, keyspace, table)
	write := func(id string, version int64) {
		if err := session.Query(insert, id, version, payload, "bench", int64(1700000000000), int64(1)).Exec(); err != nil {
			log.Fatal(err)
		}
	}
	id := func(task int) string { return fmt.Sprintf("go-%s-%d", kind, task) }
	for task := range inFlight {
		// A row of conditional writes must not have one written plainly, with a clock of its own.
		if kind == "cas" {
			key, row := id(task), map[string]any{}
			if err := session.Query(fmt.Sprintf("DELETE FROM %q.%q WHERE persistence_id = ? IF EXISTS", keyspace, table), key).Exec(); err != nil {
				log.Fatal(err)
			}
			if _, err := session.Query(insert+" IF NOT EXISTS", key, int64(1), payload, "bench", int64(0), int64(1)).MapScanCAS(row); err != nil {
				log.Fatal(err)
			}
		} else {
			write(id(task), 1)
		}
	}
	start, used := time.Now(), cpu()
	var group sync.WaitGroup
	for task := range inFlight {
		group.Add(1)
		go func() {
			defer group.Done()
			key := id(task)
			for number := range int64(count / inFlight) {
				switch kind {
				case "write":
					write(key, number+2)
				case "read":
					var version, timestamp, shard int64
					var bytes []byte
					var manifest string
					if err := session.Query(selection, key).Scan(&version, &bytes, &manifest, &timestamp, &shard); err != nil {
						log.Fatal(err)
					}
				case "cas":
					var stored int64
					applied, err := session.Query(update, number+2, payload, "bench", int64(1700000000000), int64(1), key, number+1).ScanCAS(&stored)
					if err != nil || !applied {
						log.Fatalf("not applied over %d: %v", stored, err)
					}
				}
			}
		}()
	}
	group.Wait()
	operations := float64(count / inFlight * inFlight)
	fmt.Printf("%.1f %.3f\n", operations/time.Since(start).Seconds(), float64((cpu()-used).Nanoseconds())/1e3/operations)
}
