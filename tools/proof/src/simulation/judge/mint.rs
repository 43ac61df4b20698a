//! What the judge says of mints.

use tokens::Claimant;

use super::{Judge, requests::knows};
use crate::simulation::{
    clock::BEGINNING,
    cloud::{Call, Services},
    lambda::{Invoked, Minted},
};

impl Judge {
    /// Judges a mint; its answer is the token that left the function, or why it failed.
    pub(crate) fn mint(&mut self, invoked: &Invoked<Result<Minted, String>>, services: &Services) {
        self.requests(invoked, "PutItem");
        self.count(match &invoked.answer {
            None => "crashed",
            Some(Err(_)) => "no token",
            Some(Ok(_)) => "minted",
        });
        match &invoked.answer {
            Some(Ok(minted)) => {
                if u64::from(minted.key) >= BEGINNING.0 {
                    self.count("minted with a fresh key");
                }
                let row = services.table.row(&minted.jti);
                let is_stored = row.is_some_and(|row| row.expires_at == minted.exp && row.created_at == minted.iat);
                self.must(is_stored, || "a token left without its row".to_owned());
                let minter = Claimant::of_invocation(&invoked.id);
                let is_named = row.is_some_and(|row| Some(&row.minted_by) == minter.as_ref());
                self.must(is_named, || format!("a row of {minter:?} does not name it: {row:?}"));
                self.known_ring(minted, invoked);
                let answered = invoked.now.plus(invoked.took.as_secs());
                self.must(answered < minted.exp, || format!("{minted:?} was minted until {answered:?}"));
                self.must(minted.expires_at == Some(minted.exp), || format!("not the time of expiry: {minted:?}"));
            }
            Some(Err(err)) => {
                let is_revoked = services.secret.not_before.max(self.revoked_before) >= invoked.now;
                // A key may be withdrawn while it signs.
                let is_withdrawn = !services.secret.withdrawn.is_empty() && invoked.calls.iter().any(Call::is_fetch);
                let is_due = knows(&invoked.calls) && !invoked.has_faulty_keys && !is_revoked && !is_withdrawn;
                self.must(!is_due, || format!("a mint failed although its last request was answered: {err}"));
            }
            None => {}
        }
    }
}
