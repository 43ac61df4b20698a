//! What the judge says of spends.

use tokens::{Claimant, LEEWAY_SECONDS, REPLAY_WINDOW_SECONDS, Timestamp};
use tokio::time::Instant;

use super::{
    Judge,
    requests::{claimant, has_written, knows, last_write},
};
use crate::{
    limits::FUNCTION_TIMEOUT,
    simulation::{
        cloud::{Claim, History, Services},
        lambda::{Answer, Invoked, Minted},
    },
};

/// A client that asks for a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The name to which a success belongs. Without a key, each request is another client.
    pub(crate) name: String,
    /// Its idempotency key.
    pub(crate) key: Option<String>,
    /// The id of the invocation of `guard` that it asks, if it does not ask `validate`.
    pub(crate) guard: Option<String>,
}

/// A refusal of a client with a key, which may get a success later.
#[derive(Debug)]
pub(super) struct Refused {
    reason: String,
    /// When the store was asked, or the invocation began that did not ask it.
    asked: Instant,
    /// When it was judged.
    ended: Instant,
    /// How far ahead the clock was.
    skew_seconds: i64,
}

/// A spend of a token that was handed out, as the judge sees it.
struct Spend<'a> {
    minted: &'a Minted,
    client: &'a Client,
    /// The claimant as which the client has asked, in this invocation or before.
    claimant: Option<Claimant>,
    invoked: &'a Invoked<Answer>,
    /// When the store was last asked, or the invocation began if it was not.
    asked: Instant,
    history: History,
    services: &'a Services,
}

impl Spend<'_> {
    /// The claims of its own claimant that took effect.
    fn own_claims(&self) -> impl Iterator<Item = &Claim> {
        self.history.claims.iter().filter(|claim| Some(&claim.claimant) == self.claimant.as_ref())
    }

    /// Whether a claim that took effect at `used_at` is too old to be repeated.
    fn is_too_old(&self, used_at: Timestamp) -> bool {
        used_at < self.invoked.now.minus(REPLAY_WINDOW_SECONDS)
    }
}

