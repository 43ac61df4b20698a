//! `bench report`: the built functions, compared with a function that does nothing and with other designs, in one run,
//! as a document with charts.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::runtime;

use crate::{
    chart::{self, Row},
    comparison::{FIGURES, SIZES, Setup, compare, programs, table},
    instructions::{self, How, LIMITS},
    limits::within_limits,
    machine,
    measured::{Figure, Measured, percentile},
    services::Target,
};

/// The memory of a function, in megabytes: the last has one CPU.
const MEMORY_MB: [u32; 5] = [128, 256, 512, 1024, 1769];

/// The columns of the tables; of our other functions the limits are checked, and the instructions reported.
const SHOWN: [&str; 8] = ["floor", "authorizer", "validate", "guard", "hello", "page", "naive", "Python"];

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
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
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

    report.main.programs.iter().filter(|it| it.function.is_some()).try_for_each(within_limits)?;
    let mut counted = report.counted;
    counted.functions.remove("Python");
    runtime.block_on(instructions::within_limits(counted, &options.build, Path::new(LIMITS)))
}

/// Everything that was measured.
struct Report {
    machine: String,
    /// Over TLS, with an AWS that replies at once.
    main: Compared,
    /// With other services, by the words that say which.
    others: Vec<(String, Compared)>,
    /// With the share of a CPU of so much memory.
    by_memory: Vec<(u32, Compared)>,
    counted: instructions::Counted,
}

/// The programs of a comparison, measured.
struct Compared {
    programs: Vec<Measured>,
    /// The times of a call of DynamoDB by a client that does nothing else, in milliseconds, sorted.
    round_trips: Vec<f64>,
}

impl Report {
    async fn measure(options: &Options) -> Result<Self> {
        // First, because it fails if a tool is missing.
        let machine = machine::description(options.python.as_deref())?;
        let setup =
            |target| Setup { target, memory_mb: None, starts: options.starts, warm_invocations: WARM_INVOCATIONS };
        let compared = async |only: Option<&[&str]>, setup: &Setup| -> Result<Compared> {
            let mut programs = programs(&options.build, options.python.as_ref())?;
            programs.retain(|it| only.is_none_or(|only| only.contains(&it.name)));
            let mut round_trips = compare(&mut programs, setup).await?;
            round_trips.sort_by(f64::total_cmp);
            Ok(Compared { programs, round_trips })
        };
        let at_once = Duration::ZERO;
        let main = compared(None, &setup(Target::Tls(at_once))).await?;

        let mut others = Vec::new();
        for (words, target) in [
            ("Over TLS, with an AWS that replies after 4 to 5 ms", Target::Tls(Duration::from_millis(4))),
            ("Without TLS, with an AWS that replies at once", Target::Plain(at_once)),
            ("Without TLS, with an AWS that replies after 4 to 5 ms", Target::Plain(Duration::from_millis(4))),
        ] {
            others.push((words.to_owned(), compared(Some(&SHOWN), &setup(target)).await?));
        }
        if let Some(url) = &options.dynamodb {
            // A token can be spent once there, so that only what mints can be invoked again and again.
            let shown: Vec<_> = ["floor"].into_iter().chain(MINTING).collect();
            let compared = compared(Some(&shown), &setup(Target::Emulator(url.clone()))).await?;
            others.push(("With DynamoDB Local, without TLS".to_owned(), compared));
        }

        let mut by_memory = Vec::new();
        for mb in MEMORY_MB.into_iter().filter(|_| options.by_memory) {
            let setup =
                Setup { memory_mb: Some(mb), warm_invocations: LIMITED_INVOCATIONS, ..setup(Target::Tls(at_once)) };
            by_memory.push((mb, compared(Some(&MINTING), &setup).await?));
        }
        let mut counted = instructions::count(&options.build, &How::default()).await?;
        if let Some(python) = &options.python {
            counted.functions.insert("Python".to_owned(), instructions::count_python(python).await?);
        }
        Ok(Self { machine, main, others, by_memory, counted })
    }

    fn init_chart(&self) -> String {
        let rows = self
            .main
            .shown()
            .into_iter()
            .map(|it| Row { label: it.name.to_owned(), values: vec![it.median(|start| start.init_ms), cold_mint(it)] });
        chart::dots("From the start of the process", "ms", &["ready", "first response"], &rows.collect::<Vec<_>>())
    }

    fn invocation_chart(&self) -> String {
        let rows = self.main.shown().into_iter().map(|it| Row {
            label: it.name.to_owned(),
            values: vec![it.median(|start| start.first_ms), it.warm_ms(500), it.warm_ms(990)],
        });
        let series = ["first", "warm, median", "warm, 99 of 100"];
        chart::dots("An invocation", "ms", &series, &rows.collect::<Vec<_>>())
    }

