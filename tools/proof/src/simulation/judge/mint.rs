//! What the judge says of mints.

use super::{Judge, requests::knows};
use crate::simulation::{
    cloud::Services,
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
                let is_stored = services.table.row(&minted.jti).is_some_and(|row| row.expires_at == minted.exp);
                self.must(is_stored, || "a token left without its row".to_owned());
            }
            Some(Err(err)) => {
                let is_revoked = services.ring.not_before >= invoked.now;
                let is_due = knows(&invoked.calls) && !invoked.has_faulty_keys && !is_revoked;
                self.must(!is_due, || format!("a mint failed although its last request was answered: {err}"));
            }
            None => {}
        }
    }
}
