//! Secrets Manager, which has the keys rotated.

use std::{sync::Arc, time::Duration};

use futures_util::future;
use tokio::{task::JoinSet, time::sleep};

use super::Simulation;
use crate::events::ROTATION;

/// The number of the token around the first rotation: more than there are others.
const FIRST_TOKEN: usize = 10;

/// How long a fresh key waits until a rotation has it sign, in seconds.
const PUBLICATION_SECONDS: u64 = 49 * 3600;

impl Simulation {
    /// Rotates the keys three times, each time as soon as the fresh key may sign, or too early. Half of the
    /// rotations have a token that is minted in the minutes around them.
    pub(crate) async fn rotations(self: Arc<Self>) {
        sleep(Duration::from_secs(self.draw(|rng| rng.u64(0..2 * self.ttl_seconds + 600)))).await;
        let mut tokens = JoinSet::new();
        for rotation in 0..3 {
            let (is_edited, has_token, pause) =
                self.draw(|rng| (rng.u32(0..10) == 0, rng.bool(), Duration::from_secs(rng.u64(0..240))));
            if has_token {
                tokens.spawn(self.clone().token_after(FIRST_TOKEN + rotation, pause));
                sleep(Duration::from_mins(2)).await;
            }
            let edit = async {
                if is_edited {
                    self.set_not_before(0).await;
                }
            };
            future::join(self.rotation(), edit).await;
            sleep(Duration::from_secs(self.draw(|rng| match rng.u32(0..4) {
                0 => rng.u64(0..PUBLICATION_SECONDS),
                _ => PUBLICATION_SECONDS + rng.u64(0..600),
            })))
            .await;
        }
        tokens.join_all().await;
    }

    /// Rotates the keys. When a step has failed the rotation is repeated from its beginning, some times.
    async fn rotation(self: &Arc<Self>) {
        for _ in 0..4 {
            let version = self.network.services().secret.begin_rotation();
            if self.steps(&version).await {
                return;
            }
            sleep(Duration::from_secs(self.draw(|rng| rng.u64(0..3600)))).await;
        }
    }

    /// Calls the steps until one fails. One may be lost, be late, or be called twice. Whether none has failed.
    async fn steps(self: &Arc<Self>, version: &str) -> bool {
        for step in ROTATION {
            let (fate, late, again) = self.draw(|rng| (rng.u32(0..20), rng.u64(0..3600), rng.u64(0..2000)));
            match fate {
                0 => return false,
                1 => sleep(Duration::from_secs(late)).await,
                2 => {
                    let (simulation, version) = (self.clone(), version.to_owned());
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(again)).await;
                        simulation.rotation_step(step, &version).await;
                    });
                }
                _ => {}
            }
            if !self.rotation_step(step, version).await {
                return false;
            }
        }
        true
    }
}
