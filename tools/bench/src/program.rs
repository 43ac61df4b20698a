//! A program that Lambda could run: a function, the floor, or another design.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use harness::{process, runtime_api::RuntimeApi};
use tokio::process::Child;

/// How a program is started.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The script of an interpreter.
    pub(crate) script: Option<&'static Path>,
}

impl Program {
    /// Starts a process with only `variables` and what Lambda sets as its environment.
    pub(crate) fn start(&self, variables: &[(&'static str, String)], api: &RuntimeApi) -> Result<Child> {
        let mut command = process::command(&self.path, variables, api);
        command.args(self.script).spawn().with_context(|| format!("{} does not start", self.path.display()))
    }
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
