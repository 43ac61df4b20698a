//! `bench instructions`: the instructions of the built functions, counted by valgrind and compared with their limits.
//!
//! A count hardly depends on how busy the machine is. It does depend on the compiler, and on the CPU that valgrind
//! simulates, which has no AVX-512 and no instructions for SHA-256: compare counts with each other, and with nothing
//! else.

use std::{
    collections::BTreeMap,
    env, fs, iter,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use harness::{
    FUNCTIONS, FakeAws, fake_aws,
    process::{self, Variables},
    runtime_api::RuntimeApi,
};
use serde::{Deserialize, Serialize};
use tokio::{process::Command, runtime, time};

use crate::{
    cold_start::invoke,
    comparison::{keep_minted, programs},
    program::{Program, path_beside},
    roots::Roots,
    services::{Services, Target},
};

/// The invocations of the longer of two runs. Their difference is that of all of these but one.
const INVOCATIONS: u64 = 101;

/// What a count may be, in percent of that in the file of limits.
const MAX_PERCENT: u64 = 102;

/// The file of limits.
const LIMITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// How long a function may take under valgrind: Python starts in half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a second connection costs, without TLS: on a busy machine valgrind is so slow that the time-out of connecting
/// passes in the init, and the SDK connects again. These are not the function's instructions.
const RETRY: u64 = 290_000;

/// How valgrind counts, and nothing else.
const COUNT: [&str; 3] = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];

/// The error without valgrind.
const NO_VALGRIND: &str = "valgrind does not start: install it";

/// What is counted alone: see `bin/operations.rs`.
const OPERATIONS: [&str; 9] =
    ["mint", "check", "authorizer", "guard", "hello", "inspect", "issue", "revoke", "validate"];

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder into which `sam build` put the functions.
    #[arg(value_name = "DIR")]
    build: PathBuf,
    /// Write the counts into the file of limits, instead of comparing them.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    how: How,
}

/// How the instructions are counted.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct How {
    /// Count over TLS, with the machine's root certificates. These counts have no limits.
    #[arg(long)]
    tls: bool,
    /// Write profiles for `callgrind_annotate` into this folder: NAME.0 of the init, and NAME.1 and
    /// NAME.101 of an init and 1 or 101 invocations.
    /// A profile has names if the binary was built with `CARGO_PROFILE_RELEASE_STRIP=none`.
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
}

/// The instructions of a function.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Counts {
    /// From the start of the process to its first request for an event.
    pub(crate) init: u64,
    /// A warm invocation, on average.
    pub(crate) warm: u64,
}

/// What was counted, or what the limits are.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Counted {
    /// By function.
    pub(crate) functions: BTreeMap<String, Counts>,
    /// By operation of the program `operations`: a mint, a check, or what a function's code does with an event.
    pub(crate) operations: BTreeMap<String, u64>,
}

/// Measures, prints the result, and compares it with the limits.
///
/// # Errors
///
/// If something that it needs is missing, or a count exceeds its limit.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(!(options.write && options.how.tls), "a limit is a count without TLS");
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut counted = runtime.block_on(count(&options.build, None, &options.how))?;
    print!("{}", tables(&counted));
    if options.how.tls {
        return Ok(());
    }
    if !options.write {
        return runtime.block_on(check(counted, &options.build));
    }
    counted.retain_functions();
    Ok(fs::write(LIMITS, serde_json::to_string_pretty(&counted)? + "\n")?)
}

/// Fails if a count exceeds its limit.
pub(crate) async fn check(mut counted: Counted, build: &Path) -> Result<()> {
    let limits: Counted = serde_json::from_str(&fs::read_to_string(LIMITS).context(LIMITS)?)?;
    counted.retain_functions();
    // If a count exceeds its limit, everything is counted again, up to twice: the lowest is not by chance.
    for _ in 0..2 {
        if counted.exceeding(&limits)?.is_empty() {
            return Ok(());
        }
        counted.merge(&count(build, None, &How::default()).await?);
    }
    let exceeding = counted.exceeding(&limits)?;
    ensure!(exceeding.is_empty(), "over the limit by more than 2 %:\n{}", exceeding.join("\n"));
    Ok(())
}

