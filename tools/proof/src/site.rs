//! The functions' binaries behind a proxy, before an emulator of DynamoDB.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{events, fault_proxy::FaultProxy};
use harness::{
    FakeAws, Function, Table, fake_aws,
    process::{Answer, Process, Variables, variables},
};

/// A table, a proxy before it, and what is needed to start a function there.
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
        let secrets_manager = FakeAws::start(fake_aws::works).await?;
        let mut variables = variables(&proxy.url, &secrets_manager.url, &table.name);
        variables.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned())); // what they say is searched for tokens
        let [authorizer, validate] = ["authorizer", "validate"].map(|name| Function::named(name).binary(build));
        Ok(Self { proxy, variables, authorizer, validate })
    }

    /// A new process of the function that mints.
    pub(crate) async fn authorizer(&self) -> Result<Process> {
        Process::start(&self.authorizer, &self.variables).await
    }

    /// A new process of the function that spends.
    pub(crate) async fn validate(&self) -> Result<Process> {
        Process::start(&self.validate, &self.variables).await
    }
}

/// A token that `authorizer` mints now.
pub(crate) async fn mint(authorizer: &mut Process) -> Result<String> {
    token(&authorizer.invoke(events::MINT.to_owned()).await?).context("no token was minted")
}

/// The token that an authorizer's answer hands on.
pub(crate) fn token(answer: &Answer) -> Option<String> {
    answer.body["context"]["accessToken"].as_str().map(str::to_owned)
}

/// What an answer says in a few words.
pub(crate) fn outcome(answer: &Answer) -> String {
    let body = answer.body["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    match (answer.body["statusCode"].as_i64(), body) {
        _ if answer.is_error => "error".to_owned(),
        _ if token(answer).is_some() => "minted".to_owned(),
        (Some(status), Some(body)) if body["replayed"] == true => format!("{status} replayed"),
        (Some(status), Some(body)) => format!("{status} {}", body["reason"].as_str().unwrap_or_default()),
        _ => format!("{}", answer.body),
    }
    .trim_end()
    .to_owned()
}
