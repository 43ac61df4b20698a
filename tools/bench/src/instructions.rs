//! `bench instructions`: the instructions of the built functions, counted by valgrind and compared with their limits.
//!
//! A count does not depend on how busy the machine is. It does depend on the compiler, and on the CPU that valgrind
//! simulates, which has no AVX-512 and no instructions for SHA-256: compare counts with each other, and with nothing
//! else.

use std::{
    collections::BTreeMap,
    env, fs, iter,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use harness::{
    FUNCTIONS, FakeAws, Function, fake_aws,
    process::{self, Variables},
    runtime_api::RuntimeApi,
};
use serde::{Deserialize, Serialize};
use tokio::{runtime, time};

use crate::{cold_start::invoke, measured::path_beside, roots::Roots, services::Services};

/// The invocations of the longer of two runs. Their difference is that of all of these but one.
const INVOCATIONS: u64 = 101;

/// What a count may be, in percent of that in the file of limits.
const MAX_PERCENT: u64 = 102;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder into which `sam build` put the functions.
    #[arg(value_name = "DIR")]
    build: PathBuf,
    /// The counts that none may exceed by more than 2 %.
    #[arg(long, value_name = "FILE", default_value = "tools/bench/instructions.json")]
    limits: PathBuf,
    /// Write the counts into the file of limits, instead of comparing them.
    #[arg(long)]
    write: bool,
    /// Write profiles for `callgrind_annotate` into this folder: NAME.0 of the init, and NAME.101 of 101 invocations.
    /// A profile has names if the binary was built with `CARGO_PROFILE_RELEASE_STRIP=none`.
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
}

/// The instructions of a function.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Counts {
    /// From the start of the process to its first request for an event.
    init: u64,
    /// The first invocation, without what every one costs. It is a difference of runs, so it has no limit.
    #[serde(skip)]
    first: u64,
    /// A warm invocation, on average.
    warm: u64,
}

/// Measures, prints the result, and compares it with the limits.
///
/// # Errors
///
/// If something that it needs is missing, or a count exceeds its limit.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut counted = runtime.block_on(count_all(options))?;
    println!(
        "| instructions, in thousands | init | first invocation | warm invocation |\n| --- | ---: | ---: | ---: |"
    );
    for (name, counts) in &counted {
        let [init, first, warm] = [counts.init, counts.first, counts.warm].map(|count| (count + 500) / 1000);
        println!("| {name} | {init} | {first} | {warm} |");
    }

    // How it is built is not that of the functions.
    counted.remove("floor");
    let limits = &options.limits;
    if options.write {
        // They differ a little by chance; a limit is the highest of three counts.
        for _ in 0..2 {
            merge(&mut counted, runtime.block_on(count_all(options))?, u64::max);
        }
        fs::write(limits, serde_json::to_string_pretty(&counted)? + "\n")?;
        return Ok(());
    }
    let text = fs::read_to_string(limits).with_context(|| limits.display().to_string())?;
    let limits: BTreeMap<String, Counts> = serde_json::from_str(&text)?;
    // What exceeds a limit is counted again, twice: then it is no chance.
    for _ in 0..2 {
        if exceeded(&counted, &limits)?.is_empty() {
            return Ok(());
        }
        merge(&mut counted, runtime.block_on(count_all(options))?, u64::min);
    }
    let exceeded = exceeded(&counted, &limits)?;
    ensure!(exceeded.is_empty(), "over the limit by more than 2 %:\n{}", exceeded.join("\n"));
    Ok(())
}

/// Puts the higher or the lower of each count into `counted`.
fn merge(counted: &mut BTreeMap<String, Counts>, other: BTreeMap<String, Counts>, choose: fn(u64, u64) -> u64) {
    for (name, Counts { init, first, warm }) in other {
        counted.entry(name).and_modify(|it| {
            *it = Counts { init: choose(it.init, init), first: choose(it.first, first), warm: choose(it.warm, warm) };
        });
    }
}

/// What exceeds its limit, in a sentence each.
fn exceeded(counted: &BTreeMap<String, Counts>, limits: &BTreeMap<String, Counts>) -> Result<Vec<String>> {
    let mut exceeded = Vec::new();
    for (name, counts) in counted {
        let limits = limits.get(name).with_context(|| format!("{name} has no limits: write them with --write"))?;
        for (of, count, limit) in [("init", counts.init, limits.init), ("a warm invocation", counts.warm, limits.warm)]
        {
            if 100 * count > MAX_PERCENT * limit {
                exceeded.push(format!("{of} of {name} has {count} instructions, and the limit is {limit}"));
            }
        }
    }
    Ok(exceeded)
}

