"""A test for each gap of ministack that `gaps.py` closes. `tools/ministack/up --test` runs them.

Each test deploys a template of its own, and must pass when every gap is closed and fail while its own is open. The
emulators enforce IAM.
"""

import base64
import functools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

import gaps

SAM = {"Transform": "AWS::Serverless-2016-10-31"}
API_ID = {"Api": {"Value": {"Ref": "Api"}}}


class Emulator:
    """An emulator on a free port, used as the root user of its account."""

    def __init__(self, leave_open=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        options = ["--leave-open", leave_open] if leave_open else []
        up = [pathlib.Path(__file__).with_name("up"), self.port, "--iam", *options]
        exports = subprocess.run(up, check=True, stdout=subprocess.PIPE, text=True).stdout
        variables = dict(re.findall(r"(\w+)=(\S+)", exports))
        self.pid, self.url = int(variables["MINISTACK_PID"]), variables["AWS_ENDPOINT_URL"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        pathlib.Path(sys.prefix, f"{self.port}.log").unlink()

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test",
                            aws_secret_access_key="test")

    def deploy(self, resources, outputs, name=None, verb="create"):
        """Creates or updates a stack from a SAM template and returns its outputs."""
        cloudformation, name = self.client("cloudformation"), name or f"stack-{uuid.uuid4()}"
        deploy = getattr(cloudformation, f"{verb}_stack")
        deploy(StackName=name, TemplateBody=template(resources, outputs, **SAM),
               Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        cloudformation.get_waiter(f"stack_{verb}_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def nested(self, resources, outputs, **sections):
        """A nested stack, to be deployed in a parent."""
        s3, key = self.client("s3"), str(uuid.uuid4())
        s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key=key, Body=template(resources, outputs, **sections))
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"{self.url}/templates/{key}"}}

    def call(self, api, path="/", method="GET", key=None):
        """Calls a route, signed if there is a key; returns the status, the headers and the body."""
        request = AWSRequest(method, f"{self.url}/restapis/{api}/Prod/_user_request_{path}")
        if key:
            SigV4Auth(key, "execute-api", "us-east-1").add_auth(request)
        try:
            response = urllib.request.urlopen(urllib.request.Request(request.url, None, request.headers, method=method))
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            return response.status, response.headers, json.loads(response.read())


def template(resources, outputs, **sections):
    return json.dumps({"Resources": resources, "Outputs": outputs, **sections})


def api(**properties):
    return {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "Prod", **properties}}


def function(returns, **properties):
    """A function that returns the value of a Python expression."""
    return {"Type": "AWS::Serverless::Function", "Properties": {
        "Runtime": "python3.12", "Handler": "index.handle", **properties,
        "InlineCode": f"import json\ndef handle(event, _):\n    return {returns}",
    }}


def route(replies, **properties):
    """A function behind a route of the API, which replies with the JSON of a Python expression."""
    event = {"RestApiId": {"Ref": "Api"}, "Path": "/", "Method": "GET", **properties}
    return function(f"{{'statusCode': 200, 'body': json.dumps({replies})}}",
                    Events={"Route": {"Type": "Api", "Properties": event}})


def guarded(effect, replies, **properties):
    """An API with one route, behind an authorizer that allows or denies, and the authorizer's context."""
    guard = function(
        f"{{'principalId': 'p', 'policyDocument': {{'Version': '2012-10-17', 'Statement': [{{'Effect': '{effect}', "
        "'Action': 'execute-api:Invoke', 'Resource': event['methodArn']}]}, "
        "'context': {'reason': 'spent', 'requestId': event['requestContext'].get('requestId')}}"
    )
    authorizer = {"FunctionArn": {"Fn::GetAtt": "Guard.Arn"}, "FunctionPayloadType": "REQUEST",
                  "Identity": {"ReauthorizeEvery": 0}}
    return {"Api": api(Auth={"Authorizers": {"Guard": authorizer}}, **properties), "Guard": guard,
            "Route": route(replies, Auth={"Authorizer": "Guard"})}


