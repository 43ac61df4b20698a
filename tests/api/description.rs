//! Every response of these tests is one that `openapi.yaml` describes.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, OnceLock},
};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{api::Answer, target::Target};

/// The description, without YAML's aliases.
static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(include_str!("../../openapi.yaml")).unwrap());

/// Responses by the pointer to their operation and the status, or why there is no such response.
type Responses = HashMap<(String, u16), Result<Arc<Response>, &'static str>>;

/// The responses that have been read.
static RESPONSES: LazyLock<Mutex<Responses>> = LazyLock::new(Mutex::default);

/// The server under test, the same for all tests of a run: what it is, and the path of its URL.
static SERVER: OnceLock<(Target, String)> = OnceLock::new();

/// The response of API Gateway to a request for an unknown path or method.
const UNKNOWN_ROUTE: &str = "/components/responses/Forbidden";

/// Says which server the responses come from.
pub(crate) fn of_server(target: Target, url: &str) {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    SERVER.get_or_init(|| (target, if path.is_empty() { String::new() } else { format!("/{path}") }));
}

/// Fails the test if `answer`, to a request with this method and path, is not as described.
pub(crate) fn assert_described(method: &str, path: &str, answer: &Answer) {
    let (target, prefix) = SERVER.get().unwrap();
    let path = path.strip_prefix(prefix).unwrap();
    if let Err(problem) = check(*target, method, path, answer) {
        panic!("{method} {path}: {}: {problem}", answer.status);
    }
}

/// A response of the description, ready to compare with.
struct Response {
    /// The name of each header, whether it is required, and the schema of its value.
    headers: Vec<(String, bool, Validator)>,
    /// The schemas of the body, by media type; none for a preflight.
    content: HashMap<String, Validator>,
}

impl Response {
    /// The response of the operation at this pointer with this status.
    fn described(operation: &str, status: u16) -> Result<Self, &'static str> {
        let pointer = match DESCRIPTION.pointer(operation).map(|operation| &operation["responses"]) {
            None if status == 403 => UNKNOWN_ROUTE.to_owned(),
            None => return Err("a route that is not described is answered"),
            Some(responses) => {
                let mut names = [status.to_string(), format!("{}XX", status / 100)].into_iter();
                let name = names.find(|name| responses.get(name).is_some()).ok_or("the status is not described")?;
                resolve(format!("{operation}/responses/{name}"))
            }
        };
        let members =
            |name: &str| DESCRIPTION.pointer(&pointer).and_then(|it| it[name].as_object()).into_iter().flatten();
        let headers = members("headers").map(|(name, _)| {
            let header = resolve(format!("{pointer}/headers/{name}"));
            let is_required = DESCRIPTION.pointer(&header).unwrap()["required"] == true;
            (name.clone(), is_required, validator(&format!("{header}/schema")))
        });
        let content = members("content");
        let content =
            content.map(|(name, _)| (name.clone(), validator(&format!("{pointer}/content/{}/schema", escape(name)))));
        Ok(Self { headers: headers.collect(), content: content.collect() })
    }

    /// How `answer` differs.
    fn check(&self, answer: &Answer) -> Result<(), String> {
        for (name, is_required, validator) in &self.headers {
            match answer.headers.get(name) {
                Some(value) => valid(validator, &json!(value.to_str().unwrap()))
                    .map_err(|problem| format!("the header {name}: {problem}"))?,
                None if *is_required => return Err(format!("the header {name} is missing")),
                None => {}
            }
        }
        if self.content.is_empty() {
            return Ok(());
        }
        let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
        let validator = self.content.get(media_type);
        let validator = validator.ok_or_else(|| format!("the content type {media_type:?} is not described"))?;
        let body = if media_type == "application/json" { answer.json() } else { json!(answer.body) };
        valid(validator, &body).map_err(|problem| format!("the body: {problem}"))
    }
}

