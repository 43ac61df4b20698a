//! DynamoDB and Secrets Manager as far as the functions know them.
//!
//! They take the requests of the functions as they are written, and no other: a condition with
//! another text, another member or another action is a defect that fails the simulation.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::{Value, json};
use tokens::{Claimant, Jti, Row, Timestamp, Verdict};

/// The name of the table.
pub(crate) const TABLE: &str = "tokens";

/// The name of the secret.
pub(crate) const SECRET: &str = "key-ring";

// The texts stand here once more, so that whoever changes one in `aws` has to say here what it means.
const WARM_UP: &str = "attribute_exists(jti)";
const INSERT_CONDITION: &str = "attribute_not_exists(jti) OR (minted_by = :me AND attribute_not_exists(used_by) \
     AND attribute_not_exists(revoked_at))";
const SPEND_UPDATE: &str = "SET used_at = if_not_exists(used_at, :now), used_by = :me";
const SPEND_CONDITION: &str = "attribute_exists(jti) AND ((attribute_not_exists(used_by) \
     AND attribute_not_exists(revoked_at) AND expires_at > :now) OR (used_by = :me AND used_at >= :replay_floor))";

/// The rule that the table keeps; the real one, but for the tests of the simulation itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// As [`tokens::decide`].
    pub(crate) decide: fn(Option<&Row>, &Claimant, Timestamp) -> Verdict,
    /// As [`tokens::may_insert`].
    pub(crate) may_insert: fn(Option<&Row>, &Claimant) -> bool,
}

impl Rule {
    /// The rule of one use.
    pub(crate) const OF_ONE_USE: Self = Self { decide: tokens::decide, may_insert: tokens::may_insert };
}

/// Both services.
#[derive(Debug)]
pub(crate) struct Services {
    rule: Rule,
    rows: HashMap<Jti, Row>,
    /// Everything that has happened to a row, even if it is gone.
    pub(crate) histories: HashMap<Jti, History>,
    pub(crate) ring: Ring,
    /// What no function asks, and what may not happen to a row.
    pub(crate) defects: Vec<String>,
}

/// What has happened to the row of a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Each claim that took effect: who it was, and the time of the first use as it stood then.
    pub(crate) users: Vec<(String, Timestamp)>,
    /// Whether the operator has revoked it.
    pub(crate) is_revoked: bool,
}

/// The key ring, which holds the key that signs and its neighbours, before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    /// The number of the key that signs.
    pub(crate) active: u32,
    /// What was minted then or before is revoked.
    pub(crate) not_before: Timestamp,
}

impl Ring {
    fn to_json(self) -> String {
        let keys = (self.active - 1..=self.active + 1)
            .map(|key| (format!("k{key}"), json!(format!("key of this proof {key:0>40}"))));
        let settings = [("active".to_owned(), json!(format!("k{}", self.active)))];
        let not_before = [("not_before".to_owned(), json!(self.not_before.0))];
        Value::Object(keys.chain(settings).chain(not_before).collect()).to_string()
    }
}

/// What DynamoDB and Secrets Manager answer: a status and a JSON body.
pub(crate) type Reply = (u16, Value);

/// An attribute of an item on the wire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
enum Attribute {
    S(String),
    N(String),
}

type Attributes = BTreeMap<String, Attribute>;

/// A `PutItem`: a mint, or a minter's warm-up.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutItem {
    table_name: String,
    item: Attributes,
    condition_expression: String,
    #[serde(default)]
    expression_attribute_values: Attributes,
}

/// An `UpdateItem`: a spend, or a spender's warm-up.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateItem {
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

/// A `GetSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
}

impl Services {
    pub(crate) fn new(rule: Rule) -> Self {
        let ring = Ring { active: 1, not_before: Timestamp(0) };
        Self { rule, rows: HashMap::new(), histories: HashMap::new(), ring, defects: Vec::new() }
    }

    /// Does what a request asks for, in one step.
    pub(crate) fn serve(&mut self, action: &str, body: &[u8]) -> Reply {
        let answer = match action {
            "PutItem" => serde_json::from_slice(body).ok().and_then(|put| self.put(&put)),
            "UpdateItem" => serde_json::from_slice(body).ok().and_then(|update| self.update(&update)),
            "GetSecretValue" => serde_json::from_slice(body).ok().and_then(|get| self.secret(&get)),
            _ => None,
        };
        answer.unwrap_or_else(|| {
            self.defects.push(format!("no function asks for {action} of {}", String::from_utf8_lossy(body)));
            (400, json!({"__type": "ValidationException"}))
        })
    }

