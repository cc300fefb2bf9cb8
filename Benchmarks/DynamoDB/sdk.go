package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// measure does what the store does, through aws-sdk-go-v2: conditional puts of a state of 200 bytes, or consistent gets of one.
func measure(puts bool, endpoint, region, table string, flight, count int) {
	client := dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", ""),
		// As many kept connections as are used: with its own 10 it would connect anew all the time.
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
			transport.MaxIdleConnsPerHost = flight
			transport.MaxIdleConns = flight
		}),
	})
	payload := bytes.Repeat([]byte{7}, 200)
	condition := "VersionNumber = :n AND attribute_not_exists(Chunks)"
	one := func(task, version int) {
		id := "account-" + strconv.Itoa(task)
		if !puts {
			answer, err := client.GetItem(context.Background(), &dynamodb.GetItemInput{
				TableName: &table, ConsistentRead: aws.Bool(true),
				Key: map[string]types.AttributeValue{"PersistenceID": &types.AttributeValueMemberS{Value: id}},
			})
			if err != nil || len(answer.Item) < 6 {
				log.Fatalf("a get failed: %v", err)
			}
			return
		}
		_, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{
			TableName: &table, ConditionExpression: &condition,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":n": &types.AttributeValueMemberN{Value: strconv.Itoa(version)},
			},
			Item: map[string]types.AttributeValue{
				"PersistenceID": &types.AttributeValueMemberS{Value: id},
				"VersionNumber": &types.AttributeValueMemberN{Value: strconv.Itoa(version + 1)},
				"StatePayload":  &types.AttributeValueMemberB{Value: payload},
				"StateManifest": &types.AttributeValueMemberS{Value: "bench"},
				"Timestamp":     &types.AttributeValueMemberN{Value: "1700000000000"},
				"ShardNumber":   &types.AttributeValueMemberN{Value: "1"},
				"WriteID":       &types.AttributeValueMemberB{Value: payload[:16]},
			},
		})
		if err != nil {
			log.Fatalf("a put failed: %v", err)
		}
	}
	// The first requests connect, and do not count; they are the same in the store's own measurement.
	warmUp := max(20, 640/flight)
	start(flight, func(task int) {
		for round := range warmUp {
			one(task, round+1)
		}
	})
	share := count / flight
	times := make([][]time.Duration, flight)
	cpu, begin := cpuTime(), time.Now()
	start(flight, func(task int) {
		own := make([]time.Duration, share)
		for round := range share {
			before := time.Now()
			one(task, warmUp+round+1)
			own[round] = time.Since(before)
		}
		times[task] = own
	})
	took, used := time.Since(begin), cpuTime()-cpu
	all := slices.Concat(times...)
	slices.Sort(all)
	operations := float64(share * flight)
	fmt.Println(used.Seconds()*1e6/operations, operations/took.Seconds(), all[len(all)/2].Seconds()*1e6)
}

func start(flight int, work func(task int)) {
	var group sync.WaitGroup
	for task := range flight {
		group.Add(1)
		go func() {
			defer group.Done()
			work(task)
		}()
	}
	group.Wait()
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
