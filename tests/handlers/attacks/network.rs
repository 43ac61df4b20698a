//! A fake AWS for `validate`, in process, that counts its calls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use crate::helpers::{KEY, NOW};

/// Answers with one key ring, and with a table in which every token is spent.
#[derive(Debug, Default)]
pub(super) struct Network {
    calls: Mutex<BTreeMap<String, usize>>,
}

/// The connector of an HTTP client to it.
#[derive(Debug)]
struct Connector(Arc<Network>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (status, body) = match action.as_str() {
            "GetSecretValue" => (200, json!({"SecretString": json!({"active": "k1", "k1": KEY}).to_string()})),
            "UpdateItem" => (400, spent()),
            _ => (400, json!({"__type": "ValidationException"})),
        };
        *self.0.calls.lock().unwrap().entry(action).or_default() += 1;
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// DynamoDB's answer to a claim of a token that another claimant has spent.
fn spent() -> serde_json::Value {
    let time = |seconds: u64| json!({"N": seconds.to_string()});
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "Item": {
            "jti": {"S": uuid::Uuid::from_u128(1).to_string()},
            "minted_by": {"S": "r:mint"}, "created_at": time(NOW.0),
            "expires_at": time(NOW.0 + 300), "purge_at": time(NOW.0 + 86_700),
            "used_by": {"S": "r:another"}, "used_at": time(NOW.0),
        },
    })
}

impl Network {
    /// The clients of a function in this network.
    pub(super) fn clients(self: &Arc<Self>) -> aws::Clients {
        let lookup = |name: &str| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "TABLE_NAME" | "KEY_RING_SECRET_ID" => Some("x".to_owned()),
            _ => None,
        };
        let connector = SharedHttpConnector::new(Connector(self.clone()));
        let http_client = http_client_fn(move |_, _| connector.clone());
        aws::Clients::with_http_client(apigw::Settings::new(&lookup), http_client).unwrap()
    }

    /// How often each action was called.
    pub(super) fn calls(&self) -> BTreeMap<String, usize> {
        self.calls.lock().unwrap().clone()
    }
}