impl Judge {
    /// Judges the answer to `client`, which asked for `minted`.
    pub(crate) fn spend(&mut self, minted: &Minted, client: &Client, invoked: &Invoked<Answer>, services: &Services) {
        self.requests(invoked, "UpdateItem");
        self.known_key(minted, invoked, services);
        let client_of_token = (minted.jti, client.name.clone());
        if let Some(claimant) = invoked.calls.iter().find_map(claimant) {
            let known = self.claimants.entry(client_of_token.clone()).or_insert_with(|| claimant.clone()).clone();
            self.must(known == claimant, || format!("{client:?} asked as {known:?} and as {claimant:?}"));
            let is_invocation = claimant.as_str().starts_with(&format!("r:{}", invoked.id));
            self.must(is_invocation != client.key.is_some(), || format!("{client:?} asked as {claimant:?}"));
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
        if client.guard.is_some() {
            self.count(if answer.status == 200 { "let through" } else { "turned away" });
        }
        if answer.reason == "already_used" && invoked.calls.is_empty() {
            self.count("refused without a request");
        }
        // For a refusal without a request, the claimant is the one of the client's earlier requests.
        let claimant = self.claimants.get(&client_of_token).cloned();
        let history = services.table.history(&minted.jti);
        let asked = last_write(&invoked.calls).map_or(invoked.began, |write| write.sent);
        let spend = Spend { minted, client, claimant, invoked, asked, history, services };
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
        self.requests(invoked, "UpdateItem");
        let is_refused = invoked
            .answer
            .as_ref()
            .is_none_or(|answer| answer.reason == "invalid_token" || (answer.status == 503 && invoked.has_faulty_keys));
        self.must(is_refused, || format!("a forged token got {:?}", invoked.answer));
        self.must(!has_written(&invoked.calls), || "a forged token reached the store".to_owned());
        self.count("forged");
    }

    fn success(&mut self, spend: &Spend<'_>, answer: &Answer) {
        let Spend { minted, client, claimant, invoked, asked, history, services } = spend;
        self.must(has_written(&invoked.calls), || "a success without a write".to_owned());
        let winner = self.winners.entry(minted.jti).or_insert_with(|| client.name.clone()).clone();
        self.must(winner == client.name, || format!("a success for {winner}, and then for {}", client.name));
        self.must(history.revoked.is_none(), || "a success with a revoked token".to_owned());
        let row = services.table.row(&minted.jti);
        let user = row.and_then(|row| row.used_by.as_ref());
        self.must(claimant.is_some() && user == claimant.as_ref(), || {
            format!("a success for {claimant:?}, and the row says {user:?}")
        });
        let (used_at, exp) = (row.and_then(|row| row.used_at), minted.exp);
        self.must(answer.used_at.is_none() || answer.used_at == used_at, || format!("used at {used_at:?}: {answer:?}"));
        self.must(used_at.is_some_and(|used_at| used_at < exp), || {
            format!("a first success for {row:?}, not before exp")
        });
        // Only a client that can repeat its claim gets its success again after `exp`. The answer comes later.
        let end = if client.key.is_some() { exp.plus(REPLAY_WINDOW_SECONDS) } else { exp };
        let (now, answered) = (invoked.now, invoked.now.plus(invoked.took.as_secs()));
        let is_in_time = now < end && answered <= end.plus(FUNCTION_TIMEOUT.as_secs());
        self.must(is_in_time, || format!("a success at {now:?}, answered at {answered:?}, and exp is {exp:?}"));
        if now < exp && answered >= exp {
            self.count("answered at exp or later");
        }
        self.must(used_at.is_some_and(|used_at| !spend.is_too_old(used_at)), || {
            format!("a success again at {now:?} for {row:?}")
        });
        if answer.is_replayed {
            self.must(spend.own_claims().count() > 1, || "a first use was called a replay".to_owned());
            self.must(client.key.is_some(), || "a client without a key was told of a replay".to_owned());
        } else {
            let is_replay = client.key.is_some() && spend.own_claims().any(|claim| claim.at <= *asked);
            self.must(!is_replay, || "a replay was not called one".to_owned());
        }
        self.known_ring(minted, invoked);
        self.success_after_refusals(spend);
    }

    /// Judges that a client with a key was refused before its success only by another clock, or because the
    /// first write with its claim, which began before `exp`, arrived late.
    fn success_after_refusals(&mut self, spend: &Spend<'_>) {
        let client_of_token = (spend.minted.jti, spend.client.name.clone());
        let first = spend.own_claims().next().map(|claim| claim.at);
        for refused in self.refusals.remove(&client_of_token).unwrap_or_default() {
            if refused.ended > spend.invoked.began {
                continue; // it was not refused before, but at the same time
            }
            self.count("refused before a success");
            let is_by_another_clock = refused.skew_seconds != spend.invoked.skew_seconds;
            let is_before_the_write = refused.reason == "expired" && first > Some(refused.asked);
            self.must(is_by_another_clock || is_before_the_write, || format!("a success after {refused:?}"));
        }
    }

    fn refusal(&mut self, spend: &Spend<'_>, answer: &Answer) {
        let Spend { minted, client, claimant, invoked, asked, history, services } = spend;
        let now = invoked.now;
        // The client has the token, and can ask again for its success.
        let is_its_own = spend.own_claims().any(|claim| claim.at <= *asked && !spend.is_too_old(claim.used_at));
        let is_free = history.claims.iter().all(|claim| claim.at > *asked)
            && history.revoked.is_none_or(|revoked| revoked > *asked);
        let has_written = has_written(&invoked.calls);
        let is_withdrawn = services.secret.withdrawn.contains(&minted.key);
        let is_true = match answer.reason.as_str() {
            "already_used" => history.claims.iter().any(|claim| {
                let is_lost = claimant.as_ref() != Some(&claim.claimant) || spend.is_too_old(claim.used_at);
                answer.used_at == Some(claim.used_at) && is_lost
            }),
            "revoked" => history.revoked.is_some() || minted.iat <= services.secret.not_before.max(self.revoked_before),
            // From the row only if that has no other reason.
            "expired" => now >= minted.exp && !is_its_own && (is_free || !has_written),
            // From the future, by the clock of this environment; or its key is gone: by a rotation only after `exp`.
            "invalid_token" => minted.iat > now.plus(LEEWAY_SECONDS) || now >= minted.exp || is_withdrawn,
            _ => false,
        };
        self.must(is_true, || format!("{} is not true: {history:?}", answer.reason));
        let may_have_written = match answer.reason.as_str() {
            "already_used" | "revoked" => true,
            // The row decides for a client with a key, until 60 s after `exp`.
            "expired" => client.key.is_some() && now < minted.exp.plus(REPLAY_WINDOW_SECONDS),
            // A ring that was fetched concurrently has the last word.
            "invalid_token" => is_withdrawn,
            _ => false,
        };
        self.must(may_have_written || !has_written, || format!("{} after a write", answer.reason));
        if client.key.is_some() && matches!(answer.reason.as_str(), "already_used" | "expired") {
            let (reason, ended, skew_seconds) = (answer.reason.clone(), Instant::now(), invoked.skew_seconds);
            let refused = Refused { reason, asked: *asked, ended, skew_seconds };
            self.refusals.entry((minted.jti, client.name.clone())).or_default().push(refused);
        }
    }
}
