"""Starts ministack 1.5.33 without those of its gaps that matter to a SAM application.

Each function in `GAPS` closes one gap, by wrapping private functions of ministack; its docstring says what works
from then on. `test.py` has a test for each, which fails while that gap is open. When a later ministack closes a gap
itself, that test says so, and the function here can be deleted. The arguments name gaps that stay open.
"""

import contextvars
import functools
import itertools
import json
import os
import re
import sys
import time
import urllib.parse
from contextvars import ContextVar

import ministack.app as app
import ministack.services.apigateway_v1 as gateway
import ministack.services.cloudformation as cloudformation
import ministack.services.cognito as cognito
import ministack.services.lambda_svc as functions
import ministack.services.secretsmanager as secretsmanager
from ministack.core.arn import execute_api_arn
from ministack.core.iam_evaluator import AuthError
from ministack.core.responses import error_response_json, get_account_id
from ministack.core.router import extract_region
from ministack.services.cloudformation import engine, handlers, provisioners, stacks

GAPS = {}


def gap(close):
    """Registers a function that closes a gap."""
    GAPS[close.__name__] = close
    return close


def wrap(module, name):
    """Replaces a function of a module with the decorated one, which gets the original as its first argument."""
    def replace(wrapper):
        setattr(module, name, functools.partial(wrapper, getattr(module, name)))
    return replace


def after_deploying(kind):
    """Calls the decorated function with the physical ID and the properties of each created or updated `kind`."""
    def extend(then):
        def deploy(original, properties, *arguments):
            result = original(*arguments)
            then(result[0], arguments[properties])
            return result

        of_kind = provisioners._RESOURCE_HANDLERS[kind]
        # create(logical ID, properties, …) and update(physical ID, old properties, new properties, …)
        of_kind["create"] = functools.partial(deploy, of_kind["create"], 1)
        of_kind["update"] = functools.partial(deploy, of_kind["update"], 2)
    return extend


# --- the server --------------------------------------------------------------------------------------------------


def is_public(scope, headers):
    """Whether a page may make this request: to an API, or by going where a browser goes on AWS, too.

    A request to an API is not signed by the root user, who may call every route.

    Going there is a navigation. It sends no header of the page's choice, so it reaches no action by `X-Amz-Target`, and
    the page cannot read the answer. It reaches the pages of Cognito, and an object of S3 by a URL that is signed with
    temporary credentials. Those of a function are checked, and those of the root user would not be.
    """
    path, method = scope["path"], scope["method"]
    query = urllib.parse.parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    # Below other paths of /restapis, the target or the action is looked for in headers, query and form.
    if re.match(r"/restapis/[^/]+/[^/]+/_user_request_(/|$)", path):
        is_signed = headers.get(b"authorization", b"").startswith(b"AWS") or not query.keys().isdisjoint(SIGNATURE)
        return not is_signed
    if headers.get(b"sec-fetch-mode") != b"navigate":
        return False
    if path in ("/oauth2/authorize", "/logout"):
        return method == "GET"
    if path in ("/oauth2/login", "/login"):
        return method == "POST"
    credential = query.get("X-Amz-Credential", [])
    is_signed = len(credential) == 1 and re.fullmatch(r"ASIA\w+/\d+/[\w-]+/s3/aws4_request", credential[0])
    return method == "GET" and bool(is_signed) and "Action" not in query


# The members of a query that sign a request.
SIGNATURE = {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "AWSAccessKeyId", "Signature"}


def is_local(host):
    """Whether a request with this `Host` was meant for this emulator, or for a distribution of its CloudFront.

    A site can give its own name the address 127.0.0.1. A browser takes the emulator for a part of that site then, and
    names neither `Origin` nor `Sec-Fetch-Site`.
    """
    name = re.sub(r":\d+$", "", host)
    # The third is what a container calls this machine; no site can have that name.
    return name in ("127.0.0.1", "localhost", "host.docker.internal") or name.endswith((".localhost", ".cloudfront.net"))


@gap
def other_sites():
    """A page in a browser cannot call it, except what `is_public` names: it does not check the signatures of its root
    user, and its functions are processes of the user."""
    @wrap(app, "app")
    async def serve(original, scope, receive, send):
        headers = dict(scope.get("headers", []))
        is_page = b"origin" in headers or b"sec-fetch-site" in headers
        is_refused = scope["type"] == "http" and (
            not is_local(headers.get(b"host", b"").decode("latin-1")) or (is_page and not is_public(scope, headers)))
        if is_refused:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await original(scope, receive, send)


