//! The AWS that the measured functions call.

use std::time::Duration;

use anyhow::Result;
use harness::{
    FakeAws, fake_aws,
    process::{self, Variables},
};

use crate::roots::Roots;

/// The two services that the functions call, each on a host of its own.
#[derive(Debug)]
pub(crate) struct Services {
    dynamodb: FakeAws,
    secrets_manager: FakeAws,
    /// The certificates of both; empty without TLS.
    pub(crate) certificates: String,
}

/// What the services have been asked so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traffic {
    /// Calls of Secrets Manager.
    pub(crate) secrets: usize,
    /// Calls of DynamoDB that write or read a token.
    pub(crate) tokens: usize,
    /// Connections to both.
    pub(crate) connections: usize,
}

impl Services {
    /// Services that answer at once, without TLS.
    pub(crate) async fn start() -> Result<Self> {
        let (dynamodb, secrets_manager) =
            (FakeAws::start(fake_aws::works).await?, FakeAws::start(fake_aws::works).await?);
        Ok(Self { dynamodb, secrets_manager, certificates: String::new() })
    }

    /// Services over TLS that take so long for a reply.
    pub(crate) async fn start_over_tls(service_time: Duration) -> Result<Self> {
        let start = || FakeAws::start_over_tls(move |call| fake_aws::works(call).after(service_time));
        let ((dynamodb, one), (secrets_manager, other)) = (start().await?, start().await?);
        Ok(Self { dynamodb, secrets_manager, certificates: one + &other })
    }

    /// The environment of a function that calls them and trusts these certificates.
    pub(crate) fn variables(&self, roots: &Roots) -> Result<Variables> {
        let mut variables = process::variables(&self.dynamodb.url, &self.secrets_manager.url, "tokens");
        // The second is for boto3.
        variables.extend([("SSL_CERT_FILE", roots.path()?), ("AWS_CA_BUNDLE", roots.path()?)]);
        Ok(variables)
    }

    /// What they have been asked since `before`.
    pub(crate) fn asked_since(&self, before: Traffic) -> Traffic {
        let now = self.asked();
        Traffic {
            secrets: now.secrets - before.secrets,
            tokens: now.tokens - before.tokens,
            connections: now.connections - before.connections,
        }
    }

    /// What they have been asked so far.
    pub(crate) fn asked(&self) -> Traffic {
        Traffic {
            secrets: self.secrets_manager.calls("GetSecretValue"),
            tokens: ["PutItem", "UpdateItem", "GetItem"].map(|action| self.dynamodb.calls(action)).iter().sum(),
            connections: self.dynamodb.connections() + self.secrets_manager.connections(),
        }
    }
}
