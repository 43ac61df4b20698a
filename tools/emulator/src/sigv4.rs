//! `AWS_IAM`: verifies that a request is signed with the callers' access key (AWS Signature Version 4).
//!
//! The expected signature is computed by [`aws_sigv4`], the signer of AWS's SDK for Rust, over the request as it
//! arrived. The order of the checks and their messages are recorded (docs/gateway.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, DATE, HeaderMap};
use http::request::Parts;

use crate::clock;
use crate::gateway_response::{Refusal, ResponseType};

/// The only algorithm of signatures.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service in the scope of a signature.
pub(crate) const SERVICE: &str = "execute-api";
/// The end of the scope of a signature.
const TERMINATOR: &str = "aws4_request";
/// How far the time of a signature may be from the present.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// The longest target of a request that has a signature. API Gateway has this limit for line and headers together.
const MAX_TARGET_BYTES: usize = 10_240;

/// The access key of the callers.
#[derive(Clone)]
pub(crate) struct AccessKey {
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Verifies the signature of a request for `host`, which is in its header `Authorization` or in its query string,
/// and whose scope must be `region`. Returns the id of the access key.
///
/// # Errors
///
/// The gateway response of a request that has no signature, or a wrong one.
pub(crate) fn verify<'a>(
    request: &Parts,
    host: &str,
    body: &[u8],
    key: Option<&'a AccessKey>,
    region: &str,
    now: SystemTime,
) -> Result<&'a str, Refusal> {
    let signature = Signature::of(request)?;
    let signed_at = signature.time(now)?;
    if !signature.names().any(|name| name == "host") {
        return Err(invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    }
    if signature.algorithm != ALGORITHM {
        let algorithm = &signature.algorithm;
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now). ")));
    }
    let id = signature.check_scope(region)?;
    let key = key.filter(|key| key.id == id).ok_or_else(unrecognized)?;
    let expected = signature.expected(request, host, body, key, region, signed_at).ok_or_else(mismatch)?;
    verify_slices_are_equal(expected.as_bytes(), signature.value.as_bytes()).map_err(|_| mismatch())?;
    if signature.has_token { Err(unrecognized()) } else { Ok(&key.id) }
}

/// A signature and what it says about itself.
struct Signature {
    /// Name of the algorithm.
    algorithm: String,
    /// Id of the access key and scope: `id/date/region/service/aws4_request`.
    credential: String,
    /// Names of the signed headers, separated by `;`.
    signed_headers: String,
    /// The signature itself, in hexadecimal digits.
    value: String,
    /// When the request was signed, in ISO 8601's basic format.
    date: String,
    /// How long it may be used, if that is less than [`WINDOW`].
    lifetime: Duration,
    /// Whether it is in the query string.
    is_in_query: bool,
    /// Whether a session token is sent with it.
    has_token: bool,
}

