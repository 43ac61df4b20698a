//! Shared by the tests of all functions: a shop, its checkout tokens, events and answers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use apigw::{Event, Response, Settings};
use async_trait::async_trait;
use in_memory::{InMemoryExecutions, InMemoryShop};
use lambda_runtime::Context;
use serde_json::{Value, json, value::to_raw_value};
use shop::{
    Catalogue, Cents, EditableCatalogue, Execution, Executions, OrderId, OrderList, Position, Product, ProductId,
    Replacement, Start, StoredOrder, Unavailable, functions::checkout,
};
use tokens::{
    Claimant, FixedKeyStore, InMemoryTokenStore, Jti, KeyRing, KeyStore, KeyStoreError, Minter, NewToken, Timestamp,
};
use uuid::Uuid;

/// The time by the clock of the function.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000);

const KEY: &str = "a-key-of-the-tests-and-of-nothing-else";

/// The settings that the template gives the functions.
pub(crate) fn setting(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN_ISSUER" => "shop.eu-west-1",
        "TOKEN_AUDIENCE" => "shop.eu-west-1/api",
        "REVOKED_BEFORE" => "0",
        "CHECKOUT_TOKEN" => "required",
        "TOKEN_TTL_SECONDS" => "1800",
        "CLIENT_ID" => "page",
        "SITE_URL" => "https://shop.example.com",
        "ALLOWED_ORIGIN" => "https://shop.example.com",
        "EXPOSED_HEADERS" => "X-Access-Token",
        _ => return None,
    };
    Some(value.to_owned())
}

/// What the authorizer of the user pool passes on for a person in these groups.
pub(crate) fn person(groups: &str) -> Value {
    json!({"claims": {"sub": "1", "token_use": "access", "client_id": "page", "cognito:groups": groups}})
}

/// What it passes on for tokens that are not an access token of the page.
pub(crate) fn other_tokens() -> Vec<Value> {
    let with = |name, value| {
        let mut authorizer = person("admin");
        authorizer["claims"][name] = value;
        authorizer
    };
    let kinds = [json!("id"), json!("refresh"), Value::Null].map(|kind| with("token_use", kind));
    let clients = [json!("another"), json!("Page"), json!(""), Value::Null].map(|client| with("client_id", client));
    kinds.into_iter().chain(clients).collect()
}

/// [`setting`], with another value for `name`.
pub(crate) fn setting_with(name: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
    move |asked| if asked == name { Some(value.to_owned()) } else { setting(asked) }
}

