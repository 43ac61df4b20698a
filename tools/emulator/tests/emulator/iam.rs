//! `AWS_IAM`: who may pass, and what a wrong signature gets.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::{Value, json};

use crate::helpers::{ACCESS_KEY, Api, functions, options};

const SCOPE: &str = "aws:amz:us-east-1:execute-api";

/// A request that is sent as it is.
#[derive(Clone)]
struct Request {
    method: &'static str,
    target: String,
    headers: Pairs,
    body: String,
}

/// Names and values.
type Pairs = Vec<(String, String)>;
/// Changes a signed request.
type Change = fn(&mut Request);

/// How a request is signed.
struct Signer {
    key: (&'static str, &'static str),
    region: &'static str,
    service: &'static str,
    age_seconds: i64,
}

impl Default for Signer {
    fn default() -> Self {
        Self { key: ACCESS_KEY, region: "us-east-1", service: "execute-api", age_seconds: 0 }
    }
}

/// What a client gets.
#[derive(Debug)]
struct Reply {
    status: u16,
    error_type: String,
    text: String,
}

impl Reply {
    fn parse(response: &str) -> Self {
        let (head, text) = response.split_once("\r\n\r\n").unwrap();
        let error_type = head.lines().find_map(|line| line.strip_prefix("x-amzn-errortype: "));
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            error_type: error_type.unwrap_or_default().to_owned(),
            text: text.to_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

impl Request {
    fn new(method: &'static str, target: &str) -> Self {
        Self { method, target: target.to_owned(), headers: Vec::new(), body: String::new() }
    }

    fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the value of a header.
    fn change(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let (_, value) = self.headers.iter_mut().find(|(own, _)| own == name).unwrap();
        *value = change(value);
        self
    }

    /// Signs the request as AWS's SDK for Rust does.
    fn signed(mut self, api: &Api, signer: &Signer) -> Self {
        self.headers.push(("host".to_owned(), api.address().to_owned()));
        for (name, value) in self.signature(signer, SigningSettings::default()).0 {
            self.headers.push((name, value));
        }
        self
    }

    /// Puts the signature into the query string.
    fn presigned(mut self, api: &Api, signer: &Signer, expires_in: u64) -> Self {
        self.headers.push(("host".to_owned(), api.address().to_owned()));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires_in));
        for (name, value) in self.signature(signer, settings).1 {
            let separator = if self.target.contains('?') { '&' } else { '?' };
            self.target += &format!("{separator}{name}={}", value.replace('/', "%2F").replace(';', "%3B"));
        }
        self
    }

    /// The headers and the query parameters of the signature.
    fn signature(&self, signer: &Signer, settings: SigningSettings) -> (Pairs, Pairs) {
        #[expect(clippy::disallowed_methods, reason = "the emulator compares the time of a signature with its clock")]
        let now = SystemTime::now();
        let age = Duration::from_secs(signer.age_seconds.unsigned_abs());
        let time = if signer.age_seconds < 0 { now + age } else { now - age };
        let identity = Credentials::new(signer.key.0, signer.key.1, None, None, "test").into();
        let parameters = SigningParams::builder().identity(&identity).region(signer.region).name(signer.service);
        let parameters = parameters.time(time).settings(settings).build().unwrap().into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signable = SignableRequest::new(self.method, self.target.as_str(), headers, body).unwrap();
        let (headers, query) = sign(signable, &parameters).unwrap().into_parts().0.into_parts();
        (
            headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect(),
            query.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
        )
    }

    async fn send(&self, api: &Api) -> Reply {
        let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            text += &format!("host: {}\r\n", api.address());
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        Reply::parse(&api.raw(&text, false).await)
    }
}

async fn start() -> Api {
    Api::start_with(options("iam.yaml")).await
}

