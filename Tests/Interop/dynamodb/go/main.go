// Exchanges items with the store through aws-sdk-go-v2, with the conversions that eGo makes: "write" makes an item as
// eGo does, "check" reads ours and fails where eGo would crash, on a missing attribute or one of another type.
//
//	exchange write|check ENDPOINT REGION TABLE
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	action, endpoint, region, table := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	client := dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	golden, err := base64.StdEncoding.DecodeString("CiR0eXBlLmdvb2dsZWFwaXMuY29tL3NhbXBsZXBiLkFjY291bnQSFQoKYWNjb3VudC00MhEAAAAAAGiwQA==")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if action == "write" {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"PersistenceID": &types.AttributeValueMemberS{Value: "go-42"},
			"VersionNumber": &types.AttributeValueMemberN{Value: "7"},
			"StatePayload":  &types.AttributeValueMemberB{Value: golden},
			"StateManifest": &types.AttributeValueMemberS{Value: "google.protobuf.Any"},
			"Timestamp":     &types.AttributeValueMemberN{Value: "-6795364578871345152"},
			"ShardNumber":   &types.AttributeValueMemberN{Value: "3"},
		}})
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	get := func(id string) map[string]types.AttributeValue {
		answer, err := client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &table, ConsistentRead: aws.Bool(true),
			Key: map[string]types.AttributeValue{"PersistenceID": &types.AttributeValueMemberS{Value: id}},
		})
		if err != nil {
			log.Fatal(err)
		}
		return answer.Item
	}
	item := get("swift-42")
	// Unchecked conversions, as eGo's: any other type ends the program.
	if item["PersistenceID"].(*types.AttributeValueMemberS).Value != "swift-42" ||
		item["VersionNumber"].(*types.AttributeValueMemberN).Value != "9" ||
		!bytes.Equal(item["StatePayload"].(*types.AttributeValueMemberB).Value, golden) ||
		item["StateManifest"].(*types.AttributeValueMemberS).Value != "google.protobuf.Any" ||
		item["Timestamp"].(*types.AttributeValueMemberN).Value != "1700000000123" ||
		item["ShardNumber"].(*types.AttributeValueMemberN).Value != "5" {
		log.Fatalf("another item: %v", item)
	}
	if len(get("swift-gone")) != 0 {
		log.Fatal("a deleted state has an item")
	}
}
