"""The authorizer with boto3 and PyJWT, its clients and its key at module level. `bench report --python` measures it
beside ours.

The loop of Lambda's runtime follows, in its smallest form, so that the measurement is not of a slower one.
"""

import http.client
import json
import os
import time
import uuid

import boto3
import jwt

dynamodb = boto3.client("dynamodb")
secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["KEY_RING_SECRET_ID"])
ring = json.loads(secret["SecretString"])


def handler(event):
    now, jti = int(time.time()), str(uuid.uuid4())
    expires_at = now + int(os.environ["TOKEN_TTL_SECONDS"])
    claims = {
        "iss": os.environ["TOKEN_ISSUER"],
        "aud": os.environ["TOKEN_AUDIENCE"],
        "jti": jti,
        "iat": now,
        "exp": expires_at,
    }
    kid = ring["active"]
    token = jwt.encode(claims, ring[kid], algorithm="HS256", headers={"kid": kid})
    dynamodb.put_item(
        TableName=os.environ["TABLE_NAME"],
        Item={"jti": {"S": jti}, "expires_at": {"N": str(expires_at)}},
        ConditionExpression="attribute_not_exists(jti)",
    )
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": jti,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"accessToken": token},
    }


def run():
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    invocations = "/2018-06-01/runtime/invocation"
    while True:
        runtime.request("GET", f"{invocations}/next")
        response = runtime.getresponse()
        event, request_id = json.loads(response.read()), response.headers["Lambda-Runtime-Aws-Request-Id"]
        runtime.request("POST", f"{invocations}/{request_id}/response", json.dumps(handler(event)))
        runtime.getresponse().read()


run()
