//! The API of products, and its key in Secrets Manager.

use std::{fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use serde::Deserialize;

use super::{
    https::{self, Https},
    unavailable,
};
use crate::{ApiKey, Call, KeySource, ProductsApi, Reply, Unavailable};

/// The API of products behind API Gateway, which checks the key.
#[derive(Debug)]
pub struct HttpsProductsApi {
    https: Https,
    url: String,
}

impl HttpsProductsApi {
    /// The API at the URL `PRODUCTS_API_URL`, which includes its stage. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        let url = https::url(settings, "PRODUCTS_API_URL")? + "/products";
        Ok(Arc::new(Self { https: Https::new(), url }))
    }
}

#[async_trait]
impl ProductsApi for HttpsProductsApi {
    async fn call(&self, key: &ApiKey, call: &Call) -> Result<Reply, Unavailable> {
        let url = match &call.id {
            // An ID needs no encoding.
            Some(id) => format!("{}/{id}", self.url),
            None => self.url.clone(),
        };
        let mut key = HeaderValue::from_str(&key.0).map_err(unavailable)?;
        key.set_sensitive(true);
        let request = Request::builder().method(call.method.as_str()).uri(url).header("x-api-key", key);
        let request = request.header(CONTENT_TYPE, "application/json").body(call.body.clone()).map_err(unavailable)?;
        let (status, body) = self.https.send(request).await?;
        Ok(Reply { status: status.as_u16(), body })
    }
}

/// The key of the API in a secret.
pub struct SecretKey {
    client: Client,
    secret_id: String,
}

/// A secret that is not `{"key": "…"}`.
#[derive(Debug, thiserror::Error)]
#[error("the secret with the API key is malformed")]
struct UnreadableSecret;

/// The text of the secret.
#[derive(Deserialize)]
struct Secret {
    key: String,
}

impl SecretKey {
    /// The key in the secret `API_KEY_SECRET_ID`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        let secret_id = settings.text("API_KEY_SECRET_ID")?;
        let client = Client::new(&::aws::sdk_config(settings, "AWS_ENDPOINT_URL_SECRETS_MANAGER")?);
        Ok(Arc::new(Self { client, secret_id }))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

#[async_trait]
impl KeySource for SecretKey {
    async fn read(&self) -> Result<ApiKey, Unavailable> {
        let get = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let got = get.map_err(|err| unavailable(err.into_service_error()))?;
        // An error of serde would quote the secret.
        let secret = got.secret_string().and_then(|text| serde_json::from_str::<Secret>(text).ok());
        Ok(ApiKey(secret.ok_or_else(|| unavailable(UnreadableSecret))?.key))
    }
}
