//! `race`: has many clients spend each token at once.
//!
//! - [`judge`]: whether what they were told is as promised
//! - [`report`]: what all tokens together show
//! - [`progress`]: how far the race has come

mod judge;
mod progress;
mod report;

use std::{
    io::{IsTerminal as _, stderr, stdin},
    sync::Arc,
    time::Duration,
};

use reqwest::Url;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Barrier,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use uuid::Uuid;

use crate::{
    arguments::{Race, Source},
    client::Client,
    get,
    outcome::{Answer, Code, Failure},
    output::Output,
    race::{
        progress::Progress,
        report::{Entry, Report},
    },
    spend::{ASK_FOR, Claim, spend},
    token::Token,
};

/// Requests per second on another machine, half the default limit of a stage.
const POLITE_RATE: u32 = 50;
/// What a million requests cost at most, in USD; see `docs/security.md`.
const USD_PER_MILLION: f64 = 5.0;
/// A connection is cut within this time after the request was sent.
const CUT_WITHIN_MICROS: u64 = 5000;
/// The pause before a claim that was cut is made again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a token is asked for before the race ends.
const MINT_ATTEMPTS: u32 = 5;

/// Races, and reports what was seen; also after an interrupt.
///
/// # Errors
///
/// A failure if the race is not to begin.
pub(crate) async fn race(client: &Client, options: &Race, output: Output) -> Result<Answer, Failure> {
    confirm(client, options)?;
    let unheard = |err| Failure::new(Code::Unknown, "interrupted", format!("Ctrl-C cannot be heard: {err}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let Race { tokens, clients, .. } = *options;
    output.note(&format!("racing {tokens} tokens, {clients} clients each, at {}\n", client.url("")));
    let mut report = Report::new(tokens);
    let mut progress = Progress::new(output, tokens);
    tokio::select! {
        ended = run(client, options, &mut report, &mut progress) => {
            if let Err(failure) = ended {
                report.end(failure);
            }
        }
        _ = interrupt.recv() => report.end(Failure::new(Code::Unknown, "interrupted", "The race was interrupted")),
    }
    Ok(report.answer())
}

/// Asks before a race that costs money.
fn confirm(client: &Client, options: &Race) -> Result<(), Failure> {
    if options.yes || is_loopback(client.base()) {
        return Ok(());
    }
    let Race { tokens, clients, .. } = *options;
    let requests = u64::from(tokens) * u64::from(clients + 1) + u64::from(clients);
    let usd = (requests as f64 * USD_PER_MILLION / 1e6).max(0.01);
    let url = client.url("");
    let what = format!("the race writes {tokens} rows by {requests} requests at {url}, for about {usd:.2} USD");
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failure::usage(format!("{what}: agree with --yes")));
    }
    if dialogue(&what) { Ok(()) } else { Err(Failure::usage("the race was not begun")) }
}

/// Asks at the terminal.
fn dialogue(what: &str) -> bool {
    use std::io::Write as _;
    let mut answer = String::new();
    let asked = write!(stderr(), "{what}.\nGo on? [y/N] ").and_then(|()| stdin().read_line(&mut answer));
    asked.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Whether the API is certainly on this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Races for one token after the other.
async fn run(client: &Client, options: &Race, report: &mut Report, progress: &mut Progress) -> Result<(), Failure> {
    let Race { tokens, clients, rate, drop, .. } = *options;
    let rate = rate.or((!is_loopback(client.base())).then_some(POLITE_RATE));
    let round = rate.map(|rate| Duration::from_secs(1) * (clients + 1) / rate).unwrap_or_default();
    connect(client, clients).await?;
    let mut next = Instant::now() + round;
    for done in 1..=tokens {
        let minted = mint(client).await?;
        let jti = minted.jti();
        report.add(&jti, claim_at_once(client, &minted.token, clients, drop).await);
        progress.set(done, report.claims());
        sleep_until(next).await;
        next = Instant::now().max(next) + round;
    }
    Ok(())
}

/// Opens a connection for each client, so that none of them is late because of it.
async fn connect(client: &Client, clients: u32) -> Result<(), Failure> {
    let preflight = || client.send(client.preflight("/validate"));
    let replies = futures_util::future::join_all((0..clients).map(|_| preflight())).await;
    replies.into_iter().try_for_each(|reply| reply.map(drop).map_err(|err| err.failure))
}

/// Mints a token, with patience for a deployment that is throttled.
async fn mint(client: &Client) -> Result<get::Minted, Failure> {
    let mut attempt = 1;
    loop {
        match get::get(client, Source::Tokens).await {
            Err(failure) if failure.code == Code::Unknown && attempt < MINT_ATTEMPTS => sleep(PAUSE * attempt).await,
            result => return result,
        }
        attempt += 1;
    }
}

/// Has all clients claim `token`, at the same moment.
async fn claim_at_once(client: &Client, token: &Token, clients: u32, drop: f64) -> Vec<Entry> {
    let barrier = Arc::new(Barrier::new(clients as usize));
    let mut claims = JoinSet::new();
    for _ in 0..clients {
        let (client, token, barrier) = (client.clone(), token.clone(), Arc::clone(&barrier));
        let cut = (fastrand::f64() < drop).then(|| Duration::from_micros(fastrand::u64(1..=CUT_WITHIN_MICROS)));
        // Without cuts, each request is a claimant of its own, as those of clients without a key are.
        let key = (drop > 0.0).then(|| Uuid::new_v4().to_string());
        claims.spawn(async move {
            barrier.wait().await;
            let began = Instant::now();
            let claim = claim(&client, &token, key.as_deref(), cut).await;
            Entry { claim, took: cut.is_none().then(|| began.elapsed()) }
        });
    }
    claims.join_all().await
}

/// Claims `token`. A claim with a key that was cut, or has no answer, is made again.
async fn claim(client: &Client, token: &Token, key: Option<&str>, cut: Option<Duration>) -> Claim {
    // The connection closes with the request that is dropped. An answer that is faster counts if it is a success.
    let first = match cut {
        Some(after) => timeout(after, spend(client, token, key)).await.ok(),
        None => None,
    };
    let is_accepted = matches!(first, Some(Claim::Accepted { .. }));
    // Whether a request that has no answer may have spent the token.
    let mut is_open = cut.is_some();
    let until = Instant::now() + ASK_FOR;
    loop {
        let claim = spend(client, token, key).await;
        is_open |= matches!(claim, Claim::NotKnown(_));
        match claim {
            Claim::NotKnown(_) | Claim::NotMade(_) if key.is_some() && Instant::now() + PAUSE < until => {
                sleep(PAUSE).await;
            }
            Claim::Accepted { .. } => return claim,
            _ if is_accepted => return Claim::Accepted { replayed: false },
            Claim::NotMade(failure) if is_open => return Claim::NotKnown(failure),
            _ => return claim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_needs_no_consent() {
        let needs_none = |url: &str| is_loopback(&url.parse().unwrap());
        for url in ["http://localhost:3000", "http://127.0.0.1:3000", "http://127.9.9.9/Prod", "http://[::1]:3000"] {
            assert!(needs_none(url), "{url}");
        }
        for url in ["https://example.com", "http://10.0.0.1", "http://localhost.example", "http://0.0.0.0:3000"] {
            assert!(!needs_none(url), "{url}");
        }
    }
}
