//! Each command against `local`: its output and its exit code.

use crate::{PROGRAM, as_operator, command, local, run, token, token_auth};

#[test]
fn get_prints_the_token_alone() {
    let url = local();
    for arguments in [&["get"][..], &["get", "--from", "tokens"], &["--quiet", "get", "--from", "hello"]] {
        let got = token_auth(&url, arguments, "");
        assert_eq!((got.code, got.stderr.as_str()), (Some(0), ""));
        let token = got.stdout.strip_suffix('\n').unwrap();
        assert_eq!((token.split('.').count(), token.contains(char::is_whitespace)), (3, false));
    }
    let json = token_auth(&url, &["get", "--json"], "").json();
    assert!(json["token"].as_str().unwrap().starts_with("eyJ"));
    assert_eq!([json["expiresAt"].as_str().unwrap().len(), json["jti"].as_str().unwrap().len()], [20, 36]);
}

#[test]
fn a_token_is_accepted_once_and_refused_with_the_time_of_its_use_afterwards() {
    let url = local();
    let token = token(&url);

    let first = token_auth(&url, &["validate"], &token);
    let second = token_auth(&url, &["validate"], &token);
    let third = token_auth(&url, &["--json", "validate"], &token).json();

    assert_eq!((first.code, first.stdout.as_str()), (Some(0), "accepted\n"));
    let at = second.stdout.trim_end().strip_prefix("refused: already_used at ").unwrap();
    assert_eq!((second.code, third["usedAt"].as_str()), (Some(1), Some(at)));
    assert_eq!([&third["outcome"], &third["reason"]], ["refused", "already_used"]);
}

#[test]
fn get_and_validate_work_in_a_pipe() {
    let pipe = format!("{PROGRAM} get | {PROGRAM} validate");
    let ended = run(command("sh").args(["-c", &pipe]).env("TOKEN_AUTH_URL", local()), b"");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "accepted\n", ""));
}

#[test]
fn a_token_of_a_named_audience_is_minted_inspected_and_revoked() {
    let url = local();
    let minted = as_operator(&url, &["mint", "report-link", "--ttl", "10m", "--json"], "").json();
    let (token, jti) = (minted["token"].as_str().unwrap(), minted["jti"].as_str().unwrap());

    let unspent = as_operator(&url, &["inspect"], token);
    let revoked = as_operator(&url, &["revoke", "--jti", jti], "");
    let inactive = as_operator(&url, &["inspect", "--json"], token);

    assert_eq!(unspent.code, Some(0));
    for line in
        ["active     true\n", "state      unspent\n", "aud        local/report-link\n", &format!("jti        {jti}\n")]
    {
        assert!(unspent.stdout.contains(line), "{}", unspent.stdout);
    }
    assert_eq!((revoked.code, revoked.stderr.as_str()), (Some(0), ""));
    assert!(revoked.stdout.starts_with("revoked, unless "));
    assert_eq!((inactive.code, inactive.json()["state"].as_str()), (Some(1), Some("revoked")));
    assert_eq!(inactive.json()["exp"].as_u64().unwrap() - inactive.json()["iat"].as_u64().unwrap(), 600);
    // A token itself is revoked too.
    let other = as_operator(&url, &["mint", "report-link"], "").stdout;
    assert_eq!(as_operator(&url, &["revoke"], &other).code, Some(0));
    assert_eq!(as_operator(&url, &["inspect"], &other).code, Some(1));
}

#[test]
fn what_the_api_does_not_accept_is_wrong_use() {
    let url = local();
    for arguments in
        [&["mint", "a b"][..], &["mint", "Prod"], &["mint", "a", "--ttl", "2days"], &["revoke", "--jti", "x"]]
    {
        let ended = as_operator(&url, arguments, "");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.error().contains(" answered 400 Bad Request ("), "{ended:?}");
    }
}

#[test]
fn without_credentials_or_with_wrong_ones_the_exit_code_is_4() {
    let url = local();
    let token = token(&url);
    for arguments in [&["mint", "report-link"][..], &["inspect"], &["revoke"]] {
        let without = token_auth(&url, arguments, &token);
        assert_eq!(without.code, Some(4), "{without:?}");
        assert!(without.error().starts_with("there are no AWS credentials ("), "{without:?}");

        let credentials = [("AWS_ACCESS_KEY_ID", local::ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", "wrong")];
        let wrong = run(command(PROGRAM).envs(credentials).args(["--url", &url]).args(arguments), token.as_bytes());
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(4), ""), "{wrong:?}");
        assert!(wrong.error().contains("403 Forbidden"), "{wrong:?}");
    }
    assert_eq!(token_auth(&url, &["--json", "inspect"], &token).json()["error"]["reason"], "no_credentials");
    let nowhere = token_auth(&url, &["--profile", "none", "inspect"], &token);
    assert_eq!(nowhere.code, Some(4), "{nowhere:?}");
}

#[test]
fn the_credentials_of_a_profile_sign() {
    let url = local();
    let token = token(&url);
    let file = std::env::temp_dir().join(format!("token-auth-profile-{}", std::process::id()));
    let (id, secret) = (local::ACCESS_KEY_ID, local::SECRET_ACCESS_KEY);
    std::fs::write(&file, format!("[operator]\naws_access_key_id={id}\naws_secret_access_key={secret}\n")).unwrap();
    let mut command = command(PROGRAM);
    command.env("AWS_SHARED_CREDENTIALS_FILE", &file).args(["--url", &url, "inspect", "--profile", "operator"]);
    let ended = run(&mut command, token.as_bytes());
    std::fs::remove_file(file).unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[cfg(feature = "stack")]
#[test]
fn a_stack_that_cannot_be_described_is_not_known() {
    let credentials = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let mut command = command(PROGRAM);
    command.envs(credentials).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_MAX_ATTEMPTS", "1");
    let ended = run(command.args(["--stack", "none", "get"]), b"");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.error().starts_with("not known: the stack none cannot be described: "), "{ended:?}");
}

#[test]
fn colour_is_used_only_where_it_is_asked_for() {
    let url = local();
    let green = "\u{1b}[";
    assert!(token_auth(&url, &["--color", "always", "validate"], token(&url)).stdout.contains(green));
    for arguments in [&["validate"][..], &["--color", "never", "validate"]] {
        assert_eq!(token_auth(&url, arguments, token(&url)).stdout, "accepted\n");
    }
    let on_a_terminal = |variable: &str| {
        let script = format!("{variable} {PROGRAM} get --url {url} | {variable} {PROGRAM} validate --url {url}");
        let mut terminal = command("script");
        terminal.args(["--quiet", "--return", "--command", &script, "/dev/null"]).env("TERM", "xterm");
        run(&mut terminal, b"").stdout.contains(green)
    };
    assert_eq!([on_a_terminal(""), on_a_terminal("NO_COLOR=1")], [true, false]);
}

#[test]
fn a_closed_or_full_standard_output_is_no_panic() {
    let url = local();
    for (redirected, code) in [("| true", Some(0)), (">&-", Some(0)), (">/dev/full", Some(3))] {
        let script = format!("{PROGRAM} get {redirected}");
        let ended = run(command("sh").args(["-c", &script]).env("TOKEN_AUTH_URL", &url), b"");
        assert_eq!((ended.code, ended.stderr.contains("panicked")), (code, false), "{redirected}: {ended:?}");
    }
}
