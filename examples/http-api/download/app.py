"""The protected route. The guard has spent the token of the request when it runs."""


def lambda_handler(event, context):
    spent = event["requestContext"]["authorizer"]["lambda"]
    return {"message": "hello world", "jti": spent["jti"]}
