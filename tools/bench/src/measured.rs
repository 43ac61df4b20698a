//! A function and its measured starts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use harness::Function;

use crate::{
    cold_start::ColdStart,
    figure::{Figure, percentile},
    machine::printed,
    program::{Program, path_beside},
    services::Traffic,
};

/// The Python design of the authorizer.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/authorizer.py");

/// A function and its measured starts.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Which function it is, if it is this project's.
    pub(crate) function: Option<Function>,
    pub(crate) program: Program,
    /// The event of every invocation, in which `TOKEN` stands for a token.
    pub(crate) event: String,
    pub(crate) binary_mb: f64,
    pub(crate) zip_mb: f64,
    pub(crate) starts: Vec<ColdStart>,
    /// The calls to AWS in the last start, if they are counted.
    pub(crate) traffic: Option<Traffic>,
}

impl Measured {
    /// A function of this project, in the folder into which `sam build` put them.
    pub(crate) fn built(function: Function, build: &Path) -> Result<Self> {
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
        Ok(Self {
            name: "Python",
            function: None,
            program,
            event,
            binary_mb,
            zip_mb,
            starts: Vec::new(),
            traffic: None,
        })
    }

    /// A program that is a binary alone.
    fn new(name: &'static str, path: PathBuf, event: String) -> Result<Self> {
        let built = || format!("{}: build it with `sam build --config-env local`", path.display());
        let bytes = fs::read(&path).with_context(built)?;
        let zip = miniz_oxide::deflate::compress_to_vec(&bytes, 6); // zip's own default level
        let (binary_mb, zip_mb) = (megabytes(&bytes), megabytes(&zip));
        let program = Program { path, script: None };
        Ok(Self { name, function: None, program, event, binary_mb, zip_mb, starts: Vec::new(), traffic: None })
    }

    /// The median over the starts.
    pub(crate) fn median(&self, of: impl Fn(&ColdStart) -> f64) -> Figure {
        Figure::median(self.starts.iter().map(of).collect())
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

    /// A percentile of the warm invocations of all starts, `per_mille`, in milliseconds. Its range is that of the
    /// starts, each for itself.
    pub(crate) fn warm_ms(&self, per_mille: usize) -> Figure {
        let mut all: Vec<_> = self.starts.iter().flat_map(|start| start.warm_ms.iter().copied()).collect();
        let of_one = |start: &ColdStart| percentile(&mut start.warm_ms.clone(), per_mille);
        Figure { value: percentile(&mut all, per_mille), ..self.median(of_one) }
    }
}

/// The size in MB of 10⁶ bytes.
#[expect(clippy::cast_precision_loss, reason = "exact below 9 petabytes")]
fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}
