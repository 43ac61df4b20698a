//! A simulation of the real functions: their handlers, their clients and the real SDK.
//!
//! Only the network and what lies behind it are simulated, and time. Everything that can go wrong
//! does: requests and replies are lost, doubled, delayed for days; environments crash in the middle
//! of an invocation; clocks differ by up to a minute; rows are revoked and swept, keys rotated. What
//! the clients are told is compared with what has happened to the rows.
//!
//! | question | answered in |
//! | --- | --- |
//! | who asks for a token, when, and what an operator does | `life.rs` |
//! | what runs the functions, and how it ends | `environment.rs` |
//! | what becomes of an HTTP request | `network.rs` |
//! | what DynamoDB and Secrets Manager do | `services.rs` |
//! | what may never happen | `judge.rs` |
//! | every fault at every attempt | [`matrix()`] (`matrix.rs`) |
//!
//! A seed decides everything but the tokens' random ids, on which nothing depends: so it can be
//! repeated.

mod clock;
mod environment;
mod judge;
mod life;
mod matrix;
mod network;
mod services;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    panic,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use apigw::Settings;
use aws::Access;
use fastrand::Rng;
use tokio::{runtime, task::JoinSet, time};

pub use self::matrix::{Cell, matrix};
use self::{
    environment::{Environments, Function},
    judge::Judge,
    life::World,
    network::{Fault, Faults, Network},
    services::{Rule, Services},
};

/// What has to be seen in a thousand simulations: a world in which it never happens proves nothing.
const SIGHTS: [&str; 12] = [
    "minted",
    "no token",
    "spent",
    "replayed",
    "already_used",
    "refused without a request",
    "revoked",
    "expired",
    "invalid_token",
    "unavailable",
    "crashed",
    "forged",
];

/// What came of a simulation, or of several.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many were run.
    pub seeds: u64,
    /// How often each answer was given and each fault happened.
    pub counts: BTreeMap<String, u64>,
    /// What may never happen and did, and the seed with which it does.
    pub violations: Vec<(u64, String)>,
    /// What happened, in order; kept of a single one.
    pub trace: Vec<String>,
}

/// Runs the simulation of one seed, and keeps what happens.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    run_under(seed, Rule::OF_ONE_USE, true)
}

/// Runs the simulation of one seed, with a table that keeps `rule`.
fn run_under(seed: u64, rule: Rule, is_told: bool) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let faults = Faults::Random(rng.choice([0, 10, 30, 50]).unwrap_or(0));
    let hazards = Hazards {
        crash_percent: rng.choice([0, 0, 10]).unwrap_or(0),
        max_skew_seconds: 30,
        ttl_seconds: rng.choice([20, 300, 300, 28_800, 86_400]).unwrap_or(300),
    };
    in_simulation(seed, async {
        let network = Network::new(Services::new(rule), rng, faults);
        let world = Arc::new(world(network, hazards, is_told));
        let mut tasks = JoinSet::new();
        let (tokens, is_rotated, is_cut_off) = world.draw(|rng| (rng.usize(1..=3), rng.bool(), rng.u32(0..4) == 0));
        for number in 0..tokens {
            tasks.spawn(world.clone().life(number));
        }
        if is_rotated {
            tasks.spawn(world.clone().rotations());
        }
        if is_cut_off {
            tasks.spawn(world.clone().not_before());
        }
        tasks.spawn(world.clone().sweeps());
        tasks.join_all().await;
        outcome(seed, &world)
    })
}

/// Runs `seeds` simulations from the seed `first` on, and then more until `duration` has passed, on
/// every core.
#[must_use]
pub fn run_many(first: u64, seeds: u64, duration: Duration) -> Outcome {
    let (began, next) = (Instant::now(), AtomicU64::new(first));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut total = Outcome::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_done = seed - first >= seeds && began.elapsed() >= duration;
            if is_done || total.violations.len() > 20 {
                return total;
            }
            let outcome = panic::catch_unwind(|| run_under(seed, Rule::OF_ONE_USE, false));
            total.add(outcome.unwrap_or_else(|_| Outcome {
                seeds: 1,
                violations: vec![(seed, "a panic".to_owned())],
                ..Outcome::default()
            }));
        }
    };
    let mut total = Outcome::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            total.add(worker.join().expect("its panics are caught"));
        }
    });
    total
}

impl Outcome {
    /// What should have been seen and was not; nothing in so few simulations that it may be chance.
    #[must_use]
    pub fn unseen(&self) -> Vec<String> {
        let sights = SIGHTS.map(str::to_owned).into_iter().chain(Fault::ALL.map(|fault| format!("{fault:?}")));
        sights.filter(|sight| self.seeds >= 1000 && !self.counts.contains_key(sight)).collect()
    }

    /// Adds what came of others.
    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.violations.extend(other.violations);
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut counts = String::new();
        for (name, count) in &self.counts {
            write!(counts, "{}{count} {name}", if counts.is_empty() { "" } else { ", " })?;
        }
        write!(f, "{} simulations, {} violations: {counts}", self.seeds, self.violations.len())
    }
}

/// Runs `simulation` in a time of its own, which passes when nothing else is to be done.
fn in_simulation<T>(seed: u64, simulation: impl Future<Output = T>) -> T {
    fastrand::seed(seed); // the SDK's pauses, and when a key ring is due
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without input and output").block_on(simulation)
}

