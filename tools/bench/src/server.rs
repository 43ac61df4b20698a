//! `bench server`: how fast a server of the API starts and answers, such as `local` and `sam local start-api`.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use harness::process::signal;
use reqwest::Client;
use tokio::{
    process::{Child, Command},
    runtime, time,
};

/// How long a server may take to start.
const MAX_START: Duration = Duration::from_secs(120);

/// The length of the measured part.
const MEASURED: Duration = Duration::from_secs(10);

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to get from the server, again and again.
    #[arg(long)]
    url: String,
    /// The command that starts the server.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Measures and prints the result.
///
/// # Errors
///
/// If the server does not start, or answers with another status than 200.
pub(crate) fn run(options: &Options) -> Result<()> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(options))
}

async fn measure(Options { url, command }: &Options) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    ensure!(client.get(url).send().await.is_err(), "there is a server at {url} already");
    let (program, arguments) = command.split_first().context("no command")?;
    let began = Instant::now();
    let mut command = Command::new(program);
    let server = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut server = server.with_context(|| program.clone())?;
    let measured = requests(&client, url, began, &mut server).await;
    // It ends what it has started itself.
    if server.id().is_some() {
        signal(&server, "INT").await?;
    }
    if time::timeout(Duration::from_secs(20), server.wait()).await.is_err() {
        server.kill().await?;
    }
    let (start, mut latencies) = measured?;
    latencies.sort();
    let a_second = latencies.len() as u64 / MEASURED.as_secs();
    let (median, last) = (latencies[latencies.len() / 2], latencies[(latencies.len() - 1) * 99 / 100]);
    println!("| {program} | {start:.2?} | {a_second} | {median:.2?} | {last:.2?} |");
    Ok(())
}

/// The time from `began` to the first success, and that of each request of one connection after it.
async fn requests(client: &Client, url: &str, began: Instant, server: &mut Child) -> Result<(Duration, Vec<Duration>)> {
    let get = async || -> Result<()> {
        let reply = client.get(url).send().await?;
        ensure!(reply.status() == 200, "{}", reply.status());
        reply.bytes().await?;
        Ok(())
    };
    while get().await.is_err() {
        ensure!(server.try_wait()?.is_none(), "the server has ended");
        if began.elapsed() > MAX_START {
            bail!("no success within {MAX_START:?}");
        }
        time::sleep(Duration::from_millis(5)).await;
    }
    let start = began.elapsed();
    let (mut latencies, began) = (Vec::new(), Instant::now());
    while began.elapsed() < MEASURED {
        let sent = Instant::now();
        get().await?;
        latencies.push(sent.elapsed());
    }
    Ok((start, latencies))
}
