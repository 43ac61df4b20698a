//! aws-lc is built without its own source of entropy. This test has a binary to itself, because only the
//! first random number of a process shows it.

#![cfg(target_os = "linux")]

use std::{path::Path, time::Duration};

use harness::process::cpu_time;

#[test]
fn the_first_random_number_costs_less_than_15_ms_of_cpu() {
    let thread = Path::new("/proc/thread-self");
    let before = cpu_time(thread).unwrap();

    aws_lc_rs::rand::fill(&mut [0; 32]).unwrap();

    let spent = cpu_time(thread).unwrap() - before;
    // Otherwise the first TLS handshake of every cold start takes longer.
    assert!(
        spent < Duration::from_millis(15),
        "{spent:?}: was AWS_LC_SYS_NO_JITTER_ENTROPY lost from .cargo/config.toml?"
    );
}
