//! What the judge says of rotations: they refuse no live token.

use std::time::Duration;

use super::Judge;
use crate::simulation::{
    cloud::Services,
    lambda::{Invoked, Minted},
};

/// For how long a function certainly uses a ring that it cannot refresh: a day, less what clocks are set by.
const USE_OF_OLD_RING: Duration = Duration::from_secs(86_400 - 120);

impl Judge {
    /// Judges a step of a rotation.
    pub(crate) fn rotation(&mut self, step: &str, invoked: &Invoked<Result<(), String>>) {
        self.must(!invoked.is_timed_out, || format!("Lambda had to end {step}"));
        self.faults(&invoked.calls);
        match &invoked.answer {
            None => {
                let last = invoked.calls.last().map_or("its beginning", |call| &call.action);
                self.count(&format!("rotation died at {last}"));
            }
            Some(Err(err)) if err.contains("given up") => self.count("rotation given up"),
            Some(Err(_)) => self.count("rotation step failed"),
            Some(Ok(())) if step == "finishSecret" => self.count("rotated"),
            Some(Ok(())) => {}
        }
    }

    /// Judges that an environment knows the key of a live token before it asks for it, however old its ring is:
    /// while Secrets Manager fails it could not ask. Only an operator brings a key into force that signs at once.
    pub(super) fn known_key<R>(&mut self, minted: &Minted, invoked: &Invoked<R>, services: &Services) {
        let Some(fetch) = &invoked.fetch_before else { return };
        let is_used = fetch.sent.elapsed() < USE_OF_OLD_RING;
        let is_live = invoked.now < minted.exp && services.secret.withdrawn.is_empty();
        let is_known = fetch.ring.as_ref().is_some_and(|ring| ring.keys.contains(&minted.key));
        self.must(!is_used || !is_live || is_known, || format!("{minted:?} is live, and its key is not in {fetch:?}"));
    }
}
