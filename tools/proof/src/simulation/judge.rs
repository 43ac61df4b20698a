//! What may never happen, whatever goes wrong.

use std::collections::{BTreeMap, HashMap};

use tokens::{Claimant, Jti, LEEWAY_SECONDS, REPLAY_WINDOW_SECONDS, Timestamp, Token};

use super::{
    environment::Invoked,
    network::Call,
    services::{History, Services},
};
use crate::LONGEST_ANSWER;

/// How old a ring may be, in seconds, in an environment that has no trouble with it.
const OLDEST_RING_SECONDS: u64 = 330;

/// How far an environment's clock may be off, in seconds, and one for the fraction of a second.
const SKEW_SECONDS: u64 = 31;

/// A token that has been handed out.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    /// Its identifier.
    pub(crate) jti: Jti,
    /// The token itself.
    pub(crate) token: Token,
    /// When it was minted, by the clock of its environment.
    pub(crate) iat: Timestamp,
    /// When it expires.
    pub(crate) exp: Timestamp,
}

/// Somebody who asks for a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Whom a yes is told to. Without a key, each request is somebody else's.
    pub(crate) name: String,
    /// Its idempotency key.
    pub(crate) key: Option<String>,
}

/// The answer to a spend.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// Why not; empty for a yes.
    pub(crate) reason: String,
    /// When somebody has used the token.
    pub(crate) used_at: Option<Timestamp>,
    /// Whether it says that the same client was told so before.
    pub(crate) is_replayed: bool,
}

/// Keeps what has been answered and compares it with what has happened.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Whom each token was given to.
    winners: HashMap<Jti, String>,
    /// The claimant as which each client asked for each token.
    claimants: HashMap<(Jti, String), String>,
    /// How often each answer was given.
    pub(crate) answers: BTreeMap<String, u64>,
    /// What happened that may not.
    pub(crate) violations: Vec<String>,
}

impl Judge {
    /// Judges a mint; `minted` is what left the function, none when it failed.
    pub(crate) fn mint(&mut self, invoked: &Invoked<Result<Minted, String>>, services: &Services) {
        self.calls(invoked, "PutItem");
        let is_revoked = services.ring.not_before >= invoked.now;
        let outcome = match &invoked.answer {
            None => "crashed",
            Some(Err(_)) => "no token",
            Some(Ok(_)) => "minted",
        };
        self.count(outcome);
        match &invoked.answer {
            Some(Ok(minted)) => {
                let is_stored = services.row(&minted.jti).is_some_and(|row| row.expires_at == minted.exp);
                self.must(is_stored, || "a token left without its row".to_owned());
            }
            Some(Err(err)) => {
                let is_due = knows(&invoked.calls) && !invoked.has_faulty_keys && !is_revoked;
                self.must(!is_due, || format!("a mint failed although its last request was answered: {err}"));
            }
            None => {}
        }
    }

    /// Judges the answer to the client `client`, which asked for `minted`.
    pub(crate) fn spend(&mut self, minted: &Minted, client: &Client, invoked: &Invoked<Answer>, services: &Services) {
        self.calls(invoked, "UpdateItem");
        let client_of_token = (minted.jti, client.name.clone());
        if let Some(claimant) = invoked.calls.iter().find_map(claimant) {
            let known = self.claimants.entry(client_of_token.clone()).or_insert_with(|| claimant.clone()).clone();
            self.must(known == claimant, || format!("{client:?} asked as {known} and as {claimant}"));
        }
        // A refusal that needed no request is to whom the client has been before.
        let claimant = self.claimants.get(&client_of_token).cloned();
        let Some(answer) = &invoked.answer else {
            self.count("crashed");
            return;
        };
        self.count(match (answer.status, answer.is_replayed) {
            (401, _) => &answer.reason,
            (503, _) => "unavailable",
            (_, true) => "replayed",
            _ => "spent",
        });
        if answer.reason == "already_used" && invoked.calls.is_empty() {
            self.count("refused without a request");
        }
        let history = services.histories.get(&minted.jti).cloned().unwrap_or_default();
        match answer.status {
            200 => self.yes(minted, client, claimant.as_deref(), invoked, &history, services),
            401 => self.no(minted, claimant.as_deref(), answer, invoked, &history, services),
            503 => {
                let is_due = knows(&invoked.calls) && !invoked.has_faulty_keys;
                self.must(!is_due, || "503 although the last request was answered".to_owned());
            }
            status => self.must(false, || format!("the answer {status}")),
        }
    }

    /// Judges the answer to a token with a forged MAC.
    pub(crate) fn forgery(&mut self, invoked: &Invoked<Answer>) {
        let is_refused = invoked
            .answer
            .as_ref()
            .is_none_or(|answer| answer.reason == "invalid_token" || (answer.status == 503 && invoked.has_faulty_keys));
        self.must(is_refused, || format!("a forgery was told {:?}", invoked.answer));
        self.must(!has_written(&invoked.calls), || "a forgery reached the store".to_owned());
        self.count("forged");
    }