/// How `answer` differs from its description.
fn check(target: Target, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
    // `/hello/` is served as `/hello`.
    let described = if path == "/" { path } else { path.strip_suffix('/').unwrap_or(path) };
    let operation = format!("/paths/{}/{}", escape(described), method.to_lowercase());
    let is_exempt = match target {
        // It answers by itself, without the bodies and headers of the template's gateway responses.
        Target::Sam => answer.status >= 400 && !answer.body.contains("\"reason\""),
        // Emulators may differ in the error of an unknown route, and in the success of a preflight.
        Target::Emulator => (DESCRIPTION.pointer(&operation).is_none() && answer.status >= 400) || answer.status == 204,
        Target::Local | Target::Aws => false,
    };
    // A response to HEAD has no body.
    if is_exempt || method == "HEAD" {
        return Ok(());
    }
    let mut responses = RESPONSES.lock().unwrap();
    let read = responses.entry((operation, answer.status));
    let response = read.or_insert_with_key(|(operation, status)| Response::described(operation, *status).map(Arc::new));
    let response = response.clone();
    drop(responses);
    response?.check(answer)
}

/// A validator for the schema at this pointer.
fn validator(pointer: &str) -> Validator {
    let mut document = DESCRIPTION.clone();
    document["$ref"] = json!(format!("#{pointer}"));
    jsonschema::draft202012::new(&document).unwrap()
}

/// Whether `instance` is valid. The problem that is returned shows none of it: it may be a token.
fn valid(validator: &Validator, instance: &Value) -> Result<(), String> {
    let problems: Vec<_> = validator.iter_errors(instance).map(|error| error.masked().to_string()).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// The pointer to what the reference at `pointer` leads to, if there is one.
fn resolve(pointer: String) -> String {
    let target = DESCRIPTION.pointer(&pointer).and_then(|it| it["$ref"].as_str()?.strip_prefix('#'));
    target.map_or(pointer, str::to_owned)
}

/// A name as a part of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[test]
fn a_response_that_is_not_described_is_found() {
    let answer = |status, headers: &[(&'static str, &'static str)], body: &str| {
        let of = |name: &str| reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        let headers = headers.iter().map(|(name, value)| (of(name), value.parse().unwrap()));
        Answer { status, headers: headers.collect(), body: body.to_owned() }
    };
    let exposed = "X-Access-Token,Retry-After,WWW-Authenticate,x-amzn-Remapped-WWW-Authenticate,x-amzn-RequestId";
    let headers = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", exposed),
        ("content-type", "application/json"),
    ];
    let spent = r#"{"isValid":true,"message":"Token validated successfully"}"#;
    let refused =
        |rest: &str| format!(r#"{{"isValid":false,"message":"Invalid or expired token",{rest}"requestId":"1"}}"#);
    let validate = |answer: &Answer| check(Target::Local, "POST", "/validate", answer);
    assert_eq!(validate(&answer(200, &headers, spent)), Ok(()));
    assert_eq!(validate(&answer(401, &headers, &refused(r#""reason":"revoked","#))), Ok(()));
    for (answer, expected) in [
        (answer(201, &headers, spent), "the status is not described"),
        (answer(200, &headers[1..], spent), "the header Cache-Control is missing"),
        (answer(200, &headers[..4], spent), "the content type \"\" is not described"),
        (answer(200, &headers, r#"{"isValid":true}"#), "the body: "),
        (answer(200, &headers, &spent.replace('}', r#","path":"/etc"}"#)), "the body: "),
        (answer(401, &headers, &refused(r#""reason":"used","#)), "the body: "),
        (answer(401, &headers, &refused(r#""reason":"already_used","#)), "the body: "),
        (answer(401, &headers, &refused(r#""reason":"revoked","usedAt":"2026-11-26T01:30:36Z","#)), "the body: "),
    ] {
        let problem = validate(&answer).unwrap_err();
        assert!(problem.starts_with(expected), "{problem}");
    }
    assert!(check(Target::Local, "GET", "/nowhere", &answer(200, &headers, "{}")).is_err());
}
