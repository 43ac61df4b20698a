//! The share of a CPU that Lambda gives to a function with little memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The memory with which a function has one CPU, in megabytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MB_OF_ONE_CPU: u32 = 1769;

/// The period of the limit, in microseconds.
const PERIOD_US: u32 = 20_000;

/// A cgroup with a limit for one process, which is removed when this is dropped. Two processes that share one would pay
/// for each other: the end of a large one is charged to it.
#[derive(Debug)]
pub(crate) struct Share(PathBuf);

impl Share {
    /// Limits a process, from now on, to the share of a function with `mb` megabytes.
    pub(crate) fn limit(process_id: u32, mb: u32) -> Result<Self> {
        let quota_us = PERIOD_US * mb / MB_OF_ONE_CPU;
        let folder = |parent: &str| PathBuf::from(parent).join(format!("bench-{process_id}"));
        let limit = |folder: PathBuf, limits: &[(&str, String)]| {
            fs::create_dir(&folder).context("a share of a CPU needs root, and cgroups that can be written")?;
            let share = Self(folder);
            for (file, value) in limits {
                fs::write(share.0.join(file), value).with_context(|| format!("no CPU can be limited by {file}"))?;
            }
            fs::write(share.0.join("cgroup.procs"), process_id.to_string())?;
            Ok(share)
        };
        if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            limit(folder("/sys/fs/cgroup"), &[("cpu.max", format!("{quota_us} {PERIOD_US}"))])
        } else if Path::new("/sys/fs/cgroup/cpu").exists() {
            let limits = [("cpu.cfs_period_us", PERIOD_US.to_string()), ("cpu.cfs_quota_us", quota_us.to_string())];
            limit(folder("/sys/fs/cgroup/cpu"), &limits)
        } else {
            bail!("this machine has no cgroups")
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        _ = fs::remove_dir(&self.0);
    }
}
