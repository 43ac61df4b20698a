//! The SDK's clients and their limits.

use std::{sync::Arc, time::Duration};

use apigw::{ConfigError, Settings};
use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_types::{SdkConfig, sdk_config};
use futures_util::future;
use tokens::{KeyStore as _, Ports, Timestamp};

use crate::{
    Access, DynamoTokenStore, SecretsManagerKeyStore, SecretsManagerRingVersions,
    config::{self, Config, Connection},
};

/// The time-out of connecting: TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);

/// The time-out of one attempt of a call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);

/// The time-out of a call with its retries. A request makes at most three calls in a row, which fit into
/// a function's 5 s.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(1500);

/// The number of attempts of a call.
const MAX_ATTEMPTS: u32 = 3;

/// The longest pause before the first retry. The SDK's default of 1 s is too long for most callers.
const INITIAL_BACKOFF: Duration = Duration::from_millis(25);

/// The longest pause before any retry, even if the service asks for a longer one.
const MAX_BACKOFF: Duration = Duration::from_millis(100);

/// The ports of a function that uses the store of tokens: connected clients, and the clock.
///
/// `access` is the one action on the table that the function's role allows.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault. A service that does not answer is not an error:
/// the function starts, and calls the service again when it needs it.
pub async fn ports(access: Access) -> Result<Ports<DynamoTokenStore>, ConfigError> {
    let now = || Timestamp(apigw::epoch_seconds());
    let clients = Clients::new(Settings::new(&apigw::env))?;
    clients.warm_up(access, now()).await;
    Ok(Ports { keys: clients.keys, store: clients.store, now })
}

/// The clients of a function, behind the domain's ports.
#[derive(Debug)]
pub struct Clients {
    /// The key ring.
    pub keys: Arc<SecretsManagerKeyStore>,
    /// The tokens.
    pub store: Arc<DynamoTokenStore>,
}

impl Clients {
    /// The clients with these settings; nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        let config = Config::new(settings)?;
        Ok(Self::over(&shared(&config.connection, http_client()).build(), config))
    }

    /// As [`Clients::new`], with this HTTP client instead of the SDK's own, so that a simulation can be the network.
    ///
    /// # Errors
    ///
    /// As [`Clients::new`].
    pub fn with_http_client(settings: Settings<'_>, http_client: SharedHttpClient) -> Result<Self, ConfigError> {
        let config = Config::new(settings)?;
        Ok(Self::over(&shared(&config.connection, http_client).build(), config))
    }

    /// Fetches the key ring and connects to DynamoDB, concurrently and before the first request.
    ///
    /// Never fatal: a call that fails is repeated when its result is needed.
    pub async fn warm_up(&self, access: Access, now: Timestamp) {
        // A failed fetch has already been logged.
        let (_ring, ()) = future::join(self.keys.ring(now), self.store.warm_up(access)).await;
    }

    /// The clients with the settings that they share.
    fn over(shared: &SdkConfig, config: Config) -> Self {
        let dynamodb = dynamodb(shared, &config.connection);
        let secrets_manager = secrets_manager(shared, &config.connection);
        Self {
            keys: Arc::new(SecretsManagerKeyStore::new(secrets_manager, config.key_ring_secret_id)),
            store: Arc::new(DynamoTokenStore::new(Client::from_conf(dynamodb.build()), config.table_name)),
        }
    }
}

/// The key ring in the secret `KEY_RING_SECRET_ID`, for a function that only checks tokens. Nothing is called yet.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault.
pub fn key_store(settings: Settings<'_>) -> Result<Arc<SecretsManagerKeyStore>, ConfigError> {
    let (client, secret_id) = key_ring_secret(settings, http_client())?;
    Ok(Arc::new(SecretsManagerKeyStore::new(client, secret_id)))
}

/// The store in the table `TABLE_NAME`, for a function that needs no key ring. Nothing is called yet.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault.
pub fn token_store(settings: Settings<'_>) -> Result<Arc<DynamoTokenStore>, ConfigError> {
    let client = dynamodb_client(&Connection::new(settings)?);
    Ok(Arc::new(DynamoTokenStore::new(client, settings.text("TABLE_NAME")?)))
}

/// The versions of the secret `KEY_RING_SECRET_ID`, for the function that rotates the ring. Nothing is called yet.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault.
pub fn ring_versions(settings: Settings<'_>) -> Result<SecretsManagerRingVersions, ConfigError> {
    let (client, secret_id) = key_ring_secret(settings, http_client())?;
    Ok(SecretsManagerRingVersions::new(client, secret_id))
}

