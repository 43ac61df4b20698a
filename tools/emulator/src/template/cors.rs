//! The preflight routes that SAM adds to every path.

use http::header::{self, HeaderMap, HeaderValue};

use super::Fault;
use super::auth::Auth;
use super::route::{Authorization, Route, Target};
use super::value::Value;
use crate::routes::METHODS;

/// The preflights of the property `Cors`.
pub(super) fn preflights(cors: &Value<'_>, routes: &[Route], auth: &Auth) -> Result<Vec<Route>, Fault> {
    let common = headers(cors)?;
    let mut preflights: Vec<Route> = Vec::new();
    for route in routes {
        let mut methods: Vec<&str> =
            routes.iter().filter(|other| other.path == route.path).map(|other| other.method.as_str()).collect();
        if methods.contains(&"OPTIONS") || preflights.iter().any(|preflight| preflight.path == route.path) {
            continue;
        }
        if methods.contains(&"ANY") {
            methods = METHODS.into();
        } else {
            methods.push("OPTIONS");
            methods.sort_unstable();
        }
        let mut headers = common.clone();
        if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS) {
            let methods = methods.join(",").parse().map_err(|_| cors.fault("invalid HTTP method"))?;
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        preflights.push(Route {
            path: route.path.clone(),
            line: route.line,
            method: "OPTIONS".to_owned(),
            authorization: if auth.guards_preflights { auth.default.clone() } else { Authorization::Open },
            target: Target::Preflight(headers),
        });
    }
    Ok(preflights)
}

/// The headers that every preflight has, with the defaults of SAM.
fn headers(cors: &Value<'_>) -> Result<HeaderMap, Fault> {
    let any = HeaderValue::from_static("*");
    let mut headers = HeaderMap::from_iter([(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone())]);
    if !cors.is_mapping() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, literal(cors)?);
        return Ok(headers);
    }
    cors.allow_only(&["AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigin", "MaxAge"])?;
    for (property, name) in [
        ("AllowOrigin", header::ACCESS_CONTROL_ALLOW_ORIGIN),
        ("AllowHeaders", header::ACCESS_CONTROL_ALLOW_HEADERS),
        ("AllowMethods", header::ACCESS_CONTROL_ALLOW_METHODS),
        ("MaxAge", header::ACCESS_CONTROL_MAX_AGE),
    ] {
        if let Some(value) = cors.get(property)? {
            headers.insert(name, literal(&value)?);
        }
    }
    // SAM ignores any other value, such as "true" in quotes.
    if cors.is_true("AllowCredentials")? && cors.required("AllowCredentials")?.is_literal() {
        if headers[header::ACCESS_CONTROL_ALLOW_ORIGIN] == any {
            return Err(cors.fault("SAM refuses AllowCredentials: true where AllowOrigin is \"'*'\" or not set"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    Ok(headers)
}

/// A header's value in the form `'literal'`, the only form that does not depend on a request.
pub(super) fn literal(value: &Value<'_>) -> Result<HeaderValue, Fault> {
    let text = value.text()?;
    let literal = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let literal =
        literal.ok_or_else(|| value.fault("only a literal in single quotes is supported here, as in \"'*'\""))?;
    literal.parse().map_err(|_| value.fault("invalid HTTP header value"))
}
