//! `bench init`: the cold start of the built functions, beside that of a function that does nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use harness::{
    function::{binary, variables},
    runtime_api::RuntimeApi,
};
use tokio::runtime;

use crate::{cold_start::ColdStart, services::Services};

/// The CPU time of init from which something is wrong: without jitter entropy it is about a third of it.
const MAX_INIT_CPU_MS: f64 = 15.0;

/// What is measured.
const ROWS: [(&str, Figure); 8] = [
    ("init, ms", |function| function.median(|start| start.init_ms)),
    ("init, ms of CPU", Function::init_cpu_ms),
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
    /// Where `sam build` put the functions.
    #[arg(value_name = "DIR")]
    build: PathBuf,
    /// The function that does nothing.
    #[arg(long, value_name = "FILE", default_value = "target/release/floor")]
    floor: PathBuf,
    /// How often each function is started.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
}

/// A figure of a function.
type Figure = fn(&Function) -> f64;

/// A function and what its starts took.
struct Function {
    name: &'static str,
    binary: PathBuf,
    /// A file of `events/`, in which `TOKEN` stands for a token.
    event: &'static str,
    binary_mb: f64,
    zip_mb: f64,
    starts: Vec<ColdStart>,
}

impl Function {
    fn new(name: &'static str, binary: PathBuf, event: &'static str, how_to_build: &str) -> Result<Self> {
        let bytes = fs::read(&binary).with_context(|| format!("{}: build it by `{how_to_build}`", binary.display()))?;
        let zip = miniz_oxide::deflate::compress_to_vec(&bytes, 6); // zip's own default level
        let (binary_mb, zip_mb) = (megabytes(&bytes), megabytes(&zip));
        Ok(Self { name, binary, event, binary_mb, zip_mb, starts: Vec::new() })
    }

    fn built(name: &'static str, build: &Path, resource: &str, event: &'static str) -> Result<Self> {
        Self::new(name, binary(build, resource), event, "sam build --config-env local")
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
/// Also when the init of a function takes too much CPU time.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { build, floor, starts } = options;
    let authorizer = include_str!("../../../events/authorizer.json");
    // In this order: the token that the authorizer mints is the one that `validate` spends.
    let mut functions = [
        Function::new("floor", floor.clone(), authorizer, "cargo build --release -p bench --bin floor")?,
        Function::built("authorizer", build, "AuthorizerFunction", authorizer)?,
        Function::built("hello", build, "HelloFunction", include_str!("../../../events/hello.json"))?,
        Function::built("validate", build, "ValidateFunction", include_str!("../../../events/validate.json"))?,
        Function::built("issue", build, "IssueFunction", include_str!("../../../events/issue.json"))?,
    ];
    // One thread, so that on two cores the function has the other.
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&mut functions, *starts))?;
    print_table(&functions);

    for function in &functions {
        let (name, cpu_ms) = (function.name, function.init_cpu_ms());
        ensure!(
            cpu_ms < MAX_INIT_CPU_MS,
            "the init of {name} takes {cpu_ms:.1} ms of CPU, and has to stay under {MAX_INIT_CPU_MS} ms: \
             was AWS_LC_SYS_NO_JITTER_ENTROPY, which .cargo/config.toml sets, lost in its build?"
        );
    }
    Ok(())
}

/// Starts every function `starts` times, by turns, so that they share the noise of the machine.
async fn measure(functions: &mut [Function], starts: u32) -> Result<()> {
    let (services, mut api) = (Services::start().await?, RuntimeApi::start().await?);
    let roots = services.roots.to_str().context("a directory for temporary files that is not UTF-8")?;
    let mut variables = variables(&services.dynamodb, &services.secrets_manager, "tokens");
    variables.push(("SSL_CERT_FILE", roots.to_owned()));
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
fn print_table(functions: &[Function]) {
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

#[expect(clippy::cast_precision_loss, reason = "a binary is far smaller than the 9 petabytes at which it begins")]
fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}