    /// A write that replaces the whole item.
    fn put(&mut self, put: &PutItem) -> Option<Reply> {
        (put.table_name == TABLE).then_some(())?;
        if put.condition_expression == WARM_UP {
            return is_warm_up(&put.item).then(|| condition_failed(None));
        }
        let row = row(&put.item)?;
        let jti = Jti::parse(text(&put.item, "jti")?)?;
        let is_fresh = row.used_at.is_none() && row.used_by.is_none() && row.revoked_at.is_none();
        let values = &put.expression_attribute_values;
        let is_ours = put.condition_expression == INSERT_CONDITION
            && values.len() == 1
            && text(values, ":me").map(String::as_str) == Some(row.minted_by.as_str())
            && row.purge_at == row.expires_at.plus(86_400)
            && is_fresh;
        is_ours.then_some(())?;
        if !(self.rule.may_insert)(self.rows.get(&jti), &row.minted_by) {
            return Some(condition_failed(None));
        }
        let old = self.rows.insert(jti, row);
        if old.is_some_and(|old| old.used_by.is_some() || old.revoked_at.is_some()) {
            self.defects.push("a mint wiped the mark of a row".to_owned());
        }
        Some((200, json!({})))
    }

    /// A write to some of an item's attributes.
    fn update(&mut self, update: &UpdateItem) -> Option<Reply> {
        (update.table_name == TABLE && update.key.len() == 1).then_some(())?;
        if update.condition_expression == WARM_UP && update.update_expression.is_empty() {
            return is_warm_up(&update.key).then(|| condition_failed(None));
        }
        let jti = Jti::parse(text(&update.key, "jti")?)?;
        let values = &update.expression_attribute_values;
        let (now, floor) = (seconds(values, ":now")?, seconds(values, ":replay_floor")?);
        let claimant = Claimant::from_stored(text(values, ":me")?.clone());
        let is_ours = update.condition_expression == SPEND_CONDITION
            && update.update_expression == SPEND_UPDATE
            && update.return_values == "ALL_OLD"
            && update.return_values_on_condition_check_failure == "ALL_OLD"
            && values.len() == 3
            && floor == now.minus(60);
        is_ours.then_some(())?;
        let old = self.rows.get(&jti).map(|row| item(&jti, row));
        let row = self.rows.get_mut(&jti);
        let (Verdict::Spent { .. }, Some(row)) = ((self.rule.decide)(row.as_deref(), &claimant, now), row) else {
            return Some(condition_failed(old));
        };
        let used_at = *row.used_at.get_or_insert(now);
        let last = row.used_by.replace(claimant.clone());
        if last.map_or(row.revoked_at.is_some(), |last| last != claimant) {
            self.defects.push(format!("{} took a row that was not free: {row:?}", claimant.as_str()));
        }
        self.histories.entry(jti).or_default().users.push((claimant.into(), used_at));
        Some((200, json!({ "Attributes": old })))
    }

    /// A read of the key ring.
    fn secret(&self, get: &GetSecretValue) -> Option<Reply> {
        (get.secret_id == SECRET).then(|| (200, json!({"SecretString": self.ring.to_json()})))
    }

    /// The operator revokes a token: one update on the condition that nobody has used it.
    pub(crate) fn revoke(&mut self, jti: &Jti, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(jti).filter(|row| row.used_by.is_none()) {
            row.revoked_at.get_or_insert(now);
            self.histories.entry(*jti).or_default().is_revoked = true;
        }
    }

    /// Time to live deletes every row that may be purged.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        self.rows.retain(|_, row| row.purge_at > now);
    }

    /// The row of a token as it is now.
    pub(crate) fn row(&self, jti: &Jti) -> Option<&Row> {
        self.rows.get(jti)
    }
}

/// DynamoDB's answer to a condition that does not hold, with the old item.
fn condition_failed(item: Option<Value>) -> Reply {
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

/// The row of an item on the wire, by the mapping of `aws`.
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

/// A row as an item on the wire.
fn item(jti: &Jti, row: &Row) -> Value {
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

/// A text among the attributes.
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
