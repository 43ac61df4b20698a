//! Every fault at every attempt of a mint and of a spend.

use fastrand::Rng;

use super::{
    Hazards, in_simulation,
    judge::Client,
    life::World,
    lock,
    network::{Fault, Faults, Network},
    outcome,
    services::{Rule, Services},
    world,
};
use crate::ATTEMPTS;

/// A fault at an attempt, and what came of it.
#[derive(Debug)]
pub struct Cell {
    /// `PutItem` for a mint, `UpdateItem` for a spend.
    pub action: &'static str,
    /// What happened to a request.
    pub fault: Fault,
    /// To which one, from 1; those before it were throttled.
    pub attempt: usize,
    /// What the client was told: by the function, when it asked again, and another client.
    pub answers: Vec<String>,
    /// What is not as it must be.
    pub violations: Vec<String>,
}

/// Runs every cell.
#[must_use]
pub fn matrix() -> Vec<Cell> {
    let attempts = (1..=ATTEMPTS).flat_map(|attempt| Fault::ALL.map(|fault| (fault, attempt)));
    attempts.flat_map(|(fault, attempt)| ["PutItem", "UpdateItem"].map(|action| cell(action, fault, attempt))).collect()
}

fn cell(action: &'static str, fault: Fault, attempt: usize) -> Cell {
    in_simulation(0, async {
        let faults = Faults::At { action, attempt, fault };
        let network = Network::new(Services::new(Rule::OF_ONE_USE), Rng::with_seed(0), faults);
        let hazards = Hazards { crash_percent: 0, max_skew_seconds: 0, ttl_seconds: 300 };
        let world = world(network, hazards, false);
        let answers = answers(&world).await;
        let is_last = attempt == ATTEMPTS && fault != Fault::Duplicated; // which is answered
        let expected: &[&str] = match (action, is_last) {
            ("PutItem", true) => &["no token"],
            (_, true) => &["minted", "503 unavailable", "200 ", "401 already_used"],
            (_, false) => &["minted", "200 ", "200 ", "401 already_used"],
        };
        let mut violations: Vec<_> =
            outcome(0, &world).violations.into_iter().map(|(_, violation)| violation).collect();
        if answers != expected {
            violations.push(format!("{answers:?}, not {expected:?}"));
        }
        Cell { action, fault, attempt, answers, violations }
    })
}

/// Mints; has a client ask, which may meet the fault; then the same client again, and another.
async fn answers(world: &World) -> Vec<String> {
    let Some(minted) = world.mint(0).await else { return vec!["no token".to_owned()] };
    let mut answers = vec!["minted".to_owned()];
    for name in ["one", "one", "another"] {
        let client = Client { name: name.to_owned(), key: Some(name.to_owned()) };
        let answer = world.spend(0, &minted, &client).await;
        answers.push(answer.map_or("crashed".to_owned(), |answer| format!("{} {}", answer.status, answer.reason)));
        *lock(&world.network.faults) = Faults::Random(0);
    }
    answers
}
