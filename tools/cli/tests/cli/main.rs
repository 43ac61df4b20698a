//! The program `token-auth`, against `local` and against servers that are not as they should be.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod commands;
mod deployments;
mod document;
mod generated;
mod input;
mod race;
#[cfg(feature = "stack")]
mod stack;
mod stub;
mod usage;

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::Value;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_token-auth");

/// How the program ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// The program's own error, without what is the same in all of them.
    fn error(&self) -> &str {
        self.stderr.trim_end().strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

/// A command with no settings but those of the test.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "NO_COLOR"] {
        command.env_remove(name);
    }
    for name in ["AWS_ENDPOINT_URL", "TOKEN_AUTH_URL", "http_proxy", "HTTP_PROXY"] {
        command.env_remove(name);
    }
    let nowhere = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    command.envs(nowhere).env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "us-east-1");
    command
}

/// Runs `command` with `input` as its standard input.
fn run(command: &mut Command, input: &[u8]) -> Ended {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end without reading.
    _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs the program.
fn token_auth(url: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    run(command(PROGRAM).args(["--url", url]).args(arguments), input.as_ref())
}

/// As [`token_auth`], with the access key of `local`.
fn as_operator(url: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    let mut command = command(PROGRAM);
    command.env("AWS_ACCESS_KEY_ID", local::ACCESS_KEY_ID).env("AWS_SECRET_ACCESS_KEY", local::SECRET_ACCESS_KEY);
    run(command.args(["--url", url]).args(arguments), input.as_ref())
}

/// Starts `local` on a free port, for the rest of the process; returns its URL.
fn local() -> String {
    let (started, url) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
            let options = local::Options::new(template);
            let server = local::Server::bind(options, &local::functions().unwrap()).await.unwrap();
            started.send(server.url().to_owned()).unwrap();
            server.serve(std::future::pending()).await.unwrap();
        });
    });
    url.recv().unwrap()
}

/// A token from `local`.
fn token(url: &str) -> String {
    let minted = token_auth(url, &["get"], "");
    assert_eq!(minted.code, Some(0), "{}", minted.stderr);
    minted.stdout
}
