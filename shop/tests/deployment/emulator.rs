//! The deployed shop: its API, its tables, and the emulator that can be called as any principal.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws::DynamoTokenStore;
use aws_sdk_dynamodb::{
    Client as DynamoDb, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use reqwest::{Client, Method, RequestBuilder, Response, Url, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use shop::{Cents, OrderId, Product, ProductId, aws::to_item};
use tokens::{Checker, Claimant, FixedKeyStore, Issuer, Jti, KeyRing, Minter, NewToken, Timestamp, Token};
use uuid::Uuid;

/// The account of the emulator.
const ACCOUNT: &str = "000000000000";

/// A caller of AWS.
pub(crate) struct Principal(Credentials);

impl Principal {
    /// The root user of the account, which may call every action.
    pub(crate) fn root() -> Self {
        Self(Credentials::new("test", "test", None, None, "test"))
    }
}

/// The emulator with the stack under test.
pub(crate) struct Emulator {
    pub(crate) url: String,
    stack: String,
    client: Client,
}

impl Emulator {
    pub(crate) fn new() -> Self {
        let variable = |name: &str| apigw::env(name).unwrap_or_else(|| panic!("{name} is not set"));
        Self { url: variable("MINISTACK_URL"), stack: variable("SHOP_STACK_NAME"), client: Client::new() }
    }

    /// Calls AWS by a `POST`; returns the text of the reply.
    async fn call(
        &self,
        principal: &Principal,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> String {
        self.signed(principal, service, ("POST", path), headers, body).await.text().await.unwrap()
    }

    /// Calls S3; returns the reply.
    pub(crate) async fn s3(&self, principal: &Principal, method: &str, path: &str, body: &str) -> Response {
        self.signed(principal, "s3", (method, path), &[], body.to_owned()).await
    }

    /// Sends a signed request.
    async fn signed(
        &self,
        principal: &Principal,
        service: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Response {
        let url = format!("{}{path}", self.url);
        #[expect(clippy::disallowed_methods, reason = "AWS compares the time of a signature with its clock")]
        let now = SystemTime::now();
        let identity = principal.0.clone().into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = SigningParams::builder().identity(&identity).region("us-east-1").name(service).time(now);
        let parameters = parameters.settings(settings).build().unwrap().into();
        let headers = headers.iter().copied();
        let signable =
            SignableRequest::new(method, &url, headers.clone(), SignableBody::Bytes(body.as_bytes())).unwrap();
        let (signature, _) = sign(signable, &parameters).unwrap().into_parts();
        let request = self.client.request(method.parse().unwrap(), &url);
        let request =
            headers.chain(signature.headers()).fold(request, |request, (name, value)| request.header(name, value));
        request.body(body).send().await.unwrap()
    }

    /// Calls an action of a JSON protocol, such as `DynamoDB_20120810.PutItem`; returns the reply.
    pub(crate) async fn json(&self, principal: &Principal, service: &str, target: &str, body: &Value) -> Value {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
        let reply = self.call(principal, service, "", &headers, body.to_string()).await;
        serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{target}: {reply}"))
    }

    /// Calls an action of the query protocol as root; returns the text of the first element `element`.
    pub(crate) async fn query(&self, service: &str, parameters: &[(&str, &str)], element: &str) -> String {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let form: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = self.call(&Principal::root(), service, "", &headers, form.join("&")).await;
        inside(&reply, element).unwrap_or_else(|| panic!("no {element} in {reply}")).to_owned()
    }

    /// The physical ID of a resource of the stack.
    pub(crate) async fn physical_id(&self, logical_id: &str) -> String {
        let action =
            [("Action", "DescribeStackResource"), ("StackName", &*self.stack), ("LogicalResourceId", logical_id)];
        self.query("cloudformation", &action, "PhysicalResourceId").await
    }

    /// Assumes a role of the stack, as Lambda does for a function.
    pub(crate) async fn assume(&self, logical_id: &str) -> Principal {
        let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/{}", self.physical_id(logical_id).await);
        let action = [("Action", "AssumeRole"), ("RoleArn", role_arn.as_str()), ("RoleSessionName", "test")];
        let credentials = self.query("sts", &action, "Credentials").await;
        let part = |name| inside(&credentials, name).unwrap();
        let session = Some(part("SessionToken").to_owned());
        Principal(Credentials::new(part("AccessKeyId"), part("SecretAccessKey"), session, None, "test"))
    }

    /// Invokes a function of the stack; returns its reply.
    pub(crate) async fn invoke(&self, logical_id: &str, event: &Value) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.physical_id(logical_id).await);
        let reply = self.call(&Principal::root(), "lambda", &path, &[], event.to_string()).await;
        serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{logical_id}: {reply}"))
    }

    /// A client of DynamoDB that may call every action.
    pub(crate) fn dynamodb(&self) -> DynamoDb {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Principal::root().0)
            .endpoint_url(&self.url);
        DynamoDb::from_conf(config.build())
    }

    /// A product of its own, so that tests do not meet.
    pub(crate) async fn product(&self, inventory_count: u64) -> ProductId {
        let id = ProductId::parse(&Uuid::new_v4().to_string()).unwrap();
        let product = Product {
            id: id.clone(),
            product_name: "Cookie".into(),
            description: "A cookie.".into(),
            price: Cents(200),
            inventory_count,
            image: "cookie.svg".into(),
        };
        let table = self.physical_id("ProductsTable").await;
        self.dynamodb().put_item().table_name(table).set_item(Some(to_item(product))).send().await.unwrap();
        id
    }

    /// How many of a product are in stock.
    pub(crate) async fn stock(&self, id: &ProductId) -> u64 {
        let (_, found) = self.get(&format!("/products/{id}")).await;
        found["inventory_count"].as_u64().unwrap_or_else(|| panic!("no stock: {found}"))
    }

    /// The item of an order.
    pub(crate) async fn order_item(&self, id: &OrderId) -> Value {
        let table = self.physical_id("OrdersTable").await;
        let get = json!({"TableName": table, "Key": {"id": {"S": id.to_string()}}, "ConsistentRead": true});
        self.json(&Principal::root(), "dynamodb", "DynamoDB_20120810.GetItem", &get).await["Item"].clone()
    }

    /// The key ring of the stack.
    async fn keys(&self) -> FixedKeyStore {
        let secret = json!({"SecretId": self.physical_id("KeyRing").await});
        let secret = self.json(&Principal::root(), "secretsmanager", "secretsmanager.GetSecretValue", &secret).await;
        FixedKeyStore::new(KeyRing::from_json(secret["SecretString"].as_str().unwrap().as_bytes()).unwrap())
    }

    /// The ID of the report that a link's token opens.
    pub(crate) async fn report_id(&self, token: &str) -> Jti {
        let iss = format!("{}.us-east-1", self.stack);
        let checker = Checker::new(&Issuer { aud: format!("{iss}/reports"), iss }, Timestamp(0));
        let now = Timestamp(apigw::epoch_seconds());
        checker.look(&Token::new(token.to_owned()), &self.keys().await, now).await.unwrap().unwrap().claims.jti
    }

    /// A checkout token that expires in some seconds.
    pub(crate) async fn token(&self, expires_in: u64) -> (String, OrderId) {
        self.token_for("api", expires_in).await
    }

    /// A token for one of the audiences of the stack that expires in some seconds, and its ID.
    pub(crate) async fn token_for(&self, audience: &str, expires_in: u64) -> (String, Jti) {
        const TTL_SECONDS: u64 = 1800;

        let store = Arc::new(DynamoTokenStore::new(self.dynamodb(), self.physical_id("TokensTable").await));
        let iss = format!("{}.us-east-1", self.stack);
        let (aud, jti) = (format!("{iss}/{audience}"), Jti::new(Uuid::new_v4()));
        let minter = Minter::new(iss, Timestamp(0), Arc::new(self.keys().await), store);
        let minted_by = Claimant::of_invocation("test").unwrap();
        let new = NewToken { jti, aud, ttl_seconds: TTL_SECONDS, minted_by, host: None };
        let now = Timestamp(apigw::epoch_seconds() + expires_in - TTL_SECONDS);
        (minter.mint(new, now).await.unwrap().token.expose().to_owned(), jti)
    }

    /// The URL of an API.
    pub(crate) async fn api(&self, logical_id: &str) -> String {
        format!("{}/restapis/{}/api/_user_request_", self.url, self.physical_id(logical_id).await)
    }

    /// Calls an action of API Gateway, which creates something; returns it.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Value {
        let reply = self.call(&Principal::root(), "apigateway", path, &[], body.to_string()).await;
        serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{path}: {reply}"))
    }

    /// Calls an action of Cognito; returns the reply.
    pub(crate) async fn cognito(&self, action: &str, body: &Value) -> Value {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        self.json(&Principal::root(), "cognito-idp", &target, body).await
    }

    /// The code that a new person of a user pool gets on the pages of Cognito, for a page with this verifier.
    pub(crate) async fn code(&self, pool: &str, client: &str, callback: &str, challenge: &str) -> String {
        const PASSWORD: &str = "a-Password-of-the-test-1";

        let email = format!("{}@example.com", Uuid::new_v4());
        let person = json!({"UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS"});
        self.cognito("AdminCreateUser", &person).await;
        let password = json!({"UserPoolId": pool, "Username": email, "Password": PASSWORD, "Permanent": true});
        self.cognito("AdminSetUserPassword", &password).await;
        let form = [
            ("client_id", client),
            ("redirect_uri", callback),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("username", &email),
            ("password", PASSWORD),
        ];
        let form = Url::parse_with_params(&self.url, form).unwrap().query().unwrap().to_owned();
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let post =
            browser.post(format!("{}/login", self.url)).header("content-type", "application/x-www-form-urlencoded");
        let done = post.body(form).send().await.unwrap();
        let back = Url::parse(done.headers()["location"].to_str().unwrap()).unwrap();
        back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    /// The status, the headers and the text of the answer to a request, which is sent once.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, HeaderMap, String) {
        let request = self.client.request(method, url).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.headers().clone(), answer.text().await.unwrap())
    }

    /// The status and the body of the answer to a `GET`.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.api("ShopApi").await);
        answer(|| self.client.get(&url)).await
    }

    /// The status and the body of the answer to a `POST` without a body, with a token or without one.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        let url = format!("{}{path}", self.api("ShopApi").await);
        let headers = |request: RequestBuilder| match token {
            Some(token) => request.header("x-access-token", token),
            None => request,
        };
        answer(|| headers(self.client.post(&url))).await
    }

    /// The status and the body of the answer to `POST /orders`.
    pub(crate) async fn order(&self, token: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/orders", self.api("ShopApi").await);
        answer(|| self.client.post(&url).header("x-access-token", token).body(body.to_string())).await
    }

    /// The final status of an order, and the reason.
    pub(crate) async fn outcome(&self, id: &OrderId) -> (String, String) {
        for _ in 0..600 {
            let (status, body) = self.get(&format!("/orders/status/{id}")).await;
            if status == 200 && body["status"] != "RUNNING" {
                let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
                return (text("status"), text("reason"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the order is still running");
    }
}

/// The status and the body of an answer. Asks again, as the page does, while the API is throttled or the outcome unknown.
async fn answer(request: impl Fn() -> RequestBuilder) -> (u16, Value) {
    for _ in 0..300 {
        let answer = request().send().await.unwrap();
        match answer.status().as_u16() {
            429 | 502..=504 => tokio::time::sleep(Duration::from_millis(100)).await,
            status => return (status, answer.json().await.unwrap()),
        }
    }
    panic!("no answer but 429 and 502 to 504 for 30 s");
}

/// A body of `POST /orders`.
pub(crate) fn body(id: &ProductId, quantity: u32) -> Value {
    json!({
        "personalInfo": {"customer_name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 010 9999"},
        "customerproduct": {"productsToSubmit": [{"id": id, "quantity": quantity}]},
    })
}

/// The text of the first XML element `name`.
fn inside<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
