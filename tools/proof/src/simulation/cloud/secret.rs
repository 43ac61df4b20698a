//! The secret that holds the key ring, with its versions and their labels.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokens::Timestamp;

use super::{
    key_ring::KeyRing,
    request::{DescribeSecret, GetSecretValue, PutSecretValue, Reply, SECRET, UpdateSecretVersionStage},
};

/// The label of the version in force.
const CURRENT: &str = "AWSCURRENT";

/// The label of the version that a rotation prepares.
const PENDING: &str = "AWSPENDING";

/// The secret, and what an operator has done to it.
#[derive(Debug)]
pub(crate) struct Secret {
    /// The value of each version; a rotation begins with an empty one.
    versions: BTreeMap<String, Option<String>>,
    /// The version at which each label is. A label is never at two.
    labels: BTreeMap<String, String>,
    /// The ring in force.
    pub(crate) ring: KeyRing,
    /// The latest `not_before` that the operator has set.
    pub(crate) not_before: Timestamp,
    /// The keys that the operator has withdrawn.
    pub(crate) withdrawn: BTreeSet<u32>,
    /// What must not happen to the secret, and did.
    pub(crate) defects: Vec<String>,
}

impl Secret {
    /// A secret with the ring that the template generates.
    pub(crate) fn generated() -> Self {
        Self::new(&json!({"active": "k1", "k1": key(1)}))
    }

    /// A secret with a ring that was rotated twice, so that a rotation at `now` changes the key that signs.
    pub(crate) fn rotated(now: Timestamp) -> Self {
        let [active, next] = [100, 50].map(|hours| now.minus(hours * 3600).0);
        let (active_name, next_name) = (format!("k{active}"), format!("k{next}"));
        Self::new(&json!({
            "active": active_name, "next": next_name, "previous": "k1", "k1": key(1), active_name: key(active), next_name: key(next),
        }))
    }

    fn new(ring: &Value) -> Self {
        let mut secret = Self {
            versions: BTreeMap::new(),
            labels: BTreeMap::new(),
            ring: KeyRing::default(),
            not_before: Timestamp(0),
            withdrawn: BTreeSet::new(),
            defects: Vec::new(),
        };
        let version = secret.add(Some(ring.to_string()));
        secret.bring_into_force(&version);
        secret
    }

    /// Serves a request in one step; `None` for one that no function sends.
    pub(crate) fn serve(&mut self, action: &str, body: &[u8]) -> Option<Reply> {
        match action {
            "GetSecretValue" => self.get(&serde_json::from_slice(body).ok()?),
            "DescribeSecret" => self.describe(&serde_json::from_slice(body).ok()?),
            "PutSecretValue" => self.put(serde_json::from_slice(body).ok()?),
            "UpdateSecretVersionStage" => self.update(&serde_json::from_slice(body).ok()?),
            _ => None,
        }
    }

    fn get(&self, get: &GetSecretValue) -> Option<Reply> {
        (get.secret_id == SECRET).then_some(())?;
        let value = self.versions.get(get.version_id.as_deref().unwrap_or(self.current())).and_then(Option::as_ref);
        Some(match value {
            Some(ring) => (200, json!({ "SecretString": ring })),
            None => error("ResourceNotFoundException"),
        })
    }

    fn describe(&self, describe: &DescribeSecret) -> Option<Reply> {
        (describe.secret_id == SECRET).then_some(())?;
        let mut versions: Map<String, Value> = Map::new();
        for (label, version) in &self.labels {
            let labels = versions.entry(version).or_insert_with(|| json!([]));
            labels.as_array_mut()?.push(label.as_str().into());
        }
        Some((200, json!({ "VersionIdsToStages": versions })))
    }

