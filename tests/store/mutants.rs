//! Mutants of the expressions in `aws`: the suite detects each, except a known one that changes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use aws::{IF_NEW_OR_MINE, IF_UNSPENT, IF_UNSPENT_OR_MINE, REVOKE, SPEND};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use harness::Table;
use tokens::{
    Claimant, Find, Insert, Jti, REPLAY_WINDOW_SECONDS, Revoke, Row, Spend, Spending, StoreError, Timestamp, Verdict,
    decide,
};

use crate::{
    contract::first_disagreement,
    stores::{InTable, emulator},
};

/// A store that writes with the given expressions.
#[derive(Clone)]
struct ExpressionStore {
    table: Table,
    insert_condition: String,
    spend_update: String,
    spend_condition: String,
    revoke_update: String,
    revoke_condition: String,
}

impl ExpressionStore {
    /// The store with the expressions of `aws`.
    fn unchanged(table: Table) -> Self {
        Self {
            table,
            insert_condition: IF_NEW_OR_MINE.into(),
            spend_update: SPEND.into(),
            spend_condition: IF_UNSPENT_OR_MINE.into(),
            revoke_update: REVOKE.into(),
            revoke_condition: IF_UNSPENT.into(),
        }
    }

    async fn first_disagreement(self) -> Option<String> {
        let table = self.table.clone();
        first_disagreement(&InTable { store: Arc::new(self), table }).await
    }
}

#[async_trait]
impl Insert for ExpressionStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let me = text(row.minted_by.as_str());
        let mut put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(aws::to_item(jti, row)));
        put = put.condition_expression(&self.insert_condition);
        if self.insert_condition.contains(":me") {
            put = put.expression_attribute_values(":me", me);
        }
        match put.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Taken),
            Err(err) => panic!("{}: {err:?}", self.insert_condition),
        }
    }
}

#[async_trait]
impl Spend for ExpressionStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        let mut update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("jti", text(&jti.to_string()))
            .update_expression(&self.spend_update)
            .condition_expression(&self.spend_condition)
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // DynamoDB refuses a value that no expression uses.
        for (name, value) in [
            (":me", text(claimant.as_str())),
            (":now", number(now)),
            (":replay_floor", number(now.minus(REPLAY_WINDOW_SECONDS))),
        ] {
            if self.spend_update.contains(name) || self.spend_condition.contains(name) {
                update = update.expression_attribute_values(name, value);
            }
        }
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(old) => {
                let replayed = old.attributes().is_some_and(|row| row.contains_key("used_by"));
                Ok(Verdict::Spent { replayed }.into())
            }
            Err(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let old = failed.item().map(|item| aws::from_item(item).unwrap());
                match decide(old.as_ref(), claimant, now) {
                    Verdict::Spent { .. } => Err(StoreError::Unavailable("refused what the rule allows".into())),
                    refusal => Ok(refusal.into()),
                }
            }
            Err(err) => panic!("{}, {}: {err:?}", self.spend_update, self.spend_condition),
        }
    }
}

#[async_trait]
impl Revoke for ExpressionStore {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("jti", text(&jti.to_string()))
            .update_expression(&self.revoke_update)
            .condition_expression(&self.revoke_condition)
            .expression_attribute_values(":now", number(now));
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) | Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(err) => panic!("{}, {}: {err:?}", self.revoke_update, self.revoke_condition),
        }
    }
}

#[async_trait]
impl Find for ExpressionStore {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        // A mutant may have made a row that is not the row of a token.
        self.table.row(jti).await.map_err(|err| StoreError::Unavailable(err.into()))
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.0.to_string())
}

/// The terms of a condition, without the ANDs, ORs and parentheses around them.
fn terms(condition: &str) -> Vec<&str> {
    let parts = condition.split(" AND ").flat_map(|part| part.split(" OR "));
    let terms = parts.map(|part| {
        let mut term = part.trim_start_matches('(');
        while term.matches(')').count() > term.matches('(').count() {
            term = &term[..term.len() - 1];
        }
        term
    });
    terms.collect()
}

