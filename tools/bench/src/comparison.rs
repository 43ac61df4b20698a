//! A comparison: programs that are started in turns, so that the noise of the machine affects all equally.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use harness::{FUNCTIONS, runtime_api::RuntimeApi};
use serde_json::Value;

use crate::{
    cold_start::ColdStart,
    figure::{Figure, percentile, rounded},
    measured::Measured,
    roots::Roots,
    services::{Services, Target, Traffic},
};

/// Computes a figure of a program.
pub(crate) type Compute = fn(&Measured) -> Figure;

/// The rows of a table of measurements.
pub(crate) const FIGURES: [(&str, Compute); 8] = [
    ("init, ms", |it| it.median(|start| start.init_ms)),
    ("init, ms of CPU", |it| it.median(|start| start.init_cpu_ms)),
    ("first invocation, µs", |it| it.median(|start| start.first_ms).times(1e3)),
    ("warm invocation, median, µs", |it| it.warm_ms(500).times(1e3)),
    ("warm invocation, 99 of 100, µs", |it| it.warm_ms(990).times(1e3)),
    ("warm invocation, 999 of 1,000, µs", |it| Figure::fixed(1e3 * it.warm_ms(999).value)),
    ("warm invocation, µs of CPU", |it| it.median(|start| start.warm_cpu_ms).times(1e3)),
    ("peak memory, MB", |it| it.median(|start| start.peak_mb)),
];

/// More rows, which are the same whatever is called.
pub(crate) const SIZES: [(&str, Compute); 2] =
    [("binary, MB", |it| Figure::fixed(it.binary_mb)), ("zip, MB", |it| Figure::fixed(it.zip_mb))];

/// The columns of the tables; of the other functions the limits are checked, and the instructions reported.
pub(crate) const SHOWN: [&str; 8] = ["floor", "authorizer", "validate", "guard", "hello", "page", "naive", "Python"];

/// What is the same for all programs of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) target: Target,
    /// The memory whose share of a CPU each invocation gets.
    pub(crate) memory_mb: Option<u32>,
    pub(crate) starts: u32,
    pub(crate) warm_invocations: u32,
}

/// The floor, this project's functions, and the other designs: Python only with an interpreter.
pub(crate) fn programs(build: &Path, python: Option<&PathBuf>) -> Result<Vec<Measured>> {
    let mut programs = vec![Measured::beside("floor")?];
    // No request waits for `rotate`.
    for function in FUNCTIONS.into_iter().filter(|function| function.name != "rotate") {
        programs.push(Measured::built(function, build)?);
    }
    programs.push(Measured::beside("naive")?);
    if let Some(interpreter) = python {
        programs.push(Measured::python(interpreter)?);
    }
    Ok(programs)
}

/// The programs of a comparison, measured.
pub(crate) struct Comparison {
    pub(crate) programs: Vec<Measured>,
    /// The times of a call to DynamoDB by a client that does nothing else, in milliseconds; none with an emulator.
    round_trips: Vec<f64>,
}

impl Comparison {
    /// Starts every program in turns.
    pub(crate) async fn measure(mut programs: Vec<Measured>, setup: &Setup) -> Result<Self> {
        let services = Services::start(&setup.target).await?;
        let roots = Roots::with(&services.certificates)?;
        let variables = services.variables(&roots)?;
        let mut api = RuntimeApi::start().await?;
        // The token that was minted last, for the functions that take one.
        let mut token = String::new();
        let mut round_trips = Vec::new();
        for _ in 0..setup.starts {
            for measured in &mut programs {
                let event = measured.event.replace("TOKEN", &token);
                let before = services.traffic();
                let (program, warm) = (&measured.program, setup.warm_invocations);
                let start = ColdStart::measure(program, &variables, &event, warm, &mut api, setup.memory_mb).await;
                let (start, answer) = start.with_context(|| measured.name)?;
                if services.are_counted() {
                    let traffic = services.traffic_since(before);
                    if measured.function.is_some_and(|function| function.access.is_some()) {
                        called_once_each(measured.name, traffic, warm)?;
                    }
                    measured.traffic = Some(traffic);
                }
                keep_minted(&answer, &mut token);
                measured.starts.push(start);
            }
            if services.are_counted() {
                round_trips.extend(services.round_trips().await?);
            }
        }
        services.end().await?;
        Ok(Self { programs, round_trips })
    }

    /// The programs that the tables and charts have.
    pub(crate) fn shown(&self) -> Vec<&Measured> {
        self.programs.iter().filter(|it| SHOWN.contains(&it.name)).collect()
    }

