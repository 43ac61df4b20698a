//! `bench init`: the cold start of the built functions, compared with a function that does nothing and with other
//! designs.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use harness::{FUNCTIONS, runtime_api::RuntimeApi};
use tokio::runtime;

use crate::{
    cold_start::{ColdStart, WARM_INVOCATIONS},
    measured::Measured,
    roots::Roots,
    services::{Services, Traffic},
    share::Share,
};

/// The limit for the CPU time of an init: about three times that of a build without jitter entropy.
const MAX_INIT_CPU_MS: f64 = 15.0;

/// The limit for the zip of a function that calls AWS.
const MAX_ZIP_MB: f64 = 3.0;

/// The limit for the zip of one that does not.
const MAX_SMALL_ZIP_MB: f64 = 0.8;

/// The limit for the peak of the resident memory.
const MAX_PEAK_MB: f64 = 12.0;

/// The rows of the printed table.
const ROWS: [(&str, Figure); 9] = [
    ("init, ms", |function| function.median(|start| start.init_ms)),
    ("init, ms of CPU", |function| function.median(|start| start.init_cpu_ms)),
    ("first invocation, µs", |function| 1e3 * function.median(|start| start.first_ms)),
    ("warm invocation, median, µs", |function| 1e3 * function.warm_ms(50)),
    ("warm invocation, 99 of 100, µs", |function| 1e3 * function.warm_ms(99)),
    ("warm invocation, µs of CPU", |function| 1e3 * function.median(|start| start.warm_cpu_ms)),
    ("peak memory, MB", |function| function.median(|start| start.peak_mb)),
    ("binary, MB", |function| function.binary_mb),
    ("zip, MB", |function| function.zip_mb),
];

/// What to measure, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder into which `sam build` put the functions.
    #[arg(value_name = "DIR")]
    build: PathBuf,
    /// Give each invocation the share of a CPU that Lambda gives to a function with so much memory; needs root.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(128..=1769))]
    memory_mb: Option<u32>,
    /// A Python with boto3 and `PyJWT`, to measure the Python design too.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// How long AWS takes for a reply.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=100))]
    service_ms: u64,
    /// How often each function is started.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
}

/// Computes a figure of a function.
type Figure = fn(&Measured) -> f64;

/// Measures and prints the result.
///
/// # Errors
///
/// If something that it needs is missing, or a function exceeds its limits.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut functions = vec![Measured::beside("floor")?];
    // No request waits for `rotate`.
    for function in FUNCTIONS.into_iter().filter(|function| function.name != "rotate") {
        functions.push(Measured::ours(function, &options.build)?);
    }
    functions.push(Measured::beside("naive")?);
    if let Some(interpreter) = &options.python {
        functions.push(Measured::python(interpreter.clone())?);
    }
    // On one thread, which leaves the other core to the function.
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&mut functions, options))?;
    print_table(&functions);
    functions.iter().filter(|measured| measured.function.is_some()).try_for_each(within_limits)
}

/// Starts every function `starts` times, in turns, so that the noise of the machine affects all equally.
async fn measure(functions: &mut [Measured], options: &Options) -> Result<()> {
    let services = Services::start_over_tls(Duration::from_millis(options.service_ms)).await?;
    let roots = Roots::with(&services.certificates)?;
    let variables = services.variables(&roots)?;
    let mut api = RuntimeApi::start().await?;
    let share = options.memory_mb.map(Share::of_memory).transpose()?;
    // The token that was minted last, for the functions that take one.
    let mut token = String::new();
    for _ in 0..options.starts {
        for measured in &mut *functions {
            let event = measured.event.replace("TOKEN", &token);
            let before = services.asked();
            let start = ColdStart::measure(&measured.program, &variables, &event, &mut api, share.as_ref()).await;
            let (start, answer) = start.with_context(|| measured.name)?;
            if measured.function.is_some_and(|function| function.access.is_some()) {
                asked_once_each(measured.name, services.asked_since(before))?;
            }
            if let Some(minted) = answer["context"]["accessToken"].as_str() {
                minted.clone_into(&mut token);
            }
            measured.starts.push(start);
        }
    }
    Ok(())
}

/// Fails unless the key ring was read once, and each invocation made one call of DynamoDB, as the warm-up does.
fn asked_once_each(name: &str, asked: Traffic) -> Result<()> {
    let tokens = 2 + WARM_INVOCATIONS as usize;
    ensure!(
        (asked.secrets, asked.tokens) == (1, tokens) && asked.connections == 2,
        "{name}: {asked:?}, and not 1 call of Secrets Manager and {tokens} of DynamoDB over 2 connections"
    );
    Ok(())
}

fn within_limits(measured: &Measured) -> Result<()> {
    let (name, zip_mb) = (measured.name, measured.zip_mb);
    let max_zip_mb = if ["hello", "guarded", "page"].contains(&name) { MAX_SMALL_ZIP_MB } else { MAX_ZIP_MB };
    ensure!(zip_mb <= max_zip_mb, "the zip of {name} has {zip_mb:.2} MB, and the limit is {max_zip_mb} MB");
    let peak_mb = measured.median(|start| start.peak_mb);
    ensure!(peak_mb <= MAX_PEAK_MB, "{name} takes {peak_mb:.1} MB of memory, and the limit is {MAX_PEAK_MB} MB");
    let cpu_ms = measured.median(|start| start.init_cpu_ms);
    ensure!(
        cpu_ms < MAX_INIT_CPU_MS,
        "the init of {name} takes {cpu_ms:.1} ms of CPU, and the limit is {MAX_INIT_CPU_MS} ms: \
         was it built without the AWS_LC_SYS_NO_JITTER_ENTROPY of .cargo/config.toml?"
    );
    Ok(())
}

/// Prints the figures in Markdown, each with its ratio to the first function's.
fn print_table(functions: &[Measured]) {
    let names: String = functions.iter().map(|function| format!(" {} |", function.name)).collect();
    println!("| |{names}\n| --- |{}", " ---: |".repeat(functions.len()));
    for (label, value) in ROWS {
        let floor = value(&functions[0]);
        let cells: String = functions
            .iter()
            .map(|function| match value(function) {
                value if value.is_nan() => " |".to_owned(),
                value => format!(" {value:.1} ({:.1}×) |", value / floor),
            })
            .collect();
        println!("| {label} |{cells}");
    }
}