/// `condition` without `term` and the connective next to it.
fn without(condition: &str, term: &str) -> String {
    let beside = [format!("{term} AND "), format!("{term} OR "), format!(" AND {term}"), format!(" OR {term}")];
    condition.replacen(beside.iter().find(|beside| condition.contains(*beside)).unwrap(), "", 1)
}

/// `text` with `from` replaced by `to`.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from} in {text}");
    text.replace(from, to)
}

/// Every mutant and a description of it.
fn mutants(table: &Table) -> Vec<(String, ExpressionStore)> {
    let unchanged = ExpressionStore::unchanged(table.clone());
    let insert_condition = |changed| ExpressionStore { insert_condition: changed, ..unchanged.clone() };
    let spend_condition = |changed| ExpressionStore { spend_condition: changed, ..unchanged.clone() };
    let spend_update = |changed| ExpressionStore { spend_update: changed, ..unchanged.clone() };

    let mut mutants = Vec::new();
    for term in terms(IF_NEW_OR_MINE) {
        mutants.push((format!("insert without {term}"), insert_condition(without(IF_NEW_OR_MINE, term))));
    }
    for term in terms(IF_UNSPENT_OR_MINE) {
        mutants.push((format!("spend without {term}"), spend_condition(without(IF_UNSPENT_OR_MINE, term))));
    }
    for (from, to) in [
        ("expires_at > :now", "expires_at >= :now"),
        ("used_at >= :", "used_at > :"),
        // A replay that ends with the token.
        ("(used_by = :me AND", "(used_by = :me AND expires_at > :now AND"),
    ] {
        mutants.push((format!("spend with {to}"), spend_condition(with(IF_UNSPENT_OR_MINE, from, to))));
    }
    for (from, to) in [("if_not_exists(used_at, :now)", ":now"), (", used_by = :me", "")] {
        mutants.push((format!("spend that sets {to:?} for {from:?}"), spend_update(with(SPEND, from, to))));
    }
    let revoke_condition = |changed| ExpressionStore { revoke_condition: changed, ..unchanged.clone() };
    for term in terms(IF_UNSPENT) {
        mutants.push((format!("revoke without {term}"), revoke_condition(without(IF_UNSPENT, term))));
    }
    let revoke_update = with(REVOKE, "if_not_exists(revoked_at, :now)", ":now");
    mutants.push((format!("revoke that does {revoke_update}"), ExpressionStore { revoke_update, ..unchanged.clone() }));
    mutants
}

async fn every_mutant_is_detected(variable: &str) {
    let table = Table::create(&emulator(variable)).await.unwrap();
    let unchanged = ExpressionStore::unchanged(table.clone());
    assert_eq!(unchanged.first_disagreement().await, None);

    let mut undetected = Vec::new();
    for (name, mutant) in mutants(&table) {
        if mutant.first_disagreement().await.is_none() {
            undetected.push(name);
        }
    }
    // Without a row the other terms are false too. This term is kept, so that a reader need not know how a
    // missing attribute compares.
    assert_eq!(undetected, ["spend without attribute_exists(jti)"]);
}

#[tokio::test]
#[ignore = "needs ministack at MINISTACK_URL"]
async fn ministack_shows_that_every_part_of_an_expression_matters() {
    every_mutant_is_detected("MINISTACK_URL").await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
async fn dynamodb_local_shows_that_every_part_of_an_expression_matters() {
    every_mutant_is_detected("DYNAMODB_LOCAL_URL").await;
}

#[test]
fn a_condition_is_split_into_terms_and_loses_one() {
    let condition = "a(x) AND b > :c AND ((d(y) AND e(z)) OR (f = :g AND h))";
    assert_eq!(terms(condition), ["a(x)", "b > :c", "d(y)", "e(z)", "f = :g", "h"]);
    assert_eq!(without(condition, "a(x)"), "b > :c AND ((d(y) AND e(z)) OR (f = :g AND h))");
    assert_eq!(without(condition, "e(z)"), "a(x) AND b > :c AND ((d(y)) OR (f = :g AND h))");
    assert_eq!(without(condition, "h"), "a(x) AND b > :c AND ((d(y) AND e(z)) OR (f = :g))");
}