def closes(gap):
    """Runs a test twice: with every gap closed, when it must pass, and with `gap` open, when it must fail."""
    def decorate(test):
        @functools.wraps(test)
        def twice(self):
            test(self, self.closed)
            with Emulator(leave_open=gap) as emulator, self.assertRaises(Exception, msg=f"also with {gap} open"):
                test(self, emulator)
        twice.gap = gap
        return twice
    return decorate


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it is an error, which has the headers."""

    def redirect_request(self, *_):
        return None


class Gaps(unittest.TestCase):
    """What a SAM application relies on."""

    @classmethod
    def setUpClass(cls):
        cls.closed = Emulator()
        cls.addClassCleanup(cls.closed.__exit__)

    def test_each_gap_has_a_test(self):
        tested = [test.gap for test in vars(Gaps).values() if hasattr(test, "gap")]
        self.assertEqual(set(tested), set(gaps.GAPS))

    @closes("other_sites")
    def test_a_page_cannot_call_it_except_the_apis(self, emulator):
        root = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"

        def status(headers, url=emulator.url, body=b"Action=GetCallerIdentity&Version=2011-06-15"):
            try:
                with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
                    return response.status
            except urllib.error.HTTPError as error:
                return error.code

        self.assertEqual(status({"Authorization": root}), 200)
        outputs = emulator.deploy({"Api": api(), "Route": route("1")}, API_ID)
        route_url = f"{emulator.url}/restapis/{outputs['Api']}/Prod/_user_request_/"
        for header in ({"Origin": "http://127.0.0.1:8000"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(status({"Authorization": root, **header}), 403, header)
            self.assertEqual(status(header, route_url, None), 200, header)
            # As the root user it could call every route, and by other paths every action.
            self.assertEqual(status({"Authorization": root, **header}, route_url, None), 403, header)
            self.assertEqual(status(header, f"{route_url}?AWSAccessKeyId=test", None), 403, header)
            for path in ("/restapis/", "/restapis/x", "/restapis/x?AWSAccessKeyId=test", "/restapis/x/Prod/_user_request"):
                self.assertEqual(status(header, emulator.url + path), 403, path)
        # The name of another site, with the address of this machine.
        for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:4566", "evillocalhost", "host.docker.internal.evil.example", ""):
            self.assertEqual(status({"Authorization": root, "Host": host}), 403, host)
        for host in ("localhost", "localhost:1", "host.docker.internal:4566"):
            self.assertEqual(status({"Authorization": root, "Host": host}), 200, host)

    @closes("other_sites")
    def test_a_page_can_go_to_the_pages_of_cognito_and_to_what_a_function_has_signed_in_s3(self, emulator):
        def status(method, path, mode="navigate", **headers):
            headers |= {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
            body = b"" if method == "POST" else None
            request = urllib.request.Request(f"{emulator.url}{path}", body, headers, method=method)
            try:
                with urllib.request.urlopen(request) as response:
                    return response.status
            except urllib.error.HTTPError as error:
                return error.code

        # Cognito's own error: there is no such client.
        for method, path in (("GET", "/oauth2/authorize"), ("POST", "/oauth2/login"), ("POST", "/login"), ("GET", "/logout")):
            self.assertEqual(status(method, path), 400, path)
            self.assertEqual(status(method, path, "cors"), 403, path)
            self.assertEqual(status(method, path, "no-cors"), 403, path)
            self.assertEqual(status("DELETE", path), 403, path)
        for path in ("/oauth2/token", "/oauth2/userInfo", "/login/", "//login", "/_ministack/reset", "/"):
            self.assertEqual(status("POST", path), 403, path)

        def presigned(**credentials):
            s3 = boto3.client("s3", endpoint_url=emulator.url, region_name="us-east-1",
                              config=Config(signature_version="s3v4"), **credentials)
            return s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})[len(emulator.url):]

        s3, bucket, key = emulator.client("s3"), str(uuid.uuid4()), "report.html"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=b"report")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        iam, name = emulator.client("iam"), f"role-{uuid.uuid4()}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": read}))
        assumed = emulator.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="test")["Credentials"]
        signed = presigned(aws_access_key_id=assumed["AccessKeyId"], aws_secret_access_key=assumed["SecretAccessKey"],
                           aws_session_token=assumed["SessionToken"])
        self.assertEqual(status("GET", signed), 200)
        self.assertEqual(status("GET", signed, "cors"), 403)
        self.assertEqual(status("HEAD", signed), 403)
        self.assertEqual(status("GET", signed.replace(key, "other.html")), 403)
        self.assertEqual(status("GET", f"{signed}&Action=ListUsers"), 403)
        self.assertEqual(status("GET", f"{signed}&X-Amz-Credential=test"), 403)
        self.assertEqual(status("GET", presigned(aws_access_key_id="test", aws_secret_access_key="test")), 403)
        self.assertEqual(status("GET", f"/{bucket}/{key}"), 403)

    @closes("refreshed_groups")
    def test_the_tokens_of_a_refresh_name_the_groups_of_the_user(self, emulator):
        cognito = emulator.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="staff")["UserPool"]["Id"]
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="page", AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid"], CallbackURLs=["http://localhost/callback"], SupportedIdentityProviders=["COGNITO"],
        )["UserPoolClient"]["ClientId"]
        cognito.create_group(UserPoolId=pool, GroupName="admin")
        cognito.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password="a-Password-1", Permanent=True)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username="ada", GroupName="admin")

        def post(path, **form):
            form = urllib.parse.urlencode({"client_id": client, **form}).encode()
            return urllib.request.build_opener(NoRedirect).open(f"{emulator.url}{path}", form)

        def groups(tokens, name):
            claims = tokens[name].split(".")[1]
            return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["cognito:groups"]

        callback = {"redirect_uri": "http://localhost/callback"}
        with self.assertRaises(urllib.error.HTTPError) as redirect:
            post("/login", username="ada", password="a-Password-1", scope="openid", response_type="code", **callback)
        code = re.search(r"code=([^&]+)", redirect.exception.headers["Location"])[1]
        with post("/oauth2/token", grant_type="authorization_code", code=code, **callback) as response:
            tokens = json.load(response)
        with post("/oauth2/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"]) as response:
            refreshed = json.load(response)
        for name in ("access_token", "id_token"):
            self.assertEqual((groups(tokens, name), groups(refreshed, name)), (["admin"], ["admin"]))

    @closes("preflight")
    def test_a_preflight_has_the_headers_of_cors(self, emulator):
        cors = {"AllowOrigin": "'https://app.example'", "AllowHeaders": "'X-Access-Token'"}
        outputs = emulator.deploy({"Api": api(Cors=cors), "Route": route("1")}, API_ID)
        status, headers, _ = emulator.call(outputs["Api"], method="OPTIONS")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertEqual(headers["Access-Control-Allow-Headers"], "X-Access-Token")

    @closes("any_method")
    def test_a_route_of_any_method_is_served(self, emulator):
        outputs = emulator.deploy({"Api": api(), "Route": route("event['httpMethod']", Method="ANY")}, API_ID)
        for method in ("GET", "DELETE"):
            status, _, body = emulator.call(outputs["Api"], method=method)
            self.assertEqual((status, body), (200, method))

    @closes("gateway_responses")
    def test_a_gateway_response_has_its_status_headers_and_body(self, emulator):
        unknown = {"StatusCode": 404, "ResponseParameters": {"Headers": {"Cache-Control": "'no-store'"}},
                   "ResponseTemplates": {"application/json": '{"reason":"no_such_route"}'}}
        responses = {"MISSING_AUTHENTICATION_TOKEN": unknown}
        outputs = emulator.deploy({"Api": api(GatewayResponses=responses), "Route": route("1")}, API_ID)
        status, headers, body = emulator.call(outputs["Api"], "/unknown")
        self.assertEqual((status, headers["Cache-Control"], body), (404, "no-store", {"reason": "no_such_route"}))

    @closes("request_id")
    def test_a_request_has_one_id(self, emulator):
        context = "event['requestContext']"
        resources = guarded("Allow", f"[{context}['requestId'], {context}['authorizer']['requestId']]")
        outputs = emulator.deploy(resources, API_ID)
        first, second = [emulator.call(outputs["Api"]) for _ in range(2)]
        for status, headers, body in (first, second):
            self.assertEqual((status, body), (200, [headers["x-amzn-requestid"]] * 2))
        self.assertNotEqual(first[2], second[2])

    @closes("authorizer_context")
    def test_a_denial_shows_the_context_of_the_authorizer(self, emulator):
        denied = {"StatusCode": 401, "ResponseTemplates": {
            "application/json": '{"reason":"$context.authorizer.reason","usedAt":"$context.authorizer.usedAt"}'}}
        outputs = emulator.deploy(guarded("Deny", "1", GatewayResponses={"ACCESS_DENIED": denied}), API_ID)
        status, _, body = emulator.call(outputs["Api"])
        self.assertEqual((status, body), (401, {"reason": "spent", "usedAt": ""}))

    @closes("denied_by_iam")
    def test_a_managed_policy_opens_exactly_its_routes_to_a_user(self, emulator):
        arn = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/Prod/GET/mine"}
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}
        resources = {
            "Api": api(Auth={"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}),
            "Mine": route("event['requestContext']['identity']", Path="/mine"),
            "Other": route("1", Path="/other"),
            "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statement}}},
        }
        outputs = emulator.deploy(resources, {**API_ID, "Policy": {"Value": {"Ref": "Policy"}}})
        iam = emulator.client("iam")
        user = iam.create_user(UserName="backend")["User"]
        created = iam.create_access_key(UserName="backend")["AccessKey"]
        key = Credentials(created["AccessKeyId"], created["SecretAccessKey"])

        status, headers, body = emulator.call(outputs["Api"], "/mine", key=key)
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "AccessDeniedException"))
        self.assertEqual(body, {"Message": (
            f"User: {user['Arn']} is not authorized to perform: execute-api:Invoke on resource: "
            f"arn:aws:execute-api:us-east-1:********0000:{outputs['Api']}/Prod/GET/mine "
            "because no identity-based policy allows the execute-api:Invoke action"
        )})

        iam.attach_user_policy(UserName="backend", PolicyArn=outputs["Policy"])
        status, _, identity = emulator.call(outputs["Api"], "/mine", key=key)
        self.assertEqual(status, 200)
        self.assertEqual(
            [identity[name] for name in ("accessKey", "accountId", "caller", "user", "userArn")],
            [key.access_key, "000000000000", user["UserId"], user["UserId"], user["Arn"]],
        )
        self.assertEqual(emulator.call(outputs["Api"], "/other", key=key)[0], 403)

        forged = Credentials(key.access_key, "another-secret")
        status, headers, _ = emulator.call(outputs["Api"], "/mine", key=forged)
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "InvalidSignatureException"))
        status, _, body = emulator.call(outputs["Api"], "/mine")
        self.assertEqual((status, body), (403, {"message": "Missing Authentication Token"}))

    @closes("nested_transform")
    def test_a_nested_stack_can_be_a_sam_template(self, emulator):
        table = {"Table": {"Type": "AWS::Serverless::SimpleTable"}}
        child = emulator.nested(table, {"Name": {"Value": {"Ref": "Table"}}}, **SAM)
        outputs = emulator.deploy({"Child": child}, {"Table": {"Value": {"Fn::GetAtt": "Child.Outputs.Name"}}})
        emulator.client("dynamodb").describe_table(TableName=outputs["Table"])

    @closes("nested_update")
    def test_a_nested_stack_can_be_updated(self, emulator):
        topics = {"Topic": {"Type": "AWS::SNS::Topic"}}
        name = {"Name": {"Value": {"Fn::GetAtt": "Topic.TopicName"}}}
        outputs = {"Topic": {"Value": {"Fn::GetAtt": "Child.Outputs.Name"}}}
        first = emulator.deploy({"Child": emulator.nested(topics, name)}, outputs, "updated")
        topics["Another"] = {"Type": "AWS::SNS::Topic"}
        second = emulator.deploy({"Child": emulator.nested(topics, name)}, outputs, "updated", "update")
        self.assertEqual(first, second)

    @closes("nested_exports")
    def test_an_export_of_a_nested_stack_can_be_imported(self, emulator):
        topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
        name = str(uuid.uuid4())
        child = emulator.nested(topic, {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": name}}})
        exporter = emulator.deploy({"Child": child}, {"Arn": {"Value": {"Fn::GetAtt": "Child.Outputs.Arn"}}})
        importer = emulator.deploy(topic, {"Imported": {"Value": {"Fn::ImportValue": name}}})
        self.assertEqual(importer["Imported"], exporter["Arn"])

    @closes("template_urls")
    def test_the_template_of_a_parent_names_those_of_its_children_as_on_aws(self, emulator):
        child = emulator.nested({"Topic": {"Type": "AWS::SNS::Topic"}}, {})
        name = f"stack-{uuid.uuid4()}"
        emulator.deploy({"Child": child}, {"Child": {"Value": {"Ref": "Child"}}}, name)
        parent = emulator.client("cloudformation").get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        self.assertEqual(parent["Resources"]["Child"]["Properties"]["TemplateURL"],
                         child["Properties"]["TemplateURL"].replace(emulator.url, "https://s3.us-east-1.amazonaws.com"))

    @closes("table_settings")
    def test_a_table_has_its_time_to_live_and_point_in_time_recovery(self, emulator):
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "jti", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "jti", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "purge_at", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        }}
        name = emulator.deploy({"Table": table}, {"Name": {"Value": {"Ref": "Table"}}})["Name"]
        dynamodb = emulator.client("dynamodb")
        self.assertEqual(dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
                         {"TimeToLiveStatus": "ENABLED", "AttributeName": "purge_at"})
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        self.assertEqual(backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "ENABLED")

    @closes("empty_version")
    def test_a_rotation_begins_with_an_empty_version_and_promotes_nothing(self, emulator):
        secrets = emulator.client("secretsmanager")
        secret = {"SecretId": secrets.create_secret(Name=str(uuid.uuid4()), SecretString="old")["ARN"]}
        function = "arn:aws:lambda:us-east-1:000000000000:function:rotate"
        version = secrets.rotate_secret(**secret, RotationLambdaARN=function)["VersionId"]
        self.assertEqual(secrets.describe_secret(**secret)["VersionIdsToStages"][version], ["AWSPENDING"])
        self.assertEqual(secrets.get_secret_value(**secret)["SecretString"], "old")
        with self.assertRaises(secrets.exceptions.ResourceNotFoundException):
            secrets.get_secret_value(**secret, VersionId=version)
        secrets.put_secret_value(**secret, ClientRequestToken=version, SecretString="new", VersionStages=["AWSPENDING"])
        self.assertEqual(secrets.get_secret_value(**secret, VersionId=version)["SecretString"], "new")


    @closes("stream_windows")
    def test_the_events_of_a_stream_name_their_shard_and_are_in_windows(self, emulator):
        stream = {"Type": "DynamoDB", "Properties": {
            "Stream": {"Fn::GetAtt": "Table.StreamArn"}, "StartingPosition": "TRIM_HORIZON",
            "TumblingWindowInSeconds": 5,
        }}
        resources = {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "jti", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "jti", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            }},
            "Counter": function(
                "{'state': {'seen': event['state'].get('seen', 0) + len(event['Records'] or [])}} "
                "if print('EVENT', json.dumps(event)) is None else None", Events={"Stream": stream}),
        }
        outputs = emulator.deploy(resources, {"Table": {"Value": {"Ref": "Table"}}, "Counter": {"Value": {"Ref": "Counter"}}})
        dynamodb, logs = emulator.client("dynamodb"), emulator.client("logs")

        def events():
            """The events that the function has printed."""
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{outputs['Counter']}")["events"]
            lines = [line for event in found for line in event["message"].splitlines() if "EVENT {" in line]
            events = [json.loads(line.split("EVENT ", 1)[1]) for line in lines]
            return [event for event in events if event["Records"] is not None]

        # What a function prints in its first invocation is not always logged.
        emulator.client("lambda").invoke(FunctionName=outputs["Counter"], Payload=b'{"Records":null,"state":{}}')
        # The second item comes while the window of the first may be open, and the last after its end.
        for jti, pause in (("1", 0), ("2", 6), ("3", 6)):
            dynamodb.put_item(TableName=outputs["Table"], Item={"jti": {"S": jti}})
            time.sleep(pause)
        time.sleep(4)
        events = events()
        self.assertEqual([len(event["Records"]) for event in events if event["Records"]][-1], 1)
        self.assertEqual(sum(len(event["Records"]) for event in events), 3)
        seen = {}
        for event in events:
            self.assertTrue(event["shardId"].startswith("shardId-"))
            window = event["window"]["start"]
            self.assertLess(window, event["window"]["end"])
            # The state of a window begins empty, and its last event has all of it and no record.
            self.assertEqual(event["state"].get("seen", 0), seen.get(window, 0))
            seen[window] = seen.get(window, 0) + len(event["Records"])
            self.assertEqual(event["isFinalInvokeForWindow"], not event["Records"])
        finals = [event["window"]["start"] for event in events if event["isFinalInvokeForWindow"]]
        self.assertEqual(finals, sorted(seen))


if __name__ == "__main__":
    unittest.main(verbosity=2)
