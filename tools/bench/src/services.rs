//! The AWS that the measured functions call.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use harness::{
    FakeAws, Table, fake_aws,
    process::{self, Variables},
};
use reqwest::{Certificate, Client};
use tokio::runtime;

use crate::roots::Roots;

/// A call to DynamoDB in the size of a mint's.
const CALL: &str = r#"{"TableName":"tokens","Item":{"jti":{"S":"018f3c1a-6b7e-7c3d-9f10-2a4b6c8d0e1f"},"kid":{"S":"k1"},"minted_by":{"S":"018f3c1a-6b7e-7c3d-9f10-2a4b6c8d0e1f"},"expires_at":{"N":"1790000000"}},"ConditionExpression":"attribute_not_exists(jti)"}"#;

/// How often the round trip is measured in each turn of the programs.
const ROUND_TRIPS: usize = 250;

/// How a function reaches AWS.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Two fake services without TLS, which reply after this time.
    Plain(Duration),
    /// Two fake services over TLS, which reply after this time.
    Tls(Duration),
    /// DynamoDB Local or another emulator at this URL, and a fake Secrets Manager, without TLS.
    Emulator(String),
}

/// The two services that the functions call, each on a host of its own.
#[derive(Debug)]
pub(crate) struct Services {
    dynamodb: FakeAws,
    secrets_manager: FakeAws,
    /// The certificates of both; empty without TLS.
    pub(crate) certificates: String,
    /// The table on an emulator, and the emulator's URL.
    emulated: Option<(Table, String)>,
}

/// The calls to the services so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traffic {
    /// Calls that fetch the key ring.
    pub(crate) secrets_manager: usize,
    /// Calls that write or read a token.
    pub(crate) dynamodb: usize,
    /// Connections to both.
    pub(crate) connections: usize,
}

impl Services {
    /// Starts the services, or makes a table on the emulator.
    pub(crate) async fn start(target: &Target) -> Result<Self> {
        let (service_time, over_tls) = match target {
            Target::Plain(time) => (*time, false),
            Target::Tls(time) => (*time, true),
            Target::Emulator(_) => (Duration::ZERO, false),
        };
        let works = move |call: &_| fake_aws::works(call).after(service_time);
        let start = async || {
            if over_tls {
                FakeAws::start_over_tls(works).await
            } else {
                Ok((FakeAws::start(works).await?, String::new()))
            }
        };
        let ((dynamodb, one), (secrets_manager, other)) = (start().await?, start().await?);
        let emulated = match target {
            Target::Emulator(url) => Some((Table::create(url).await?, url.clone())),
            Target::Plain(_) | Target::Tls(_) => None,
        };
        let certificates = one + &other;
        Ok(Self { dynamodb, secrets_manager, certificates, emulated })
    }

    /// The environment of a function that calls them and trusts these certificates.
    pub(crate) fn variables(&self, roots: &Roots) -> Result<Variables> {
        let fake = (&self.dynamodb.url, "tokens");
        let (dynamodb, table) = self.emulated.as_ref().map_or(fake, |(table, url)| (url, table.name.as_str()));
        let mut variables = process::variables(dynamodb, &self.secrets_manager.url, table);
        // The second is for boto3.
        variables.extend([("SSL_CERT_FILE", roots.path()?), ("AWS_CA_BUNDLE", roots.path()?)]);
        Ok(variables)
    }

    /// Deletes the table on the emulator.
    pub(crate) async fn end(&self) -> Result<()> {
        if let Some((table, _)) = &self.emulated {
            table.client.delete_table().table_name(&table.name).send().await?;
        }
        Ok(())
    }

    /// Whether their calls to DynamoDB are counted: an emulator counts none.
    pub(crate) fn are_counted(&self) -> bool {
        self.emulated.is_none()
    }

    /// The calls since `before`.
    pub(crate) fn traffic_since(&self, before: Traffic) -> Traffic {
        let now = self.traffic();
        Traffic {
            secrets_manager: now.secrets_manager - before.secrets_manager,
            dynamodb: now.dynamodb - before.dynamodb,
            connections: now.connections - before.connections,
        }
    }

    /// The connections so far, to each of the two.
    pub(crate) fn connections(&self) -> [usize; 2] {
        [&self.dynamodb, &self.secrets_manager].map(FakeAws::connections)
    }

    /// The calls so far.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            secrets_manager: self.secrets_manager.calls("GetSecretValue"),
            dynamodb: ["PutItem", "UpdateItem", "GetItem"].map(|action| self.dynamodb.calls(action)).iter().sum(),
            connections: self.connections().iter().sum(),
        }
    }

    /// The times of calls to the fake DynamoDB by a client that does nothing else, in milliseconds.
    pub(crate) async fn round_trips(&self) -> Result<Vec<f64>> {
        let (url, certificates) = (self.dynamodb.url.clone(), self.certificates.clone());
        // Not in this thread, which is the server's: a function has a process of its own.
        let (done, times) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            _ = done.send(runtime.map_err(Into::into).and_then(|it| it.block_on(call_again(&url, &certificates))));
        });
        times.await?
    }
}

/// The times of [`ROUND_TRIPS`] calls over one connection, in milliseconds.
async fn call_again(url: &str, certificates: &str) -> Result<Vec<f64>> {
    let mut client = Client::builder().no_proxy();
    if !certificates.is_empty() {
        client = client.tls_certs_only(Certificate::from_pem_bundle(certificates.as_bytes())?);
    }
    let client = client.build()?;
    let mut times = Vec::new();
    for _ in 0..ROUND_TRIPS {
        let sent = Instant::now();
        let call = client.post(url).header("x-amz-target", "DynamoDB_20120810.PutItem").body(CALL).send().await?;
        ensure!(call.status() == 200, "{}", call.status());
        call.bytes().await?;
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}
