//! The two services behind one door.

use serde_json::json;

use super::{
    request::Reply,
    secret::Secret,
    table::{Rule, Table},
};

/// DynamoDB with one table, and Secrets Manager with one secret.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) table: Table,
    pub(crate) secret: Secret,
    /// Requests that no function should make.
    unknown: Vec<String>,
}

impl Services {
    /// An empty table that keeps `rule`, and `secret`.
    pub(crate) fn new(rule: Rule, secret: Secret) -> Self {
        Self { table: Table::new(rule), secret, unknown: Vec::new() }
    }

    /// Serves a request in one step.
    pub(crate) fn serve(&mut self, action: &str, body: &[u8]) -> Reply {
        let reply = match action {
            "PutItem" => serde_json::from_slice(body).ok().and_then(|put| self.table.put(&put)),
            "UpdateItem" => serde_json::from_slice(body).ok().and_then(|update| self.table.update(&update)),
            "GetItem" => serde_json::from_slice(body).ok().and_then(|get| self.table.get(&get)),
            _ => self.secret.serve(action, body),
        };
        reply.unwrap_or_else(|| {
            self.unknown.push(format!("an unknown request: {action} {}", String::from_utf8_lossy(body)));
            (400, json!({"__type": "ValidationException"}))
        })
    }

    /// Takes out what was found wrong: unknown requests, and what must not happen to a row or to the secret.
    pub(crate) fn take_defects(&mut self) -> Vec<String> {
        self.unknown.drain(..).chain(self.table.defects.drain(..)).chain(self.secret.defects.drain(..)).collect()
    }
}
