// An eGo service's other half: keeps samplepb.Account in each of the three databases with the drivers, statements and protobuf
// messages that eGo's stores use.
//
//	ego postgres URL SCHEMA        write LAYOUT ID VERSION BALANCE
//	ego dynamodb ENDPOINT REGION TABLE  read ID
//	ego cassandra HOST PORT KEYSPACE TABLE ...
//
// LAYOUT is any (what eGo writes: a google.protobuf.Any) or message (what its instructions describe: the message's bytes under its
// name). read prints the version, the manifest, and the account as it was unpacked, or none.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/gocql/gocql"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
)

const anyManifest = "google.protobuf.Any"

// row is what the stores keep of a state.
type row struct {
	version, shard uint64
	payload        []byte
	manifest       string
	timestamp      int64
}

// table is one of the three databases.
type table interface {
	write(ctx context.Context, id string, row row) error
	read(ctx context.Context, id string) (*row, error)
}

func main() {
	account := register()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	table, arguments := open(ctx, os.Args[1], os.Args[2:])
	switch arguments[0] {
	case "write":
		layout, id := arguments[1], arguments[2]
		version, err := strconv.ParseUint(arguments[3], 10, 64)
		check(err)
		balance, err := strconv.ParseFloat(arguments[4], 64)
		check(err)
		message := dynamicpb.NewMessage(account)
		fields := account.Fields()
		message.Set(fields.ByName("account_id"), protoreflect.ValueOfString(id))
		message.Set(fields.ByName("account_balance"), protoreflect.ValueOfFloat64(balance))
		payload, manifest := pack(message, layout)
		// eGo counts nanoseconds, and asks its partitioner for the shard.
		check(table.write(ctx, id, row{version, 3, payload, manifest, time.Now().UnixNano()}))
	case "read":
		found, err := table.read(ctx, arguments[1])
		check(err)
		if found == nil {
			fmt.Println("none")
			return
		}
		message := unpack(found).ProtoReflect()
		fields := message.Descriptor().Fields()
		fmt.Println(found.version, found.manifest, message.Get(fields.ByName("account_id")).String(),
			message.Get(fields.ByName("account_balance")).Float())
	default:
		log.Fatalf("unknown action %s", arguments[0])
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// register makes samplepb.Account known, as generated code does when it is imported.
func register() protoreflect.MessageDescriptor {
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("account.proto"), Package: proto.String("samplepb"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Account"),
			Field: []*descriptorpb.FieldDescriptorProto{
				field("account_id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
				field("account_balance", 2, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE),
			},
		}},
	}, nil)
	check(err)
	account := file.Messages().ByName("Account")
	check(protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(account)))
	return account
}

func pack(message proto.Message, layout string) (payload []byte, manifest string) {
	var err error
	if layout == "any" {
		packed, failure := anypb.New(message)
		check(failure)
		payload, err = proto.Marshal(packed)
		manifest = string(packed.ProtoReflect().Descriptor().FullName())
	} else {
		payload, err = proto.Marshal(message)
		manifest = string(message.ProtoReflect().Descriptor().FullName())
	}
	check(err)
	return payload, manifest
}

func unpack(row *row) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(row.manifest))
	check(err)
	message := kind.New().Interface()
	check(proto.Unmarshal(row.payload, message))
	packed, isAny := message.(*anypb.Any)
	if !isAny {
		return message
	}
	message, err = packed.UnmarshalNew()
	check(err)
	return message
}

