//! A process that runs a function's binary as Lambda does.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::runtime_api::{Call, RuntimeApi};
use uuid::Uuid;

/// Environment variables, by name.
pub type Variables = Vec<(&'static str, String)>;

/// The variables that Lambda and `template.yaml` set, of all functions together, with these endpoints of
/// the two services and this name of the table.
#[must_use]
pub fn variables(dynamodb: &str, secrets_manager: &str, table: &str) -> Variables {
    let variables = [
        // Set by Lambda.
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_SESSION_TOKEN", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        // Set by the template.
        ("ALLOWED_ORIGIN", "*"),
        ("CACHED_POLICY_CHECK", "refuse"),
        ("EXPOSED_HEADERS", "X-Access-Token,Retry-After"),
        ("KEY_RING_SECRET_ID", "key-ring"),
        ("OPEN_ROUTES", "true"),
        ("REVOKED_BEFORE", "0"),
        ("STACK_NAME", "proof"),
        ("TABLE_NAME", table),
        ("TOKEN_AUDIENCE", "proof/Prod"),
        ("TOKEN_ISSUER", "proof"),
        ("TOKEN_TTL_SECONDS", "300"),
        ("USAGE_TABLE_NAME", "usage"),
        ("WEB_PAGE", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager),
    ];
    variables.map(|(name, value)| (name, value.to_owned())).into()
}

/// The command that starts `binary` with only `variables` as its environment. It takes its events from
/// `api`.
#[must_use]
pub fn command(binary: &Path, variables: &[(&'static str, String)], api: &RuntimeApi) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().envs(variables.iter().map(|(name, value)| (*name, value)));
    command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
}

/// The CPU time of a thread so far, of which `task` is the folder in `/proc`.
///
/// # Errors
///
/// If this is not Linux, or the thread has ended.
pub fn cpu_time(task: &Path) -> Result<Duration> {
    let schedstat = fs::read_to_string(task.join("schedstat")).context("needs Linux")?;
    let (nanoseconds, _) = schedstat.split_once(' ').context("no schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Starts [`command`].
///
/// # Errors
///
/// When the binary is missing or does not run on this machine.
fn spawn(binary: &Path, variables: &[(&'static str, String)], api: &RuntimeApi) -> Result<Child> {
    command(binary, variables, api).spawn().with_context(|| {
        format!("{} does not start; `sam build --config-env local` builds it for this machine", binary.display())
    })
}

/// A running function, which handles one event at a time.
#[derive(Debug)]
pub struct Process {
    child: Child,
    api: RuntimeApi,
    /// Its pending request for the next event, while it is idle.
    next: Option<Call>,
}

/// The answer to an event.
#[derive(Debug)]
pub struct Answer {
    /// The response, or the error of a failed invocation.
    pub body: Value,
    /// Whether the invocation failed, and `body` is its error.
    pub is_error: bool,
    /// The time from handing out the event to receiving the answer.
    pub took: Duration,
}

impl Process {
    /// Starts `binary` and waits until it asks for an event.
    ///
    /// # Errors
    ///
    /// When it does not start, or does not ask within 10 s.
    pub async fn start(binary: &Path, variables: &[(&'static str, String)]) -> Result<Self> {
        let mut api = RuntimeApi::start().await?;
        let child = spawn(binary, variables, &api)?;
        let next = Some(api.next().await?);
        Ok(Self { child, api, next })
    }

    /// Hands an event out and waits for its answer.
    ///
    /// # Errors
    ///
    /// When the process is busy, ends, or does not answer within 10 s.
    pub async fn invoke(&mut self, event: String) -> Result<Answer> {
        let next = self.next.take().context("the process is busy")?;
        let began = Instant::now();
        let call = self.api.invoke(next, event).await?;
        let answer = Answer {
            body: serde_json::from_str(&call.body).context("the answer is not JSON")?,
            is_error: call.is_error(),
            took: call.at - began,
        };
        drop(call);
        self.next = Some(self.api.next().await?);
        Ok(answer)
    }

    /// Hands an event out and returns at once.
    ///
    /// # Errors
    ///
    /// When the process is busy or has ended.
    pub fn begin(&mut self, event: String) -> Result<()> {
        self.next.take().context("the process is busy")?.answer(Uuid::new_v4().to_string(), event)
    }

    /// Waits for the answer to the event of [`Process::begin`]; the process waits until the returned
    /// call is dropped.
    ///
    /// # Errors
    ///
    /// When the process does not answer within 10 s.
    pub async fn answer(&mut self) -> Result<Call> {
        self.api.answer().await
    }

    /// Suspends the process, as Lambda does between invocations.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn freeze(&self) -> Result<()> {
        self.signal("STOP").await
    }

    /// Resumes a suspended process.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn thaw(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Kills the process, whatever it is doing.
    ///
    /// # Errors
    ///
    /// When the operating system refuses to.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn signal(&self, name: &str) -> Result<()> {
        signal(&self.child, name).await
    }
}

/// Sends a process the signal `name`, such as `TERM`.
///
/// # Errors
///
/// When it has ended.
pub async fn signal(child: &Child, name: &str) -> Result<()> {
    let id = child.id().context("the process has ended")?;
    let status = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().await?;
    ensure!(status.success(), "kill -{name} failed");
    Ok(())
}
