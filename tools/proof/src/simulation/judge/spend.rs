//! What the judge says of spends.

use tokens::{Claimant, LEEWAY_SECONDS, REPLAY_WINDOW_SECONDS};

use super::{
    Judge,
    requests::{claimant, has_written, knows, last_write},
};
use crate::simulation::{
    cloud::{History, Services},
    lambda::{Answer, Invoked, Minted},
};

/// A client that asks for a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The name to which a success belongs. Without a key, each request is another client.
    pub(crate) name: String,
    /// Its idempotency key.
    pub(crate) key: Option<String>,
}

/// A spend of a token that was handed out, as the judge sees it.
struct Spend<'a> {
    minted: &'a Minted,
    client: &'a Client,
    /// The claimant as which the client has asked, in this invocation or before.
    claimant: Option<Claimant>,
    invoked: &'a Invoked<Answer>,
    history: History,
    services: &'a Services,
}

impl Judge {
    /// Judges the answer to `client`, which asked for `minted`.
    pub(crate) fn spend(&mut self, minted: &Minted, client: &Client, invoked: &Invoked<Answer>, services: &Services) {
        self.requests(invoked, "UpdateItem");
        let client_of_token = (minted.jti, client.name.clone());
        if let Some(claimant) = invoked.calls.iter().find_map(claimant) {
            let known = self.claimants.entry(client_of_token.clone()).or_insert_with(|| claimant.clone()).clone();
            self.must(known == claimant, || format!("{client:?} asked as {known:?} and as {claimant:?}"));
        }
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
        // For a refusal without a request, the claimant is the one of the client's earlier requests.
        let claimant = self.claimants.get(&client_of_token).cloned();
        let history = services.table.history(&minted.jti);
        let spend = Spend { minted, client, claimant, invoked, history, services };
        match answer.status {
            200 => self.success(&spend, answer),
            401 => self.refusal(&spend, answer),
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
        self.must(is_refused, || format!("a forged token got {:?}", invoked.answer));
        self.must(!has_written(&invoked.calls), || "a forged token reached the store".to_owned());
        self.count("forged");
    }

    fn success(&mut self, spend: &Spend<'_>, answer: &Answer) {
        let Spend { minted, client, claimant, invoked, history, services } = spend;
        let now = invoked.now;
        self.must(has_written(&invoked.calls), || "a success without a write".to_owned());
        let winner = self.winners.entry(minted.jti).or_insert_with(|| client.name.clone()).clone();
        self.must(winner == client.name, || format!("a success for {winner}, and then for {}", client.name));
        self.must(!history.is_revoked, || "a success with a revoked token".to_owned());
        let row = services.table.row(&minted.jti);
        let user = row.and_then(|row| row.used_by.as_ref());
        self.must(claimant.is_some() && user == claimant.as_ref(), || {
            format!("a success for {claimant:?}, and the row says {user:?}")
        });
        let (used_at, exp) = (row.and_then(|row| row.used_at), minted.exp);
        self.must(used_at.is_some_and(|used_at| used_at < exp), || {
            format!("a first success for {row:?}, not before exp")
        });
        // Only a client that can repeat its claim gets its success again after `exp`.
        let is_in_time = now < exp || (client.key.is_some() && now < exp.plus(REPLAY_WINDOW_SECONDS));
        self.must(is_in_time, || format!("a success at {now:?}, and exp is {exp:?}"));
        let floor = now.minus(REPLAY_WINDOW_SECONDS);
        let is_recent = used_at.is_some_and(|used_at| used_at >= floor);
        self.must(is_recent, || format!("a success again at {now:?} for {row:?}"));
        let claims: Vec<_> = history.claims.iter().filter(|claim| Some(&claim.claimant) == claimant.as_ref()).collect();
        if answer.is_replayed {
            self.must(claims.len() > 1, || "a first use was called a replay".to_owned());
            self.must(client.key.is_some(), || "a client without a key was told of a replay".to_owned());
        } else {
            let sent = last_write(&invoked.calls).map(|write| write.sent);
            let is_replay = client.key.is_some() && claims.iter().any(|claim| Some(claim.at) <= sent);
            self.must(!is_replay, || "a replay was not called one".to_owned());
        }
        self.known_ring(minted, invoked);
    }

    fn refusal(&mut self, spend: &Spend<'_>, answer: &Answer) {
        let Spend { minted, client, claimant, invoked, history, services } = spend;
        let now = invoked.now;
        let is_true = match answer.reason.as_str() {
            "already_used" => history.claims.iter().any(|claim| {
                let is_too_late = claim.used_at < now.minus(REPLAY_WINDOW_SECONDS);
                answer.used_at == Some(claim.used_at) && (claimant.as_ref() != Some(&claim.claimant) || is_too_late)
            }),
            "revoked" => history.is_revoked || minted.iat <= services.ring.not_before.max(self.revoked_before),
            "expired" => now >= minted.exp,
            // From the future, by the clock of this environment; or its key is gone: by a rotation only after `exp`.
            "invalid_token" => {
                let is_withdrawn = minted.key <= services.ring.withdrawn;
                minted.iat > now.plus(LEEWAY_SECONDS) || now >= minted.exp || is_withdrawn
            }
            _ => false,
        };
        self.must(is_true, || format!("{} is not true: {history:?}", answer.reason));
        let is_by_the_store = match answer.reason.as_str() {
            "already_used" | "revoked" => true,
            // The row decides for a client with a key, until 60 s after `exp`.
            "expired" => client.key.is_some() && now < minted.exp.plus(REPLAY_WINDOW_SECONDS),
            _ => false,
        };
        self.must(is_by_the_store || !has_written(&invoked.calls), || format!("{} after a write", answer.reason));
    }
}
