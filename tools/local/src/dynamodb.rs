//! The option `--dynamodb`: a table of DynamoDB, or of an emulator, instead of memory.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use apigw::{ConfigError, Settings};
use aws::{Clients, DynamoTokenStore};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use http::Uri;

/// How long DynamoDB may take to answer at start.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The URL is malformed.
    #[error("--dynamodb must be an http or https URL")]
    Url,
    /// A variable that this DynamoDB needs is not set.
    #[error("--dynamodb cannot be used")]
    Environment(#[source] ConfigError),
    /// The table does not exist, and the DynamoDB is not an emulator.
    #[error("the table {table} does not exist at {url}; a missing table is created only on a loopback address")]
    Missing {
        /// The table.
        table: String,
        /// Where it was looked for.
        url: String,
    },
    /// DynamoDB did not answer, or refused.
    #[error("the table {table} cannot be used at {url}")]
    Failed {
        /// The table.
        table: String,
        /// Where it was looked for.
        url: String,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The store in the table `table` of the DynamoDB at `url`.
///
/// A loopback address counts as an emulator: a missing table is created there, and credentials need not
/// be set. Elsewhere a missing table is an error.
///
/// # Errors
///
/// [`DynamoDbError`], which says what to correct.
pub async fn dynamodb(url: &str, table: &str) -> Result<Arc<DynamoTokenStore>, DynamoDbError> {
    let is_emulator = is_loopback(url);
    let lookup = |name: &str| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.to_owned()),
        "TABLE_NAME" => Some(table.to_owned()),
        "KEY_RING_SECRET_ID" => Some("unused: the key is drawn at start".to_owned()),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER" => None,
        "AWS_REGION" => apigw::env(name).or(is_emulator.then(|| "us-east-1".to_owned())),
        _ => apigw::env(name).or((is_emulator && name != "AWS_SESSION_TOKEN").then(|| "local".to_owned())),
    };
    let settings = Settings::new(&lookup);
    let bad_setting = |err| match err {
        ConfigError::Bad { .. } => DynamoDbError::Url, // no other setting can be bad
        err @ ConfigError::Missing(_) => DynamoDbError::Environment(err),
    };
    let failed = |source| DynamoDbError::Failed { table: table.to_owned(), url: url.to_owned(), source };
    let client = client(aws::dynamodb_config(settings).map_err(bad_setting)?);
    match client.describe_table().table_name(table).send().await.map_err(SdkError::into_service_error) {
        Ok(_) => {}
        Err(DescribeTableError::ResourceNotFoundException(_)) if is_emulator => {
            create_table(&client, table).await.map_err(failed)?;
        }
        Err(DescribeTableError::ResourceNotFoundException(_)) => {
            return Err(DynamoDbError::Missing { table: table.to_owned(), url: url.to_owned() });
        }
        Err(err) => return Err(failed(err.into())),
    }
    Ok(Clients::new(settings).map_err(bad_setting)?.store)
}

/// Whether `url` is certainly on this machine.
fn is_loopback(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_url = uri.as_ref().is_some_and(|uri| uri.scheme().is_some());
    is_url && (host == "localhost" || address.is_ok_and(|address| address.is_loopback()))
}

/// A client that describes and creates tables, for which the functions have no permission.
fn client(functions: aws_sdk_dynamodb::config::Builder) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ANSWER_TIMEOUT).build();
    Client::from_conf(functions.timeout_config(timeouts).retry_config(RetryConfig::disabled()).build())
}

/// Creates the table as the template does, except for its time to live, which emulators implement poorly.
async fn create_table(client: &Client, table: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let key = KeySchemaElement::builder().attribute_name("jti").key_type(KeyType::Hash).build()?;
    let jti = AttributeDefinition::builder().attribute_name("jti").attribute_type(ScalarAttributeType::S).build()?;
    let create = client.create_table().table_name(table).key_schema(key).attribute_definitions(jti);
    create.billing_mode(BillingMode::PayPerRequest).send().await.map_err(SdkError::into_service_error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_loopback_address() {
        for url in ["http://localhost:8000", "http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:8000/"] {
            assert!(is_loopback(url), "{url}");
        }
        let elsewhere =
            ["https://dynamodb.eu-west-1.amazonaws.com", "http://10.0.0.1:8000", "http://localhost.example"];
        for url in elsewhere.into_iter().chain(["http://127.0.0.1.example", "localhost", "", "http://0.0.0.0:8000"]) {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_malformed_url_is_one_clear_error() {
        for url in ["ftp://127.0.0.1", "localhost:8000", "nonsense"] {
            let error = dynamodb(url, "Tokens").await.err().unwrap();
            assert!(matches!(error, DynamoDbError::Url | DynamoDbError::Environment(_)), "{url}: {error}");
        }
        let error = dynamodb("ftp://127.0.0.1", "Tokens").await.err().unwrap();
        assert_eq!(apigw::chain(&error), "--dynamodb must be an http or https URL");
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_reached_is_one_clear_error() {
        let error = dynamodb("http://127.0.0.1:1", "Tokens").await.err().unwrap();
        assert_eq!(error.to_string(), "the table Tokens cannot be used at http://127.0.0.1:1");
    }
}
