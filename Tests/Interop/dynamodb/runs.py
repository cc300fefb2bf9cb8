"""Reads a run through boto3 as the format's table says: its keys, its attributes, and the five access patterns.

    python runs.py ENDPOINT REGION TABLE
"""

import sys

import boto3
from boto3.dynamodb.conditions import Key

endpoint, region, table = sys.argv[1:]
runs = boto3.resource(
    "dynamodb", endpoint_url=endpoint, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
).Table(table)
partition = "RUN#order#7"

# 1: a run.
run = runs.get_item(Key={"PK": partition, "SK": partition}, ConsistentRead=True)["Item"]
assert run["entity_type"] == "WorkflowRun" and run["run_id"] == "order#7", run
assert run["workflow_id"] == "fulfil-order" and run["workflow_version"] == "1" and run["status"] == "COMPLETED", run
assert run["progress"] == 1 and run["resource_id"] == "customer-42" and run["tags"] == {"team": "blue"}, run
assert run["created_at"] == run["started_at"] == "2023-11-14T22:13:20.123Z", run
assert run["completed_at"] == run["updated_at"] == "2023-11-14T22:13:21.623Z", run
assert run["input"].value == b'{"n":1}' and run["output"].value == b'"done"' and run["context"].value == b"\x01\x02", run
assert run["trigger"] == {
    "type": "api", "source": "web", "timestamp": "2023-11-14T22:13:20.123Z", "metadata": {"ip": "::1"}}, run
assert run["ttl"] == 1700086401, run

# 2: all steps of a run.
steps = runs.query(KeyConditionExpression=Key("PK").eq(partition) & Key("SK").begins_with("STEP#"))["Items"]
assert [step["step_id"] for step in steps] == ["reserve"], steps
step = steps[0]
assert step["execution_index"] == 0 and step["status"] == "COMPLETED" and step["attempt"] == 2, step
assert step["duration_ms"] == 250 and step["error"]["code"] == "TIMEOUT", step

# 3: a step's output, and a state.
output = runs.get_item(Key={"PK": partition, "SK": "OUTPUT#reserve"})["Item"]
assert output["output"].value == b'"ok"' and output["updated_at"], output
state = runs.get_item(Key={"PK": partition, "SK": "STATE#seats"})["Item"]
assert state["value"].value == b"1" and state["updated_at"], state

# 4 and 5: by workflow, and by status, the latest first.
for index, key in (("GSI1", "WORKFLOW#fulfil-order"), ("GSI2", "STATUS#COMPLETED")):
    found = runs.query(
        IndexName=index, KeyConditionExpression=Key(index + "PK").eq(key), ScanIndexForward=False)["Items"]
    assert [item["run_id"] for item in found] == ["order#7"], found
    assert found[0][index + "SK"] == "2023-11-14T22:13:20.123Z#order#7", found
assert not runs.query(IndexName="GSI2", KeyConditionExpression=Key("GSI2PK").eq("STATUS#RUNNING"))["Items"]
print("ok")
