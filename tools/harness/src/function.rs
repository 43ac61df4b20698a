//! A function's binary, run as Lambda runs it.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::runtime_api::{Call, RuntimeApi};

/// The variables of a function's environment.
pub type Variables = Vec<(&'static str, String)>;

/// The variables that Lambda and the template set for any function, and where the services are.
#[must_use]
pub fn variables(dynamodb: &str, secrets_manager: &str, table: &str) -> Variables {
    let variables = [
        // What Lambda sets.
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_SESSION_TOKEN", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        // What the template sets.
        ("ALLOWED_ORIGIN", "*"),
        ("CACHED_POLICY_CHECK", "refuse"),
        ("EXPOSED_HEADERS", "X-Access-Token,Retry-After"),
        ("KEY_RING_SECRET_ID", "key-ring"),
        ("REVOKED_BEFORE", "0"),
        ("TABLE_NAME", table),
        ("TOKEN_AUDIENCE", "proof/Prod"),
        ("TOKEN_ISSUER", "proof"),
        ("TOKEN_TTL_SECONDS", "300"),
        // What leads to the services.
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager),
    ];
    variables.map(|(name, value)| (name, value.to_owned())).into()
}

/// Where `sam build` puts the binary of a function.
#[must_use]
pub fn binary(build: &Path, resource: &str) -> PathBuf {
    build.join(resource).join("bootstrap")
}

/// Starts `binary` in an environment of `variables` alone, with its events from `api`.
///
/// # Errors
///
/// When it does not start.
pub fn spawn(binary: &Path, variables: &[(&'static str, String)], api: &RuntimeApi) -> Result<Child> {
    let mut command = Command::new(binary);
    command.env_clear().envs(variables.iter().map(|(name, value)| (*name, value)));
    command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.spawn().with_context(|| {
        format!("{} does not start; `sam build --config-env local` builds it for this machine", binary.display())
    })
}

/// A process of a function.
#[derive(Debug)]
pub struct Function {
    process: Child,
    api: RuntimeApi,
    /// Its call for the next event, while it has none.
    next: Option<Call>,
}

/// What a function answered.
#[derive(Debug)]
pub struct Answer {
    /// The response, or the error.
    pub body: Value,
    /// Whether it is the error.
    pub is_error: bool,
    /// From the event to the answer.
    pub took: Duration,
}

impl Function {
    /// Starts it and waits until it asks for an event.
    pub async fn start(binary: &Path, variables: &[(&'static str, String)]) -> Result<Self> {
        let mut api = RuntimeApi::start().await?;
        let process = spawn(binary, variables, &api)?;
        let next = Some(api.next().await?);
        Ok(Self { process, api, next })
    }

    /// Has one event answered.
    pub async fn invoke(&mut self, event: String) -> Result<Answer> {
        let next = self.next.take().context("it is not idle")?;
        let began = Instant::now();
        let call = self.api.invoke(next, event).await?;
        let answer = Answer {
            body: serde_json::from_str(&call.body).context("an answer that is not JSON")?,
            is_error: call.is_error(),
            took: call.at - began,
        };
        drop(call);
        self.next = Some(self.api.next().await?);
        Ok(answer)
    }

    /// Hands an event out and waits for nothing.
    pub fn begin(&mut self, event: String) -> Result<()> {
        self.next.take().context("it is not idle")?.answer(event)
    }

    /// Waits for the answer to what has begun, and keeps its sender waiting as long as it is kept.
    pub async fn answer(&mut self) -> Result<Call> {
        self.api.answer().await
    }

    /// Stops the process where it is, as Lambda does between invocations.
    pub async fn freeze(&self) -> Result<()> {
        signal(&self.process, "STOP").await
    }

    /// Lets a frozen process go on.
    pub async fn thaw(&self) -> Result<()> {
        signal(&self.process, "CONT").await
    }

    /// Ends the process where it is.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

/// Sends a signal to a process that was started here.
async fn signal(process: &Child, name: &str) -> Result<()> {
    let id = process.id().context("the process has ended")?;
    let status = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().await?;
    ensure!(status.success(), "kill -{name} failed");
    Ok(())
}

/// Starts a stand-in for Secrets Manager, which has one key ring; its URL.
pub async fn secrets_manager() -> Result<String> {
    let ring = json!({"active": "k1", "k1": "a key of this proof and of nothing else"}).to_string();
    let answer = json!({ "SecretString": ring }).to_string();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(move || std::future::ready(answer.clone()));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}
