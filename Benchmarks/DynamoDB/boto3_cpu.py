"""Measures boto3's CPU per request on the server with fixed answers: conditional puts of a state of 200 bytes, and gets of one.

    go build -o bench . && python boto3_cpu.py ./bench
"""

import resource
import subprocess
import sys
import threading

import boto3
from botocore.config import Config

server = subprocess.Popen([sys.argv[1], "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = server.stdout.readline().strip()
client = boto3.client(
    "dynamodb", endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-central-1", aws_access_key_id="bench",
    aws_secret_access_key="bench", config=Config(max_pool_connections=64))


def put(number):
    client.put_item(
        TableName="states_store", ConditionExpression="VersionNumber = :n AND attribute_not_exists(Chunks)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD", ExpressionAttributeValues={":n": {"N": str(number)}},
        Item={
            "PersistenceID": {"S": "account-0"}, "VersionNumber": {"N": str(number + 1)}, "StatePayload": {"B": b"\7" * 200},
            "StateManifest": {"S": "bench"}, "Timestamp": {"N": "1700000000000"}, "ShardNumber": {"N": "1"},
            "WriteID": {"B": b"\7" * 16}})


def get(_):
    client.get_item(TableName="states_store", Key={"PersistenceID": {"S": "account-0"}}, ConsistentRead=True)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


for name, request in (("put", put), ("get", get)):
    for flight in (64, 1):
        count = 4000 // flight

        def work(share):
            for number in range(share):
                request(number)

        def run(share):
            threads = [threading.Thread(target=work, args=(share,)) for _ in range(flight)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        run(max(2, count // 10))
        before = cpu()
        run(count)
        print(f"{name}, {flight} in flight: {(cpu() - before) / (count * flight) * 1e6:.0f} microseconds of CPU")
server.stdin.close()
server.wait()