    /// Writes the figures of the programs, and what a warm invocation takes beyond those of the services.
    pub(crate) fn write(&self, text: &mut String) -> Result<()> {
        writeln!(text, "{}", table(&self.shown(), &FIGURES))?;
        if self.round_trips.is_empty() {
            return Ok(());
        }
        let trip_us = self.round_trip_us();
        writeln!(
            text,
            "A call to this DynamoDB by an HTTP client that does nothing else takes {trip_us:.0} µs (median). The medians of \
             warm invocations, less that and that of the floor:\n\n\
             | | µs |\n| --- | ---: |"
        )?;
        let with_dynamodb = |it: &&Measured| it.name != "floor" && it.function.is_none_or(|it| it.access.is_some());
        for it in self.shown().into_iter().filter(with_dynamodb) {
            writeln!(text, "| {} | {:.0} |", it.name, self.beyond_us(it))?;
        }
        writeln!(text)?;
        Ok(())
    }

    /// The median of the calls to DynamoDB by a client that does nothing else, in microseconds.
    fn round_trip_us(&self) -> f64 {
        1e3 * percentile(&mut self.round_trips.clone(), 500)
    }

    /// What the median of the warm invocations takes more than that of the floor and than a call to DynamoDB, in
    /// microseconds.
    pub(crate) fn beyond_us(&self, it: &Measured) -> f64 {
        1e3 * (it.warm_ms(500).value - self.programs[0].warm_ms(500).value) - self.round_trip_us()
    }

    /// The calls to AWS in a start.
    pub(crate) fn write_traffic(&self, text: &mut String, invocations: u32) -> Result<()> {
        writeln!(
            text,
            "One start with {invocations} invocations makes these calls to AWS. One to DynamoDB belongs to the init of authorizer, guard \
             and validate, and opens the connection:\n\n\
             | | calls to Secrets Manager | calls to DynamoDB | connections |\n| --- | ---: | ---: | ---: |"
        )?;
        for it in self.shown() {
            let Some(traffic) = it.traffic else { continue };
            let Traffic { secrets_manager, dynamodb, connections } = traffic;
            writeln!(text, "| {} | {secrets_manager} | {dynamodb} | {connections} |", it.name)?;
        }
        writeln!(text)?;
        Ok(())
    }
}

/// Keeps the token that an answer has, if it has one, for the functions that take one.
pub(crate) fn keep_minted(answer: &Value, token: &mut String) {
    if let Some(minted) = answer["context"]["accessToken"].as_str() {
        minted.clone_into(token);
    }
}

/// Fails unless the key ring was read once, and each invocation made one call to DynamoDB, as the warm-up does.
fn called_once_each(name: &str, traffic: Traffic, warm_invocations: u32) -> Result<()> {
    let calls = 2 + warm_invocations as usize;
    let expected = Traffic { secrets_manager: 1, dynamodb: calls, connections: 2 };
    ensure!(
        traffic == expected,
        "{name}: {traffic:?}, and not 1 call to Secrets Manager and {calls} to DynamoDB over 2 connections"
    );
    Ok(())
}

/// The figures in Markdown, each with its ratio to that of the first program and with its range.
pub(crate) fn table(programs: &[&Measured], rows: &[(&str, Compute)]) -> String {
    let names: String = programs.iter().map(|it| format!(" {} |", it.name)).collect();
    let mut table = format!("| |{names}\n| --- |{}\n", " ---: |".repeat(programs.len()));
    for (label, figure) in rows {
        let floor = figure(programs[0]).value;
        let cells: String = programs.iter().map(|it| cell(figure(it), floor)).collect();
        table += &format!("| {label} |{cells}\n");
    }
    table
}

/// A figure, its ratio to that of the floor, and its range.
fn cell(Figure { value, low, high }: Figure, floor: f64) -> String {
    let ratio = value / floor;
    if value.is_nan() {
        return " |".to_owned();
    }
    let range = if low < high { format!(", {} to {}", rounded(low), rounded(high)) } else { String::new() };
    format!(" {} ({ratio:.1}×){range} |", rounded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_value_its_ratio_and_its_range() {
        let figure = Figure { value: 10.0, low: 9.0, high: 12.0 };
        assert_eq!(cell(figure, 4.0), " 10 (2.5×), 9.0 to 12 |");
        assert_eq!(cell(Figure::fixed(0.5), 4.0), " 0.50 (0.1×) |");
        assert_eq!(cell(Figure::fixed(f64::NAN), 4.0), " |", "a size that is not known");
    }

    #[test]
    fn more_calls_than_one_an_invocation_fail() {
        let traffic = |secrets_manager, dynamodb, connections| Traffic { secrets_manager, dynamodb, connections };
        called_once_each("mint", traffic(1, 202, 2), 200).unwrap();
        for wrong in [traffic(2, 202, 2), traffic(1, 203, 2), traffic(1, 201, 2), traffic(1, 202, 3)] {
            called_once_each("mint", wrong, 200).unwrap_err();
        }
    }
}
