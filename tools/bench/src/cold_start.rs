//! One start of a function: its process, its init, its first and its warm invocations.

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use harness::{
    process,
    runtime_api::{Call, RuntimeApi},
};
use serde_json::Value;

use crate::{program::Program, share::Share};

/// The measurements of one start, in milliseconds and megabytes.
#[derive(Debug)]
pub(crate) struct ColdStart {
    /// From the spawn to the first request for an event.
    pub(crate) init_ms: f64,
    /// The CPU time of all threads until then.
    pub(crate) init_cpu_ms: f64,
    /// From the first event to its answer.
    pub(crate) first_ms: f64,
    /// From an event to its answer, for each of the warm invocations.
    pub(crate) warm_ms: Vec<f64>,
    /// The CPU time of all threads for a warm invocation, on average.
    pub(crate) warm_cpu_ms: f64,
    /// The peak of the resident memory.
    pub(crate) peak_mb: f64,
}

impl ColdStart {
    /// Starts `program` with only `variables` as its environment, invokes it with `event` once and then
    /// `warm_invocations` times, with the share of a CPU that `memory_mb` gives, and kills it. Returns the measurements
    /// and the last answer.
    pub(crate) async fn measure(
        program: &Program,
        variables: &[(&'static str, String)],
        event: &str,
        warm_invocations: u32,
        api: &mut RuntimeApi,
        memory_mb: Option<u32>,
    ) -> Result<(Self, Value)> {
        // Dropped after the process, whatever happens.
        let _share;
        let spawned = Instant::now();
        let mut process = program.start(variables, api)?;
        let process_id = process.id().context("the process has ended")?;

        let next = api.next().await?;
        let init_ms = ms_between(spawned, next.at);
        let init_cpu_ms = cpu_ms(process_id)?;
        // Lambda does not limit an init to this share.
        _share = memory_mb.map(|mb| Share::limit(process_id, mb)).transpose()?;
        let (first_ms, _) = invoke(api, next, event).await?;

        let mut next = api.next().await?;
        let cpu_before_ms = cpu_ms(process_id)?;
        let (mut warm_ms, mut answer) = (Vec::new(), Value::Null);
        for _ in 0..warm_invocations {
            let (ms, last_answer) = invoke(api, next, event).await?;
            warm_ms.push(ms);
            answer = last_answer;
            next = api.next().await?;
        }
        let warm_cpu_ms = cpu_ms(process_id)? - cpu_before_ms;
        let peak_mb = peak_mb(process_id)?;
        process.kill().await?;

        let warm_cpu_ms = warm_cpu_ms / f64::from(warm_invocations);
        Ok((Self { init_ms, init_cpu_ms, first_ms, warm_ms, warm_cpu_ms, peak_mb }, answer))
    }
}

/// Invokes the function once; returns the milliseconds and the answer, which must be a success.
pub(crate) async fn invoke(api: &mut RuntimeApi, next: Call, event: &str) -> Result<(f64, Value)> {
    let handed_out = Instant::now();
    let response = api.invoke(next, event.to_owned()).await?;
    ensure!(!response.is_error(), "the invocation failed: {}", response.body);
    let answer: Value = serde_json::from_str(&response.body)?;
    // `floor` answers null, the authorizers with a policy, the others with an HTTP status.
    let is_allowed = answer["policyDocument"]["Statement"][0]["Effect"] == "Allow";
    let is_success = answer.is_null() || is_allowed || answer["statusCode"] == 200;
    ensure!(is_success, "not a success: {answer}");
    Ok((ms_between(handed_out, response.at), answer))
}

/// The milliseconds from `start` to `end`.
fn ms_between(start: Instant, end: Instant) -> f64 {
    (end - start).as_secs_f64() * 1e3
}

/// The CPU time of all threads of a process so far.
fn cpu_ms(process_id: u32) -> Result<f64> {
    let mut ms = 0.0;
    for thread in fs::read_dir(format!("/proc/{process_id}/task")).context("needs Linux")? {
        ms += process::cpu_time(&thread?.path())?.as_secs_f64() * 1e3;
    }
    Ok(ms)
}

/// The peak of the resident memory of a process.
fn peak_mb(process_id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    let kibibytes: f64 = peak.context("no VmHWM")?.trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