    fn memory_chart(&self) -> String {
        let rows = self.by_memory.iter().map(|(mb, compared)| Row {
            label: format!("{mb} MB"),
            values: compared.programs.iter().map(cold_mint).collect(),
        });
        let title = "The first token of a new environment: init and first invocation";
        chart::dots(title, "ms", &MINTING, &rows.collect::<Vec<_>>())
    }

    fn text(&self) -> Result<String> {
        let Self { machine, main, others, by_memory, counted } = self;
        let starts = main.programs[0].starts.len();
        let mut text = format!(
            "# Report of the benchmarks\n\n\
             {machine} Written by `bench report`; [benchmarks.md](../benchmarks.md) explains it.\n\n\
             A figure is the median of {starts} starts, with its ratio to that of the floor in parentheses, and its range \
             after it. Those of warm invocations are over the invocations of all starts, and their range is that of the \
             starts. Read the ratios: the times are those of one machine.\n\n\
             ![From the start of the process to ready, and to the first response](init.svg)\n\n\
             ![An invocation](invocation.svg)\n\n\
             ## Over TLS, with an AWS that replies at once\n\n"
        );
        main.write(&mut text)?;
        main.write_traffic(&mut text)?;
        for (words, compared) in others {
            writeln!(text, "## {words}\n")?;
            compared.write(&mut text)?;
        }
        writeln!(text, "## Size\n\n{}", table(&main.shown(), &SIZES))?;
        if let Some((_, compared)) = by_memory.first() {
            writeln!(
                text,
                "## By memory\n\n\
                 An invocation has the share of a CPU that Lambda gives to a function with so much memory; an init has a \
                 whole CPU, as in Lambda. *Cold* is the init and the first invocation, and *warm* the mean of \
                 {LIMITED_INVOCATIONS} one after another, of which some wait for the next share.\n\n\
                 ![The first token of a new environment](memory.svg)\n"
            )?;
            let columns = |it: &Measured| format!(" {}, cold, ms | {0}, warm, ms |", it.name);
            let columns: Vec<_> = compared.programs.iter().map(columns).collect();
            writeln!(text, "| |{}\n| --- |{}", columns.concat(), " ---: | ---: |".repeat(columns.len()))?;
        }
        for (mb, compared) in by_memory {
            let cells = |it: &Measured| {
                let Figure { value, low, high } = cold_mint(it);
                format!(" {value:.1}, {low:.1} to {high:.1} | {:.1} |", it.warm_mean_ms().value)
            };
            writeln!(text, "| {mb} MB |{}", compared.programs.iter().map(cells).collect::<String>())?;
        }
        text += "\n## Instructions\n\nCounted without TLS, with one root certificate.\n\n";
        text += &instructions::tables(counted);
        Ok(text)
    }
}

impl Compared {
    /// The programs that the tables and charts have.
    fn shown(&self) -> Vec<&Measured> {
        self.programs.iter().filter(|it| SHOWN.contains(&it.name)).collect()
    }

    fn write(&self, text: &mut String) -> Result<()> {
        writeln!(text, "{}", table(&self.shown(), &FIGURES))?;
        if self.round_trips.is_empty() {
            return Ok(());
        }
        let trip_us = 1e3 * percentile(&self.round_trips, 500);
        writeln!(
            text,
            "A call of this DynamoDB by an HTTP client that does nothing else takes {trip_us:.0} µs (median). The medians of \
             warm invocations, less that and that of the floor:\n\n\
             | | µs |\n| --- | ---: |"
        )?;
        let floor = &self.programs[0];
        let with_dynamodb = |it: &&Measured| it.name != "floor" && it.function.is_none_or(|it| it.access.is_some());
        for it in self.shown().into_iter().filter(with_dynamodb) {
            let beyond_us = 1e3 * (it.warm_ms(500).value - floor.warm_ms(500).value) - trip_us;
            writeln!(text, "| {} | {beyond_us:.0} |", it.name)?;
        }
        writeln!(text)?;
        Ok(())
    }

    /// What AWS was asked in a start.
    fn write_traffic(&self, text: &mut String) -> Result<()> {
        writeln!(
            text,
            "One start with {} invocations asks AWS for this; an init of ours makes one of the calls of DynamoDB, which \
             opens the connection:\n\n\
             | | calls of Secrets Manager | calls of DynamoDB | connections |\n| --- | ---: | ---: | ---: |",
            1 + WARM_INVOCATIONS
        )?;
        for it in self.shown() {
            let Some(asked) = it.asked else { continue };
            writeln!(text, "| {} | {} | {} | {} |", it.name, asked.secrets, asked.tokens, asked.connections)?;
        }
        writeln!(text)?;
        Ok(())
    }
}

/// The time from the start of a process to its first token.
fn cold_mint(it: &Measured) -> Figure {
    it.median(|start| start.init_ms + start.first_ms)
}