impl Counted {
    /// Leaves out the floor and the other designs, which have no limits.
    fn retain_functions(&mut self) {
        self.functions.retain(|name, _| FUNCTIONS.iter().any(|function| function.name == name));
    }

    /// Takes the lower of each count.
    fn merge(&mut self, other: &Self) {
        for (name, it) in &mut self.functions {
            let other = other.functions[name];
            *it = Counts { init: it.init.min(other.init), warm: it.warm.min(other.warm) };
        }
        for (name, it) in &mut self.operations {
            *it = (*it).min(other.operations[name]);
        }
    }

    /// What exceeds its limit, in a sentence each.
    fn exceeding(&self, limits: &Self) -> Result<Vec<String>> {
        ensure!(
            self.functions.keys().eq(limits.functions.keys()) && self.operations.keys().eq(limits.operations.keys()),
            "the file of limits is of other functions or operations: write it with --write"
        );
        let mut pairs = Vec::new();
        for ((name, counts), limits) in self.functions.iter().zip(limits.functions.values()) {
            pairs.push((format!("the init of {name}"), counts.init, limits.init));
            pairs.push((format!("a warm invocation of {name}"), counts.warm, limits.warm));
        }
        for ((name, count), limit) in self.operations.iter().zip(limits.operations.values()) {
            pairs.push((format!("{name} alone"), *count, *limit));
        }
        pairs.retain(|(_, count, limit)| 100 * count > MAX_PERCENT * limit);
        let sentence = |(of, count, limit)| format!("{of} has {count} instructions, and the limit is {limit}");
        Ok(pairs.into_iter().map(sentence).collect())
    }
}

/// The counts in Markdown, in thousands.
pub(crate) fn tables(counted: &Counted) -> String {
    let thousands = |count: u64| (count + 500) / 1000;
    let mut text = "| instructions, in thousands | init | warm invocation |\n| --- | ---: | ---: |\n".to_owned();
    let mut functions: Vec<_> = counted.functions.iter().collect();
    functions.sort_by_key(|(name, _)| (*name != "floor", *name == "Python", *name == "naive"));
    for (name, Counts { init, warm }) in functions {
        text += &format!("| {name} | {} | {} |\n", thousands(*init), thousands(*warm));
    }
    text += "\n| instructions, in thousands | alone |\n| --- | ---: |\n";
    for (name, count) in &counted.operations {
        text += &format!("| {name} | {} |\n", thousands(*count));
    }
    text
}

/// Counts the instructions of the floor, of every function for which a request waits, of the other designs (Python only
/// with an interpreter), and of the operations.
pub(crate) async fn count(build: &Path, python: Option<&PathBuf>, how: &How) -> Result<Counted> {
    let mut counted = Counted::default();
    for operation in OPERATIONS {
        let [none, many] = [0, INVOCATIONS - 1].map(|times| count_operation(operation, times));
        counted.operations.insert(operation.to_owned(), many.await?.saturating_sub(none.await?) / (INVOCATIONS - 1));
    }
    let mut counter = Counter::start(how).await?;
    for it in programs(build, python)? {
        let counts = counter.count(it.name, &it.program, &it.event).await.with_context(|| it.name)?;
        counted.functions.insert(it.name.to_owned(), counts);
    }
    Ok(counted)
}

/// The instructions of the program `operations` that does this `times` times.
async fn count_operation(operation: &str, times: u64) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(COUNT).arg(path_beside("operations")?).args([operation, &times.to_string()]);
    let output = command.output().await.context(NO_VALGRIND)?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{operation}: {text}");
    instructions(&text)
}

/// The count in what valgrind prints.
fn instructions(text: &str) -> Result<u64> {
    let count = text.lines().find_map(|line| line.split_once("refs:")).context("valgrind counted nothing")?.1;
    Ok(count.trim().replace(',', "").parse()?)
}

/// Counts the instructions of programs.
struct Counter {
    services: Services,
    is_over_tls: bool,
    variables: Variables,
    profiles: Option<PathBuf>,
    /// The token that the authorizer minted last, for the functions after it.
    token: String,
    /// Deleted when the counting ends.
    _roots: Roots,
}