# --- API Gateway: the import of an OpenAPI definition, which is how SAM creates an API ---------------------------


@gap
def preflight():
    """A mock integration answers with its own status and headers: the preflights that SAM's `Cors` makes."""
    @wrap(gateway, "_import_operation")
    def import_operation(original, api_id, resource_id, method, operation, *rest):
        original(api_id, resource_id, method, operation, *rest)
        defined = operation.get("x-amazon-apigateway-integration") or {}
        if str(defined.get("type")).upper() != "MOCK":
            return
        imported = gateway._resources[api_id][resource_id]["resourceMethods"][method]["methodIntegration"]
        imported["requestTemplates"] = defined.get("requestTemplates") or {}
        for pattern, response in (defined.get("responses") or {}).items():
            selected = {**response, "selectionPattern": "" if pattern == "default" else pattern}
            gateway._put_integration_response(api_id, resource_id, method, str(response["statusCode"]), selected)


@gap
def any_method():
    """A method that SAM's `Method: ANY` makes is imported."""
    extension = "x-amazon-apigateway-any-method"
    gateway._OPENAPI_HTTP_METHODS.add(extension)

    @wrap(gateway, "_import_operation")
    def import_operation(original, api_id, resource_id, method, *rest):
        original(api_id, resource_id, "ANY" if method == extension.upper() else method, *rest)


@gap
def gateway_responses():
    """SAM's `GatewayResponses` are imported."""
    @wrap(gateway, "_import_rest_api")
    def import_rest_api(original, definition, *rest):
        api_id = original(definition, *rest)
        for response_type, response in (definition.get("x-amazon-apigateway-gateway-responses") or {}).items():
            gateway._put_gateway_response(api_id, response_type, response)
        return api_id


# --- API Gateway: requests ---------------------------------------------------------------------------------------

REQUEST_ID = ContextVar("request_id", default=None)
AUTHORIZER_CONTEXT = ContextVar("authorizer_context", default={})


@gap
def request_id():
    """A request has one ID: in the event of a REQUEST authorizer, in that of the function, and in the response."""
    new = gateway.new_uuid
    gateway.new_uuid = lambda: REQUEST_ID.get() or new()

    @wrap(gateway, "handle_execute")
    async def handle_execute(original, *arguments):
        outer = REQUEST_ID.set(new())
        try:
            status, headers, body = await original(*arguments)
            return status, headers | {"x-amzn-requestid": REQUEST_ID.get()}, body
        finally:
            REQUEST_ID.reset(outer)

    @wrap(gateway, "_invoke_authorizer_lambda")
    async def invoke_authorizer(original, authorizer, event, *rest):
        if "requestContext" in event:
            event["requestContext"]["requestId"] = REQUEST_ID.get()
        return await original(authorizer, event, *rest)


@gap
def authorizer_context():
    """A gateway response can use `$context.authorizer.…`, the context of an authorizer that denies."""
    @wrap(gateway, "handle_execute")
    async def handle_execute(original, *arguments):
        outer = AUTHORIZER_CONTEXT.set({})
        try:
            return await original(*arguments)
        finally:
            AUTHORIZER_CONTEXT.reset(outer)

    @wrap(gateway, "_invoke_authorizer_lambda")
    async def invoke_authorizer(original, *arguments):
        result = await original(*arguments)
        decision = (result or {}).get("body")
        if isinstance(decision, (str, bytes)):
            try:
                decision = json.loads(decision)
            except ValueError:
                decision = None
        if isinstance(decision, dict):
            AUTHORIZER_CONTEXT.set(gateway._stringify_context(decision.get("context")))
        return result

    @wrap(gateway, "_gateway_error_response")
    def gateway_error_response(original, *arguments):
        status, headers, body = original(*arguments)
        context = AUTHORIZER_CONTEXT.get()
        # Plain substitution, as on API Gateway: nothing is escaped, and an unknown key is empty.
        body = re.sub(r"\$context\.authorizer\.(\w+)", lambda key: context.get(key[1], ""), body.decode())
        return status, headers, body.encode()


