//! Runs simulations by their seeds.

use std::{
    panic,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use tokens::Timestamp;
use tokio::task::JoinSet;

use super::{
    clock::{BEGINNING, in_simulated_time},
    cloud::{Faults, Network, Rule, Secret, Services},
    lambda::{Conditions, PortsOf, VersionsOf},
    outcome::Outcome,
    workload::Simulation,
};

/// In how many simulations every answer and every fault must be seen.
const THOUSAND: u64 = 1000;

/// What a simulation is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// The rule that the table keeps.
    pub(super) rule: Rule,
    /// What each function is given.
    pub(super) ports: PortsOf,
    /// What a rotation is given.
    pub(super) versions: VersionsOf,
}

impl Subject {
    /// The rule and the functions as they are. Tests break one of them.
    pub(super) const REAL: Self =
        Self { rule: Rule::OF_ONE_USE, ports: |_, ports| ports, versions: |versions| versions };
}

/// Runs the simulation of one seed, and keeps a trace of what happens.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    run_with(seed, Subject::REAL, true)
}

/// Runs `seeds` simulations from the seed `first` on, and then more until `duration` has passed, on
/// every core. In each thousand of them, everything must be seen.
#[must_use]
pub fn run_many(first: u64, seeds: u64, duration: Duration) -> Outcome {
    let (began, next) = (Instant::now(), AtomicU64::new(0));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut total = Outcome::default();
        loop {
            let begin = next.fetch_add(THOUSAND, Ordering::Relaxed);
            let is_wanted = |number| number < seeds || began.elapsed() < duration;
            let mut thousand = Outcome::default();
            for seed in (begin..begin + THOUSAND).take_while(|number| is_wanted(*number)).map(|number| first + number) {
                let outcome = panic::catch_unwind(|| run_with(seed, Subject::REAL, false));
                thousand.add(outcome.unwrap_or_else(|_| Outcome::of_panic(seed)));
            }
            let is_last = thousand.seeds < THOUSAND;
            if !is_last {
                thousand.must_have_seen_everything(first + begin);
            }
            total.add(thousand);
            if is_last || total.violations.len() > 20 {
                return total;
            }
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

/// Runs the simulation of one seed with `subject`.
pub(super) fn run_with(seed: u64, subject: Subject, is_traced: bool) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let faults = Faults::Random(rng.choice([0, 10, 30, 50]).unwrap_or(0));
    let conditions = Conditions {
        crash_percent: rng.choice([0, 0, 10]).unwrap_or(0),
        max_skew_seconds: 30,
        ttl_seconds: rng.choice([20, 300, 300, 28_800, 86_400]).unwrap_or(300),
        revoked_before: if rng.u32(0..10) == 0 { BEGINNING.plus(rng.u64(0..40)) } else { Timestamp(0) },
        ports: subject.ports,
        versions: subject.versions,
    };
    let secret = if rng.bool() { Secret::generated() } else { Secret::rotated(BEGINNING) };
    fastrand::seed(seed); // the SDK's pauses, and when a key ring is due
    in_simulated_time(async {
        let network = Network::new(Services::new(subject.rule, secret), rng, faults);
        let simulation = Arc::new(Simulation::new(network, conditions, is_traced));
        let mut tasks = JoinSet::new();
        let (tokens, is_rotated, is_cut_off, is_withdrawn) =
            simulation.draw(|rng| (rng.usize(1..=3), rng.bool(), rng.u32(0..4) == 0, rng.u32(0..8) == 0));
        for number in 0..tokens {
            tasks.spawn(simulation.clone().token(number));
        }
        if is_rotated {
            tasks.spawn(simulation.clone().rotations());
        }
        if is_cut_off {
            tasks.spawn(simulation.clone().not_before());
        }
        if is_withdrawn {
            tasks.spawn(simulation.clone().withdrawal());
        }
        tasks.spawn(simulation.clone().sweeps());
        tasks.join_all().await;
        simulation.outcome(seed)
    })
}
