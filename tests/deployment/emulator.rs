//! A client of the AWS emulator that can call it as any principal.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// Held by a test while it uses the stack, because some tests change what others rely on.
static STACK: Mutex<()> = Mutex::const_new(());

/// The emulator with the stack under test, for one test at a time.
pub(crate) struct Emulator {
    url: String,
    /// The name of the stack.
    pub(crate) stack: String,
    client: Client,
    _one_at_a_time: MutexGuard<'static, ()>,
}

/// A caller of AWS.
pub(crate) struct Principal(Credentials);

impl Principal {
    /// The root user of the account, which may call every action.
    pub(crate) fn root() -> Self {
        Self(Credentials::new("test", "test", None, None, "test"))
    }
}

impl Emulator {
    /// Waits until no other test uses the stack.
    pub(crate) async fn new() -> Self {
        let variable = |name: &str| apigw::env(name).unwrap_or_else(|| panic!("{name} is not set"));
        let (url, stack) = (variable("MINISTACK_URL"), variable("AWS_SAM_STACK_NAME"));
        Self { url, stack, client: Client::new(), _one_at_a_time: STACK.lock().await }
    }

    async fn call(
        &self,
        principal: &Principal,
        method: Method,
        (service, path): (&str, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Response {
        let url = format!("{}{path}", self.url);
        #[expect(clippy::disallowed_methods, reason = "AWS compares the time of a signature with its clock")]
        let now = SystemTime::now();
        let identity = principal.0.clone().into();
        let parameters = SigningParams::builder().identity(&identity).region("us-east-1").name(service).time(now);
        let parameters = parameters.settings(SigningSettings::default()).build().unwrap().into();
        let headers = headers.iter().copied();
        let signable =
            SignableRequest::new(method.as_str(), &url, headers.clone(), SignableBody::Bytes(body.as_bytes())).unwrap();
        let (signature, _) = sign(signable, &parameters).unwrap().into_parts();
        let mut request = self.client.request(method, &url);
        for (name, value) in headers.chain(signature.headers()) {
            request = request.header(name, value);
        }
        request.body(body).send().await.unwrap()
    }

    /// Calls an action of a JSON protocol, such as `DynamoDB_20120810.PutItem`; returns the reply.
    pub(crate) async fn json(&self, principal: &Principal, service: &str, target: &str, body: &Value) -> Value {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        self.call(principal, Method::POST, (service, ""), &headers, body.to_string()).await.json().await.unwrap()
    }

    /// Calls an action of the query protocol as root; returns the text of the first element `element`.
    pub(crate) async fn query(&self, service: &str, parameters: &[(&str, &str)], element: &str) -> String {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let form: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.call(&Principal::root(), Method::POST, (service, ""), &headers, form.join("&")).await;
        let answer = answer.text().await.unwrap();
        inside(&answer, element)
            .unwrap_or_else(|| panic!("no {element} in the reply to {parameters:?}: {answer}"))
            .to_owned()
    }

    /// Invokes a function of the stack as root; returns its reply.
    pub(crate) async fn invoke(&self, logical_id: &str, event: String) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.physical_id(logical_id).await);
        self.call(&Principal::root(), Method::POST, ("lambda", &path), &[], event).await.json().await.unwrap()
    }

    /// The physical id of a resource of the stack.
    pub(crate) async fn physical_id(&self, logical_id: &str) -> String {
        let action = [
            ("Action", "DescribeStackResource"),
            ("StackName", self.stack.as_str()),
            ("LogicalResourceId", logical_id),
        ];
        self.query("cloudformation", &action, "PhysicalResourceId").await
    }

    /// Assumes the role `logical_id`, as Lambda does for a function.
    pub(crate) async fn assume(&self, logical_id: &str) -> Principal {
        let role_arn = format!("arn:aws:iam::000000000000:role/{}", self.physical_id(logical_id).await);
        let action = [("Action", "AssumeRole"), ("RoleArn", role_arn.as_str()), ("RoleSessionName", "test")];
        let credentials = self.query("sts", &action, "Credentials").await;
        let part = |name| inside(&credentials, name).unwrap();
        let (id, key) = (part("AccessKeyId"), part("SecretAccessKey"));
        Principal(Credentials::new(id, key, Some(part("SessionToken").to_owned()), None, "test"))
    }

    /// A request to a route of the deployed API, which the test completes and [`send`]s.
    pub(crate) async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let api = self.physical_id("Api").await;
        self.client.request(method, format!("{}/restapis/{api}/Prod/_user_request_{path}", self.url))
    }

    /// A new user with the stack's `OperatorPolicy`.
    pub(crate) async fn operator(&self) -> Principal {
        let name = format!("operator-{}", uuid::Uuid::new_v4());
        let user = ("UserName", name.as_str());
        self.query("iam", &[("Action", "CreateUser"), user], "Arn").await;
        let policy = self.physical_id("OperatorPolicy").await;
        self.query("iam", &[("Action", "AttachUserPolicy"), user, ("PolicyArn", &policy)], "RequestId").await;
        let key = self.query("iam", &[("Action", "CreateAccessKey"), user], "AccessKey").await;
        let part = |name| inside(&key, name).unwrap();
        Principal(Credentials::new(part("AccessKeyId"), part("SecretAccessKey"), None, None, "test"))
    }

    /// The body of the answer to a signed request to a route of the deployed API, which must be a success.
    pub(crate) async fn signed(&self, principal: &Principal, method: Method, path: &str, body: String) -> Value {
        let path = format!("/restapis/{}/Prod/_user_request_{path}", self.physical_id("Api").await);
        let answer = self.call(principal, method, ("execute-api", &path), &[], body).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// A token from GET /tokens.
    pub(crate) async fn mint(&self) -> String {
        let (status, answer) = send(self.request(Method::GET, "/tokens").await).await;
        assert_eq!(status, 200, "GET /tokens");
        answer.split(r#""token":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    /// The name of the table of tokens.
    pub(crate) async fn table(&self) -> Value {
        json!(self.physical_id("TokensTable").await)
    }

    /// The id of the secret that holds the key ring.
    pub(crate) async fn secret(&self) -> Value {
        json!(self.physical_id("KeyRing").await)
    }
}

/// Sends a request to the API; returns the status, and the headers and the body as one text.
pub(crate) async fn send(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let headers = format!("{:?}", response.headers());
    (response.status().as_u16(), format!("{headers}{}", response.text().await.unwrap()))
}

/// The text of the first XML element `name`.
fn inside<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
