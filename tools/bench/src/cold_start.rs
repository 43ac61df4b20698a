//! One start of a function: its process, its init, its first and its warm invocations.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use harness::{
    process,
    runtime_api::{Call, RuntimeApi},
};
use serde_json::Value;
use tokio::process::Child;

use crate::share::Share;

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

/// How a function is started.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The script of an interpreter.
    pub(crate) script: Option<&'static Path>,
}

impl Program {
    /// Starts a process with only `variables` and what Lambda sets as its environment.
    fn start(&self, variables: &[(&'static str, String)], api: &RuntimeApi) -> Result<Child> {
        let mut command = process::command(&self.path, variables, api);
        command.args(self.script).spawn().with_context(|| format!("{} does not start", self.path.display()))
    }
}

impl ColdStart {
    /// Starts `program` with only `variables` as its environment, invokes it with `event` once and then so many times
    /// again, with the share of a CPU of so much memory, and kills it. Returns the measurements and the last answer.
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
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir(format!("/proc/{process_id}/task")).context("needs Linux")? {
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += schedstat.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e6)
}

/// The peak of the resident memory of a process.
fn peak_mb(process_id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    let kibibytes: f64 = peak.context("no VmHWM")?.trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
