//! `bench init`: the cold start of the built functions, compared with a function that does nothing.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness::{FUNCTIONS, FakeAws, Function, fake_aws, process::variables, runtime_api::RuntimeApi};
use tokio::runtime;

use crate::{cold_start::ColdStart, roots::Roots};

/// The limit for the CPU time of an init: about three times that of a build without jitter entropy.
const MAX_INIT_CPU_MS: f64 = 15.0;

/// The rows of the printed table.
const ROWS: [(&str, Figure); 8] = [
    ("init, ms", |function| function.median(|start| start.init_ms)),
    ("init, ms of CPU", Measured::init_cpu_ms),
    ("first invocation, µs", |function| 1e3 * function.median(|start| start.first_ms)),
    ("warm invocation, µs", |function| 1e3 * function.median(|start| start.warm_ms)),
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
    /// The binary of the function that does nothing.
    #[arg(long, value_name = "FILE", default_value = "target/release/floor")]
    floor: PathBuf,
    /// How often each function is started.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
}

/// Computes a figure of a function.
type Figure = fn(&Measured) -> f64;

/// A function and its measured starts.
struct Measured {
    name: &'static str,
    binary: PathBuf,
    /// The event of every invocation, in which `TOKEN` stands for a token.
    event: String,
    binary_mb: f64,
    zip_mb: f64,
    starts: Vec<ColdStart>,
}

impl Measured {
    fn new(name: &'static str, binary: PathBuf, event: String, how_to_build: &str) -> Result<Self> {
        let bytes =
            fs::read(&binary).with_context(|| format!("{}: build it with `{how_to_build}`", binary.display()))?;
        let zip = miniz_oxide::deflate::compress_to_vec(&bytes, 6); // zip's own default level
        let (binary_mb, zip_mb) = (megabytes(&bytes), megabytes(&zip));
        Ok(Self { name, binary, event, binary_mb, zip_mb, starts: Vec::new() })
    }

    fn init_cpu_ms(&self) -> f64 {
        self.median(|start| start.init_cpu_ms)
    }

    fn median(&self, of: impl Fn(&ColdStart) -> f64) -> f64 {
        let mut values: Vec<_> = self.starts.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len() % 2 == 0 { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
    }
}

/// Measures and prints the result.
///
/// # Errors
///
/// If something that it needs is missing, or the init of a function takes too much CPU time.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { build, floor, starts } = options;
    let event = Function::named("authorizer").event()?;
    let mut functions =
        vec![Measured::new("floor", floor.clone(), event, "cargo build --release -p bench --bin floor")?];
    // No request waits for `rotate`.
    for function in FUNCTIONS.into_iter().filter(|function| function.name != "rotate") {
        let (binary, event) = (function.binary(build), function.event()?);
        functions.push(Measured::new(function.name, binary, event, "sam build --config-env local")?);
    }
    // On one thread, which leaves the other core to the function.
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&mut functions, *starts))?;
    print_table(&functions);

    for function in &functions {
        let (name, cpu_ms) = (function.name, function.init_cpu_ms());
        ensure!(
            cpu_ms < MAX_INIT_CPU_MS,
            "the init of {name} takes {cpu_ms:.1} ms of CPU, and the limit is {MAX_INIT_CPU_MS} ms: \
             was it built without the AWS_LC_SYS_NO_JITTER_ENTROPY of .cargo/config.toml?"
        );
    }
    Ok(())
}

/// Starts every function `starts` times, in turns, so that the noise of the machine affects all equally.
async fn measure(functions: &mut [Measured], starts: u32) -> Result<()> {
    let (aws, certificate) = FakeAws::start_over_tls(fake_aws::works).await?;
    let roots = Roots::with(&certificate)?;
    let mut variables = variables(&aws.url, &aws.url, "tokens");
    variables.push(("SSL_CERT_FILE", roots.path()?));
    let mut api = RuntimeApi::start().await?;
    // The token that the authorizer minted last, for the functions after it.
    let mut token = String::new();
    for _ in 0..starts {
        for function in &mut *functions {
            let event = function.event.replace("TOKEN", &token);
            let measured = ColdStart::measure(&function.binary, &variables, &event, &mut api).await;
            let (start, answer) = measured.with_context(|| function.name)?;
            if let Some(minted) = answer["context"]["accessToken"].as_str() {
                minted.clone_into(&mut token);
            }
            function.starts.push(start);
        }
    }
    Ok(())
}

/// Prints the medians in Markdown, each with its ratio to the first function's.
fn print_table(functions: &[Measured]) {
    let names: String = functions.iter().map(|function| format!(" {} |", function.name)).collect();
    println!("| |{names}\n| --- |{}", " ---: |".repeat(functions.len()));
    for (label, value) in ROWS {
        let floor = value(&functions[0]);
        let cells: String = functions
            .iter()
            .map(|function| format!(" {:.1} ({:.1}×) |", value(function), value(function) / floor))
            .collect();
        println!("| {label} |{cells}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 9 petabytes")]
fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}
