//! The limits of the functions.

use anyhow::{Result, ensure};

use crate::measured::Measured;

/// The limit for the CPU time of an init: two to three times that of a build without jitter entropy.
const MAX_INIT_CPU_MS: f64 = 15.0;

/// The limit for the zip of a function that calls AWS.
const MAX_ZIP_MB: f64 = 3.0;

/// The limit for the zip of one that does not.
const MAX_SMALL_ZIP_MB: f64 = 0.8;

/// The limit for the peak of the resident memory.
const MAX_PEAK_MB: f64 = 12.0;

/// Fails if a function exceeds its limits.
pub(crate) fn check(measured: &Measured) -> Result<()> {
    let (name, zip_mb) = (measured.name, measured.zip_mb);
    let max_zip_mb = if ["hello", "guarded", "page"].contains(&name) { MAX_SMALL_ZIP_MB } else { MAX_ZIP_MB };
    ensure!(zip_mb <= max_zip_mb, "the zip of {name} has {zip_mb:.2} MB, and the limit is {max_zip_mb} MB");
    let peak_mb = measured.median(|start| start.peak_mb).value;
    ensure!(peak_mb <= MAX_PEAK_MB, "{name} takes {peak_mb:.1} MB of memory, and the limit is {MAX_PEAK_MB} MB");
    let cpu_ms = measured.median(|start| start.init_cpu_ms).value;
    ensure!(
        cpu_ms < MAX_INIT_CPU_MS,
        "the init of {name} takes {cpu_ms:.1} ms of CPU, and the limit is {MAX_INIT_CPU_MS} ms: \
         was it built without the AWS_LC_SYS_NO_JITTER_ENTROPY of .cargo/config.toml?"
    );
    Ok(())
}