    fn put(&mut self, put: PutSecretValue) -> Option<Reply> {
        (put.secret_id == SECRET && put.version_stages == [PENDING]).then_some(())?;
        let value = self.versions.entry(put.client_request_token.clone()).or_default();
        Some(match value {
            Some(value) if *value != put.secret_string => error("ResourceExistsException"),
            Some(_) => (200, json!({})),
            None => {
                *value = Some(put.secret_string);
                self.labels.insert(PENDING.to_owned(), put.client_request_token);
                (200, json!({}))
            }
        })
    }

    fn update(&mut self, update: &UpdateSecretVersionStage) -> Option<Reply> {
        (update.secret_id == SECRET).then_some(())?;
        let is_there = self.labels.get(&update.version_stage) == Some(&update.remove_from_version_id);
        match (update.version_stage.as_str(), &update.move_to_version_id) {
            (CURRENT, Some(version)) if is_there => self.bring_into_force(version),
            (PENDING, None) if is_there => _ = self.labels.remove(PENDING),
            (CURRENT, Some(_)) | (PENDING, None) => return Some(error("InvalidParameterException")),
            _ => return None,
        }
        Some((200, json!({})))
    }

    /// What Secrets Manager does before it calls the function that rotates: it puts `AWSPENDING` on an empty version.
    /// A rotation that is not complete goes on with its own. The result is that version.
    pub(crate) fn begin_rotation(&mut self) -> String {
        match self.labels.get(PENDING) {
            Some(pending) if pending != self.current() => pending.clone(),
            _ => {
                let version = self.add(None);
                self.labels.insert(PENDING.to_owned(), version.clone());
                version
            }
        }
    }

    /// The version in force.
    pub(crate) fn current(&self) -> &str {
        &self.labels[CURRENT]
    }

    /// Has the operator set `not_before`, in place of the version `base`. Otherwise changes nothing, and is false.
    pub(crate) fn set_not_before(&mut self, base: &str, not_before: Timestamp) -> bool {
        if base != self.current() {
            return false;
        }
        let not_before = not_before.max(self.not_before);
        self.not_before = not_before;
        self.edit(|ring| ring["not_before"] = not_before.0.into());
        true
    }

    /// Has the operator edit the ring in force.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let value = self.versions.get(self.current()).and_then(Option::as_ref);
        let Some(mut ring) = value.and_then(|json| serde_json::from_str(json).ok()) else { return };
        change(&mut ring);
        let version = self.add(Some(ring.to_string()));
        self.bring_into_force(&version);
    }

    /// Has the operator replace every key by a new one, which is made at `now`.
    pub(crate) fn withdraw(&mut self, now: Timestamp) {
        self.withdrawn.extend(&self.ring.keys);
        let unused = |number: &u64| !self.withdrawn.iter().any(|key| u64::from(*key) == *number);
        let number = (now.0..).find(unused).expect("there are fewer keys than numbers");
        let name = format!("k{number}");
        let ring = json!({"active": name, name: key(number), "not_before": self.not_before.0});
        let version = self.add(Some(ring.to_string()));
        self.bring_into_force(&version);
    }

    /// Adds a version, without a label.
    fn add(&mut self, value: Option<String>) -> String {
        let version = format!("version-{}", self.versions.len());
        self.versions.insert(version.clone(), value);
        version
    }

    /// Moves `AWSCURRENT` to `version`, whose ring must keep what the operator has set.
    fn bring_into_force(&mut self, version: &str) {
        self.labels.insert(CURRENT.to_owned(), version.to_owned());
        let value = self.versions.get(version).and_then(Option::as_ref);
        match value.and_then(|json| KeyRing::from_json(json)) {
            Some(ring) => self.ring = ring,
            None => self.defects.push(format!("{version} came into force, which holds no key ring")),
        }
        if self.ring.not_before != self.not_before || !self.ring.keys.is_disjoint(&self.withdrawn) {
            self.defects.push(format!("{:?} undoes what the operator did", self.ring));
        }
    }
}

/// The material of the key number `number`.
fn key(number: u64) -> String {
    format!("key of this proof {number:0>40}")
}

/// A reply that a request failed.
fn error(name: &str) -> Reply {
    (400, json!({ "__type": name }))
}