/// As [`ring_versions`], with this HTTP client instead of the SDK's own, so that a simulation can be the network.
///
/// # Errors
///
/// As [`ring_versions`].
pub fn ring_versions_with_http_client(
    settings: Settings<'_>,
    http_client: SharedHttpClient,
) -> Result<SecretsManagerRingVersions, ConfigError> {
    let (client, secret_id) = key_ring_secret(settings, http_client)?;
    Ok(SecretsManagerRingVersions::new(client, secret_id))
}

/// Region, credentials, time-outs and retries of a function's clients, for the client of another service.
///
/// `endpoint` is the variable with the URL of that service, if it is an emulator; the variable may be empty.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault.
pub fn sdk_config(settings: Settings<'_>, endpoint: &'static str) -> Result<SdkConfig, ConfigError> {
    let mut shared = shared(&Connection::new(settings)?, http_client());
    shared.set_endpoint_url(config::endpoint(settings, endpoint)?);
    Ok(shared.build())
}

/// The configuration of the functions' DynamoDB client, for a client of other tables.
///
/// # Errors
///
/// As [`Clients::new`].
pub fn dynamodb_config(settings: Settings<'_>) -> Result<aws_sdk_dynamodb::config::Builder, ConfigError> {
    let connection = Connection::new(settings)?;
    Ok(dynamodb(&shared(&connection, http_client()).build(), &connection))
}

/// The DynamoDB client of a function that needs no other.
pub(crate) fn dynamodb_client(connection: &Connection) -> Client {
    Client::from_conf(dynamodb(&shared(connection, http_client()).build(), connection).build())
}

/// The configuration of the DynamoDB client.
fn dynamodb(shared: &SdkConfig, connection: &Connection) -> aws_sdk_dynamodb::config::Builder {
    let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(shared);
    dynamodb.set_endpoint_url(connection.dynamodb_endpoint.clone());
    dynamodb
}

/// The client of Secrets Manager and the secret `KEY_RING_SECRET_ID`, for a function that uses the ring alone.
fn key_ring_secret(
    settings: Settings<'_>,
    http_client: SharedHttpClient,
) -> Result<(aws_sdk_secretsmanager::Client, String), ConfigError> {
    let connection = Connection::new(settings)?;
    let shared = shared(&connection, http_client).build();
    Ok((secrets_manager(&shared, &connection), settings.text("KEY_RING_SECRET_ID")?))
}

/// The client of Secrets Manager.
fn secrets_manager(shared: &SdkConfig, connection: &Connection) -> aws_sdk_secretsmanager::Client {
    let mut secrets_manager = aws_sdk_secretsmanager::config::Builder::from(shared);
    secrets_manager.set_endpoint_url(connection.secrets_manager_endpoint.clone());
    aws_sdk_secretsmanager::Client::from_conf(secrets_manager.build())
}

/// The HTTP client of a function's clients, with one connector and so with one parsed list of root certificates.
///
/// It is the SDK's default but for that. The default makes two connectors for every client, the first of them to see
/// whether it can, and each parses all of the machine's root certificates.
fn http_client() -> SharedHttpClient {
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// What the clients have in common.
fn shared(connection: &Connection, http_client: SharedHttpClient) -> sdk_config::Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    SdkConfig::builder()
        .http_client(http_client)
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(connection.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(connection.credentials.clone()))
        .timeout_config(timeouts)
        .retry_config(retries)
        // Every call has a time-out, and none streams.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_of_another_service_has_the_same_limits_and_an_endpoint_of_its_own() {
        let config = |endpoint: &'static str| {
            let lookup = move |name: &str| match name {
                "AWS_ENDPOINT_URL_SFN" => Some(endpoint.to_owned()),
                "AWS_ENDPOINT_URL_DYNAMODB" | "AWS_ENDPOINT_URL_SECRETS_MANAGER" => None,
                name => Some(name.to_lowercase()),
            };
            sdk_config(Settings::new(&lookup), "AWS_ENDPOINT_URL_SFN")
        };
        let emulated = config("http://127.0.0.1:4566").unwrap();
        assert_eq!(emulated.endpoint_url(), Some("http://127.0.0.1:4566/"));
        let timeouts = emulated.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        assert_eq!(emulated.retry_config().unwrap().max_attempts(), MAX_ATTEMPTS);
        assert_eq!(config("").unwrap().endpoint_url(), None);
        let error = config("nowhere").unwrap_err().to_string();
        assert!(error.contains("AWS_ENDPOINT_URL_SFN"), "{error}");
    }
}
