//! Clients: who asks for a token, and when.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use super::Simulation;
use crate::simulation::{
    judge::Client,
    lambda::{Minted, Minter},
};

impl Simulation {
    /// One token: its mint, and the clients that ask for it.
    pub(crate) async fn token(self: Arc<Self>, number: usize) {
        let (begins, minter, clients, operator) = self.draw(|rng| {
            // Half of them at the beginning, the others before and after the rotations of the keys.
            let begins = if rng.bool() { 0..20_000 } else { 0..1000 * (100 * 3600 + 2 * self.ttl_seconds) };
            (rng.u64(begins), rng.choice(Minter::ALL), rng.usize(1..=4), rng.u32(0..10))
        });
        sleep(Duration::from_millis(begins)).await;
        let Some(minted) = self.mint(number, minter.unwrap_or(Minter::Issue)).await else { return };

        let mut tasks = JoinSet::new();
        for client in 0..clients {
            tasks.spawn(self.clone().client(number, minted.clone(), format!("client {number}.{client}")));
        }
        if operator == 0 {
            tasks.spawn(self.clone().revocation(number, minted.clone()));
        }
        tasks.join_all().await;
    }

    /// A client that asks for a token until it knows the outcome, and now and then again afterwards.
    async fn client(self: Arc<Self>, number: usize, minted: Minted, name: String) {
        let has_key = self.draw(fastrand::Rng::bool);
        sleep(self.moment()).await;
        for attempt in 0..5 {
            let (is_at_guard, is_doubled, is_heard, goes_on) =
                self.draw(|rng| (rng.bool(), rng.u32(0..10) == 0, rng.u32(0..5) > 0, rng.u32(0..4) == 0));
            let (forges, looks) = self.draw(|rng| (rng.u32(0..40) == 0, rng.u32(0..20) == 0));
            let request = format!("{name}, request {attempt}");
            let client = if has_key {
                Client { name: name.clone(), key: Some(name.replace(' ', "-")), guard: None }
            } else if is_at_guard {
                self.at_guard(&request)
            } else {
                Client { name: request.clone(), key: None, guard: None }
            };
            // The same client asks twice at once; or Lambda delivers an invocation of `guard` again, and
            // what is let through then is another request.
            let double = match client.guard {
                Some(_) => Client { name: format!("{request}, again"), ..client.clone() },
                None => client.clone(),
            };
            if forges {
                self.forge(number, &minted, &client).await;
            }
            if looks {
                self.look(number, &minted).await;
            }
            let answer = if is_doubled && (has_key || is_at_guard) {
                let (one, other) = (self.spend(number, &minted, &client), self.spend(number, &minted, &double));
                futures_util::future::join(one, other).await.0
            } else {
                self.spend(number, &minted, &client).await
            };
            let knows = answer.is_some_and(|answer| answer.status != 503) && is_heard;
            if knows && !goes_on {
                return;
            }
            sleep(self.pause()).await;
        }
    }

    /// When to act: mostly at once, sometimes later in the life of the token, at its end or after it.
    pub(super) fn moment(&self) -> Duration {
        let ttl = self.ttl_seconds * 1000;
        Duration::from_millis(self.draw(|rng| match rng.u32(0..10) {
            0..5 => rng.u64(0..60),
            5..7 => rng.u64(0..ttl),
            7 => ttl.saturating_sub(35_000) + rng.u64(0..70_000),
            8 => ttl.saturating_sub(2500) + rng.u64(0..3000),
            _ => rng.u64(0..72 * 3_600_000),
        }))
    }

    /// A pause before asking again, on either side of the end of the replay window.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.draw(|rng| match rng.u32(0..4) {
            0..3 => rng.u64(0..3000),
            _ => rng.u64(55_000..65_000),
        }))
    }
}