impl Counter {
    /// Starts the services that the programs call.
    async fn start(how: &How) -> Result<Self> {
        // Without TLS otherwise: handshakes differ by chance, and take so long under valgrind that the SDK's time-outs
        // pass on a busy machine.
        let target = if how.tls { Target::Tls(Duration::ZERO) } else { Target::Plain(Duration::ZERO) };
        let services = Services::start(&target).await?;
        let roots = if how.tls {
            Roots::with(&services.certificates)?
        } else {
            // A root certificate to read, and not the machine's: the counts would depend on how many it has.
            let (_, certificate) = FakeAws::start_over_tls(fake_aws::works).await?;
            Roots::only(&certificate)?
        };
        let variables = services.variables(&roots)?;
        Ok(Self {
            services,
            is_over_tls: how.tls,
            variables,
            profiles: how.profiles.clone(),
            token: String::new(),
            _roots: roots,
        })
    }

    /// As [`Counter::count_once`]. On a busy machine valgrind is so slow that the SDK's time-outs pass; then again, twice.
    async fn count(&mut self, name: &str, program: &Program, event: &str) -> Result<Counts> {
        for _ in 0..2 {
            if let Ok(counts) = self.count_once(name, program, event).await {
                return Ok(counts);
            }
        }
        self.count_once(name, program, event).await
    }

    /// Counts the instructions of three runs of `program`: without an invocation, with one, and with many. The first
    /// invocation has no count of its own: it would be a small difference of large numbers.
    async fn count_once(&mut self, name: &str, program: &Program, event: &str) -> Result<Counts> {
        let mut runs = [0; 3];
        for (run, invocations) in runs.iter_mut().zip([0, 1, INVOCATIONS]) {
            *run = self.run(name, program, event, invocations).await?;
        }
        let [init, one, many] = runs;
        Ok(Counts { init, warm: many.saturating_sub(one) / (INVOCATIONS - 1) })
    }

    /// The instructions of a process that handles `invocations`.
    async fn run(&mut self, name: &str, program: &Program, event: &str, invocations: u64) -> Result<u64> {
        let mut api = RuntimeApi::start().await?.with_patience(PATIENCE);
        let log = env::temp_dir().join(format!("bench-{}.valgrind", std::process::id()));
        let mut command = process::command(Path::new("valgrind"), &self.variables, &api);
        match &self.profiles {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                let profile = folder.join(format!("{name}.{invocations}"));
                command.args(["--tool=callgrind", &format!("--callgrind-out-file={}", profile.display())])
            }
            None => command.args(COUNT),
        };
        command.arg(format!("--log-file={}", log.display())).arg(&program.path).args(program.script);
        let before = self.services.connections();
        let mut child = command.spawn().context(NO_VALGRIND)?;
        let mut next = tokio::select! {
            next = api.next() => next?,
            status = child.wait() => bail!("it ended with {}: {}", status?, fs::read_to_string(&log).unwrap_or_default()),
        };
        for _ in 0..invocations {
            let (_, answer) = invoke(&mut api, next, &event.replace("TOKEN", &self.token)).await?;
            keep_minted(&answer, &mut self.token);
            next = api.next().await?;
        }
        // It ends by the signal, and valgrind then writes what it has counted.
        process::signal(&child, "TERM").await?;
        time::timeout(Duration::from_secs(30), child.wait()).await.context("valgrind does not end")??;
        drop(next);
        let text = fs::read_to_string(&log)?;
        fs::remove_file(log)?;
        let count = instructions(&text)?;
        if self.is_over_tls {
            return Ok(count);
        }
        let retries =
            iter::zip(self.services.connections(), before).map(|(now, before)| (now - before).saturating_sub(1));
        Ok(count.saturating_sub(RETRY * retries.sum::<usize>() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_two_percent_more_than_the_limit_exceeds_it() {
        let of = |init, warm, mint| Counted {
            functions: BTreeMap::from([("hello".to_owned(), Counts { init, warm })]),
            operations: BTreeMap::from([("mint".to_owned(), mint)]),
        };
        let limits = of(1000, 100, 50);
        assert!(of(1020, 102, 51).exceeding(&limits).unwrap().is_empty());
        assert_eq!(of(1021, 103, 52).exceeding(&limits).unwrap().len(), 3);
        of(1, 1, 1).exceeding(&Counted::default()).unwrap_err();
    }
}
