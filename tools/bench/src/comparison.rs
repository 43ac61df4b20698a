//! A comparison: programs that are started in turns, so that the noise of the machine affects all equally.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness::{FUNCTIONS, runtime_api::RuntimeApi};

use crate::{
    cold_start::ColdStart,
    measured::{Figure, Measured},
    roots::Roots,
    services::{Services, Target, Traffic},
};

/// Computes a figure of a program.
pub(crate) type Of = fn(&Measured) -> Figure;

/// The rows of a table of measurements.
pub(crate) const FIGURES: [(&str, Of); 8] = [
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
pub(crate) const SIZES: [(&str, Of); 2] =
    [("binary, MB", |it| Figure::fixed(it.binary_mb)), ("zip, MB", |it| Figure::fixed(it.zip_mb))];

/// What is the same for all programs of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) target: Target,
    /// The memory whose share of a CPU each invocation gets.
    pub(crate) memory_mb: Option<u32>,
    pub(crate) starts: u32,
    pub(crate) warm_invocations: u32,
}

/// The floor, our functions, and the other designs: Python only with an interpreter.
pub(crate) fn programs(build: &Path, python: Option<&PathBuf>) -> Result<Vec<Measured>> {
    let mut programs = vec![Measured::beside("floor")?];
    // No request waits for `rotate`.
    for function in FUNCTIONS.into_iter().filter(|function| function.name != "rotate") {
        programs.push(Measured::ours(function, build)?);
    }
    programs.push(Measured::beside("naive")?);
    if let Some(interpreter) = python {
        programs.push(Measured::python(interpreter)?);
    }
    Ok(programs)
}

/// Starts every program in turns. Returns the times of one call of DynamoDB by a client that does nothing else, in
/// milliseconds, where the services are fakes.
pub(crate) async fn compare(programs: &mut [Measured], setup: &Setup) -> Result<Vec<f64>> {
    let services = Services::start(&setup.target).await?;
    let roots = Roots::with(&services.certificates)?;
    let variables = services.variables(&roots)?;
    let mut api = RuntimeApi::start().await?;
    // The token that was minted last, for the functions that take one.
    let mut token = String::new();
    for _ in 0..setup.starts {
        for measured in &mut *programs {
            let event = measured.event.replace("TOKEN", &token);
            let before = services.asked();
            let (program, warm) = (&measured.program, setup.warm_invocations);
            let start = ColdStart::measure(program, &variables, &event, warm, &mut api, setup.memory_mb).await;
            let (start, answer) = start.with_context(|| measured.name)?;
            if services.are_counted() {
                let asked = services.asked_since(before);
                if measured.function.is_some_and(|function| function.access.is_some()) {
                    asked_once_each(measured.name, asked, warm)?;
                }
                measured.asked = Some(asked);
            }
            if let Some(minted) = answer["context"]["accessToken"].as_str() {
                minted.clone_into(&mut token);
            }
            measured.starts.push(start);
        }
    }
    services.end().await?;
    if services.are_counted() { services.round_trips().await } else { Ok(Vec::new()) }
}

/// Fails unless the key ring was read once, and each invocation made one call of DynamoDB, as the warm-up does.
fn asked_once_each(name: &str, asked: Traffic, warm_invocations: u32) -> Result<()> {
    let tokens = 2 + warm_invocations as usize;
    ensure!(
        (asked.secrets, asked.tokens) == (1, tokens) && asked.connections == 2,
        "{name}: {asked:?}, and not 1 call of Secrets Manager and {tokens} of DynamoDB over 2 connections"
    );
    Ok(())
}

/// The figures in Markdown, each with its ratio to that of the first program and with its range.
pub(crate) fn table(programs: &[&Measured], rows: &[(&str, Of)]) -> String {
    let names: String = programs.iter().map(|it| format!(" {} |", it.name)).collect();
    let mut table = format!("| |{names}\n| --- |{}\n", " ---: |".repeat(programs.len()));
    for (label, figure) in rows {
        let floor = figure(programs[0]).value;
        let cells: String = programs.iter().map(|it| cell(figure(it), floor)).collect();
        table += &format!("| {label} |{cells}\n");
    }
    table
}

fn cell(Figure { value, low, high }: Figure, floor: f64) -> String {
    let ratio = value / floor;
    if value.is_nan() {
        " |".to_owned()
    } else if low < high {
        format!(" {value:.1} ({ratio:.1}×), {low:.1} to {high:.1} |")
    } else {
        format!(" {value:.1} ({ratio:.1}×) |")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_value_its_ratio_and_its_range() {
        let figure = Figure { value: 10.0, low: 9.0, high: 12.0 };
        assert_eq!(cell(figure, 4.0), " 10.0 (2.5×), 9.0 to 12.0 |");
        assert_eq!(cell(Figure::fixed(10.0), 4.0), " 10.0 (2.5×) |");
        assert_eq!(cell(Figure::fixed(f64::NAN), 4.0), " |", "a size that is not known");
    }

    #[test]
    fn more_calls_than_one_an_invocation_fail() {
        let asked = |secrets, tokens, connections| Traffic { secrets, tokens, connections };
        asked_once_each("mint", asked(1, 202, 2), 200).unwrap();
        for wrong in [asked(2, 202, 2), asked(1, 203, 2), asked(1, 201, 2), asked(1, 202, 3)] {
            asked_once_each("mint", wrong, 200).unwrap_err();
        }
    }
}