// open connects to the database of a kind, and gives back the arguments that say what to do there.
func open(ctx context.Context, kind string, arguments []string) (table, []string) {
	switch kind {
	case "postgres":
		connection, err := pgx.Connect(ctx, arguments[0])
		check(err)
		_, err = connection.Exec(ctx, "SET search_path TO "+pgx.Identifier{arguments[1]}.Sanitize())
		check(err)
		return postgres{connection}, arguments[2:]
	case "dynamodb":
		client := dynamodb.New(dynamodb.Options{
			Region: arguments[1], BaseEndpoint: &arguments[0],
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
		return dynamo{client, arguments[2]}, arguments[3:]
	case "cassandra":
		port, err := strconv.Atoi(arguments[1])
		check(err)
		cluster := gocql.NewCluster(arguments[0])
		cluster.Port, cluster.Keyspace, cluster.Consistency = port, arguments[2], gocql.Quorum
		cluster.Timeout, cluster.ConnectTimeout = time.Minute, time.Minute
		session, err := cluster.CreateSession()
		check(err)
		return cassandra{session, arguments[3]}, arguments[4:]
	}
	log.Fatalf("unknown store %s", kind)
	return nil, nil
}

type postgres struct{ connection *pgx.Conn }

func (store postgres) write(ctx context.Context, id string, row row) error {
	_, err := store.connection.Exec(ctx, `INSERT INTO states_store (persistence_id, version_number, state_payload, state_manifest, timestamp,
		shard_number) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (persistence_id) DO UPDATE SET version_number = excluded.version_number,
		state_payload = excluded.state_payload, state_manifest = excluded.state_manifest, timestamp = excluded.timestamp,
		shard_number = excluded.shard_number`, id, int64(row.version), row.payload, row.manifest, row.timestamp, int64(row.shard))
	return err
}

func (store postgres) read(ctx context.Context, id string) (*row, error) {
	var found row
	err := store.connection.QueryRow(ctx,
		"SELECT version_number, state_payload, state_manifest, timestamp, shard_number FROM states_store WHERE persistence_id = $1", id,
	).Scan(&found.version, &found.payload, &found.manifest, &found.timestamp, &found.shard)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &found, err
}

type dynamo struct {
	client *dynamodb.Client
	table  string
}

func (store dynamo) write(ctx context.Context, id string, row row) error {
	_, err := store.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &store.table, Item: map[string]types.AttributeValue{
		"PersistenceID": &types.AttributeValueMemberS{Value: id},
		"VersionNumber": &types.AttributeValueMemberN{Value: strconv.FormatUint(row.version, 10)},
		"StatePayload":  &types.AttributeValueMemberB{Value: row.payload},
		"StateManifest": &types.AttributeValueMemberS{Value: row.manifest},
		"Timestamp":     &types.AttributeValueMemberN{Value: strconv.FormatInt(row.timestamp, 10)},
		"ShardNumber":   &types.AttributeValueMemberN{Value: strconv.FormatUint(row.shard, 10)},
	}})
	return err
}

func (store dynamo) read(ctx context.Context, id string) (*row, error) {
	answer, err := store.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &store.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"PersistenceID": &types.AttributeValueMemberS{Value: id}},
	})
	if err != nil || len(answer.Item) == 0 {
		return nil, err
	}
	// Unchecked conversions, as eGo's: an attribute that is missing or of another type ends the program.
	number := func(name string) string { return answer.Item[name].(*types.AttributeValueMemberN).Value }
	found := row{
		payload:  answer.Item["StatePayload"].(*types.AttributeValueMemberB).Value,
		manifest: answer.Item["StateManifest"].(*types.AttributeValueMemberS).Value,
	}
	if found.version, err = strconv.ParseUint(number("VersionNumber"), 10, 64); err != nil {
		return nil, err
	}
	if found.timestamp, err = strconv.ParseInt(number("Timestamp"), 10, 64); err != nil {
		return nil, err
	}
	found.shard, err = strconv.ParseUint(number("ShardNumber"), 10, 64)
	return &found, err
}

type cassandra struct {
	session *gocql.Session
	table   string
}

func (store cassandra) write(ctx context.Context, id string, row row) error {
	return store.session.Query(fmt.Sprintf(`INSERT INTO %q (persistence_id, version_number, state_payload, state_manifest, timestamp,
		shard_number) VALUES (?, ?, ?, ?, ?, ?)`, store.table),
		id, row.version, row.payload, row.manifest, row.timestamp, row.shard).WithContext(ctx).Exec()
}

func (store cassandra) read(ctx context.Context, id string) (*row, error) {
	var found row
	err := store.session.Query(fmt.Sprintf(
		"SELECT version_number, state_payload, state_manifest, timestamp, shard_number FROM %q WHERE persistence_id = ?", store.table),
		id).WithContext(ctx).Scan(&found.version, &found.payload, &found.manifest, &found.timestamp, &found.shard)
	if errors.Is(err, gocql.ErrNotFound) {
		return nil, nil
	}
	return &found, err
}
