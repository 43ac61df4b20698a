//! Settings of the clients.

use apigw::{ConfigError, Settings};
use aws_sdk_dynamodb::config::Credentials;
use http::Uri;

/// Settings of every client, read once at cold start.
///
/// Lambda sets the Region and the credentials, which are valid for the life of the process. They are
/// read here, so no chain of providers is needed.
pub(crate) struct Connection {
    /// The Region of tables and secret (`AWS_REGION`).
    pub(crate) region: String,
    /// The function's own credentials (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`).
    pub(crate) credentials: Credentials,
    /// The URL of DynamoDB, if it is an emulator (`AWS_ENDPOINT_URL_DYNAMODB`, which may be empty).
    pub(crate) dynamodb_endpoint: Option<String>,
    /// The URL of Secrets Manager, if it is an emulator (`AWS_ENDPOINT_URL_SECRETS_MANAGER`, which may
    /// be empty).
    pub(crate) secrets_manager_endpoint: Option<String>,
}

/// Settings of the clients of a function that uses the store of tokens.
pub(crate) struct Config {
    /// What every client has.
    pub(crate) connection: Connection,
    /// Name of the table of tokens (`TABLE_NAME`).
    pub(crate) table_name: String,
    /// Name or ARN of the secret that holds the key ring (`KEY_RING_SECRET_ID`).
    pub(crate) key_ring_secret_id: String,
}

impl Connection {
    /// Reads every setting.
    pub(crate) fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        let credentials = credentials(settings)?;
        Ok(Self {
            region: settings.text("AWS_REGION")?,
            credentials,
            dynamodb_endpoint: endpoint(settings, "AWS_ENDPOINT_URL_DYNAMODB")?,
            secrets_manager_endpoint: endpoint(settings, "AWS_ENDPOINT_URL_SECRETS_MANAGER")?,
        })
    }
}

impl Config {
    /// Reads every setting.
    pub(crate) fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            connection: Connection::new(settings)?,
            table_name: settings.text("TABLE_NAME")?,
            key_ring_secret_id: settings.text("KEY_RING_SECRET_ID")?,
        })
    }
}

/// The function's own credentials (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`).
///
/// # Errors
///
/// [`ConfigError`], which names the variable that is missing.
pub fn credentials(settings: Settings<'_>) -> Result<Credentials, ConfigError> {
    let (key_id, key) = (settings.text("AWS_ACCESS_KEY_ID")?, settings.text("AWS_SECRET_ACCESS_KEY")?);
    let session_token = settings.text("AWS_SESSION_TOKEN").ok();
    Ok(Credentials::new(key_id, key, session_token, None, "environment"))
}

/// Whether a URL can be the endpoint of a service: `http` or `https`, with a host and without a query.
#[must_use]
pub fn is_endpoint(uri: &Uri) -> bool {
    uri.authority().is_some() && matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
}

/// The URL of a service, if it is an emulator.
pub(crate) fn endpoint(settings: Settings<'_>, name: &'static str) -> Result<Option<String>, ConfigError> {
    match settings.parsed(name, "empty, or an http or https URL without a query", is_endpoint) {
        Ok(uri) => Ok(Some(uri.to_string())),
        Err(ConfigError::Missing(_)) => Ok(None),
        Err(err) => Err(err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [&str; 5] =
        ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TABLE_NAME", "KEY_RING_SECRET_ID"];

    /// The settings when every required variable is `name in lower case`, and then `overrides`.
    fn config(overrides: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let lookup = |name: &str| {
            let overridden = overrides.iter().find(|(overridden, _)| *overridden == name);
            overridden
                .map(|(_, value)| (*value).to_owned())
                .or_else(|| REQUIRED.contains(&name).then(|| name.to_lowercase()))
        };
        Config::new(Settings::new(&lookup))
    }

    #[test]
    fn a_missing_variable_is_named() {
        for name in REQUIRED {
            assert_eq!(config(&[(name, "")]).err().unwrap(), ConfigError::Missing(name));
        }
    }

    #[test]
    fn without_endpoints_the_clients_call_aws() {
        let config = config(&[("AWS_ENDPOINT_URL_DYNAMODB", "")]).unwrap();
        assert_eq!((config.connection.dynamodb_endpoint, config.connection.secrets_manager_endpoint), (None, None));
        assert_eq!(config.table_name, "table_name");
    }

    #[test]
    fn an_endpoint_is_an_http_url_and_a_bad_one_is_named() {
        let good = config(&[("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000")]).unwrap();
        assert_eq!(good.connection.dynamodb_endpoint.as_deref(), Some("http://127.0.0.1:8000/"));
        for bad in ["127.0.0.1:8000", "localhost", "ftp://host", "http://", "/path", "http://host?q"] {
            let err = config(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", bad)]).err().unwrap();
            assert!(err.to_string().contains("AWS_ENDPOINT_URL_SECRETS_MANAGER"), "{bad}: {err}");
        }
    }

    #[test]
    fn the_session_token_is_taken_if_there_is_one() {
        let config = config(&[("AWS_SESSION_TOKEN", "token")]).unwrap();
        assert_eq!(config.connection.credentials.session_token(), Some("token"));
    }
}
