//! The program `local`: its exit codes, its errors, its shutdown, and what it never prints.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(arguments);
    command
}

fn failed(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    assert!(stdout.is_empty(), "{arguments:?}");
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// The program. It is killed when the test ends, even if the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl std::ops::Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

/// Starts the program on a free port; returns it with its address.
fn started() -> (Running, String) {
    started_with(&[])
}

/// As [`started`], with more arguments.
fn started_with(arguments: &[&str]) -> (Running, String) {
    let mut child =
        program(&[&["--port", "0"], arguments].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("listening on http://").unwrap().to_owned();
    (Running(child), address)
}

/// Sends a request on a connection that then closes; returns the whole response.
fn request(address: &str, head_and_body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head_and_body.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn a_failed_start_is_one_line_of_error_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let duplicate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulator/tests/templates/duplicate.yaml");
    for (arguments, starts, ends) in [
        (["--port", &port], format!("error: cannot listen on 127.0.0.1:{port}: "), "(os error 98)\n"),
        (["--template", "none.yaml"], "error: cannot read none.yaml: ".to_owned(), "(os error 2)\n"),
        (["--template", duplicate.to_str().unwrap()], "error: ".to_owned(), "duplicate.yaml:3: duplicate key Api\n"),
    ] {
        let (code, stderr) = failed(&arguments);
        assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.starts_with(&starts) && stderr.ends_with(ends), "{stderr}");
    }
}

#[test]
fn a_malformed_url_of_dynamodb_is_the_error_even_if_there_are_no_credentials() {
    for url in ["localhost:8000", "127.0.0.1:8000", "ftp://127.0.0.1", "http://127.0.0.1?x", "http://", "nonsense", ""]
    {
        let mut local = program(&["--port", "0", "--dynamodb", url, "--table", "Tokens"]);
        let output = local.env_remove("AWS_ACCESS_KEY_ID").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let expected =
            "error: --dynamodb must be an http or https URL without a query, such as http://localhost:8000\n";
        assert_eq!((output.status.code(), stderr.as_str()), (Some(1), expected), "{url}");
    }
}

#[test]
fn a_token_lives_as_long_as_the_overridden_parameter_says() {
    let (_child, address) = started_with(&["--parameter-overrides", "TokenTtlSeconds=5", "OpenRoutes=true"]);
    let hello = request(&address, "GET /hello HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n");
    let token = hello.lines().find_map(|line| line.strip_prefix("x-access-token: ")).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 5);
}

#[test]
fn an_override_that_the_template_forbids_and_a_wrong_region_are_one_line_of_error_and_exit_code_1() {
    let line = |text: &str| {
        let template = include_str!("../../../../template.yaml");
        template.lines().position(|line| line == text).unwrap() + 1
    };
    let ttl = format!("template.yaml:{}: TokenTtlSeconds", line("  TokenTtlSeconds:"));
    let parameters = format!("template.yaml:{}: there is no parameter TokenTtlSecond", line("Parameters:"));
    for (arguments, expected) in [
        (&["--parameter-overrides", "TokenTtlSeconds=0"][..], format!("{ttl} cannot be \"0\": MinValue is 1")),
        (&["--parameter-overrides", "TokenTtlSecond=5"], parameters),
        (
            &["--parameter-overrides", "OpenRoutes"],
            "--parameter-overrides: \"OpenRoutes\" is not of the form Name=value".to_owned(),
        ),
        (
            &["--parameter-overrides", "OpenRoutes=true", "--parameter-overrides", "OpenRoutes=false"],
            "--parameter-overrides: OpenRoutes is there twice".to_owned(),
        ),
        (
            &["--region", "Tokyo"],
            "Tokyo cannot be the Region: a Region of the partition aws is expected, such as eu-west-1".to_owned(),
        ),
    ] {
        let (code, stderr) = failed(&[&["--port", "0"], arguments].concat());
        assert_eq!((code, stderr), (Some(1), format!("error: {expected}\n")), "{arguments:?}");
    }
}

#[test]
fn an_unknown_option_is_exit_code_2_and_names_it() {
    let (code, stderr) = failed(&["--prot", "1"]);

    assert_eq!(code, Some(2));
    assert!(stderr.contains("'--prot'"), "{stderr}");
}

#[test]
fn a_signal_ends_it_cleanly_despite_an_idle_connection() {
    for signal in ["-INT", "-TERM"] {
        let (mut child, address) = started();
        let mut idle = TcpStream::connect(&address).unwrap();
        idle.write_all(b"POST /validate HTTP/1.1\r\nHost: local\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_ne!(idle.read(&mut [0; 1024]).unwrap(), 0);
        let _unused = TcpStream::connect(&address).unwrap();
        let start = Instant::now();

        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = child.wait().unwrap();

        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(3), "{signal} took {:?}", start.elapsed());
    }
}

#[test]
fn an_unfinished_request_does_not_keep_it_running() {
    let (mut child, address) = started();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"POST /validate HTTP/1.1\r\nHost: local\r\nContent-Length: 9\r\n\r\n{").unwrap();
    request(&address, "GET /nowhere HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n"); // the unfinished one has arrived
    let start = Instant::now();

    Command::new("kill").arg(child.id().to_string()).status().unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(6), "took {:?}", start.elapsed());
}

#[test]
fn each_request_is_one_log_line_without_a_token_a_header_or_a_body() {
    let (mut child, address) = started();
    let hello = request(&address, "GET /hello?token=canary-query HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n");
    let token = hello.lines().find_map(|line| line.strip_prefix("x-access-token: ")).unwrap();
    for body in [format!(r#"{{"token":"{token}"}}"#), format!(r#"{{"token":"{token}"}}"#), "canary-body".to_owned()] {
        request(
            &address,
            &format!(
                "POST /validate/ HTTP/1.1\r\nHost: local\r\nConnection: close\r\nAuthorization: Basic canary-header\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
    }
    request(&address, "GET /nowhere HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n");
    request(&address, &format!("PUT /validate/{token}/x HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n"));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();

    let messages = log.lines().filter_map(|line| line.split_once("INFO ")).map(|(_, message)| message);
    let requests: Vec<&str> = messages.filter(|text| text.starts_with("GET ") || text.starts_with("POST ")).collect();
    assert_eq!(requests.len(), 5, "{log}");
    assert!(requests[0].starts_with("GET /hello 200 authorizer=Allow AuthorizerFunction="), "{log}");
    assert!(requests[1].starts_with("POST /validate 200 ValidateFunction="), "{log}");
    assert!(requests[2].starts_with("POST /validate 401 ValidateFunction="), "{log}");
    assert_eq!(requests[4], "GET /nowhere 403 MISSING_AUTHENTICATION_TOKEN");
    let payload = token.split('.').nth(1).unwrap();
    for secret in ["canary-query", "canary-body", "canary-header", payload] {
        assert!(!log.contains(secret) && !printed.contains(secret), "{secret} in {log}");
    }
}
