"""Exchanges items with the store through boto3: `write` makes items as eGo and the first plugin do, `check` reads ours.

    python exchange.py write|check ENDPOINT REGION TABLE
"""

import base64
import sys

import boto3

action, endpoint, region, table = sys.argv[1:]
client = boto3.client(
    "dynamodb", endpoint_url=endpoint, region_name=region, aws_access_key_id="test", aws_secret_access_key="test")
golden = base64.b64decode("CiR0eXBlLmdvb2dsZWFwaXMuY29tL3NhbXBsZXBiLkFjY291bnQSFQoKYWNjb3VudC00MhEAAAAAAGiwQA==")

if action == "write":
    client.put_item(TableName=table, Item={
        "PersistenceID": {"S": "python-42"}, "VersionNumber": {"N": "7"}, "StatePayload": {"B": golden},
        "StateManifest": {"S": "google.protobuf.Any"}, "Timestamp": {"N": "1700000000123456789"}, "ShardNumber": {"N": "3"}})
    client.put_item(TableName=table, Item={
        "PersistenceID": {"S": "python-old"}, "StatePayload": {"B": b"\x00\xff"}, "StateManifest": {"S": "a.B"},
        "Timestamp": {"S": "1700000000"}})
else:
    item = client.get_item(TableName=table, Key={"PersistenceID": {"S": "swift-42"}}, ConsistentRead=True)["Item"]
    write_id = item.pop("WriteID")
    assert len(write_id["B"]) == 16, write_id
    assert item == {
        "PersistenceID": {"S": "swift-42"}, "VersionNumber": {"N": "9"}, "StatePayload": {"B": golden},
        "StateManifest": {"S": "google.protobuf.Any"}, "Timestamp": {"N": "1700000000123"}, "ShardNumber": {"N": "5"}}, item
    assert "Item" not in client.get_item(TableName=table, Key={"PersistenceID": {"S": "swift-gone"}}, ConsistentRead=True)
print("ok")