    /// Judges a yes.
    fn yes(
        &mut self,
        minted: &Minted,
        client: &Client,
        claimant: Option<&str>,
        invoked: &Invoked<Answer>,
        history: &History,
        services: &Services,
    ) {
        self.must(has_written(&invoked.calls), || "yes without a write".to_owned());
        let winner = self.winners.entry(minted.jti).or_insert_with(|| client.name.clone()).clone();
        self.must(winner == client.name, || format!("{winner} was told yes, and then {}", client.name));
        self.must(invoked.now < minted.exp, || format!("yes at {:?}, and exp is {:?}", invoked.now, minted.exp));
        self.must(!history.is_revoked, || "yes to a revoked token".to_owned());
        let row = services.row(&minted.jti);
        let user = row.and_then(|row| row.used_by.as_ref()).map(Claimant::as_str);
        self.must(claimant.is_some() && user == claimant, || format!("yes to {claimant:?}, and the row says {user:?}"));
        let floor = invoked.now.minus(REPLAY_WINDOW_SECONDS);
        let is_recent = row.and_then(|row| row.used_at).is_some_and(|used_at| used_at >= floor);
        self.must(is_recent, || format!("yes again at {:?} to {row:?}", invoked.now));
        if invoked.answer.as_ref().is_some_and(|answer| answer.is_replayed) {
            let claims = history.users.iter().filter(|(user, _)| Some(user.as_str()) == claimant).count();
            self.must(claims > 1, || "a first use was told as a replay".to_owned());
            self.must(client.key.is_some(), || "a client without a key was told of a replay".to_owned());
        }
        let not_before = services.ring.not_before;
        let is_known = invoked.now >= not_before.plus(OLDEST_RING_SECONDS + SKEW_SECONDS) && !invoked.has_faulty_keys;
        self.must(!is_known || minted.iat > not_before, || "yes to a token from before `not_before`".to_owned());
    }

    /// Judges a refusal.
    fn no(
        &mut self,
        minted: &Minted,
        claimant: Option<&str>,
        answer: &Answer,
        invoked: &Invoked<Answer>,
        history: &History,
        services: &Services,
    ) {
        let now = invoked.now;
        let is_true = match answer.reason.as_str() {
            "already_used" => history.users.iter().any(|(user, used_at)| {
                let is_too_late = *used_at < now.minus(REPLAY_WINDOW_SECONDS);
                answer.used_at == Some(*used_at) && (claimant != Some(user) || is_too_late)
            }),
            "revoked" => history.is_revoked || minted.iat <= services.ring.not_before,
            "expired" => now >= minted.exp,
            // From the future, by the clock of this environment; or so old that its key is gone.
            "invalid_token" => minted.iat > now.plus(LEEWAY_SECONDS) || now >= minted.exp,
            _ => false,
        };
        self.must(is_true, || format!("{} is not true: {history:?}", answer.reason));
        let is_by_the_store = matches!(answer.reason.as_str(), "already_used" | "revoked");
        self.must(is_by_the_store || !has_written(&invoked.calls), || format!("{} after a write", answer.reason));
    }

    /// Judges the requests of an invocation: one write, and the same one again.
    fn calls<R>(&mut self, invoked: &Invoked<R>, action: &str) {
        let writes: Vec<_> = invoked.calls.iter().filter(|call| !call.is_fetch()).collect();
        self.must(writes.len() <= 3, || format!("{} requests to the store", writes.len()));
        let is_one = writes.iter().all(|call| call.action == action && same(&call.body, &writes[0].body));
        self.must(is_one, || format!("more than one {action}"));
        self.must(!invoked.is_timed_out, || "an invocation that Lambda had to end".to_owned());
        let has_fetched_in_vain = invoked.calls.iter().any(|call| call.is_fetch() && !call.is_answered());
        let is_late = invoked.took > LONGEST_ANSWER && !has_fetched_in_vain;
        self.must(!is_late, || format!("an answer after {:?}", invoked.took));
        for call in &invoked.calls {
            if let Some(fault) = call.fault {
                self.count(&format!("{fault:?}"));
            }
        }
    }

    /// Notes what happened unless it `holds`.
    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(otherwise());
        }
    }

    /// Counts an answer or a fault.
    fn count(&mut self, answer: &str) {
        *self.answers.entry(answer.to_owned()).or_default() += 1;
    }
}

fn has_written(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.action == "UpdateItem")
}

/// Whether the last request to the store was answered, so that the outcome is known.
fn knows(calls: &[Call]) -> bool {
    calls.iter().rfind(|call| !call.is_fetch()).is_none_or(Call::is_answered)
}

/// Whether two bodies say the same: the order of members differs from attempt to attempt.
fn same(one: &[u8], other: &[u8]) -> bool {
    let json = |body| serde_json::from_slice::<serde_json::Value>(body).ok();
    one == other || json(one) == json(other)
}

/// The claimant that a spend names.
fn claimant(call: &Call) -> Option<String> {
    if call.action != "UpdateItem" {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&call.body).ok()?;
    Some(body["ExpressionAttributeValues"][":me"]["S"].as_str()?.to_owned())
}
