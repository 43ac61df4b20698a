//! `bench refusals`: what a refused token costs, compared with an accepted one; and whether a refusal takes
//! longer, the more bytes at the beginning of a forged MAC are right.
//!
//! The second part detects a comparison in a loop over the bytes, which it times first, as a control. It would not detect a
//! comparison of slices (`==`), which is too fast to show.

use std::{hint::black_box, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokens::{
    Checker, Claimant, FixedKeyStore, InMemoryTokenStore, Issuer, Jti, KeyRing, KeyStore as _, Minter, NewToken,
    Timestamp, Token,
};
use tokio::runtime;
use uuid::Uuid;

use crate::figure::percentile;

/// The time of every check, except of the expired token.
const NOW: Timestamp = Timestamp(1_700_000_000);

/// The limit for the time of a refusal, as a multiple of that of an accepted token, on any machine.
const MAX_RATIO: f64 = 1.5;

/// The number of checks in one measurement: so few that many measurements are not interrupted.
const CHECKS: u32 = 1000;

/// The number of measurements, of which the quickest counts.
const MEASUREMENTS: u32 = 250;

/// The number of blocks of refusals that are timed.
const BLOCKS: usize = 400;

/// The number of refusals in a block: so few that they meet the processor in one state.
const BLOCK: usize = 500;

/// The z from which on a difference is not by chance: one time in 150,000 it is.
const MAX_Z: f64 = 4.5;

/// Measures and prints the result.
///
/// # Errors
///
/// If a refusal costs too much, or its timing reveals something.
pub(crate) fn run() -> Result<()> {
    let issuer = Issuer { iss: "bench".to_owned(), aud: "bench/Prod".to_owned() };
    let ring = KeyRing::from_json(br#"{"active":"k1","k1":"a key of this benchmark and of nothing else"}"#)?;
    let keys = Arc::new(FixedKeyStore::new(ring));
    let minter = Minter::new(issuer.iss.clone(), Timestamp(0), keys.clone(), Arc::new(InMemoryTokenStore::new()));
    let runtime = runtime::Builder::new_current_thread().build()?;
    let jti = Jti::new(Uuid::from_u128(1));
    let (aud, minted_by) = (issuer.aud.clone(), Claimant::from_stored("r:mint".to_owned()));
    let new = NewToken { jti, aud, ttl_seconds: 300, minted_by, host: None };
    let good = runtime.block_on(minter.mint(new, NOW))?.token.expose().to_owned();
    let ring = runtime.block_on(keys.ring(NOW))?;
    let checker = Checker::new(&issuer, Timestamp(0));
    let check = |token: &Token, now| black_box(checker.check(black_box(token), &ring, now)).is_ok();

    let (message, _) = good.rsplit_once('.').context("a token has segments")?;
    let (header, claims) = message.split_once('.').context("a token has a header")?;
    let with_header = |json: &str| format!("{}.{claims}.{}", URL_SAFE_NO_PAD.encode(json), "A".repeat(43));
    let kinds = [
        ("accepted", good.clone(), NOW),
        ("expired", good.clone(), NOW.plus(300)),
        ("a wrong MAC", format!("{header}.{claims}.{}", "A".repeat(43)), NOW),
        ("an unknown kid", with_header(r#"{"typ":"ott+jwt","alg":"HS256","kid":"k2"}"#), NOW),
        ("another alg", with_header(r#"{"typ":"ott+jwt","alg":"none","kid":"k1"}"#), NOW),
        ("not JSON", format!("{}.{claims}.{}", "A".repeat(60), "A".repeat(43)), NOW),
        ("without a MAC", message.to_owned(), NOW),
        ("1024 bytes", "A".repeat(1024), NOW),
        ("1025 bytes", "A".repeat(1025), NOW),
        ("empty", String::new(), NOW),
    ];
    println!("| token | µs |\n| --- | ---: |");
    let mut accepted_us = 0.0;
    for (kind, token, now) in kinds {
        let token = Token::new(token);
        ensure!(check(&token, now) == (kind == "accepted"), "{kind}: unexpected outcome");
        let us = (0..MEASUREMENTS).map(|_| microseconds(|| check(&token, now))).fold(f64::INFINITY, f64::min);
        println!("| {kind} | {us:.2} |");
        if kind == "accepted" {
            accepted_us = us;
        }
        let limit_us = MAX_RATIO * accepted_us;
        ensure!(us <= limit_us, "{kind} costs {us:.1} µs, and the limit is {limit_us:.1} µs");
    }

    let careless = |token: &Token| {
        let is_accepted = check(token, NOW);
        token.expose().bytes().zip(good.bytes()).all(|(one, other)| black_box(one) == other) && is_accepted
    };
    let z = z_of_timing(message, &good, careless);
    println!("a control, which compares byte by byte: z = {z:.1}");
    ensure!(z.abs() > MAX_Z, "a comparison byte by byte is not noticed, so the next result would say nothing");

    let z = z_of_timing(message, &good, |token| check(token, NOW));
    println!("a MAC with a wrong first byte, and one with a wrong last byte: z = {z:.1} of {BLOCKS} blocks");
    ensure!(z.abs() < MAX_Z, "the time of a refusal depends on which byte of a MAC is wrong");
    Ok(())
}

/// The time of one check, in microseconds.
fn microseconds(check: impl Fn() -> bool) -> f64 {
    let began = Instant::now();
    for _ in 0..CHECKS {
        check();
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS)
}

/// The z of a sign test of the differences between the times of two refusals: of a MAC with a wrong first byte, and of one
/// with a wrong last byte. A difference is that of the medians of a block.
fn z_of_timing(message: &str, good: &str, check: impl Fn(&Token) -> bool) -> f64 {
    let mac = URL_SAFE_NO_PAD.decode(&good[message.len() + 1..]).unwrap_or_default();
    let wrong_at = |index: usize| {
        let mut mac = mac.clone();
        mac[index] ^= 0xff;
        Token::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac)))
    };
    let difference = |_| {
        // Either is made first, so that neither has the better place in memory in all blocks.
        let (first, last) = (0, mac.len() - 1);
        let tokens = if fastrand::bool() {
            [first, last].map(wrong_at)
        } else {
            let [last, first] = [last, first].map(wrong_at);
            [first, last]
        };
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..BLOCK {
            // In an order that the processor cannot learn.
            let kind = fastrand::usize(0..2);
            let began = Instant::now();
            check(&tokens[kind]);
            times[kind].push(began.elapsed().as_secs_f64());
        }
        let [first, last] = times.map(|mut times| percentile(&mut times, 500));
        first - last
    };
    // Their signs alone: a block that was interrupted has one vote, however large its difference.
    let signs = (0..BLOCKS).map(difference).filter(|it| *it != 0.0).map(f64::signum);
    let (sum, count) = signs.fold((0.0, 0.0), |(sum, count), sign| (sum + sign, count + 1.0));
    sum / f64::max(count, 1.0).sqrt()
}
