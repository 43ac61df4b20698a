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

use crate::figure::{percentile, rounded};

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

/// Starts the server, measures, and ends the server.
async fn measure(Options { url, command }: &Options) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    ensure!(client.get(url).send().await.is_err(), "there is a server at {url} already");
    let (program, arguments) = command.split_first().context("no command")?;
    let began = Instant::now();
    let mut command = Command::new(program);
    let server = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut server = server.with_context(|| program.clone())?;
    let measured = requests(&client, url, began, &mut server).await;
    // As Ctrl+C does: `sam` then removes its containers.
    if server.id().is_some() {
        signal(&server, "INT").await?;
    }
    if time::timeout(Duration::from_secs(20), server.wait()).await.is_err() {
        server.kill().await?;
    }
    let (start, mut times_ms) = measured?;
    let a_second = times_ms.len() as u64 / MEASURED.as_secs();
    let [median, high] = [500, 990].map(|per_mille| rounded(percentile(&mut times_ms, per_mille)));
    println!("| {program} | {start:.2?} | {a_second} | {median} ms | {high} ms |");
    Ok(())
}

/// The time from `began` to the first success, and the milliseconds of each request of one connection after it.
async fn requests(client: &Client, url: &str, began: Instant, server: &mut Child) -> Result<(Duration, Vec<f64>)> {
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
    let (mut times_ms, began) = (Vec::new(), Instant::now());
    while began.elapsed() < MEASURED {
        let sent = Instant::now();
        get().await?;
        times_ms.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok((start, times_ms))
}