@gap
def denied_by_iam():
    """A caller without permission for a route with AWS_IAM gets the gateway response ACCESS_DENIED."""
    gateway._AUTHENTICATION_GATEWAY_ERRORS["AccessDenied"] = ("ACCESS_DENIED", "AccessDeniedException")

    @wrap(app, "_enforce_execute_api")
    def enforce(original, api_id, stage, method, path, headers, query, **rest):
        refused = original(api_id, stage, method, path, headers, query, **rest)
        # A wrong signature has its gateway response already, and with it a request ID; an HTTP API has none.
        if refused is None or "x-amzn-requestid" in refused[1] or gateway.find_api_scope(api_id) is None:
            return refused
        account, action = get_account_id(), "execute-api:Invoke"
        arn = execute_api_arn(extract_region(headers, query), account, api_id, stage, method, path)
        resource = arn.replace(f":{account}:", f":********{account[-4:]}:")
        message = json.loads(refused[2])["message"].replace(action, f"{action} on resource: {resource}", 1)
        error = AuthError("AccessDenied", message)
        return gateway.authentication_error_response(api_id, stage, error, headers, query)


# --- Cognito -----------------------------------------------------------------------------------------------------


@gap
def refreshed_groups():
    """The tokens of a refresh name the groups of the user, as those of the sign-in do."""
    @wrap(cognito, "_fake_token")
    def token(original, sub, pool_id, client_id, *rest, username="", groups=None, **options):
        if not groups:
            user = (cognito._get_pool_unscoped(pool_id) or {"_users": {}})["_users"].get(username, {})
            groups = user.get("_groups")
        return original(sub, pool_id, client_id, *rest, username=username, groups=groups, **options)


# --- CloudFormation ----------------------------------------------------------------------------------------------


@gap
def nested_transform():
    """The template of a nested stack can be a SAM template, as with `AWS::Serverless::Application`."""
    # The first step of a nested stack that sees its template.
    @wrap(provisioners, "_check_nested_stack_capabilities")
    def check_capabilities(original, parent, template):
        original(parent, template)
        transformed = dict(engine._apply_transforms(template))
        template.clear()
        template.update(transformed)
        # Once more, for the roles that SAM adds.
        original(parent, template)


@gap
def nested_update():
    """A resource that an update of a nested stack does not change keeps its attributes, for `Fn::GetAtt`."""
    # Only nested stacks call it through the module.
    @wrap(provisioners, "_update_resource")
    def update(original, kind, physical_id, old, new, stack, logical_id):
        attributes = cloudformation._stacks[stack]["_resources"][logical_id]["Attributes"]
        return original(kind, physical_id, old, new, stack, logical_id, attributes)


@gap
def nested_exports():
    """The exports of a nested stack can be imported by other stacks."""
    @after_deploying("AWS::CloudFormation::Stack")
    def export(stack_id, _properties):
        name = provisioners._nested_stack_lookup_name(stack_id)
        stack = cloudformation._stacks[name]
        template = stack["_template"]
        stack["Outputs"], exports = stacks._resolve_stack_outputs(
            template.get("Outputs") or {}, stack["_conditions"], stack["_resources"], stack["_resolved_params"],
            template.get("Mappings") or {}, name, stack_id,
        )
        cloudformation._exports.update(exports)


@gap
def template_urls():
    """A template shows the URLs of nested templates as S3 has them on AWS; `sam delete` reads no others."""
    get_template = handlers._ACTION_HANDLERS["GetTemplate"]
    here, on_aws = os.environ["AWS_ENDPOINT_URL"], f"https://s3.{extract_region({})}.amazonaws.com"

    def shown(parameters):
        status, headers, body = get_template(parameters)
        return status, headers, body.replace(f"{here}/".encode(), f"{on_aws}/".encode())

    handlers._ACTION_HANDLERS["GetTemplate"] = shown


@gap
def table_settings():
    """A table has the time to live and the point-in-time recovery of its template."""
    @after_deploying("AWS::DynamoDB::Table")
    def configure(name, properties):
        for update, setting in (
            (provisioners._dynamodb._update_ttl, "TimeToLiveSpecification"),
            (provisioners._dynamodb._update_continuous_backups, "PointInTimeRecoverySpecification"),
        ):
            if setting in properties:
                update({"TableName": name, setting: properties[setting]})


