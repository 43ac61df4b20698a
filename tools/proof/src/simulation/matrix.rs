//! Every fault at every attempt of a mint and of a spend.

use fastrand::Rng;
use tokens::Timestamp;

use super::{
    clock::in_simulated_time,
    cloud::{Fault, Faults, Network, Rule, Secret, Services},
    judge::Client,
    lambda::{Conditions, Minter},
    workload::Simulation,
};
use crate::limits::ATTEMPTS;

/// A fault at one attempt, and its outcome.
#[derive(Debug)]
pub struct Cell {
    /// The function that meets it.
    pub function: &'static str,
    /// What went wrong with a request.
    pub fault: Fault,
    /// With which attempt, from 1; those before it were throttled.
    pub attempt: usize,
    /// The answers: to the client, to the same client asking again, and to another client.
    pub answers: Vec<String>,
    /// What is not as it must be.
    pub violations: Vec<String>,
}

/// Runs every cell.
#[must_use]
pub fn matrix() -> Vec<Cell> {
    let attempts = (1..=ATTEMPTS).flat_map(|attempt| Fault::ALL.map(|fault| (fault, attempt)));
    let functions = ["authorizer", "issue", "validate", "guard", "revoke"];
    attempts.flat_map(|(fault, attempt)| functions.map(|function| cell(function, fault, attempt))).collect()
}

fn cell(function: &'static str, fault: Fault, attempt: usize) -> Cell {
    fastrand::seed(0); // the SDK's pauses
    in_simulated_time(async {
        let action = if matches!(function, "authorizer" | "issue") { "PutItem" } else { "UpdateItem" };
        let faults = Faults::At { action, attempt, fault };
        let network = Network::new(Services::new(Rule::OF_ONE_USE, Secret::generated()), Rng::with_seed(0), faults);
        let conditions = Conditions {
            crash_percent: 0,
            max_skew_seconds: 0,
            ttl_seconds: 300,
            revoked_before: Timestamp(0),
            ports: |_, ports| ports,
            versions: |versions| versions,
        };
        let simulation = Simulation::new(network, conditions, false);
        let answers = answers(&simulation, function).await;
        let is_last = attempt == ATTEMPTS && fault != Fault::Duplicated; // which is answered
        let is_spent = !matches!(fault, Fault::LostRequest | Fault::Throttled | Fault::Late);
        let expected: &[&str] = match (function, is_last) {
            ("authorizer" | "issue", true) => &["no token"],
            ("guard", true) if is_spent => &["minted", "503 ", "401 already_used", "401 already_used"],
            ("guard", true) => &["minted", "503 ", "200 ", "401 already_used"],
            ("guard", false) => &["minted", "200 ", "401 already_used", "401 already_used"],
            ("revoke", true) => &["minted", "503 unavailable", "200 ", "401 revoked"],
            ("revoke", false) => &["minted", "200 ", "200 ", "401 revoked"],
            (_, true) => &["minted", "503 unavailable", "200 ", "401 already_used"],
            (_, false) => &["minted", "200 ", "200 ", "401 already_used"],
        };
        let mut violations: Vec<_> =
            simulation.outcome(0).violations.into_iter().map(|(_, violation)| violation).collect();
        if answers != expected {
            violations.push(format!("{answers:?}, not {expected:?}"));
        }
        Cell { function, fault, attempt, answers, violations }
    })
}

/// Has a token minted; has a client or the operator ask `function`, which may meet the fault; then the same
/// again, and another client.
async fn answers(simulation: &Simulation, function: &str) -> Vec<String> {
    let minter = if function == "issue" { Minter::Issue } else { Minter::Authorizer };
    let Some(minted) = simulation.mint(0, minter).await else { return vec!["no token".to_owned()] };
    let mut answers = vec!["minted".to_owned()];
    for (number, name) in ["one", "one", "another"].into_iter().enumerate() {
        let answer = match function {
            "revoke" if name == "one" => simulation.revoke(0, &minted).await,
            "guard" => simulation.spend(0, &minted, &simulation.at_guard(&format!("request {number}"))).await,
            _ => {
                let client = Client { name: name.to_owned(), key: Some(name.to_owned()), guard: None };
                simulation.spend(0, &minted, &client).await
            }
        };
        answers.push(answer.map_or("crashed".to_owned(), |answer| format!("{} {}", answer.status, answer.reason)));
        simulation.end_faults();
    }
    answers
}
