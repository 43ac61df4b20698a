//! What is printed: the answer on standard output, everything else on standard error.

use std::io::{self, IsTerminal as _, Write};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::{
    arguments::{Color, Global},
    outcome::{Answer, Code, Failure, without_tokens},
};

/// The verdict yes.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// The verdict no.
pub(crate) const WRONG: Style = AnsiColor::Red.on_default().bold();
/// The verdict not known.
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default().bold();

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    is_json: bool,
    is_quiet: bool,
}

impl Output {
    /// Follows the options.
    pub(crate) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        Self { is_json: global.json, is_quiet: global.quiet }
    }

    /// Whether a person may be shown how far a command has come.
    pub(crate) fn shows_progress(self) -> bool {
        !self.is_quiet && !self.is_json
    }

    /// Whether a moving picture can be shown: not if an output is recorded.
    pub(crate) fn is_terminal() -> bool {
        io::stderr().is_terminal() && io::stdout().is_terminal()
    }

    /// Prints a remark for a person, on standard error.
    pub(crate) fn note(self, text: &str) {
        if self.shows_progress() {
            _ = anstream::stderr().write_all(text.as_bytes());
        }
    }

    /// Prints how a command ended, and returns the exit code.
    pub(crate) fn end(self, result: &Result<Answer, Failure>) -> Code {
        let (code, printed) = match result {
            Ok(answer) if self.is_json => (answer.code, print_json(&answer.json)),
            Ok(answer) => (answer.code, print(&answer.text)),
            Err(failure) if self.is_json => (failure.code, print_json(&failure.json())),
            Err(failure) => {
                let not_known = if failure.code == Code::Unknown { "not known: " } else { "" };
                let text = format!("{WRONG}error:{WRONG:#} {not_known}{}\n", failure.message);
                (failure.code, anstream::stderr().write_all(text.as_bytes()).or(Ok(())))
            }
        };
        match printed {
            Ok(()) => code,
            // The reader has what it wants.
            Err(err) if err.kind() == io::ErrorKind::BrokenPipe => code,
            Err(err) => {
                _ = writeln!(io::stderr(), "error: cannot write the answer: {err}");
                Code::Unknown
            }
        }
    }
}

/// Prints why the arguments are wrong. They are not parsed then, but may ask for JSON all the same.
pub(crate) fn wrong_use(err: &clap::Error) -> Code {
    _ = if std::env::args_os().any(|argument| argument == "--json") {
        print_json(&Failure::usage(err.to_string().trim()).json())
    } else {
        // It shows the argument at fault, which can be a token.
        anstream::stderr().write_all(without_tokens(&err.render().ansi().to_string()).as_bytes())
    };
    Code::Usage
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn print_json(value: &Value) -> io::Result<()> {
    print(&format!("{value}\n"))
}