/// Counts the instructions of the floor and of every function for which a request waits.
async fn count_all(options: &Options) -> Result<BTreeMap<String, Counts>> {
    // Without TLS, whose handshakes differ by chance, and take so long under valgrind that the SDK's time-outs pass on a
    // busy machine.
    let services = Services::start().await?;
    // A root certificate to read, and not the machine's: the counts would depend on how many it has.
    let (_, certificate) = FakeAws::start_over_tls(fake_aws::works).await?;
    let roots = Roots::only(&certificate)?;
    let mut bench =
        Bench { variables: services.variables(&roots)?, profiles: options.profiles.clone(), token: String::new() };
    let mut counted = BTreeMap::new();
    let floor = ("floor", path_beside("floor")?, Function::named("hello").event()?);
    let functions = FUNCTIONS.into_iter().filter(|function| function.name != "rotate");
    let functions = functions.map(|it| anyhow::Ok((it.name, it.binary(&options.build), it.event()?)));
    for function in iter::once(Ok(floor)).chain(functions) {
        let (name, binary, event) = function?;
        let counts = bench.count(name, &binary, &event).await.with_context(|| name)?;
        counted.insert(name.to_owned(), counts);
    }
    Ok(counted)
}

/// Counts the instructions of functions.
struct Bench {
    variables: Variables,
    profiles: Option<PathBuf>,
    /// The token that the authorizer minted last, for the functions after it.
    token: String,
}

impl Bench {
    /// As [`Bench::count_once`]. On a busy machine valgrind is so slow that the SDK's time-outs pass; then again, twice.
    async fn count(&mut self, name: &str, binary: &Path, event: &str) -> Result<Counts> {
        for _ in 0..2 {
            if let Ok(counts) = self.count_once(name, binary, event).await {
                return Ok(counts);
            }
        }
        self.count_once(name, binary, event).await
    }

    /// Counts the instructions of three runs of `binary`: without an invocation, with one, and with many.
    async fn count_once(&mut self, name: &str, binary: &Path, event: &str) -> Result<Counts> {
        let mut runs = [0; 3];
        for (run, invocations) in runs.iter_mut().zip([0, 1, INVOCATIONS]) {
            *run = self.run(name, binary, event, invocations).await?;
        }
        let [init, one, many] = runs;
        let warm = (many - one) / (INVOCATIONS - 1);
        Ok(Counts { init, first: (one - init).saturating_sub(warm), warm })
    }

    /// The instructions of a process that handles so many invocations.
    async fn run(&mut self, name: &str, binary: &Path, event: &str, invocations: u64) -> Result<u64> {
        let mut api = RuntimeApi::start().await?;
        let log = env::temp_dir().join(format!("bench-{}.valgrind", std::process::id()));
        let mut command = process::command(Path::new("valgrind"), &self.variables, &api);
        match &self.profiles {
            Some(folder) => {
                let profile = folder.join(format!("{name}.{invocations}"));
                command.args(["--tool=callgrind", &format!("--callgrind-out-file={}", profile.display())])
            }
            None => command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]),
        };
        let child = command.arg(format!("--log-file={}", log.display())).arg(binary).spawn();
        let mut child = child.context("valgrind does not start: install it")?;
        let mut next = api.next().await?;
        for _ in 0..invocations {
            let (_, answer) = invoke(&mut api, next, &event.replace("TOKEN", &self.token)).await?;
            if let Some(minted) = answer["context"]["accessToken"].as_str() {
                minted.clone_into(&mut self.token);
            }
            next = api.next().await?;
        }
        // It ends by the signal, and valgrind then writes what it has counted.
        process::signal(&child, "TERM").await?;
        time::timeout(Duration::from_secs(30), child.wait()).await.context("valgrind does not end")??;
        drop(next);
        let text = fs::read_to_string(&log)?;
        fs::remove_file(log)?;
        let count = text.lines().find_map(|line| line.split_once("refs:")).context("valgrind counted nothing")?.1;
        Ok(count.trim().replace(',', "").parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_two_percent_more_than_the_limit_exceeds_it() {
        let of = |init, warm| BTreeMap::from([("hello".to_owned(), Counts { init, first: 9, warm })]);
        let limits = of(1000, 100);
        assert!(exceeded(&of(1020, 102), &limits).unwrap().is_empty());
        assert_eq!(exceeded(&of(1021, 103), &limits).unwrap().len(), 2);
        exceeded(&of(1, 1), &BTreeMap::new()).unwrap_err();
    }
}
