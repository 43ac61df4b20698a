//! Where a token is read from.

use std::time::{Duration, Instant};

use crate::{PROGRAM, command, local, run, stub, token, token_auth};

/// A URL at which nothing answers.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn a_token_comes_from_standard_input_or_a_file() {
    let url = local();
    let file = std::env::temp_dir().join(format!("token-auth-input-{}", std::process::id()));
    std::fs::write(&file, token(&url)).unwrap();
    let path = file.to_str().unwrap();

    let from_file = token_auth(&url, &["validate", "--token-file", path], "");
    std::fs::remove_file(&file).unwrap();

    assert_eq!((from_file.code, from_file.stdout.as_str()), (Some(0), "accepted\n"));
    assert_eq!(token_auth(&url, &["validate", "--token-file", "-"], format!(" {}\n", token(&url))).code, Some(0));
    let missing = token_auth(&url, &["validate", "--token-file", path], "");
    assert_eq!(missing.code, Some(2));
    assert!(missing.error().starts_with(&format!("cannot read {path}: ")), "{missing:?}");
}

#[test]
fn an_input_that_is_not_one_token_is_wrong_use_and_sends_nothing() {
    for command in ["validate", "inspect", "revoke"] {
        for (input, problem) in [
            (&b""[..], "holds no token"),
            (b"\n", "holds no token"),
            (b"a.b.c d.e.f", "holds white space within the token, or more than one token"),
            (b"a\xff", "is not UTF-8 text"),
            (&[b'a'; 1 << 20], "holds more than a token"),
        ] {
            let ended = token_auth(NOWHERE, &[command], input);
            assert_eq!((ended.code, ended.error()), (Some(2), format!("standard input {problem}").as_str()));
        }
    }
}

#[test]
fn without_standard_input_there_is_no_token() {
    let script = format!("{PROGRAM} validate <&-");
    let ended = run(command("sh").args(["-c", &script]), b"");
    assert_eq!((ended.code, ended.error()), (Some(2), "standard input holds no token"));
}

#[test]
fn a_terminal_as_standard_input_is_told_how_to_pipe_at_once() {
    let began = Instant::now();
    let script = format!("{PROGRAM} validate");
    let ended = run(command("script").args(["--quiet", "--return", "--command", &script, "/dev/null"]), b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.contains("token-auth get | token-auth validate"), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_token_as_an_argument_is_refused_and_not_repeated() {
    for arguments in [&["validate", stub::TOKEN][..], &["validate", "--token", stub::TOKEN], &[stub::TOKEN]] {
        let ended = token_auth(NOWHERE, arguments, "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(!stub::TOKEN.split('.').any(|part| ended.stderr.contains(part)), "{ended:?}");
    }
}

#[test]
fn what_is_no_token_is_for_the_api_to_refuse() {
    let ended = token_auth(&local(), &["validate"], "nonsense");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "refused: invalid_token\n"));
}
