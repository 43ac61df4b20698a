//! `naive`: the authorizer as the SDK's own examples lead to it: the whole configuration chain of `aws-config`, the key
//! read when the first request needs it, and nothing before.

#![expect(clippy::disallowed_methods, reason = "it does as the examples do")]

use std::{
    collections::HashMap,
    env,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The clients, and the key ring when it has been read.
struct Service {
    dynamodb: aws_sdk_dynamodb::Client,
    secrets_manager: aws_sdk_secretsmanager::Client,
    ring: OnceCell<HashMap<String, String>>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let service = Service {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        secrets_manager: aws_sdk_secretsmanager::Client::new(&config),
        ring: OnceCell::new(),
    };
    lambda_runtime::run(service_fn(|event| authorize(&service, event))).await
}

/// Mints a token and allows the request.
async fn authorize(service: &Service, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let ring = service.ring.get_or_try_init(|| read_ring(service)).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let expires_at = now + env::var("TOKEN_TTL_SECONDS")?.parse::<u64>()?;
    let (jti, kid) = (Uuid::new_v4().to_string(), ring.get("active").ok_or("no active key")?);
    let claims = json!({
        "iss": env::var("TOKEN_ISSUER")?, "aud": env::var("TOKEN_AUDIENCE")?, "jti": jti, "iat": now, "exp": expires_at,
    });
    let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(ring.get(kid).ok_or("no such key")?.as_bytes());
    let token = jsonwebtoken::encode(&header, &claims, &key)?;
    let put = service.dynamodb.put_item().table_name(env::var("TABLE_NAME")?);
    let put = put.item("jti", AttributeValue::S(jti.clone()));
    let put = put.item("expires_at", AttributeValue::N(expires_at.to_string()));
    put.condition_expression("attribute_not_exists(jti)").send().await?;
    let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event.payload["methodArn"]});
    Ok(json!({
        "principalId": jti,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"accessToken": token},
    }))
}

/// Reads the key ring from Secrets Manager.
async fn read_ring(service: &Service) -> Result<HashMap<String, String>, Error> {
    let get = service.secrets_manager.get_secret_value().secret_id(env::var("KEY_RING_SECRET_ID")?);
    let secret = get.send().await?;
    Ok(serde_json::from_str(secret.secret_string().ok_or("the secret has no text")?)?)
}