pub(crate) fn product_id(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

/// A product with 100 in stock.
pub(crate) fn product(id: &str, price: u64) -> Product {
    Product {
        id: product_id(id),
        product_name: format!("Cookie {id}"),
        description: "A cookie.".into(),
        price: Cents(price),
        inventory_count: 100,
        image: "cookie.svg".into(),
    }
}

/// A port that fails when it is told to.
pub(crate) struct Failing<P: ?Sized> {
    pub(crate) fails: AtomicBool,
    pub(crate) port: Arc<P>,
}

impl<P: ?Sized> Failing<P> {
    fn new(port: Arc<P>) -> Arc<Self> {
        Arc::new(Self { fails: AtomicBool::new(false), port })
    }

    fn check(&self) -> Result<(), Unavailable> {
        if self.fails.load(Ordering::Relaxed) { Err(Unavailable("down".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Catalogue for Failing<InMemoryShop> {
    async fn all(&self) -> Result<Vec<Product>, Unavailable> {
        self.check()?;
        self.port.all().await
    }

    async fn find(&self, id: &ProductId) -> Result<Option<Product>, Unavailable> {
        self.check()?;
        Catalogue::find(&*self.port, id).await
    }

    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.check()?;
        self.port.find_all(ids).await
    }
}

#[async_trait]
impl EditableCatalogue for Failing<InMemoryShop> {
    async fn add(&self, product: &Product) -> Result<bool, Unavailable> {
        self.check()?;
        self.port.add(product).await
    }

    async fn replace(&self, product: &Product, seen: Option<u64>) -> Result<Replacement, Unavailable> {
        self.check()?;
        self.port.replace(product, seen).await
    }

    async fn remove(&self, id: &ProductId) -> Result<(), Unavailable> {
        self.check()?;
        self.port.remove(id).await
    }
}

#[async_trait]
impl OrderList for Failing<InMemoryShop> {
    async fn newest(&self, before: Option<&Position>, limit: u32) -> Result<Vec<StoredOrder>, Unavailable> {
        self.check()?;
        self.port.newest(before, limit).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<StoredOrder>, Unavailable> {
        self.check()?;
        OrderList::find(&*self.port, id).await
    }
}

/// Here only the search for an execution fails.
#[async_trait]
impl Executions for Failing<InMemoryExecutions> {
    fn arn(&self, id: &OrderId) -> String {
        self.port.arn(id)
    }

    async fn start(&self, id: &OrderId, input: String) -> Result<Start, Unavailable> {
        self.port.start(id, input).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Execution>, Unavailable> {
        self.check()?;
        self.port.find(id).await
    }
}

/// No key ring.
struct NoKeys;

#[async_trait]
impl KeyStore for NoKeys {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        Err(KeyStoreError("down".into()))
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.ring(now).await
    }

    async fn refresh_if_due(&self, _now: Timestamp) {}
}

/// A shop with two products: 1 for 2.00 and 2 for 3.50.
pub(crate) struct Shop {
    pub(crate) data: Arc<InMemoryShop>,
    pub(crate) catalogue: Arc<Failing<InMemoryShop>>,
    pub(crate) order_list: Arc<Failing<InMemoryShop>>,
    pub(crate) executions: Arc<InMemoryExecutions>,
    pub(crate) look: Arc<Failing<InMemoryExecutions>>,
    pub(crate) tokens: Arc<InMemoryTokenStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let data = Arc::new(InMemoryShop::new());
        data.put_product(product("1", 200));
        data.put_product(product("2", 350));
        let executions = Arc::new(InMemoryExecutions::new());
        let ring = format!(r#"{{"active":"k1","k1":"{KEY}"}}"#);
        Self {
            catalogue: Failing::new(data.clone()),
            order_list: Failing::new(data.clone()),
            look: Failing::new(executions.clone()),
            data,
            executions,
            tokens: Arc::new(InMemoryTokenStore::new()),
            keys: Arc::new(FixedKeyStore::new(KeyRing::from_json(ring.as_bytes()).unwrap())),
        }
    }

    pub(crate) fn without_keys(self) -> Self {
        Self { keys: Arc::new(NoKeys), ..self }
    }

    /// A checkout token that was minted some seconds ago, and its ID.
    pub(crate) async fn token(&self, seconds_ago: u64) -> (String, OrderId) {
        self.token_for("shop.eu-west-1/api", seconds_ago).await
    }

    /// A token for an audience.
    pub(crate) async fn token_for(&self, aud: &str, seconds_ago: u64) -> (String, OrderId) {
        let minter = Minter::new("shop.eu-west-1".into(), Timestamp(0), self.keys.clone(), self.tokens.clone());
        let jti = Jti::new(Uuid::new_v4());
        let minted_by = Claimant::of_invocation("mint").unwrap();
        let new = NewToken { jti, aud: aud.into(), ttl_seconds: 1800, minted_by, host: None };
        let minted = minter.mint(new, NOW.minus(seconds_ago)).await.unwrap();
        (minted.token.expose().to_owned(), jti)
    }

    /// The function `checkout`.
    pub(crate) fn checkout(&self, setting: &dyn Fn(&str) -> Option<String>) -> checkout::Service {
        let (catalogue, executions) = (self.catalogue.clone(), self.look.clone());
        let ports = checkout::Ports { keys: self.keys.clone(), catalogue, executions, now: || NOW };
        checkout::Service::new(Settings::new(setting), ports).unwrap()
    }

    /// The answer to `POST /orders` with a token and a body.
    pub(crate) async fn order(&self, token: &str, body: &Value) -> Answer {
        self.order_at(&self.checkout(&setting), token, body).await
    }

    /// As [`Shop::order`], by a function with other settings.
    pub(crate) async fn order_at(&self, service: &checkout::Service, token: &str, body: &Value) -> Answer {
        let headers = if token.is_empty() { json!({}) } else { json!({ "X-Access-Token": token }) };
        let event = json!({"httpMethod": "POST", "path": "/orders", "headers": headers, "body": body.to_string()});
        answer(&checkout::handle(service, self::event(&event)).await.unwrap())
    }

    /// The answer to `GET /orders/status/{executionArn}`.
    pub(crate) async fn status(&self, name: &str) -> Answer {
        let event = json!({"httpMethod": "GET", "path": "/orders/status", "pathParameters": {"executionArn": name}});
        answer(&checkout::handle(&self.checkout(&setting), self::event(&event)).await.unwrap())
    }
}

/// A status and a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The status and the reason.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["reason"].as_str().unwrap_or_default())
    }
}

/// An answer, which must have the headers that every answer has.
pub(crate) fn answer(response: &Response) -> Answer {
    assert_eq!(response.headers["access-control-allow-origin"], "https://shop.example.com");
    assert_eq!(response.headers["cache-control"], "no-store");
    Answer { status: response.status_code, body: serde_json::from_str(&response.body).unwrap() }
}

/// An invocation with this event.
pub(crate) fn event(event: &Value) -> Event {
    Event::new(to_raw_value(event).unwrap(), Context::default())
}

/// A body of `POST /orders`: so many of each product.
pub(crate) fn body(lines: &[(&str, u32)]) -> Value {
    let lines: Vec<_> = lines.iter().map(|(id, quantity)| json!({"id": id, "quantity": quantity})).collect();
    json!({
        "personalInfo": {"customer_name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 010 9999"},
        "customerproduct": {"productsToSubmit": lines},
    })
}
