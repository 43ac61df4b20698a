//! What the judge says of an operator's requests: revocations of single tokens, and looks at them.

use tokens::LEEWAY_SECONDS;

use super::{
    Judge,
    requests::{has_written, knows, last_write},
};
use crate::simulation::{
    cloud::Services,
    lambda::{Answer, Invoked, Minted},
};

impl Judge {
    /// Judges the answer to a revocation of `minted`: after a success it is spent, revoked or useless.
    pub(crate) fn revocation(&mut self, minted: &Minted, invoked: &Invoked<Answer>, services: &Services) {
        self.requests(invoked, "UpdateItem");
        let Some(answer) = self.operator_answer(invoked, "revocation") else { return };
        let history = services.table.history(&minted.jti);
        let is_ended = history.revoked.is_some() || !history.claims.is_empty();
        let is_useless = !has_written(&invoked.calls) && is_not_genuine(minted, invoked, services);
        self.must(answer.status == 503 || is_ended || is_useless || history.was_deleted, || {
            format!("revoked, and the row says {history:?}")
        });
    }

    /// Judges what a look at `minted` tells.
    pub(crate) fn look(&mut self, minted: &Minted, invoked: &Invoked<Answer>, services: &Services) {
        self.requests(invoked, "GetItem");
        let Some(answer) = self.operator_answer(invoked, "look") else { return };
        if answer.status == 503 {
            return;
        }
        let history = services.table.history(&minted.jti);
        let asked = last_write(&invoked.calls).map_or(invoked.began, |read| read.sent);
        let was_free = history.was_deleted
            || (history.claims.iter().all(|claim| claim.at > asked)
                && history.revoked.is_none_or(|revoked| revoked > asked));
        let is_by_time = minted.iat <= services.secret.not_before.max(self.revoked_before);
        let is_true = match answer.state.as_deref() {
            Some("already_used") => history.claims.first().is_some_and(|claim| answer.used_at == Some(claim.used_at)),
            Some("revoked") => history.revoked.is_some() || (is_by_time && was_free),
            Some("expired") => invoked.now >= minted.exp && was_free,
            Some("unspent") => invoked.now < minted.exp && was_free && !history.was_deleted,
            Some("unknown_token") => history.was_deleted,
            None => is_not_genuine(minted, invoked, services),
            Some(_) => false,
        };
        self.must(is_true, || format!("a look told {answer:?}, and the row says {history:?}"));
        if answer.state.as_deref() == Some("unspent") {
            self.known_ring(minted, invoked);
        }
    }

    /// The answer of an invocation, which is counted, and must be a success or a 503 for a reason.
    fn operator_answer<'a>(&mut self, invoked: &'a Invoked<Answer>, name: &str) -> Option<&'a Answer> {
        let answer = invoked.answer.as_ref();
        self.count(answer.map_or("crashed", |answer| if answer.status == 200 { name } else { "unavailable" }));
        let answer = answer?;
        let is_failure = answer.status == 503 && (!knows(&invoked.calls) || invoked.has_faulty_keys);
        self.must(answer.status == 200 || is_failure, || format!("a {name} got {answer:?}"));
        Some(answer)
    }
}

/// Whether the token may not count as genuine: its key is gone, or it is from the future by this clock.
fn is_not_genuine(minted: &Minted, invoked: &Invoked<Answer>, services: &Services) -> bool {
    !services.secret.ring.keys.contains(&minted.key) || minted.iat > invoked.now.plus(LEEWAY_SECONDS)
}
