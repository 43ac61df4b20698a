//! `proxy`.

use std::sync::{Arc, Mutex};

use apigw::Settings;
use async_trait::async_trait;
use serde_json::{Value, json};
use shop::{
    ApiKey, Call, KeySource, ProductsApi, Reply, Unavailable,
    functions::proxy::{Ports, Service, handle},
};

use crate::helpers::{Answer, event, other_tokens, person, product_id, setting};

/// An API of products that replies `reply` to callers with its key, and where that key is kept.
struct Crud {
    key: Mutex<Option<&'static str>>,
    kept: Mutex<Option<&'static str>>,
    reads: Mutex<u32>,
    reply: (u16, &'static str),
    calls: Mutex<Vec<Call>>,
}

impl Crud {
    fn new(status: u16, body: &'static str) -> Arc<Self> {
        Arc::new(Self {
            key: Mutex::new(Some("key")),
            kept: Mutex::new(Some("key")),
            reads: Mutex::new(0),
            reply: (status, body),
            calls: Mutex::default(),
        })
    }
}

#[async_trait]
impl ProductsApi for Crud {
    async fn call(&self, key: &ApiKey, call: &Call) -> Result<Reply, Unavailable> {
        self.calls.lock().unwrap().push(call.clone());
        match *self.key.lock().unwrap() {
            None => Err(Unavailable("down".into())),
            Some(expected) if expected != key.0 => Ok(Reply { status: 403, body: "{}".into() }),
            Some(_) => Ok(Reply { status: self.reply.0, body: self.reply.1.into() }),
        }
    }
}

#[async_trait]
impl KeySource for Crud {
    async fn read(&self) -> Result<ApiKey, Unavailable> {
        *self.reads.lock().unwrap() += 1;
        let kept = *self.kept.lock().unwrap();
        kept.map(|key| ApiKey(key.into())).ok_or_else(|| Unavailable("down".into()))
    }
}

fn service(crud: &Arc<Crud>) -> Service {
    Service::new(Settings::new(&setting), Ports { api: crud.clone(), key: crud.clone() }).unwrap()
}

/// The answer to a request of a person in these groups.
async fn call(service: &Service, groups: &str, method: &str, id: Option<&str>, body: &str) -> Answer {
    call_as(service, &person(groups), method, id, body).await
}

async fn call_as(service: &Service, authorizer: &Value, method: &str, id: Option<&str>, body: &str) -> Answer {
    let event = event(&json!({
        "httpMethod": method, "path": "/staff/products", "pathParameters": id.map(|id| json!({"id": id})), "body": body,
        "headers": {"Authorization": "Bearer canary", "Cookie": "canary=1", "X-Api-Key": "canary"},
        "queryStringParameters": {"canary": "1"}, "requestContext": {"authorizer": authorizer},
    }));
    let response = handle(service, event).await.unwrap();
    assert_eq!(response.headers["access-control-allow-origin"], "https://shop.example.com");
    assert_eq!(response.headers["cache-control"], "no-store");
    let body = if response.body.is_empty() { Value::Null } else { serde_json::from_str(&response.body).unwrap() };
    Answer { status: response.status_code, body }
}

#[tokio::test]
async fn an_admin_may_call_everything_and_an_employee_may_find_a_product() {
    for (method, id) in [("GET", None), ("POST", None), ("GET", Some("1")), ("PUT", Some("1")), ("DELETE", Some("1"))] {
        let crud = Crud::new(200, "{}");
        let service = service(&crud);
        for groups in ["admin", "staff,admin", "[staff admin]"] {
            assert_eq!(call(&service, groups, method, id, "").await.status, 200, "{method} {groups}");
        }
        let calls = crud.calls.lock().unwrap().len();
        for groups in ["", "staff", "[staff]"] {
            let answer = call(&service, groups, method, id, "").await;
            let expected = if (method, id) == ("GET", Some("1")) { (200, "") } else { (403, "forbidden") };
            assert_eq!(answer.refusal(), expected, "{method} {groups}");
        }
        // Who may not do it causes no call.
        assert_eq!(crud.calls.lock().unwrap().len(), if (method, id) == ("GET", Some("1")) { 6 } else { calls });
    }
}

#[tokio::test]
async fn a_route_without_its_authorizer_is_closed() {
    let crud = Crud::new(200, "{}");
    for authorizer in [json!(null), json!({}), json!({"claims": {}}), json!({"claims": "admin"}), json!({"sub": "1"})] {
        let answer = call_as(&service(&crud), &authorizer, "GET", Some("1"), "").await;
        assert_eq!(answer.refusal(), (500, "internal"), "{authorizer}");
    }
    assert!(crud.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_is_not_an_access_token_of_the_page_is_401() {
    let crud = Crud::new(200, "{}");
    for authorizer in other_tokens() {
        let answer = call_as(&service(&crud), &authorizer, "GET", Some("1"), "").await;
        assert_eq!(answer.refusal(), (401, "unauthorized"), "{authorizer}");
    }
    assert!(crud.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_method_the_id_and_the_body_go_on_and_nothing_else() {
    let crud = Crud::new(200, "{}");
    call(&service(&crud), "admin", "PUT", Some("a%2Db"), r#"{"a":1}"#).await;
    let expected = Call { method: "PUT".into(), id: Some(product_id("a-b")), body: br#"{"a":1}"#.to_vec() };
    assert_eq!(*crud.calls.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn what_is_not_an_id_gets_into_no_path() {
    let crud = Crud::new(200, "{}");
    for id in ["..", "1/../2", "1?a=b", "%2E%2E", "1%2F..%2F2", "", "a b"] {
        assert_eq!(call(&service(&crud), "admin", "GET", Some(id), "").await.refusal(), (404, "not_found"), "{id}");
    }
    assert!(crud.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_goes_nowhere() {
    let crud = Crud::new(200, "{}");
    let answer = call(&service(&crud), "admin", "POST", None, &"x".repeat(4097)).await;
    assert_eq!(answer.refusal(), (413, "request_too_large"));
    assert!(crud.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_reply_to_the_person_comes_back_and_any_other_is_503() {
    for status in [200, 201, 400, 404, 409, 413, 429] {
        let crud = Crud::new(status, r#"{"reason":"theirs"}"#);
        assert_eq!(call(&service(&crud), "admin", "GET", None, "").await.refusal(), (status, "theirs"));
    }
    let answer = call(&service(&Crud::new(204, "")), "admin", "DELETE", Some("1"), "").await;
    assert_eq!(answer, Answer { status: 204, body: Value::Null });
    for status in [301, 307, 401, 403, 500, 502, 503, 504] {
        let crud = Crud::new(status, r#"{"reason":"theirs"}"#);
        let answer = call(&service(&crud), "admin", "GET", None, "").await;
        assert_eq!(answer.refusal(), (503, "unavailable"), "{status}");
    }
}

#[tokio::test]
async fn the_key_is_read_once_and_again_when_it_is_refused() {
    let crud = Crud::new(200, "{}");
    let service = service(&crud);
    service.warm_up().await;
    for _ in 0..3 {
        assert_eq!(call(&service, "admin", "GET", None, "").await.status, 200);
    }
    assert_eq!(*crud.reads.lock().unwrap(), 1);
    // The key is replaced.
    *crud.key.lock().unwrap() = Some("another");
    *crud.kept.lock().unwrap() = Some("another");
    assert_eq!(call(&service, "admin", "GET", None, "").await.status, 200);
    assert_eq!((*crud.reads.lock().unwrap(), crud.calls.lock().unwrap().len()), (2, 5));
    assert_eq!(call(&service, "admin", "GET", None, "").await.status, 200);
    assert_eq!(*crud.reads.lock().unwrap(), 2);
    // The kept key is wrong: one more try, and no loop.
    *crud.key.lock().unwrap() = Some("a third");
    assert_eq!(call(&service, "admin", "GET", None, "").await.refusal(), (503, "unavailable"));
    assert_eq!((*crud.reads.lock().unwrap(), crud.calls.lock().unwrap().len()), (3, 8));
}

#[tokio::test]
async fn without_the_key_or_the_api_it_is_503_until_they_are_there() {
    let crud = Crud::new(200, "{}");
    let service = service(&crud);
    *crud.kept.lock().unwrap() = None;
    service.warm_up().await;
    assert_eq!(call(&service, "admin", "GET", None, "").await.refusal(), (503, "unavailable"));
    *crud.kept.lock().unwrap() = Some("key");
    assert_eq!(call(&service, "admin", "GET", None, "").await.status, 200);
    *crud.key.lock().unwrap() = None;
    assert_eq!(call(&service, "admin", "GET", None, "").await.refusal(), (503, "unavailable"));
}
