//! `bench report`: the built functions, compared with a function that does nothing and with other designs, in one run,
//! as a document with charts.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use tokio::runtime;

use crate::{
    chart::{self, Row},
    comparison::{Comparison, SHOWN, SIZES, Setup, programs, table},
    figure::{Figure, rounded},
    goals,
    instructions::{self, How},
    limits, machine,
    measured::Measured,
    services::Target,
};

/// The memory of a function, in megabytes: the last has one CPU.
const MEMORY_MB: [u32; 5] = [128, 256, 512, 1024, 1769];

/// The invocations after the first of each start.
const WARM_INVOCATIONS: u32 = 200;

/// As [`WARM_INVOCATIONS`], with a share of a CPU: one of Python takes a twentieth of a second there.
const LIMITED_INVOCATIONS: u32 = 40;

/// The programs that mint a token.
const MINTING: [&str; 3] = ["authorizer", "naive", "Python"];

/// What to measure, and where to write the report.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder into which `sam build` put the functions.
    #[arg(value_name = "DIR")]
    build: PathBuf,
    /// The folder for the report and its charts.
    #[arg(long, value_name = "DIR", default_value = "docs/benchmarks")]
    out: PathBuf,
    /// A Python with boto3 and `PyJWT`, to measure the Python design too.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Measure with this DynamoDB Local or other emulator too.
    #[arg(long, value_name = "URL")]
    dynamodb: Option<String>,
    /// Measure with the share of a CPU of each of several sizes of memory too; needs root, and cgroups.
    #[arg(long)]
    by_memory: bool,
    /// How often each function is started.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
}

/// Measures, and writes `report.md` and its charts.
///
/// # Errors
///
/// If something that it needs is missing, or a function exceeds its limits.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(Report::measure(options))?;
    fs::create_dir_all(&options.out)?;
    let write = |file: &str, text: String| {
        let path = options.out.join(file);
        fs::write(&path, text).with_context(|| path.display().to_string())
    };
    write("init.svg", report.init_chart())?;
    write("invocation.svg", report.invocation_chart())?;
    if options.by_memory {
        write("memory.svg", report.memory_chart())?;
    }
    write("report.md", report.text()?)?;

    report.main.programs.iter().filter(|it| it.function.is_some()).try_for_each(limits::check)?;
    runtime.block_on(instructions::check(report.counted, &options.build))
}

/// Everything that was measured.
struct Report {
    machine: String,
    /// Over TLS, with an AWS that replies at once.
    main: Comparison,
    /// With other services, by the words that say which.
    others: Vec<(String, Comparison)>,
    /// With the share of a CPU that each size of memory gives, in megabytes.
    by_memory: Vec<(u32, Comparison)>,
    counted: instructions::Counted,
}

impl Report {
    /// Measures everything that the options ask for.
    async fn measure(options: &Options) -> Result<Self> {
        // First, because it fails if a tool is missing.
        let machine = machine::description(options.python.as_deref())?;
        let setup =
            |target| Setup { target, memory_mb: None, starts: options.starts, warm_invocations: WARM_INVOCATIONS };
        let measure = async |only: Option<&[&str]>, setup: &Setup| {
            let mut programs = programs(&options.build, options.python.as_ref())?;
            programs.retain(|it| only.is_none_or(|only| only.contains(&it.name)));
            Comparison::measure(programs, setup).await
        };
        // Tokio makes at least 5 ms of 4: it counts whole milliseconds, and rounds up.
        let (at_once, late) = (Duration::ZERO, Duration::from_millis(4));
        let main = measure(None, &setup(Target::Tls(at_once))).await?;

        let mut others = Vec::new();
        for (words, target) in [
            ("Over TLS, with an AWS that replies after 5 ms", Target::Tls(late)),
            ("Without TLS, with an AWS that replies at once", Target::Plain(at_once)),
            ("Without TLS, with an AWS that replies after 5 ms", Target::Plain(late)),
        ] {
            others.push((words.to_owned(), measure(Some(&SHOWN), &setup(target)).await?));
        }
        if let Some(url) = &options.dynamodb {
            // A token can be spent once there, so that only what mints can be invoked again and again.
            let shown: Vec<_> = ["floor"].into_iter().chain(MINTING).collect();
            let comparison = measure(Some(&shown), &setup(Target::Emulator(url.clone()))).await?;
            others.push(("With DynamoDB Local, without TLS".to_owned(), comparison));
        }

        let mut by_memory = Vec::new();
        for mb in MEMORY_MB.into_iter().filter(|_| options.by_memory) {
            let setup =
                Setup { memory_mb: Some(mb), warm_invocations: LIMITED_INVOCATIONS, ..setup(Target::Tls(at_once)) };
            by_memory.push((mb, measure(Some(&MINTING), &setup).await?));
        }
        let counted = instructions::count(&options.build, options.python.as_ref(), &How::default()).await?;
        Ok(Self { machine, main, others, by_memory, counted })
    }

