//! How far a race has come, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::output::Output;

/// How often a line is printed where no bar can be shown.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A bar on a terminal, otherwise a line from time to time, so that a log does not look as if it hung.
#[derive(Debug)]
pub(crate) struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
    tokens: u32,
    last_line: Instant,
}

impl Progress {
    /// The progress of a race for `tokens` tokens.
    pub(crate) fn new(output: Output, tokens: u32) -> Self {
        let bar = (output.shows_progress() && Output::is_terminal()).then(|| {
            let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:20} {pos}/{len} tokens, {msg} claims");
            let bar = ProgressBar::new(u64::from(tokens)).with_message("0");
            style.map_or(bar.clone(), |style| bar.with_style(style.progress_chars("█▉▊▋▌▍▎▏ ")))
        });
        Self { output, bar, tokens, last_line: Instant::now() }
    }

    /// The race is done with `tokens` tokens and `claims` claims.
    pub(crate) fn set(&mut self, tokens: u32, claims: u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(claims.to_string());
            bar.set_position(u64::from(tokens));
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.output.note(&format!("{tokens}/{} tokens, {claims} claims\n", self.tokens));
        }
    }
}

impl Drop for Progress {
    /// Leaves the bar as it is, with an empty line below it.
    fn drop(&mut self) {
        let Some(bar) = &self.bar else { return };
        if bar.position() < u64::from(self.tokens) {
            // The terminal shows ^C in the line below the bar, where a last drawing would repeat the bar.
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.abandon();
        self.output.note("\n");
    }
}
