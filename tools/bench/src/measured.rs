//! A function and its measured starts.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use harness::Function;

use crate::{
    cold_start::{ColdStart, Program},
    machine::printed,
    services::Traffic,
};

/// The Python design of the authorizer.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/authorizer.py");

/// A function and its measured starts.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// What it is, if it is one of ours.
    pub(crate) function: Option<Function>,
    pub(crate) program: Program,
    /// The event of every invocation, in which `TOKEN` stands for a token.
    pub(crate) event: String,
    pub(crate) binary_mb: f64,
    pub(crate) zip_mb: f64,
    pub(crate) starts: Vec<ColdStart>,
    /// What AWS was asked in the last start.
    pub(crate) asked: Option<Traffic>,
}

/// A median with its range, or a size, whose range is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Figure {
    /// What is the same in every start.
    pub(crate) fn fixed(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// In another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { value: factor * self.value, low: factor * self.low, high: factor * self.high }
    }
}

impl Measured {
    /// One of our functions, in the folder into which `sam build` put them.
    pub(crate) fn ours(function: Function, build: &Path) -> Result<Self> {
        let new = Self::new(function.name, function.binary(build), function.event()?)?;
        Ok(Self { function: Some(function), ..new })
    }

    /// A program of this package, which was built beside `bench`; it gets the event of the authorizer.
    pub(crate) fn beside(name: &'static str) -> Result<Self> {
        Self::new(name, path_beside(name)?, Function::named("authorizer").event()?)
    }

    /// The Python design, run by this interpreter, whose size is not measured.
    pub(crate) fn python(interpreter: &Path) -> Result<Self> {
        // A function has no PATH in which to find it.
        let path = printed(Command::new(interpreter).args(["-c", "import sys; print(sys.executable)"]))?.into();
        let program = Program { path, script: Some(Path::new(PYTHON)) };
        let event = Function::named("authorizer").event()?;
        let (binary_mb, zip_mb) = (f64::NAN, f64::NAN);
        Ok(Self { name: "Python", function: None, program, event, binary_mb, zip_mb, starts: Vec::new(), asked: None })
    }

    /// A program that is a binary alone.
    fn new(name: &'static str, path: PathBuf, event: String) -> Result<Self> {
        let built = || format!("{}: build it with `sam build --config-env local`", path.display());
        let bytes = fs::read(&path).with_context(built)?;
        let zip = miniz_oxide::deflate::compress_to_vec(&bytes, 6); // zip's own default level
        let (binary_mb, zip_mb) = (megabytes(&bytes), megabytes(&zip));
        let program = Program { path, script: None };
        Ok(Self { name, function: None, program, event, binary_mb, zip_mb, starts: Vec::new(), asked: None })
    }

    /// The median over the starts.
    pub(crate) fn median(&self, of: impl Fn(&ColdStart) -> f64) -> Figure {
        let mut values: Vec<_> = self.starts.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        Figure { value: percentile(&values, 500), low: values[0], high: values[values.len() - 1] }
    }

    /// The time from the start of the process to its first token.
    pub(crate) fn cold_mint_ms(&self) -> Figure {
        self.median(|start| start.init_ms + start.first_ms)
    }

    /// The mean of the warm invocations of a start.
    #[expect(clippy::cast_precision_loss, reason = "few")]
    pub(crate) fn warm_mean_ms(&self) -> Figure {
        self.median(|start| start.warm_ms.iter().sum::<f64>() / start.warm_ms.len() as f64)
    }

    /// The time that so many thousandths of the warm invocations of all starts took at most, in milliseconds. Its range
    /// is that of the starts, each for itself.
    pub(crate) fn warm_ms(&self, per_mille: usize) -> Figure {
        let mut all: Vec<_> = self.starts.iter().flat_map(|start| start.warm_ms.iter().copied()).collect();
        all.sort_by(f64::total_cmp);
        let of_one = |start: &ColdStart| {
            let mut times = start.warm_ms.clone();
            times.sort_by(f64::total_cmp);
            percentile(&times, per_mille)
        };
        Figure { value: percentile(&all, per_mille), ..self.median(of_one) }
    }
}

/// The lowest value that at least so many thousandths of `sorted` do not exceed; the median of an even number is between
/// two.
pub(crate) fn percentile(sorted: &[f64], per_mille: usize) -> f64 {
    let rank = (sorted.len() * per_mille).div_ceil(1000).max(1);
    let is_between = per_mille == 500 && sorted.len() == 2 * rank;
    if is_between { f64::midpoint(sorted[rank - 1], sorted[rank]) } else { sorted[rank - 1] }
}

/// The path of a program of this package, which is built beside this one.
///
/// # Errors
///
/// If it was not built.
pub(crate) fn path_beside(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{}: build it with `cargo build --release -p bench`", path.display());
    Ok(path)
}

/// A measured value with as many digits as say something.
pub(crate) fn rounded(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.2}"),
        ..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// The size in MB of 10⁶ bytes.
#[expect(clippy::cast_precision_loss, reason = "exact below 9 petabytes")]
fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_lowest_value_that_so_many_do_not_exceed() {
        let upto = |last: u32| (1..=last).map(f64::from).collect::<Vec<_>>();
        assert_eq!([500, 990, 999].map(|it| percentile(&upto(1600), it)), [800.5, 1584.0, 1599.0]);
        assert_eq!([500, 990, 999].map(|it| percentile(&upto(3), it)), [2.0, 3.0, 3.0]);
        assert_eq!([0, 500, 999].map(|it| percentile(&upto(1), it)), [1.0, 1.0, 1.0]);
        assert_eq!(percentile(&upto(2), 500), 1.5);
    }
}
