//! The requests that the functions make, as they are on the wire.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::{Value, json};
use tokens::{Claimant, Jti, Row, Timestamp};

/// The name of the table.
pub(crate) const TABLE: &str = "tokens";

/// The name of the secret.
pub(crate) const SECRET: &str = "key-ring";

// These texts repeat those of `aws`, so that a change there fails here until `table.rs` follows it.
const WARM_UP: &str = "attribute_exists(jti)";
const INSERT_CONDITION: &str = "attribute_not_exists(jti) OR (minted_by = :me AND attribute_not_exists(used_by) \
     AND attribute_not_exists(revoked_at))";
const SPEND_UPDATE: &str = "SET used_at = if_not_exists(used_at, :now), used_by = :me";
const SPEND_CONDITION: &str = "attribute_exists(jti) AND ((attribute_not_exists(used_by) \
     AND attribute_not_exists(revoked_at) AND expires_at > :now) OR (used_by = :me AND used_at >= :replay_floor))";

const REVOKE_UPDATE: &str = "SET revoked_at = if_not_exists(revoked_at, :now)";
const REVOKE_CONDITION: &str = "attribute_exists(jti) AND attribute_not_exists(used_by)";

/// The reply of a service: a status and a JSON body.
pub(crate) type Reply = (u16, Value);

/// An attribute of an item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
enum Attribute {
    S(String),
    N(String),
}

type Attributes = BTreeMap<String, Attribute>;

/// A `PutItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutItem {
    table_name: String,
    item: Attributes,
    condition_expression: String,
    #[serde(default)]
    expression_attribute_values: Attributes,
}

/// An `UpdateItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UpdateItem {
    table_name: String,
    key: Attributes,
    condition_expression: String,
    #[serde(default)]
    update_expression: String,
    #[serde(default)]
    expression_attribute_values: Attributes,
    #[serde(default)]
    return_values: String,
    #[serde(default)]
    return_values_on_condition_check_failure: String,
}

/// A `GetItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetItem {
    table_name: String,
    key: Attributes,
    #[serde(default)]
    consistent_read: bool,
}

/// A `GetSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetSecretValue {
    pub(crate) secret_id: String,
    /// The version; without it, the one in force.
    #[serde(default)]
    pub(crate) version_id: Option<String>,
}

/// A `DescribeSecret`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DescribeSecret {
    pub(crate) secret_id: String,
}

/// A `PutSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutSecretValue {
    pub(crate) secret_id: String,
    /// The version that it fills.
    pub(crate) client_request_token: String,
    pub(crate) secret_string: String,
    pub(crate) version_stages: Vec<String>,
}

/// An `UpdateSecretVersionStage`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UpdateSecretVersionStage {
    pub(crate) secret_id: String,
    /// The label.
    pub(crate) version_stage: String,
    pub(crate) remove_from_version_id: String,
    #[serde(default)]
    pub(crate) move_to_version_id: Option<String>,
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Write<T> {
    /// One that never takes effect: a function connects by it.
    WarmUp,
    /// Any other.
    Effective(T),
}

/// A change of a row.
#[derive(Debug)]
pub(crate) enum Update {
    Spend(Spend),
    Revoke { jti: Jti, now: Timestamp },
}

/// A mint.
#[derive(Debug)]
pub(crate) struct Mint {
    pub(crate) jti: Jti,
    pub(crate) row: Row,
}

/// A spend.
#[derive(Debug)]
pub(crate) struct Spend {
    pub(crate) jti: Jti,
    pub(crate) claimant: Claimant,
    pub(crate) now: Timestamp,
}

impl PutItem {
    /// Reads it as a mint; `None` for a request that no function makes.
    pub(crate) fn read(&self) -> Option<Write<Mint>> {
        (self.table_name == TABLE).then_some(())?;
        if self.condition_expression == WARM_UP {
            return is_warm_up(&self.item).then_some(Write::WarmUp);
        }
        let jti = Jti::parse(text(&self.item, "jti")?)?;
        let row = row(&self.item)?;
        let is_fresh = row.used_at.is_none() && row.used_by.is_none() && row.revoked_at.is_none();
        let values = &self.expression_attribute_values;
        let is_mint = self.condition_expression == INSERT_CONDITION
            && values.len() == 1
            && text(values, ":me").map(String::as_str) == Some(row.minted_by.as_str())
            && row.purge_at == row.expires_at.plus(86_400)
            && is_fresh;
        is_mint.then_some(Write::Effective(Mint { jti, row }))
    }
}

