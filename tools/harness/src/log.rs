//! A log that is kept in memory.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

/// What was logged. Its clones write to the same log.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything that was logged.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The lines, each of which must be JSON.
    ///
    /// # Errors
    ///
    /// When one is not.
    pub fn lines(&self) -> serde_json::Result<Vec<Value>> {
        self.text().lines().map(serde_json::from_str).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
