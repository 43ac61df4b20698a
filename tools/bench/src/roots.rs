//! A file of root certificates.

use std::{env, fs, path::PathBuf, process};

use anyhow::{Context as _, Result};

/// Where Linux distributions keep the root certificates.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// A temporary file, which is deleted when this is dropped.
#[derive(Debug)]
pub(crate) struct Roots(PathBuf);

impl Roots {
    /// Writes the system's roots and `certificate` into a file. A function reads all of them in its
    /// init, so leaving the system's out would make it look faster.
    pub(crate) fn with(certificate: &str) -> Result<Self> {
        let system_roots = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok());
        let system_roots = system_roots.with_context(|| format!("no root certificates in {SYSTEM_ROOTS:?}"))?;
        Self::only(&(system_roots + "\n" + certificate))
    }

    /// Writes these certificates alone into a file.
    pub(crate) fn only(certificates: &str) -> Result<Self> {
        let roots = Self(env::temp_dir().join(format!("bench-{}.pem", process::id())));
        fs::write(&roots.0, certificates)?;
        Ok(roots)
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> Result<String> {
        Ok(self.0.to_str().context("the directory for temporary files is not UTF-8")?.to_owned())
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}