    /// A chart of cold starts.
    fn init_chart(&self) -> String {
        let rows = self.main.shown().into_iter().map(|it| Row {
            label: it.name.to_owned(),
            values: vec![it.median(|start| start.init_ms), it.cold_mint_ms()],
        });
        chart::dots("From the start of the process", "ms", &["ready", "first response"], &rows.collect::<Vec<_>>())
    }

    /// A chart of invocations.
    fn invocation_chart(&self) -> String {
        let rows = self.main.shown().into_iter().map(|it| Row {
            label: it.name.to_owned(),
            values: vec![it.median(|start| start.first_ms), it.warm_ms(500), it.warm_ms(990)],
        });
        let series = ["first", "warm, median", "warm, 99 of 100"];
        chart::dots("An invocation", "ms", &series, &rows.collect::<Vec<_>>())
    }

    /// A chart of cold starts by memory.
    fn memory_chart(&self) -> String {
        let rows = self.by_memory.iter().map(|(mb, comparison)| Row {
            label: format!("{mb} MB"),
            values: comparison.programs.iter().map(Measured::cold_mint_ms).collect(),
        });
        let names: Vec<_> =
            self.by_memory.iter().take(1).flat_map(|(_, comparison)| &comparison.programs).map(|it| it.name).collect();
        let title = "The first token of a new environment: init and first invocation";
        chart::dots(title, "ms", &names, &rows.collect::<Vec<_>>())
    }

    /// The report in Markdown.
    fn text(&self) -> Result<String> {
        let Self { machine, main, others, by_memory, counted } = self;
        let starts = main.programs[0].starts.len();
        let with_128_mb = by_memory.iter().find(|(mb, _)| *mb == 128).map(|(_, comparison)| comparison);
        let goals = goals::table(main, with_128_mb, counted);
        let mut text = format!(
            "# Benchmark report\n\n\
             {machine} Written by `bench report`; [benchmarks.md](../benchmarks.md) explains it.\n\n\
             A figure is the median of {starts} starts; in parentheses follows its ratio to that of the floor, and then the \
             lowest and the highest start. Percentiles of warm invocations are over the invocations of all starts, and their \
             CPU is the mean of each start. Read the ratios: the times are those of one machine.\n\n\
             {goals}\n\
             ![From the start of the process to ready, and to the first response](init.svg)\n\n\
             ![An invocation](invocation.svg)\n\n\
             ## Over TLS, with an AWS that replies at once\n\n"
        );
        main.write(&mut text)?;
        main.write_traffic(&mut text, 1 + WARM_INVOCATIONS)?;
        for (words, comparison) in others {
            writeln!(text, "## {words}\n")?;
            comparison.write(&mut text)?;
        }
        writeln!(text, "## Size\n\n{}", table(&main.shown(), &SIZES))?;
        if let Some((_, comparison)) = by_memory.first() {
            writeln!(
                text,
                "## By memory\n\n\
                 An invocation has the share of a CPU that Lambda gives to a function with so much memory; an init is not \
                 limited. *Cold* is the init and the first invocation, and *warm* the mean of {LIMITED_INVOCATIONS} one \
                 after another, some of which wait for the next period of 20 ms.\n\n\
                 ![The first token of a new environment](memory.svg)\n"
            )?;
            let columns = |it: &Measured| format!(" {}, cold, ms | {0}, warm, ms |", it.name);
            let columns: Vec<_> = comparison.programs.iter().map(columns).collect();
            writeln!(text, "| |{}\n| --- |{}", columns.concat(), " ---: | ---: |".repeat(columns.len()))?;
        }
        for (mb, comparison) in by_memory {
            let cells = |it: &Measured| {
                let Figure { value, low, high } = it.cold_mint_ms();
                let [value, low, high, warm] = [value, low, high, it.warm_mean_ms().value].map(rounded);
                format!(" {value}, {low} to {high} | {warm} |")
            };
            writeln!(text, "| {mb} MB |{}", comparison.programs.iter().map(cells).collect::<String>())?;
        }
        text += "\n## Instructions\n\nCounted without TLS, with one root certificate.\n\n";
        text += &instructions::tables(counted);
        Ok(text)
    }
}