/// What goes wrong beside the network.
#[derive(Clone, Copy, Debug)]
struct Hazards {
    /// How many of a hundred invocations crash.
    crash_percent: u32,
    /// How far a clock may be off.
    max_skew_seconds: i64,
    /// How long a token lives.
    ttl_seconds: u64,
}

/// A world without anybody in it.
fn world(network: Arc<Network>, hazards: Hazards, is_told: bool) -> World {
    let Hazards { crash_percent, max_skew_seconds, ttl_seconds } = hazards;
    let origin = time::Instant::now();
    let authorizer = Function {
        access: Access::Mint,
        service: Box::new(move |ports| {
            authorizer::Service::new(Settings::new(&setting(ttl_seconds)), ports).expect("every setting is there")
        }),
    };
    let validate = Function {
        access: Access::Spend,
        service: Box::new(move |ports| {
            validate::Service::new(Settings::new(&setting(ttl_seconds)), ports).expect("every setting is there")
        }),
    };
    World {
        origin,
        authorizers: Environments::new(authorizer, network.clone(), origin, max_skew_seconds, 2),
        validates: Environments::new(validate, network.clone(), origin, max_skew_seconds, 3),
        network,
        judge: Mutex::new(Judge::default()),
        trace: is_told.then(Mutex::default),
        crash_percent,
        ttl_seconds,
        invocations: AtomicU64::new(0),
    }
}

/// The settings of the functions.
fn setting(ttl_seconds: u64) -> impl Fn(&str) -> Option<String> {
    move |name| match name {
        "TOKEN_ISSUER" => Some("simulation".to_owned()),
        "TOKEN_AUDIENCE" => Some("simulation/Prod".to_owned()),
        "TOKEN_TTL_SECONDS" => Some(ttl_seconds.to_string()),
        "REVOKED_BEFORE" => Some("0".to_owned()),
        "ALLOWED_ORIGIN" => Some("*".to_owned()),
        "EXPOSED_HEADERS" => Some("X-Access-Token".to_owned()),
        "OPEN_ROUTES" => Some("true".to_owned()),
        _ => None,
    }
}

/// What came of it.
fn outcome(seed: u64, world: &World) -> Outcome {
    let mut judge = lock(&world.judge);
    judge.violations.append(&mut lock(&world.network.services).defects);
    Outcome {
        seeds: 1,
        counts: std::mem::take(&mut judge.answers),
        violations: judge.violations.drain(..).map(|violation| (seed, violation)).collect(),
        trace: world.trace.as_ref().map(|trace| std::mem::take(&mut *lock(trace))).unwrap_or_default(),
    }
}

/// What a mutex guards: a simulation that panics has failed anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics under it")
}

#[cfg(test)]
mod tests {
    use tokens::{Claimant, Row, Timestamp, Verdict, decide};

    use super::*;

    // A few seeds, for these tests run unoptimized; `proof simulate` takes thousands.
    const SEEDS: std::ops::Range<u64> = 0..12;

    /// The first violation under `rule`.
    fn violation(rule: Rule) -> Option<String> {
        (0..200)
            .find_map(|seed| run_under(seed, rule, false).violations.into_iter().next())
            .map(|(_, violation)| violation)
    }

    #[test]
    fn the_functions_keep_the_promise_whatever_happens() {
        for seed in SEEDS {
            assert_eq!(run(seed).violations, []);
        }
    }

    #[test]
    fn a_seed_repeats_itself() {
        let told = |seed| run(seed).counts;
        for seed in SEEDS {
            assert_eq!(told(seed), told(seed));
        }
    }

    #[test]
    fn a36_every_fault_at_every_attempt_ends_in_a_yes_or_in_an_outcome_not_known() {
        for cell in matrix() {
            assert_eq!(cell.violations, [""; 0], "{cell:?}");
        }
    }

    #[test]
    fn a_store_that_gives_a_token_twice_is_caught() {
        fn decide_twice(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
            match decide(row, claimant, now) {
                Verdict::AlreadyUsed { .. } => Verdict::Spent { replayed: true },
                verdict => verdict,
            }
        }
        let violation = violation(Rule { decide: decide_twice, ..Rule::OF_ONE_USE }).unwrap();
        assert!(violation.contains("was told yes, and then"), "{violation}");
    }

    #[test]
    fn a_store_that_forgets_the_claimant_is_caught() {
        fn forget(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
            match decide(row, claimant, now) {
                Verdict::Spent { replayed: true } => Verdict::Unknown,
                verdict => verdict,
            }
        }
        assert!(violation(Rule { decide: forget, ..Rule::OF_ONE_USE }).is_some());
    }

    #[test]
    fn a_mint_that_may_write_over_a_mark_is_caught() {
        fn insert_over_mark(row: Option<&Row>, minted_by: &Claimant) -> bool {
            row.is_none_or(|row| row.minted_by == *minted_by)
        }
        assert!(violation(Rule { may_insert: insert_over_mark, ..Rule::OF_ONE_USE }).is_some());
    }

    #[test]
    fn a_mint_that_may_not_repeat_itself_is_caught() {
        fn insert_once(row: Option<&Row>, _: &Claimant) -> bool {
            row.is_none()
        }
        assert!(violation(Rule { may_insert: insert_once, ..Rule::OF_ONE_USE }).is_some());
    }
}
