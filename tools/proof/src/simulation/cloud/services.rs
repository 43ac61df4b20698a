//! The two services behind one door.

use serde_json::json;
use tokens::Timestamp;

use super::{
    key_ring::KeyRing,
    request::{GetSecretValue, Reply, SECRET},
    table::{Rule, Table},
};

/// DynamoDB with one table, and Secrets Manager with one secret.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) table: Table,
    pub(crate) ring: KeyRing,
    /// Requests that no function should make.
    unknown: Vec<String>,
}

impl Services {
    /// An empty table that keeps `rule`, and a first key ring.
    pub(crate) fn new(rule: Rule) -> Self {
        let ring = KeyRing { active: 1, not_before: Timestamp(0), withdrawn: 0 };
        Self { table: Table::new(rule), ring, unknown: Vec::new() }
    }

    /// Serves a request in one step.
    pub(crate) fn serve(&mut self, action: &str, body: &[u8]) -> Reply {
        let reply = match action {
            "PutItem" => serde_json::from_slice(body).ok().and_then(|put| self.table.put(&put)),
            "UpdateItem" => serde_json::from_slice(body).ok().and_then(|update| self.table.update(&update)),
            "GetItem" => serde_json::from_slice(body).ok().and_then(|get| self.table.get(&get)),
            "GetSecretValue" => serde_json::from_slice(body).ok().and_then(|get| self.secret(&get)),
            _ => None,
        };
        reply.unwrap_or_else(|| {
            self.unknown.push(format!("an unknown request: {action} {}", String::from_utf8_lossy(body)));
            (400, json!({"__type": "ValidationException"}))
        })
    }

    /// A read of the key ring.
    fn secret(&self, get: &GetSecretValue) -> Option<Reply> {
        (get.secret_id == SECRET).then(|| (200, json!({"SecretString": self.ring.to_json()})))
    }

    /// Takes out what was found wrong: unknown requests, and what must not happen to a row.
    pub(crate) fn take_defects(&mut self) -> Vec<String> {
        self.unknown.drain(..).chain(self.table.defects.drain(..)).collect()
    }
}
