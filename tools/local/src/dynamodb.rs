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
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
    TableStatus,
};
use http::Uri;
use tokens::{Claimant, Claims, Insert as _, Jti, Row, Spend as _, StoreError, Timestamp, Verdict};
use uuid::Uuid;

/// How long DynamoDB may take to answer at start.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before a new table is looked at again.
const ACTIVE_PAUSE: Duration = Duration::from_millis(100);

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The URL is malformed.
    #[error("--dynamodb must be an http or https URL without a query, such as http://localhost:8000")]
    Url,
    /// A variable that this DynamoDB needs is not set.
    #[error("--dynamodb cannot be used")]
    Environment(#[from] ConfigError),
    /// The table does not exist, and the DynamoDB is not an emulator.
    #[error("the table {table} does not exist at {url}; a missing table is created only on a loopback address")]
    Missing {
        /// The table.
        table: String,
        /// Where it was looked for.
        url: String,
    },
    /// The emulator differs from DynamoDB, and the functions would give wrong answers.
    #[error("the emulator of DynamoDB at {url} cannot be used: {deviation}")]
    Unfit {
        /// Where the emulator is.
        url: String,
        /// What it does differently.
        deviation: &'static str,
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
/// A loopback address counts as an emulator: a missing table is created there, credentials need not be set,
/// and a trial with a row that is deleted again shows whether the emulator can be used. Elsewhere a missing
/// table is an error.
///
/// # Errors
///
/// [`DynamoDbError`], which says what to correct.
pub async fn dynamodb(url: &str, table: &str) -> Result<Arc<DynamoTokenStore>, DynamoDbError> {
    let uri = parse(url).ok_or(DynamoDbError::Url)?;
    let is_emulator = is_loopback(&uri);
    let lookup = |name: &str| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.to_owned()),
        "TABLE_NAME" => Some(table.to_owned()),
        "KEY_RING_SECRET_ID" => Some("unused: the key is drawn at start".to_owned()),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER" => None,
        "AWS_REGION" => apigw::env(name).or(is_emulator.then(|| "us-east-1".to_owned())),
        _ => apigw::env(name).or((is_emulator && name != "AWS_SESSION_TOKEN").then(|| "local".to_owned())),
    };
    let settings = Settings::new(&lookup);
    let failed = |source| DynamoDbError::Failed { table: table.to_owned(), url: url.to_owned(), source };
    let client = client(aws::dynamodb_config(settings)?);
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
    if is_emulator && let Some(deviation) = deviation(client, table).await.map_err(|err| failed(err.into()))? {
        return Err(DynamoDbError::Unfit { url: url.to_owned(), deviation });
    }
    Ok(Clients::new(settings)?.store)
}

/// The URL of a DynamoDB; `None` if it is malformed.
fn parse(url: &str) -> Option<Uri> {
    let uri = url.parse::<Uri>().ok()?;
    let is_url = uri.authority().is_some() && matches!(uri.scheme_str(), Some("http" | "https"));
    (is_url && uri.query().is_none()).then_some(uri)
}

/// Whether `uri` is certainly on this machine.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What an emulator does differently from DynamoDB, if a function's answer would then be wrong.
///
/// It mints a row under a random id, spends it, repeats that, lets another claimant try, and deletes the row.
async fn deviation(client: Client, table: &str) -> Result<Option<&'static str>, StoreError> {
    let (jti, now) = (Jti::new(Uuid::new_v4()), Timestamp(apigw::epoch_seconds()));
    let claims = Claims { iss: String::new(), aud: String::new(), jti, iat: now, nbf: now, exp: now.plus(60) };
    let [one, other] = ["r:one", "r:other"].map(|id| Claimant::from_stored(id.to_owned()));
    let delete = client.delete_item().table_name(table).key("jti", AttributeValue::S(jti.to_string()));
    let store = DynamoTokenStore::new(client, table.to_owned());
    store.insert(&jti, Row::minted(&claims, one.clone(), None)).await?;
    let mut verdicts = Vec::new();
    for claimant in [&one, &one, &other] {
        verdicts.push(store.spend(&jti, claimant, now).await);
    }
    // If this fails, a row remains that belongs to no token.
    let _deleted = delete.send().await;
    let verdicts = verdicts.into_iter().map(|spending| spending.map(|spending| spending.verdict));
    let verdicts = verdicts.collect::<Result<Vec<_>, _>>()?;
    Ok(match verdicts[..] {
        [Verdict::Spent { replayed: false }, Verdict::Spent { replayed: true }, Verdict::AlreadyUsed { .. }] => None,
        [.., Verdict::Unknown] => {
            Some("it does not return the old item of a failed condition (ReturnValuesOnConditionCheckFailure=ALL_OLD)")
        }
        [Verdict::Spent { .. }, Verdict::Spent { replayed: false }, Verdict::AlreadyUsed { .. }] => {
            Some("it does not return the old item of an update (ReturnValues=ALL_OLD)")
        }
        _ => Some("it does not evaluate the conditions of writes as DynamoDB does"),
    })
}

/// A client that describes and creates tables, for which the functions have no permission.
fn client(functions: aws_sdk_dynamodb::config::Builder) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ANSWER_TIMEOUT).build();
    Client::from_conf(functions.timeout_config(timeouts).retry_config(RetryConfig::disabled()).build())
}

/// Creates the table as the template does, except for its time to live, which emulators implement poorly.
/// Waits until it can be used.
async fn create_table(client: &Client, table: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let key = KeySchemaElement::builder().attribute_name("jti").key_type(KeyType::Hash).build()?;
    let jti = AttributeDefinition::builder().attribute_name("jti").attribute_type(ScalarAttributeType::S).build()?;
    let create = client.create_table().table_name(table).key_schema(key).attribute_definitions(jti);
    create.billing_mode(BillingMode::PayPerRequest).send().await.map_err(SdkError::into_service_error)?;
    let is_active = async || {
        let described = client.describe_table().table_name(table).send().await?;
        let status = described.table().and_then(TableDescription::table_status).cloned();
        Ok::<_, SdkError<DescribeTableError>>(status == Some(TableStatus::Active))
    };
    while !is_active().await.map_err(SdkError::into_service_error)? {
        tokio::time::sleep(ACTIVE_PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_on_this_machine(url: &str) -> bool {
        parse(url).is_some_and(|uri| is_loopback(&uri))
    }

    #[test]
    fn only_this_machine_is_a_loopback_address() {
        for url in ["http://localhost:8000", "http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:8000/"] {
            assert!(is_on_this_machine(url), "{url}");
        }
        let elsewhere =
            ["https://dynamodb.eu-west-1.amazonaws.com", "http://10.0.0.1:8000", "http://localhost.example"];
        for url in elsewhere.into_iter().chain(["http://127.0.0.1.example", "localhost", "", "http://0.0.0.0:8000"]) {
            assert!(!is_on_this_machine(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_reached_is_one_clear_error() {
        let error = dynamodb("http://127.0.0.1:1", "Tokens").await.err().unwrap();
        assert_eq!(error.to_string(), "the table Tokens cannot be used at http://127.0.0.1:1");
    }
}
