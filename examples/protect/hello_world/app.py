"""The protected route. The guard has spent the token of the request when it runs."""

import json


def lambda_handler(event, context):
    spent = event["requestContext"]["authorizer"]
    return {"statusCode": 200, "body": json.dumps({"message": "hello world", "jti": spent["jti"]})}
