//! Faults of the network between the functions' binaries and DynamoDB, on real sockets.

use std::{fmt, path::Path};

use anyhow::{Result, ensure};

use crate::{
    events,
    fault_proxy::{ConnectionEnd, Step, WireFault},
    limits::{ATTEMPTS, LONGEST_ANSWER},
    site::{Site, mint, outcome, token},
};
use harness::process::{Answer, Process};

/// One fault, and what came of it.
#[derive(Debug)]
pub struct Case {
    /// What happened.
    pub fault: String,
    /// What the clients were told, one after the other.
    pub answers: Vec<String>,
    /// What is not as it must be.
    pub violations: Vec<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault, self.answers.join("; "))
    }
}

/// Both functions, and the proxy behind which they are.
struct Trial {
    site: Site,
    authorizer: Process,
    validate: Process,
}

/// Runs every fault: each at the first attempts of a mint and of a spend, up to all three; and each
/// end of a connection while its function is frozen.
///
/// # Errors
///
/// When something is missing that the proof needs.
pub async fn run(dynamodb: &str, build: &Path) -> Result<Vec<Case>> {
    let site = Site::new(dynamodb, build).await?;
    let (authorizer, validate) = (site.authorizer().await?, site.validate().await?);
    let mut trial = Trial { site, authorizer, validate };
    let mut cases = Vec::new();
    for fault in WireFault::ALL {
        for attempts in 1..=ATTEMPTS {
            let name = format!("{fault:?} × {attempts}");
            let steps = vec![Step::Fault(fault); attempts];
            cases.push(trial.mint(&steps, &name).await?);
            let token = mint(&mut trial.authorizer).await?;
            cases.push(trial.spend(&token, &steps, &name).await?);
        }
    }
    for end in ConnectionEnd::ALL {
        let name = format!("{end:?} while frozen");
        let token = trial.freeze(end).await?;
        cases.push(trial.spend(&token, &[], &name).await?);
        cases.push(trial.mint(&[], &name).await?);
    }
    Ok(cases)
}

impl Trial {
    /// Freezes both functions, ends the connection that each of them has, and lets them go on; a token
    /// that was minted before.
    async fn freeze(&mut self, end: ConnectionEnd) -> Result<String> {
        let spent = mint(&mut self.authorizer).await?;
        self.validate.invoke(events::spend(&spent, Some("one"))).await?;
        let token = mint(&mut self.authorizer).await?;
        self.authorizer.freeze().await?;
        self.validate.freeze().await?;
        let ended = self.site.proxy.end_connections(end);
        ensure!(ended >= 2, "of two functions only {ended} kept a connection");
        self.authorizer.thaw().await?;
        self.validate.thaw().await?;
        Ok(token)
    }

    /// A mint that meets `steps`; and its token, if there is one, which two clients ask for.
    async fn mint(&mut self, steps: &[Step], fault: &str) -> Result<Case> {
        let mut case = Case { fault: format!("mint, {fault}"), answers: Vec::new(), violations: Vec::new() };
        self.site.proxy.plan(steps.iter().copied());
        let answer = self.authorizer.invoke(events::MINT.to_owned()).await?;
        case.check(self, &answer, if steps.len() == ATTEMPTS { &["error"] } else { &["minted"] });
        if let Some(token) = token(&answer) {
            self.ask(&mut case, &token, &[("one", &["200"]), ("another", &["401 already_used"])]).await?;
        }
        Ok(case)
    }

    /// A spend that meets `steps`; then the same client asks again, and another one.
    async fn spend(&mut self, token: &str, steps: &[Step], fault: &str) -> Result<Case> {
        let mut case = Case { fault: format!("spend, {fault}"), answers: Vec::new(), violations: Vec::new() };
        self.site.proxy.plan(steps.iter().copied());
        let yes: &[&str] = &["200", "200 replayed"]; // the SDK's own retry may find its mark
        let first = if steps.len() == ATTEMPTS { &["503 unavailable"] } else { yes };
        self.ask(&mut case, token, &[("one", first), ("one", yes), ("another", &["401 already_used"])]).await?;
        Ok(case)
    }

    /// Has clients ask for a token, one after the other, each to be told one of what is expected.
    async fn ask(&mut self, case: &mut Case, token: &str, clients: &[(&str, &[&str])]) -> Result<()> {
        for (client, expected) in clients {
            let answer = self.validate.invoke(events::spend(token, Some(client))).await?;
            case.check(self, &answer, expected);
        }
        Ok(())
    }
}

impl Case {
    /// Notes one answer, and what is wrong with it.
    fn check(&mut self, trial: &Trial, answer: &Answer, expected: &[&str]) {
        let outcome = outcome(answer);
        self.answers.push(format!("{outcome} after {} ms", answer.took.as_millis()));
        if !expected.contains(&outcome.as_str()) {
            self.violations.push(format!("{outcome}, not {expected:?}"));
        }
        if answer.took > LONGEST_ANSWER {
            self.violations.push(format!("an answer after {:?}", answer.took));
        }
        if trial.site.proxy.left() > 0 {
            self.violations.push("a fault that was not met".to_owned());
        }
    }
}
