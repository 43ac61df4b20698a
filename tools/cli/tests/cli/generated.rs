//! Help, manual pages and completions.

use crate::{PROGRAM, command, run, token_auth};

/// The commands.
const COMMANDS: [&str; 8] = ["get", "mint", "validate", "race", "inspect", "revoke", "completions", "man"];

/// Runs the program without an API.
fn offline(arguments: &[&str]) -> String {
    let ended = token_auth("http://127.0.0.1:1", arguments, "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

#[test]
fn each_help_shows_examples_first_and_the_exit_codes() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = offline(&[command, flag]);
            let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{command} {flag}: no {text}: {help}"));
            assert!(at("Example") < at("\nUsage: token-auth") && at("\nUsage") < at("\nOptions:"), "{help}");
            assert!(
                help.contains(&format!("\n  token-auth {command}")) || help.contains(&format!(" {command} ")),
                "{help}"
            );
            assert!(at("Exit codes:\n  0  yes") > at("--timeout"), "{help}");
        }
    }
    let help = offline(&["--help"]);
    assert!(COMMANDS.iter().all(|command| help.contains(&format!("\n  {command} "))), "{help}");
    assert!(help.contains("  3  not known: an answer is missing; never read it as a no\n"), "{help}");
    assert_eq!(offline(&["-V"]), format!("token-auth {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_use_is_exit_code_2_on_standard_error() {
    for arguments in
        [&[][..], &["spend"], &["--urll"], &["mint"], &["get", "--from", "nowhere"], &["completions", "tcsh"]]
    {
        let ended = token_auth("http://127.0.0.1:1", arguments, "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains("--help"), "{}", ended.stderr);
    }
}

#[test]
fn wrong_use_is_json_too_if_that_was_asked_for() {
    let ended = token_auth("http://127.0.0.1:1", &["--json", "get", "--from", "nowhere"], "");
    assert_eq!((ended.code, ended.json()["error"]["reason"].as_str()), (Some(2), Some("usage")), "{ended:?}");
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = offline(&["man"]);
    for text in [".TH token-auth 1", "TOKEN_AUTH_URL", "token\\-auth get | token\\-auth validate", "Exit codes:"] {
        assert!(page.contains(text), "no {text}: {page}");
    }
    let folder = std::env::temp_dir().join(format!("token-auth-man-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    offline(&["man", folder.to_str().unwrap()]);
    let mut names = vec!["token-auth.1".to_owned()];
    names.extend(COMMANDS.map(|command| format!("token-auth-{command}.1")));
    for name in names {
        let page = std::fs::read_to_string(folder.join(&name)).unwrap_or_else(|err| panic!("{name}: {err}"));
        assert!(page.contains(&format!(".TH {} 1", name.trim_end_matches(".1"))), "{name}: {page}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let nowhere = token_auth("http://127.0.0.1:1", &["man", folder.to_str().unwrap()], "");
    assert_eq!(nowhere.code, Some(2));
}

#[test]
fn the_completions_of_bash_complete() {
    let script = format!(
        "source <({PROGRAM} completions bash); COMP_WORDS=(token-auth va); COMP_CWORD=1; \
         $(complete -p token-auth | sed 's/.*-F //; s/ .*//') token-auth va token-auth; echo \"${{COMPREPLY[@]}}\""
    );
    let ended = run(command("bash").args(["-c", &script]), b"");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("validate\n", ""));
    for shell in ["elvish", "fish", "powershell", "zsh"] {
        assert!(offline(&["completions", shell]).contains("validate"), "{shell}");
    }
}
