//! A client of the API under test.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// The API under test.
#[derive(Clone)]
pub(crate) struct Api {
    url: String,
    pub(crate) site: String,
    client: Client,
}

/// A response, read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The status and the reason.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["reason"].as_str().unwrap_or_default())
    }
}

impl Api {
    pub(crate) fn new() -> Self {
        let variable = |name| apigw::env(name).unwrap_or_else(|| panic!("{name} is not set"));
        Self { url: variable("SHOP_API_URL"), site: variable("SHOP_SITE_URL"), client: Client::new() }
    }

    /// A request, which the test completes and [`Api::send`]s.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request, and again for up to 20 s while the answer asks for that, as a client does: a dependency is busy,
    /// or the API is throttled.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        for _ in 0..100 {
            let answer = self.send_once(request.try_clone().unwrap()).await;
            if !matches!(answer.status, 429 | 502..=504) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.send_once(request).await
    }

    /// Sends a request. The answer must have the headers that every answer has, and an error its body.
    async fn send_once(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        let answer = Answer { status, headers, body };
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), self.site, "{answer:?}");
        assert!(answer.header("access-control-expose-headers").contains("Retry-After"), "{answer:?}");
        if status >= 400 {
            for member in ["message", "reason", "requestId"] {
                assert!(answer.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {answer:?}");
            }
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A checkout token.
    pub(crate) async fn token(&self) -> String {
        let answer = self.get("/checkout-token").await;
        answer.body["token"].as_str().unwrap_or_else(|| panic!("no token: {answer:?}")).to_owned()
    }

    /// `POST /orders` with a token and a body.
    pub(crate) async fn order(&self, token: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, "/orders").header("x-access-token", token);
        self.send(request.body(body.to_string())).await
    }

    /// The final status of an order, and the reason.
    pub(crate) async fn outcome(&self, order_id: &Value) -> (String, Value) {
        let path = format!("/orders/status/{}", order_id.as_str().unwrap());
        for _ in 0..300 {
            let answer = self.get(&path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let status = answer.body["status"].as_str().unwrap();
            if status != "RUNNING" {
                return (status.to_owned(), answer.body["reason"].clone());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the order is still running");
    }
}

/// A body of `POST /orders`: so many of each product.
pub(crate) fn body(lines: &[(&str, u32)]) -> Value {
    let lines: Vec<_> = lines.iter().map(|(id, quantity)| json!({"id": id, "quantity": quantity})).collect();
    json!({
        "personalInfo": {"customer_name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 010 9999"},
        "customerproduct": {"productsToSubmit": lines},
    })
}
