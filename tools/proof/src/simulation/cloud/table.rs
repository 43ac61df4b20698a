//! The table of tokens in DynamoDB.

use std::collections::HashMap;

use serde_json::json;
use tokens::{Claimant, Jti, Row, Timestamp, Verdict};
use tokio::time::Instant;

use super::request::{GetItem, Mint, PutItem, Reply, Spend, Update, UpdateItem, Write, condition_failed, item};

/// The rule that the table keeps: the real one, except in tests that break it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// As [`tokens::decide`].
    pub(crate) decide: fn(Option<&Row>, &Claimant, Timestamp) -> Verdict,
    /// As [`tokens::may_insert`].
    pub(crate) may_insert: fn(Option<&Row>, &Claimant) -> bool,
    /// As [`tokens::may_revoke`].
    pub(crate) may_revoke: fn(Option<&Row>) -> bool,
}

impl Rule {
    /// The rule of one use.
    pub(crate) const OF_ONE_USE: Self =
        Self { decide: tokens::decide, may_insert: tokens::may_insert, may_revoke: tokens::may_revoke };
}

/// The table, and what has happened to its rows.
#[derive(Debug)]
pub(crate) struct Table {
    rule: Rule,
    rows: HashMap<Jti, Row>,
    /// What has happened to each row, also to a deleted one.
    histories: HashMap<Jti, History>,
    /// What must not happen to a row, and did.
    pub(crate) defects: Vec<String>,
}

/// What has happened to the row of a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Each claim that took effect, in order.
    pub(crate) claims: Vec<Claim>,
    /// When the operator revoked the token.
    pub(crate) revoked: Option<Instant>,
    /// Whether time to live has deleted the row. A mint that arrives later still makes it again, unused, although
    /// on AWS the signature of such a request has expired.
    pub(crate) was_deleted: bool,
}

/// A claim that took effect.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) claimant: Claimant,
    /// The time of the first use, as the row said it then.
    pub(crate) used_at: Timestamp,
    /// When it took effect.
    pub(crate) at: Instant,
}

impl Table {
    /// An empty table that keeps `rule`.
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, rows: HashMap::new(), histories: HashMap::new(), defects: Vec::new() }
    }

    /// Serves a `PutItem`; `None` for one that no function sends.
    pub(crate) fn put(&mut self, put: &PutItem) -> Option<Reply> {
        let Write::Effective(Mint { jti, row }) = put.read()? else { return Some(condition_failed(None)) };
        if !(self.rule.may_insert)(self.rows.get(&jti), &row.minted_by) {
            return Some(condition_failed(None));
        }
        let old = self.rows.insert(jti, row);
        if old.is_some_and(|old| old.used_by.is_some() || old.revoked_at.is_some()) {
            self.defects.push("a mint overwrote a row that was used or revoked".to_owned());
        }
        Some((200, json!({})))
    }

    /// Serves an `UpdateItem`; `None` for one that no function sends.
    pub(crate) fn update(&mut self, update: &UpdateItem) -> Option<Reply> {
        Some(match update.read()? {
            Write::WarmUp => condition_failed(None),
            Write::Effective(Update::Spend(spend)) => self.spend(spend),
            Write::Effective(Update::Revoke { jti, now }) => self.revoke(jti, now),
        })
    }

    /// Serves a `GetItem`; `None` for one that no function sends.
    pub(crate) fn get(&self, get: &GetItem) -> Option<Reply> {
        let Write::Effective(jti) = get.read()? else { return Some((200, json!({}))) };
        let item = self.rows.get(&jti).map(|row| item(&jti, row));
        Some((200, item.map_or(json!({}), |item| json!({ "Item": item }))))
    }

    fn spend(&mut self, Spend { jti, claimant, now }: Spend) -> Reply {
        let row = self.rows.get_mut(&jti);
        let verdict = (self.rule.decide)(row.as_deref(), &claimant, now);
        let old = row.as_deref().and_then(|row| row_by(verdict, row)).map(|row| item(&jti, &row));
        let (Verdict::Spent { .. }, Some(row)) = (verdict, row) else { return condition_failed(old) };
        let used_at = *row.used_at.get_or_insert(now);
        let last = row.used_by.replace(claimant.clone());
        if last.map_or(row.revoked_at.is_some(), |last| last != claimant) {
            self.defects.push(format!("{claimant:?} took a row that was not free: {row:?}"));
        }
        self.histories.entry(jti).or_default().claims.push(Claim { claimant, used_at, at: Instant::now() });
        (200, json!({ "Attributes": old }))
    }

    fn revoke(&mut self, jti: Jti, now: Timestamp) -> Reply {
        let row = self.rows.get_mut(&jti);
        let (true, Some(row)) = ((self.rule.may_revoke)(row.as_deref()), row) else { return condition_failed(None) };
        if row.used_by.is_some() {
            self.defects.push(format!("a revocation marked a row that was used: {row:?}"));
        }
        row.revoked_at.get_or_insert(now);
        self.histories.entry(jti).or_default().revoked.get_or_insert(Instant::now());
        (200, json!({}))
    }

    /// Time to live deletes every row that may be deleted.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        for (jti, _) in self.rows.extract_if(|_, row| row.purge_at <= now) {
            self.histories.entry(jti).or_default().was_deleted = true;
        }
    }

    /// The row of a token as it is now.
    pub(crate) fn row(&self, jti: &Jti) -> Option<&Row> {
        self.rows.get(jti)
    }

    /// What has happened to the row of a token.
    pub(crate) fn history(&self, jti: &Jti) -> History {
        self.histories.get(jti).cloned().unwrap_or_default()
    }
}

/// The old row that goes with `verdict`, so that a broken rule is not betrayed by it. By the rule of one
/// use it is `row` itself.
fn row_by(verdict: Verdict, row: &Row) -> Option<Row> {
    let mut row = row.clone();
    if !matches!(verdict, Verdict::Spent { replayed: true } | Verdict::AlreadyUsed { .. }) {
        (row.used_at, row.used_by) = (None, None);
    }
    if verdict != Verdict::Revoked {
        row.revoked_at = None;
    }
    (verdict != Verdict::Unknown).then_some(row)
}