impl UpdateItem {
    /// Reads it as a spend or a revocation; `None` for a request that no function makes.
    pub(crate) fn read(&self) -> Option<Write<Update>> {
        (self.table_name == TABLE && self.key.len() == 1).then_some(())?;
        if self.condition_expression == WARM_UP && self.update_expression.is_empty() {
            return is_warm_up(&self.key).then_some(Write::WarmUp);
        }
        let jti = Jti::parse(text(&self.key, "jti")?)?;
        let values = &self.expression_attribute_values;
        let now = seconds(values, ":now")?;
        if self.update_expression == REVOKE_UPDATE {
            let returns = [&self.return_values, &self.return_values_on_condition_check_failure];
            let is_revocation =
                self.condition_expression == REVOKE_CONDITION && values.len() == 1 && returns == ["", ""];
            return is_revocation.then_some(Write::Effective(Update::Revoke { jti, now }));
        }
        let floor = seconds(values, ":replay_floor")?;
        let claimant = Claimant::from_stored(text(values, ":me")?.clone());
        let is_spend = self.condition_expression == SPEND_CONDITION
            && self.update_expression == SPEND_UPDATE
            && self.return_values == "ALL_OLD"
            && self.return_values_on_condition_check_failure == "ALL_OLD"
            && values.len() == 3
            && floor == now.minus(60);
        is_spend.then_some(Write::Effective(Update::Spend(Spend { jti, claimant, now })))
    }
}

impl GetItem {
    /// Reads it as a look at a row; `None` for a request that no function makes.
    pub(crate) fn read(&self) -> Option<Write<Jti>> {
        (self.table_name == TABLE && self.key.len() == 1).then_some(())?;
        if is_warm_up(&self.key) {
            return Some(Write::WarmUp);
        }
        let jti = Jti::parse(text(&self.key, "jti")?)?;
        self.consistent_read.then_some(Write::Effective(jti))
    }
}

/// DynamoDB's reply to a condition that does not hold, with the old item.
pub(crate) fn condition_failed(item: Option<Value>) -> Reply {
    let mut body = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"});
    if let Some(item) = item {
        body["Item"] = item;
    }
    (400, body)
}

/// Whether an item is that of a warm-up, which never exists.
fn is_warm_up(item: &Attributes) -> bool {
    item.len() == 1 && text(item, "jti").is_some_and(|jti| jti.starts_with("warm-"))
}

/// The row of an item, by the mapping of `aws`.
fn row(item: &Attributes) -> Option<Row> {
    let item = item.iter().map(|(name, value)| {
        let value = match value {
            Attribute::S(text) => AttributeValue::S(text.clone()),
            Attribute::N(number) => AttributeValue::N(number.clone()),
        };
        (name.clone(), value)
    });
    aws::from_item(&item.collect()).ok()
}

/// The item of a row.
pub(crate) fn item(jti: &Jti, row: &Row) -> Value {
    let attributes = aws::to_item(jti, row.clone()).into_iter().map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => json!({"S": text}),
            AttributeValue::N(number) => json!({"N": number}),
            _ => Value::Null, // a row has no other attribute
        };
        (name, value)
    });
    Value::Object(attributes.collect())
}

/// A string among the attributes.
fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a String> {
    match attributes.get(name)? {
        Attribute::S(text) => Some(text),
        Attribute::N(_) => None,
    }
}

/// A time among the attributes.
fn seconds(attributes: &Attributes, name: &str) -> Option<Timestamp> {
    match attributes.get(name)? {
        Attribute::N(number) => number.parse().ok().map(Timestamp),
        Attribute::S(_) => None,
    }
}
