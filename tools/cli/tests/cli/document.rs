//! `docs/cli.md` shows what the program prints: its commands are run as they are written.

use std::path::Path;

use regex_lite::Regex;

use crate::{PROGRAM, command, local, run};

/// What differs from run to run, and what stands for it.
const VARIES: [(&str, &str); 7] = [
    (r"eyJ[A-Za-z0-9_.…-]*", "TOKEN"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "TIME"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"\b[0-9]{10}\b", "SECONDS"),
    (r"(?m)^ +to [0-9.]+  █* [0-9]+\n", ""),
    (r"[0-9]+\.[0-9]+(\.[0-9]+\.[0-9]+:[0-9]+)?", "NUMBER"),
    (r"(?m)^[0-9]+/[0-9]+ tokens, [0-9]+ claims\n", ""),
];

/// A text without what differs from run to run.
fn fixed(text: &str) -> String {
    VARIES.iter().fold(text.to_owned(), |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}

#[test]
fn the_document_shows_what_the_program_prints() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md")).unwrap();
    let blocks = document.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let sessions = blocks.flat_map(|block| block.split("$ ").skip(1));
    let (commands, outputs): (Vec<_>, Vec<_>) = sessions.map(|session| session.split_once('\n').unwrap()).unzip();
    assert!(commands.len() > 5, "{commands:?}");
    // One shell, so that a variable that is exported stays.
    let script: String = commands.iter().map(|command| format!("{command}\nprintf '\\036'\n")).collect();
    let folder = std::env::temp_dir().join(format!("token-auth-document-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let programs = Path::new(PROGRAM).parent().unwrap().display();
    let mut shell = command("bash");
    shell.args(["-c", &format!("exec 2>&1; PATH={programs}:$PATH\n{script}")]).current_dir(&folder);
    let ended = run(shell.env("TOKEN_AUTH_URL", local()), b"");
    std::fs::remove_dir_all(folder).unwrap();
    let printed: Vec<_> = ended.stdout.split('\x1e').collect();
    assert_eq!(printed.len(), commands.len() + 1);
    for ((command, expected), printed) in commands.iter().zip(outputs).zip(printed) {
        assert_eq!(fixed(printed), fixed(expected), "{command} printed\n{printed}");
    }
}
