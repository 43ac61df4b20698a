//! Faults of the network between the functions' binaries and DynamoDB, on real sockets.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    events,
    fault_proxy::{Death, FaultProxy, Step, WireFault},
    function::{Answer, Function, Variables, binary, secrets_manager, variables},
    table::Table,
};

/// How often the SDK tries.
const ATTEMPTS: usize = 3;

/// How long an answer may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(2);

/// One fault, and what came of it.
#[derive(Debug)]
pub struct Case {
    /// What happened.
    pub fault: String,
    /// What the function answered and when, and what was answered after it.
    pub answers: String,
    /// What is not as it must be.
    pub violations: Vec<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault, self.answers)
    }
}

/// A function behind a proxy, and what is needed to start it again.
pub(crate) struct Site {
    pub(crate) proxy: FaultProxy,
    variables: Variables,
    authorizer: PathBuf,
    validate: PathBuf,
}

impl Site {
    /// A table of its own on the emulator at `dynamodb`, and the functions that `sam build` put into
    /// `build`.
    pub(crate) async fn new(dynamodb: &str, build: &Path) -> Result<Self> {
        let table = Table::create(dynamodb).await.context("the table cannot be made")?;
        let proxy = FaultProxy::start(dynamodb).await?;
        let variables = variables(&proxy.url, &secrets_manager().await?, &table.name);
        let (authorizer, validate) = (binary(build, "AuthorizerFunction"), binary(build, "ValidateFunction"));
        Ok(Self { proxy, variables, authorizer, validate })
    }

    pub(crate) async fn authorizer(&self) -> Result<Function> {
        Function::start(&self.authorizer, &self.variables).await
    }

    pub(crate) async fn validate(&self) -> Result<Function> {
        Function::start(&self.validate, &self.variables).await
    }
}

/// Runs every fault: each at the first attempts of a mint and of a spend, up to all three; and each
/// death of a connection while its function is frozen.
///
/// # Errors
///
/// When something is missing that the proof needs.
pub async fn run(dynamodb: &str, build: &Path) -> Result<Vec<Case>> {
    let site = Site::new(dynamodb, build).await?;
    let (mut authorizer, mut validate) = (site.authorizer().await?, site.validate().await?);
    let mut cases = Vec::new();
    for fault in WireFault::ALL {
        for attempts in 1..=ATTEMPTS {
            let steps = [Step::Fault(fault); ATTEMPTS].into_iter().take(attempts);
            cases.push(mint(&site, &mut authorizer, steps.clone(), format!("{fault:?} × {attempts}")).await?);
            let token = token(&authorizer.invoke(events::MINT.to_owned()).await?)?;
            cases.push(spend(&site, &mut validate, &token, steps, format!("{fault:?} × {attempts}")).await?);
        }
    }
    for death in Death::ALL {
        // Both have a live connection when they freeze.
        let spent = token(&authorizer.invoke(events::MINT.to_owned()).await?)?;
        validate.invoke(events::spend(&spent, Some("one"))).await?;
        let token = token(&authorizer.invoke(events::MINT.to_owned()).await?)?;
        for function in [&authorizer, &validate] {
            function.freeze().await?;
        }
        site.proxy.end_connections(death);
        for function in [&authorizer, &validate] {
            function.thaw().await?;
        }
        let fault = format!("{death:?} while frozen");
        cases.push(mint(&site, &mut authorizer, [], fault.clone()).await?);
        cases.push(spend(&site, &mut validate, &token, [], fault).await?);
    }
    Ok(cases)
}

/// A mint that meets `steps`.
async fn mint(
    site: &Site,
    authorizer: &mut Function,
    steps: impl IntoIterator<Item = Step>,
    fault: String,
) -> Result<Case> {
    site.proxy.plan(steps);
    let is_last = site.proxy.left() == ATTEMPTS;
    let answer = authorizer.invoke(events::MINT.to_owned()).await?;
    let mut case = Case { fault: format!("mint, {fault}"), answers: told(&answer), violations: Vec::new() };
    case.check(site, &answer, if is_last { "error" } else { "minted" });
    Ok(case)
}

/// A spend that meets `steps`; then the same client asks again, and another one.
async fn spend(
    site: &Site,
    validate: &mut Function,
    token: &str,
    steps: impl IntoIterator<Item = Step>,
    fault: String,
) -> Result<Case> {
    site.proxy.plan(steps);
    let is_last = site.proxy.left() == ATTEMPTS;
    let answer = validate.invoke(events::spend(token, Some("one"))).await?;
    let mut case = Case { fault: format!("spend, {fault}"), answers: told(&answer), violations: Vec::new() };
    case.check(site, &answer, if is_last { "503 unavailable" } else { "200" });
    for (client, expected) in [("one", "200"), ("another", "401 already_used")] {
        let answer = validate.invoke(events::spend(token, Some(client))).await?;
        case.answers += &format!("; {client}: {}", told(&answer));
        case.check(site, &answer, expected);
    }
    Ok(case)
}

impl Case {
    /// Checks one answer.
    fn check(&mut self, site: &Site, answer: &Answer, expected: &str) {
        let told = outcome(answer);
        if told != expected {
            self.violations.push(format!("{told}, not {expected}"));
        }
        if answer.took > LONGEST_ANSWER {
            self.violations.push(format!("an answer after {:?}", answer.took));
        }
        if site.proxy.left() > 0 {
            self.violations.push("a fault that was not met".to_owned());
        }
    }
}

/// The token that an authorizer has just minted.
pub(crate) fn token(answer: &Answer) -> Result<String> {
    let token = answer.body["context"]["accessToken"].as_str().context("no token was minted")?;
    Ok(token.to_owned())
}

/// What an answer says.
pub(crate) fn outcome(answer: &Answer) -> String {
    if answer.is_error {
        return "error".to_owned();
    }
    let Some(status) = answer.body["statusCode"].as_i64() else { return "minted".to_owned() };
    let body = answer.body["body"].as_str().and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok());
    let reason = body.as_ref().and_then(|body| body["reason"].as_str()).unwrap_or_default();
    format!("{status} {reason}").trim_end().to_owned()
}

/// What an answer says, and how long it took.
fn told(answer: &Answer) -> String {
    format!("{} after {} ms", outcome(answer), answer.took.as_millis())
}
