//! The operator, who revokes tokens and withdraws keys, and the time to live of rows.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Simulation;
use crate::simulation::lambda::Minted;

/// How long the simulation goes on: until the last row is deleted and the last request has arrived.
const END: Duration = Duration::from_hours(240);

impl Simulation {
    /// Revokes one token, and repeats that until the outcome is known.
    pub(super) async fn revocation(self: Arc<Self>, number: usize, minted: Minted) {
        sleep(self.moment()).await;
        for _ in 0..5 {
            if self.revoke(number, &minted).await.is_some_and(|answer| answer.status == 200) {
                return;
            }
            sleep(self.pause()).await;
        }
    }

    /// Revokes every token that has been minted so far, or will be in the next seconds.
    pub(crate) async fn not_before(self: Arc<Self>) {
        let (begins, ahead) = self.draw(|rng| (rng.u64(0..self.ttl_seconds), rng.u64(0..20)));
        sleep(Duration::from_secs(begins)).await;
        self.set_not_before(ahead).await;
    }

    /// Edits the ring that is in force, and begins again if another came into force in the meantime.
    pub(super) async fn set_not_before(&self, ahead: u64) {
        loop {
            let base = self.network.services().secret.current().to_owned();
            sleep(Duration::from_millis(self.draw(|rng| rng.u64(0..10_000)))).await;
            let not_before = self.clock.now().plus(ahead);
            if self.network.services().secret.set_not_before(&base, not_before) {
                return self.note(|| format!("the operator revokes every token so far, and of the next {ahead} s"));
            }
        }
    }

    /// Withdraws every key, and puts a new one into force.
    pub(crate) async fn withdrawal(self: Arc<Self>) {
        sleep(Duration::from_secs(self.draw(|rng| rng.u64(0..2 * self.ttl_seconds)))).await;
        self.network.services().secret.withdraw(self.clock.now());
        self.note(|| "the operator withdraws the keys".to_owned());
    }

    /// Deletes rows from time to time, as DynamoDB's time to live does.
    pub(crate) async fn sweeps(self: Arc<Self>) {
        while self.clock.elapsed() < END {
            sleep(Duration::from_secs(self.draw(|rng| rng.u64(3600..12 * 3600)))).await;
            self.network.services().table.sweep(self.clock.now());
        }
    }
}
