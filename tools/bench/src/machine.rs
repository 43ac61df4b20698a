//! What a measurement was made on.

use std::{fs, path::Path, process::Command, thread};

use anyhow::{Context as _, Result, ensure};

/// The day, the machine and the versions, in a sentence each.
pub(crate) fn description(python: Option<&Path>) -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").context("needs Linux")?;
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map_or("?", |(_, it)| it);
    let cpu = cpu.trim();
    let cores = thread::available_parallelism()?;
    let day = printed(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
    let rust = printed(Command::new("rustc").arg("--version"))?;
    let valgrind = printed(Command::new("valgrind").arg("--version"))?;
    let versions = "import boto3, jwt, platform; print(f'Python {platform.python_version()}, \
                    boto3 {boto3.__version__}, PyJWT {jwt.__version__}')";
    let python = python.map(|python| printed(Command::new(python).args(["-c", versions]))).transpose()?;
    let tools = [Some(rust), python, Some(valgrind)].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Ok(format!("Measured on {day} on {cpu} ({cores} cores), with {tools}."))
}

/// What a command prints.
pub(crate) fn printed(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