#[tokio::test]
async fn a_signed_request_reaches_the_function_with_its_caller_and_without_its_signature() {
    let api = start().await;
    let request = Request::new("POST", "/signed?b=2&a=1").body("täxt").header("x-amz-meta", "1");

    let reply = request.signed(&api, &Signer::default()).send(&api).await;

    assert_eq!((reply.status, api.invocations()), (200, 1), "{reply:?}");
    let event = &reply.json()["event"];
    assert_eq!(event["body"], "täxt");
    let identity = &event["requestContext"]["identity"];
    assert_eq!(
        [&identity["accessKey"], &identity["accountId"], &identity["caller"], &identity["user"], &identity["userArn"]],
        [ACCESS_KEY.0, "123456789012", "AIDALOCAL", "AIDALOCAL", "arn:aws:iam::123456789012:user/local"]
    );
    assert!(event["requestContext"].get("authorizer").is_none());
    assert!(event["headers"].get("authorization").is_none(), "{event}");
    assert!(event["headers"]["x-amz-date"].is_string());
}

#[tokio::test]
async fn a_path_and_a_query_string_are_signed_as_they_are_sent() {
    let api = start().await;
    for target in [
        "/signed",
        "/signed/",
        "/signed/a//b///c",
        "//signed/a",
        "/signed/a/./b/../c",
        "/signed/%E2%9C%93/caf%C3%A9/a%20b%2Fc%25",
        "/signed/✓",
        "/signed/a:b@c,d=e;f$g!h*i'j(k)~-_.",
        "/signed?",
        "/signed?b=2&a=1&a=0&a=10&B=",
        "/signed?empty&x=&=y",
        "/signed?plus=a+b&space=a%20b&slash=/%2F&tilde=~%7E&star=*&unicode=%E2%9C%93&percent=%25",
        "/signed?a=%zz&b=%",
    ] {
        let signed = Request::get(target).signed(&api, &Signer::default());

        assert_eq!(signed.send(&api).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn a_signature_may_be_in_the_query_string() {
    let api = start().await;
    let sign = |target: &str, signer: &Signer, expires_in| Request::get(target).presigned(&api, signer, expires_in);
    for target in ["/signed", "/signed/a%20b//c?b=2&a=1"] {
        let reply = sign(target, &Signer::default(), 300).send(&api).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["event"]["requestContext"]["identity"]["accessKey"], ACCESS_KEY.0);
    }
    let aged = |age_seconds| Signer { age_seconds, ..Signer::default() };
    for (expires_in, age_seconds, status) in [(60, 30, 200), (60, 90, 401), (604_800, 400, 401)] {
        let reply = sign("/signed", &aged(age_seconds), expires_in).send(&api).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(status == 200 || reply.message().starts_with("Signature expired: "), "{reply:?}");
    }

    let signed = sign("/signed?a=1", &Signer::default(), 300);
    for (from, to) in [("a=1", "a=2"), ("a=1", "a=1&b=1"), ("Expires=300", "Expires=301"), ("/signed", "/signed/b")] {
        let mut changed = signed.clone();
        changed.target = changed.target.replacen(from, to, 1);
        let reply = changed.send(&api).await;
        assert_eq!((reply.status, &*reply.error_type), (401, "InvalidSignatureException"), "{to}");
    }
    let both = signed.header("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c");
    assert_eq!(
        both.send(&api).await.message(),
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    );
    let reply = Request::get("/signed?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1").send(&api).await;
    assert_eq!(
        reply.message(),
        "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include \
         'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the \
         query-string parameters."
    );
    assert_eq!(
        Request::get("/signed?X-Amz-Signature=1").send(&api).await.error_type,
        "MissingAuthenticationTokenException"
    );
}

#[tokio::test]
async fn a_request_that_was_changed_after_it_was_signed_is_refused() {
    let api = start().await;
    let signed = Request::new("POST", "/signed?a=1").body("body").header("x-amz-meta", "1");
    let signed = signed.signed(&api, &Signer::default());
    assert_eq!(signed.send(&api).await.status, 200);
    let served = api.invocations();

    let changes: [(&str, Change); 11] = [
        ("body", |request| request.body.push('!')),
        ("no body", |request| request.body.clear()),
        ("query", |request| request.target = "/signed?a=2".to_owned()),
        ("no query", |request| request.target = "/signed".to_owned()),
        ("another parameter", |request| request.target += "&b=1"),
        ("path", |request| request.target = "/signed/b?a=1".to_owned()),
        ("method", |request| request.method = "GET"),
        ("host", |request| *request = request.clone().change("host", |_| "example.com".to_owned())),
        ("signed header", |request| *request = request.clone().change("x-amz-meta", |_| "2".to_owned())),
        ("date", |request| {
            *request = request.clone().change("x-amz-date", |date| {
                let second = if date.ends_with("00Z") { "01Z" } else { "00Z" };
                format!("{}{second}", &date[..13])
            });
        }),
        ("signature", |request| {
            *request = request.clone().change("authorization", |value| value.replace("Signature=", "Signature=0"));
        }),
    ];
    for (name, change) in changes {
        let mut changed = signed.clone();
        change(&mut changed);

        let reply = changed.send(&api).await;

        assert_eq!((reply.status, &*reply.error_type), (401, "InvalidSignatureException"), "{name}: {reply:?}");
        assert_eq!(
            reply.json(),
            json!({
                "message": "The request signature we calculated does not match the signature you provided. Check your \
                            AWS Secret Access Key and signing method. Consult the service documentation for details.",
                "type": "INVALID_SIGNATURE",
            }),
            "{name}"
        );
    }
    for (name, value) in [("x-amz-meta", "1"), ("x-amz-date", "20150830T123600Z")] {
        assert_eq!(signed.clone().header(name, value).send(&api).await.status, 401, "a second {name}");
    }
    assert_eq!(signed.header("unsigned", "1").send(&api).await.status, 200);
    assert_eq!(api.invocations() - served, 1, "only the last one");
}

#[tokio::test]
async fn a_signature_of_another_key_time_or_scope_is_refused() {
    let api = start().await;
    let invalid = "InvalidSignatureException";
    let aged = |age_seconds| Signer { age_seconds, ..Signer::default() };
    for (name, signer, error_type, message) in [
        (
            "key",
            Signer { key: ("AKIDOTHER", ACCESS_KEY.1), ..Signer::default() },
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "secret",
            Signer { key: (ACCESS_KEY.0, "other"), ..Signer::default() },
            invalid,
            "The request signature we calculated",
        ),
        (
            "no secret",
            Signer { key: (ACCESS_KEY.0, ""), ..Signer::default() },
            invalid,
            "The request signature we calculated",
        ),
        (
            "region",
            Signer { region: "eu-west-1", ..Signer::default() },
            invalid,
            "Credential should be scoped to a valid region. ",
        ),
        (
            "service",
            Signer { service: "lambda", ..Signer::default() },
            invalid,
            "Credential should be scoped to correct service: 'execute-api'. ",
        ),
        ("old", aged(310), invalid, "Signature expired: "),
        ("from the future", aged(-310), invalid, "Signature not yet current: "),
    ] {
        let reply = Request::get("/signed").signed(&api, &signer).send(&api).await;

        assert_eq!((reply.status, &*reply.error_type), (401, error_type), "{name}: {reply:?}");
        assert!(reply.message().starts_with(message), "{name}: {reply:?}");
    }
    assert_eq!(api.invocations(), 0);
    for age_seconds in [290, -290] {
        assert_eq!(Request::get("/signed").signed(&api, &aged(age_seconds)).send(&api).await.status, 200);
    }
    let old = Request::get("/signed").signed(&api, &aged(400)).send(&api).await.message();
    let words: Vec<_> = old.split(' ').collect();
    assert_eq!(
        (words[3..7].join(" "), words[9..].join(" ")),
        ("is now earlier than".to_owned(), "- 5 min.)".to_owned()),
        "{old}"
    );
    let token = Request::get("/signed").header("x-amz-security-token", "token").signed(&api, &Signer::default());
    assert_eq!(token.send(&api).await.error_type, "UnrecognizedClientException");
}

#[tokio::test]
async fn an_authorization_of_another_form_is_refused_with_a_hash_of_it() {
    let api = start().await;
    let signed = Request::get("/signed").signed(&api, &Signer::default());
    let value = |name: &str| signed.headers.iter().find(|(own, _)| own == name).unwrap().1.clone();
    let (authorization, date) = (value("authorization"), value("x-amz-date"));
    let with = |from: &str, to: &str| authorization.replace(from, to);
    for (authorization, date, error_type, message) in [
        (
            "Bearer abc".to_owned(),
            "",
            "IncompleteSignatureException",
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'w1Xc6WwWEogNEZQP/dkBTThsJT4MNlKmzQanIm970rY='.",
        ),
        (
            "eyJh.eyJh.abc".to_owned(),
            "",
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "Basic YTpi=".to_owned(),
            "",
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. ",
        ),
        (String::new(), "", "IncompleteSignatureException", "Authorization header requires 'Credential' parameter. "),
        (
            authorization.clone(),
            "",
            "IncompleteSignatureException",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed",
        ),
        (
            with("Signature=", "Sig="),
            &date,
            "IncompleteSignatureException",
            "Authorization header requires 'Signature' parameter. (Hashed",
        ),
        (
            authorization.clone(),
            "today",
            "IncompleteSignatureException",
            "Date must be in ISO-8601 'basic format'. Got 'today'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            with("host;", ""),
            &date,
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            with("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
            &date,
            "IncompleteSignatureException",
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). ",
        ),
        (
            with("/us-east-1", ""),
            &date,
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDLOCAL/",
        ),
        (
            with("/aws4_request", "/aws5_request"),
            &date,
            "InvalidSignatureException",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
        ),
        (
            with(&date[..8], "20150830"),
            &date,
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150830' != '",
        ),
        (with("x-amz-date", "x-other"), &date, "InvalidSignatureException", "The request signature we calculated"),
    ] {
        let mut request = Request::get("/signed").header("authorization", &authorization);
        if !date.is_empty() {
            request = request.header("x-amz-date", date);
        }

        let reply = request.send(&api).await;

        assert_eq!((reply.status, &*reply.error_type), (401, error_type), "{authorization}: {reply:?}");
        assert!(reply.message().starts_with(message), "{authorization}: {reply:?}");
        assert!(authorization.len() < 20 || !reply.text.contains(&authorization), "{reply:?}");
    }
    let unsigned = Request::get("/signed").send(&api).await;
    assert_eq!((unsigned.status, &*unsigned.error_type), (403, "MissingAuthenticationTokenException"));
    assert_eq!(unsigned.json(), json!({"message": "Missing Authentication Token"}));
    assert_eq!(api.invocations(), 0);
}

#[tokio::test]
async fn a_signature_may_leave_the_date_unsigned_and_be_written_with_other_separators() {
    let api = start().await;
    let signed = Request::get("/signed").signed(&api, &Signer::default());
    for (from, to) in [(", ", ","), (", ", "  "), ("Credential", " Credential")] {
        let signed = signed.clone().change("authorization", |value| value.replace(from, to));
        assert_eq!(signed.send(&api).await.status, 200, "{to}");
    }

    let mut settings = SigningSettings::default();
    settings.excluded_headers = Some(vec!["x-amz-date".into()]);
    let mut request = Request::get("/signed").header("host", api.address());
    let headers = request.signature(&Signer::default(), settings).0;
    for (name, value) in headers {
        // The service takes the time from `Date` if there is no `X-Amz-Date`.
        request = request.header(if name == "x-amz-date" { "date" } else { &name }, &value);
    }
    assert_eq!(request.send(&api).await.status, 200);
}

#[tokio::test]
async fn an_unknown_route_gets_the_answer_to_its_signature_if_it_has_one() {
    let api = start().await;
    let refusals = [
        (Request::get("/nowhere"), "MissingAuthenticationTokenException"),
        (Request::get("/nowhere").header("authorization", "Bearer abc"), "IncompleteSignatureException"),
        (Request::get("/nowhere").signed(&api, &Signer::default()), "MissingAuthenticationTokenException"),
    ];
    for (request, error_type) in refusals {
        assert_eq!(request.send(&api).await.error_type, error_type);
    }
    let open = Request::new("POST", "/open").header("authorization", "Bearer abc").send(&api).await;
    assert_eq!((open.status, &open.json()["event"]["headers"]["authorization"]), (200, &json!("Bearer abc")));
}

#[tokio::test]
async fn a_preflight_needs_no_signature() {
    let api = start().await;
    for path in ["/signed", "/open"] {
        assert_eq!(Request::new("OPTIONS", path).send(&api).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_limits_of_a_signature_refuse_and_do_not_break_the_server() {
    let api = start().await;
    for target in [format!("/signed?{}", "/".repeat(40_000)), format!("/signed/{}", "%".repeat(12_000))] {
        // The signer itself would panic at the first of them.
        let signed = Request::get("/signed").signed(&api, &Signer::default());
        let reply = Request { target, ..signed }.send(&api).await;
        assert_eq!((reply.status, &*reply.error_type), (401, "InvalidSignatureException"));
    }
}

/// `curl --aws-sigv4`, another implementation of the signature.
#[tokio::test]
async fn curl_signs_requests_that_pass() {
    let api = start().await;
    let user = format!("{}:{}", ACCESS_KEY.0, ACCESS_KEY.1);
    for (name, path, arguments, status) in [
        ("get", "/signed", &[][..], 200),
        ("query", "/signed?a=1&b=two&c=", &[], 200),
        ("post", "/signed", &["-H", "Content-Type: application/json", "--data-binary", r#"{"a":"ä"}"#], 200),
        ("form", "/signed/form", &["--data-urlencode", "a=b c&d"], 200),
        ("empty body", "/signed", &["--data", ""], 200),
        ("put", "/signed/x", &["-X", "PUT", "--data-binary", "täxt\r\n\n"], 200),
        ("delete", "/signed/x", &["-X", "DELETE"], 200),
        ("wrong secret", "/signed", &["--user", "AKIDLOCAL:other"], 401),
        ("wrong service", "/signed", &["--aws-sigv4", "aws:amz:us-east-1:lambda"], 401),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-i", "--max-time", "20", "--noproxy", "*", "--aws-sigv4", SCOPE, "--user", &user]);
        curl.args(arguments).arg(format!("http://{}{path}", api.address())).stderr(Stdio::inherit());

        let output = tokio::task::spawn_blocking(move || curl.output()).await.unwrap().unwrap();

        let reply = Reply::parse(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(reply.status, status, "{name}: {reply:?}");
    }
}

#[tokio::test]
async fn the_summary_shows_the_routes_and_how_to_sign() {
    let server = emulator::Server::bind(options("iam.yaml"), &functions(&Default::default())).await.unwrap();
    let summary = server.summary();

    let route = summary.lines().find(|line| line.contains("POST    /signed")).unwrap();
    assert_eq!(route.split_whitespace().collect::<Vec<_>>(), ["POST", "/signed", "AWS_IAM", "->", "EchoFunction"]);
    let how = format!("\nAWS_IAM: sign with curl --aws-sigv4 {SCOPE} --user {}:{}\n", ACCESS_KEY.0, ACCESS_KEY.1);
    assert!(summary.contains(&how), "{summary}");
    assert_eq!(server.warnings(), [""; 0]);
}

#[tokio::test]
async fn without_an_access_key_every_request_is_refused_and_a_warning_says_so() {
    let echo = emulator::Functions::default().handler("echo", |_, _| async { Ok(json!({})) });
    let server = emulator::Server::bind(options("iam.yaml"), &echo).await.unwrap();
    assert_eq!(server.warnings(), ["AWS_IAM: there is no access key here, so every request is refused"]);
    assert!(!server.summary().contains("--aws-sigv4"));
    let api = Api::serve(server);

    for key in [ACCESS_KEY, ("", "")] {
        let signer = Signer { key, ..Signer::default() };
        let reply = Request::get("/signed").signed(&api, &signer).send(&api).await;
        assert_eq!((reply.status, &*reply.error_type), (401, "UnrecognizedClientException"));
    }
}
