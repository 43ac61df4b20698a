//! aws-lc is built without its own source of entropy. This test has a binary to itself, because only the
//! first random number of a process shows it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{fs, time::Duration};

/// The CPU time of this thread so far.
fn cpu_time() -> Duration {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn the_first_random_number_costs_less_than_15_ms_of_cpu() {
    let before = cpu_time();

    aws_lc_rs::rand::fill(&mut [0; 32]).unwrap();

    let spent = cpu_time() - before;
    // Otherwise the first TLS handshake of every cold start takes longer.
    assert!(
        spent < Duration::from_millis(15),
        "{spent:?}: was AWS_LC_SYS_NO_JITTER_ENTROPY lost from .cargo/config.toml?"
    );
}
