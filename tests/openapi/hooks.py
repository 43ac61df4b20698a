"""How schemathesis calls the routes of `local` that need more than a description can say."""

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

OPERATORS = ["/tokens/mint", "/tokens/introspect", "/tokens/revoke"]


class Signature(AuthBase):
    """Signature Version 4 with the access key of `local`, over the request as it is sent."""

    def __call__(self, request):
        signed = AWSRequest(request.method, request.url, data=request.body or b"")
        SigV4Auth(Credentials("AKIDLOCAL", "local-secret"), "execute-api", "us-east-1").add_auth(signed)
        request.headers.update(signed.headers.items())
        return request


schemathesis.auth.set_from_requests(Signature()).apply_to(path=OPERATORS, method="POST")
schemathesis.auth.set_from_requests(Signature()).apply_to(path="/usage", method="GET")


@schemathesis.auth(refresh_interval=None).apply_to(path="/hello", method="POST")
class UnspentToken:
    """A new token for each request to the guarded route."""

    def get(self, case, context):
        return requests.get(f"{case.operation.base_url}/tokens", timeout=10).json()["token"]

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "X-Access-Token": data}


@schemathesis.hook
def map_body(context, body):
    """JSON Schema takes 5.0 for an integer. The API does not: a client writes 5."""
    if isinstance(body, dict) and isinstance(body.get("ttlSeconds"), float) and body["ttlSeconds"].is_integer():
        return {**body, "ttlSeconds": int(body["ttlSeconds"])}
    return body
