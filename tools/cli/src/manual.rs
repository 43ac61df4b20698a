//! `completions` and `man`: what is generated from the arguments.

use std::path::Path;

use clap::CommandFactory as _;
use serde_json::json;

use crate::{
    arguments::Arguments,
    outcome::{Answer, Code, Failure},
};

/// The script that completes the arguments in `shell`.
pub(crate) fn completions(shell: clap_complete::Shell) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "token-auth", &mut script);
    printed(&script)
}

/// The manual page; or, with a folder, the pages of all commands, as files in it.
///
/// # Errors
///
/// A failure if the folder cannot be written to.
pub(crate) fn man(folder: Option<&Path>) -> Result<Answer, Failure> {
    let command = with_examples(Arguments::command()).mut_subcommands(with_examples);
    match folder {
        Some(folder) => {
            let unwritable = |err| Failure::usage(format!("cannot write to {}: {err}", folder.display()));
            clap_mangen::generate_to(command, folder).map_err(unwritable)?;
            let folder = folder.display().to_string();
            Ok(Answer {
                code: Code::Yes,
                text: format!("the pages are in {folder}\n"),
                json: json!({"folder": folder}),
            })
        }
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut page);
            rendered.map_err(|err| Failure::usage(format!("cannot make the page: {err}")))?;
            Ok(printed(&page))
        }
    }
}

/// Moves the examples to where a manual page has them, before the exit codes.
fn with_examples(command: clap::Command) -> clap::Command {
    let parts = [command.get_before_help(), command.get_after_help()];
    let text = parts.into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    command.after_long_help(text)
}

fn printed(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Answer { code: Code::Yes, json: json!({ "text": text }), text }
}