impl Signature {
    /// The signature of a request.
    fn of(request: &Parts) -> Result<Self, Refusal> {
        let query = request.uri.query().unwrap_or_default();
        let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let values = request.headers.get_all(AUTHORIZATION).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        match (values.as_slice(), query.contains_key("X-Amz-Algorithm")) {
            ([], false) => Err(ResponseType::MissingAuthenticationToken.into()),
            ([], true) => Self::in_query(&query),
            (_, true) => {
                Err(invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."))
            }
            (values, false) => Self::in_header(&values.join(","), &request.headers),
        }
    }

    /// The signature in the header `Authorization`.
    fn in_header(authorization: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        // Only a hash of the header is repeated to the client.
        let hash = STANDARD.encode(digest(&SHA256, authorization.as_bytes()));
        let mut words = authorization.split([',', ' ']).filter(|word| !word.is_empty());
        let algorithm = words.next().unwrap_or_default();
        let mut parameters = BTreeMap::new();
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(|| {
                incomplete(format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and \
                     encoded with Base64): '{hash}'."
                ))
            })?;
            parameters.insert(name, value);
        }
        let date = headers.get("x-amz-date").or_else(|| headers.get(DATE));
        let mut message = String::new();
        for name in ["Credential", "Signature", "SignedHeaders"] {
            if parameters.get(name).is_none_or(|value| value.is_empty()) {
                message += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        if date.is_none() {
            message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        let date = date.filter(|_| message.is_empty()).ok_or_else(|| {
            incomplete(format!("{message}(Hashed with SHA-256 and encoded with Base64) Authorization={hash}"))
        })?;
        let parameter = |name| parameters.get(name).copied().unwrap_or_default().to_owned();
        Ok(Self {
            algorithm: algorithm.to_owned(),
            credential: parameter("Credential"),
            signed_headers: parameter("SignedHeaders"),
            value: parameter("Signature"),
            date: String::from_utf8_lossy(date.as_bytes()).into_owned(),
            lifetime: WINDOW,
            is_in_query: false,
            has_token: headers.contains_key("x-amz-security-token"),
        })
    }

    /// The signature in the query string.
    fn in_query(query: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let mut message = String::new();
        let mut parameter = |name: &str| {
            let value = query.get(name).filter(|value| !value.is_empty()).cloned();
            if value.is_none() {
                message += &format!("AWS query-string parameters must include '{name}'. ");
            }
            value.unwrap_or_default()
        };
        let signature = Self {
            algorithm: parameter("X-Amz-Algorithm"),
            credential: parameter("X-Amz-Credential"),
            value: parameter("X-Amz-Signature"),
            signed_headers: parameter("X-Amz-SignedHeaders"),
            date: parameter("X-Amz-Date"),
            lifetime: match query.get("X-Amz-Expires").map(|seconds| seconds.parse()) {
                Some(Ok(seconds)) => WINDOW.min(Duration::from_secs(seconds)),
                Some(Err(_)) => Duration::ZERO,
                None => WINDOW,
            },
            is_in_query: true,
            has_token: query.contains_key("X-Amz-Security-Token"),
        };
        if message.is_empty() {
            Ok(signature)
        } else {
            Err(incomplete(format!("{message}Re-examine the query-string parameters.")))
        }
    }

    /// When the request was signed, unless that is too far from `now`.
    fn time(&self, now: SystemTime) -> Result<SystemTime, Refusal> {
        let date = &self.date;
        let signed_at = clock::parse_basic(date).ok_or_else(|| {
            incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
        let (earliest, latest, present) = (now - self.lifetime, now + WINDOW, clock::basic(now));
        if signed_at < earliest {
            let earliest = clock::basic(earliest);
            let lifetime = match self.lifetime {
                WINDOW => "5 min.".to_owned(),
                lifetime => format!("{} s", lifetime.as_secs()),
            };
            return Err(invalid(format!(
                "Signature expired: {date} is now earlier than {earliest} ({present} - {lifetime})"
            )));
        }
        if signed_at > latest {
            let latest = clock::basic(latest);
            return Err(invalid(format!(
                "Signature not yet current: {date} is still later than {latest} ({present} + 5 min.)"
            )));
        }
        Ok(signed_at)
    }

    /// The id of the access key, if the scope is the one of this API and of the day of the signature.
    fn check_scope(&self, of_api: &str) -> Result<&str, Refusal> {
        let parts: Vec<_> = self.credential.split('/').collect();
        let [id, day, region, service, terminator] = parts[..] else {
            let credential = &self.credential;
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                 got '{credential}'"
            )));
        };
        let mut message = String::new();
        if region != of_api {
            message += "Credential should be scoped to a valid region. ";
        }
        if service != SERVICE {
            message += &format!("Credential should be scoped to correct service: '{SERVICE}'. ");
        }
        if terminator != TERMINATOR {
            message +=
                &format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ");
        }
        let date = &self.date;
        if !date.starts_with(day) || day.len() != "YYYYMMDD".len() {
            message += &format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{day}' != '{}', from '{date}'.",
                &date[..8]
            );
        }
        if message.is_empty() { Ok(id) } else { Err(invalid(message)) }
    }

    /// The names of the signed headers, in lower case.
    fn names(&self) -> impl Iterator<Item = String> {
        self.signed_headers.split(';').map(str::to_lowercase)
    }

    /// The signature that the request should have; `None` if it cannot have a valid one.
    fn expected(
        &self,
        request: &Parts,
        host: &str,
        body: &[u8],
        key: &AccessKey,
        region: &str,
        signed_at: SystemTime,
    ) -> Option<String> {
        let names: BTreeSet<_> = self.names().collect();
        let mut headers = vec![("host", host)];
        for name in names.iter().filter(|name| !["host", "x-amz-date"].contains(&name.as_str())) {
            for value in request.headers.get_all(name) {
                headers.push((name, std::str::from_utf8(value.as_bytes()).ok()?));
            }
        }
        let mut settings = SigningSettings::default();
        // The signer adds the date to the signed headers by itself.
        settings.excluded_headers = if names.contains("x-amz-date") {
            if !request.headers.get_all("x-amz-date").iter().eq([self.date.as_str()]) {
                return None;
            }
            None
        } else {
            Some(vec!["x-amz-date".into()])
        };
        let identity = Credentials::new(&key.id, &key.secret, None, None, "emulator").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(signed_at)
            .settings(settings)
            .build()
            .ok()?;
        let target = self.signed_target(request);
        if target.len() > MAX_TARGET_BYTES {
            return None;
        }
        let request =
            SignableRequest::new(request.method.as_str(), target, headers.into_iter(), SignableBody::Bytes(body));
        Some(sign(request.ok()?, &parameters.into()).ok()?.signature().to_owned())
    }

    /// Path and query string as they were signed: without the signature, if it is in the query string.
    fn signed_target(&self, request: &Parts) -> String {
        let path = request.uri.path();
        let is_signed = |pair: &&str| !self.is_in_query || pair.split('=').next() != Some("X-Amz-Signature");
        match request.uri.query() {
            Some(query) => format!("{path}?{}", query.split('&').filter(is_signed).collect::<Vec<_>>().join("&")),
            None => path.to_owned(),
        }
    }
}

/// The refusal of a request whose signature lacks something.
fn incomplete(message: String) -> Refusal {
    Refusal::Signature("IncompleteSignatureException", message)
}

/// The refusal of a request whose signature is not valid here and now.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::Signature("InvalidSignatureException", message.into())
}

/// The refusal of an unknown access key, and of any session token.
fn unrecognized() -> Refusal {
    let message = "The security token included in the request is invalid.";
    Refusal::Signature("UnrecognizedClientException", message.to_owned())
}

/// The refusal of a signature of another request, or with another secret.
fn mismatch() -> Refusal {
    ResponseType::InvalidSignature.into()
}
