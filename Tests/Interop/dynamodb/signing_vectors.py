"""Prints signatures as botocore makes them: Swift literals for SigningVectors.swift, the same on every run.

    python signing_vectors.py > ../../PerdureDynamoDBTests/Signing/SigningVectors.swift
"""

import datetime
import json
import random

import botocore.auth
import botocore.awsrequest
import botocore.credentials

random.seed(20150830)
print("// Made by Tests/Interop/dynamodb/signing_vectors.py with botocore; not to be edited.\n")
print("struct SigningVector: Sendable {")
print("    let key, secret: String\n    let token: String?\n    let region, host, target, body: String")
print("    let unixMilliseconds: Int64\n    let authorization: String\n}\n")
print("let signingVectors: [SigningVector] = [")
for number in range(12):
    text = lambda count: "".join(random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") for _ in range(count))
    key, secret = "AKIA" + text(16).upper().replace("+", "P").replace("/", "S"), text(40)
    token = text(120) if number % 3 == 1 else None
    region = random.choice(["us-east-1", "eu-central-1", "ap-southeast-2"])
    host = random.choice([f"dynamodb.{region}.amazonaws.com", "127.0.0.1:8000", "localhost:4566"])
    target = "DynamoDB_20120810." + random.choice(["PutItem", "GetItem", "TransactWriteItems"])
    body = "" if number == 0 else json.dumps({"TableName": "Zustände🦆", "x": text(random.randrange(300))}, ensure_ascii=False)
    moment = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=random.randrange(400_000_000))
    if number == 2:
        moment = datetime.datetime(2024, 2, 29, 23, 59, 59, tzinfo=datetime.timezone.utc)

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return moment.replace(tzinfo=None)

        @classmethod
        def now(cls, tz=None):
            return moment

    scheme = "https" if "amazonaws" in host else "http"
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=f"{scheme}://{host}/", data=body.encode(),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target})
    credentials = botocore.credentials.Credentials(key, secret, token)
    botocore.auth.datetime.datetime = Frozen
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: moment.replace(tzinfo=None)
    botocore.auth.SigV4Auth(credentials, "dynamodb", region).add_auth(request)
    authorization = request.headers["Authorization"]
    assert moment.strftime("%Y%m%dT%H%M%SZ") == request.headers["X-Amz-Date"], request.headers["X-Amz-Date"]
    quoted = lambda value: '#"' + value + '"#'
    print(f"    SigningVector(\n        key: {quoted(key)}, secret: {quoted(secret)},\n        token: {quoted(token) if token else 'nil'},")
    print(f"        region: {quoted(region)}, host: {quoted(host)}, target: {quoted(target)},\n        body: {quoted(body)},")
    print(f"        unixMilliseconds: {int(moment.timestamp() * 1000)},\n        authorization: {quoted(authorization)}),")
print("]")