@gap
def empty_version():
    """RotateSecret adds an empty pending version and promotes nothing. It calls no function: the steps are the caller's."""
    @wrap(secretsmanager, "_rotate_secret")
    def rotate(original, data):
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        versions = {
            version: of | {"Stages": [label for label in of["Stages"] if label != "AWSPENDING"]}
            for version, of in (secret or {"Versions": {}})["Versions"].items()
        }
        status, headers, body = original(data)
        if status == 200:
            version = json.loads(body)["VersionId"]
            empty = {"SecretString": None, "SecretBinary": None, "Stages": ["AWSPENDING"]}
            secret["Versions"] = versions | {version: secret["Versions"][version] | empty}
        return status, headers, body

    @wrap(secretsmanager, "_get_secret_value")
    def get(original, data):
        status, headers, body = original(data)
        if status == 200 and not {"SecretString", "SecretBinary"} & json.loads(body).keys():
            return error_response_json("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.", 400)
        return status, headers, body


# --- Lambda ------------------------------------------------------------------------------------------------------


@gap
def stream_windows():
    """An event source mapping of a DynamoDB stream can have tumbling windows.

    An event then names its shard and its window, and carries the state that the function returned for the window; an
    event without records ends each window. A function that returns no state has failed.
    """
    shard = "shardId-00000000000000000000-00000000"  # ministack's streams have one shard
    windows = {}  # the open one of each mapping: its context, its function, and the next event in it without records

    @after_deploying("AWS::Lambda::EventSourceMapping")
    def configure(mapping_id, properties):
        seconds = int(properties.get("TumblingWindowInSeconds", 0))
        functions._esms.get(mapping_id)["TumblingWindowInSeconds"] = seconds

    def mapping_of(function, record):
        """The mapping with windows that a record comes through, if there is one."""
        name = (function.get("config") or function)["FunctionName"]
        for _, _, mapping in functions._iter_all_esms():
            if (mapping["FunctionName"], mapping["EventSourceArn"]) == (name, record.get("eventSourceARN")):
                return mapping if mapping.get("TumblingWindowInSeconds") else None
        return None

    def iso(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

    @wrap(functions, "_execute_function")
    def execute(original, function, event, *rest):
        records = event.get("Records") if isinstance(event, dict) else None
        if not records or records[0].get("eventSource") != "aws:dynamodb":
            return original(function, event, *rest)
        mapping = mapping_of(function, records[0])
        if mapping is None:
            return original(function, event, *rest)
        seconds, mapping_id = mapping["TumblingWindowInSeconds"], mapping["UUID"]
        start_of = lambda record: int(record["dynamodb"]["ApproximateCreationDateTime"]) // seconds * seconds
        result = None
        for start, batch in itertools.groupby(records, start_of):
            if mapping_id in windows and windows[mapping_id][2]["window"]["start"] != iso(start):
                close(original, mapping_id)
            empty = windows[mapping_id][2] if mapping_id in windows else {
                "Records": [], "shardId": shard, "eventSourceARN": mapping["EventSourceArn"], "state": {},
                "window": {"start": iso(start), "end": iso(start + seconds)},
                "isFinalInvokeForWindow": False, "isWindowTerminatedEarly": False,
            }
            result = original(function, empty | {"Records": list(batch)}, *rest)
            body = result.get("body")
            if isinstance(body, (str, bytes)):
                body = json.loads(body)
            if not result.get("error") and not isinstance((body or {}).get("state"), dict):
                result = {"error": True, "body": {"errorType": "InvalidState", "errorMessage": "there is no state"}}
            if result.get("error"):
                return result
            windows[mapping_id] = contextvars.copy_context(), function, empty | {"state": body["state"]}
        return result

    def close(execute, mapping_id):
        """Ends the window of a mapping."""
        context, function, event = windows.pop(mapping_id)
        context.run(execute, function, event | {"isFinalInvokeForWindow": True})

    execute = functions._execute_function.args[0]

    @wrap(functions, "_poll_dynamodb_streams")
    def poll(original):
        for mapping_id, (_, _, event) in list(windows.items()):
            if event["window"]["end"] <= iso(time.time()):
                close(execute, mapping_id)
        return original()


if __name__ == "__main__":
    for name, close in GAPS.items():
        if name not in sys.argv[1:]:
            close()
    # ministack has its own arguments.
    sys.argv[1:] = []
    app.main()
