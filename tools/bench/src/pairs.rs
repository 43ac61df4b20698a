//! `bench pairs`: how many tokens `local` mints and spends per second on one core.
//!
//! The server has one thread and so at most one core; the clients have another. Because other programs
//! share the machine, the CPU time of the server is reported too.

use std::{
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use harness::process::cpu_time;
use serde_json::Value;
use tokio::{runtime, sync::oneshot, task::JoinSet};

/// The number of connections, each of which mints and spends in turn.
const CLIENTS: usize = 16;

/// The length of the measured part.
const MEASURED: Duration = Duration::from_secs(5);

/// Measures and prints the result.
///
/// # Errors
///
/// If a server or a request fails.
pub(crate) fn run() -> Result<()> {
    let (url_sender, url) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = thread::spawn(move || serve(&url_sender, stopped));
    let url = url.recv().context("the server did not start")?;

    let clients = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let warm_up = clients.block_on(run_clients(&url, Duration::from_millis(500)))?; // connections, caches
    let started = Instant::now();
    let pairs = clients.block_on(run_clients(&url, MEASURED))?;
    let elapsed = started.elapsed().as_secs_f64();

    stop.send(()).ok();
    let cpu_seconds = server.join().expect("the server does not panic")?;
    let pairs_a_second = f64::from(pairs) / elapsed;
    println!(
        "{pairs_a_second:.0} pairs of GET /hello and POST /validate per second, {CLIENTS} connections, one server thread"
    );
    println!("{:.0} µs of the server's CPU per pair", cpu_seconds * 1e6 / f64::from(warm_up + pairs));
    Ok(())
}

/// Serves `template.yaml` until `stopped`; returns the CPU time of that in seconds.
fn serve(url: &mpsc::Sender<String>, stopped: oneshot::Receiver<()>) -> Result<f64> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let options = local::Options::new(template);
        let server = local::Server::bind(options, &local::functions()?).await?;
        url.send(server.url().to_owned())?;
        server.serve(async { drop(stopped.await) }).await?;
        Ok(cpu_time(Path::new("/proc/thread-self"))?.as_secs_f64())
    })
}

/// Mints and spends from all clients for `duration`; returns the number of pairs.
async fn run_clients(url: &str, duration: Duration) -> Result<u32> {
    let deadline = Instant::now() + duration;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let url = url.to_owned();
        clients.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let mut pairs = 0;
            while Instant::now() < deadline {
                let minted: Value = client.get(format!("{url}/hello")).send().await?.json().await?;
                let body = format!(r#"{{"token":{}}}"#, minted["accessToken"]);
                let spent = client.post(format!("{url}/validate")).body(body).send().await?;
                ensure!(spent.status() == 200, "a fresh token was refused");
                spent.bytes().await?;
                pairs += 1;
            }
            Ok(pairs)
        });
    }
    let mut pairs = 0;
    while let Some(client) = clients.join_next().await {
        pairs += client??;
    }
    Ok(pairs)
}
