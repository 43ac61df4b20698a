//! Replies of functions: from the value that a proxy integration returns to an HTTP response.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Headers of a function that a REST API does not pass on under their own names.
const REMAPPED: [(&str, HeaderName); 6] = [
    ("connection", HeaderName::from_static("x-amzn-remapped-connection")),
    ("content-length", HeaderName::from_static("x-amzn-remapped-content-length")),
    ("date", HeaderName::from_static("x-amzn-remapped-date")),
    ("host", HeaderName::from_static("x-amzn-remapped-host")),
    ("server", HeaderName::from_static("x-amzn-remapped-server")),
    ("www-authenticate", HeaderName::from_static("x-amzn-remapped-www-authenticate")),
];

/// The HTTP response that a function's reply describes, or what is wrong with the reply.
pub(crate) fn response(reply: &Value) -> Result<Response, &'static str> {
    let reply = reply.as_object().ok_or("the reply is no object")?;
    let status = match reply.get("statusCode") {
        Some(Value::Number(number)) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).filter(|status| *status >= StatusCode::OK);
    let mut headers = HeaderMap::new();
    for (name, value) in members(reply.get("headers"))? {
        insert(&mut headers, name, std::slice::from_ref(value))?;
    }
    for (name, values) in members(reply.get("multiValueHeaders"))? {
        insert(&mut headers, name, values.as_array().ok_or("a member of multiValueHeaders is no list")?)?;
    }
    // API Gateway labels a body that its function does not.
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // Without binary media types API Gateway does not decode a body, whatever `isBase64Encoded` says.
    let body = match reply.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        _ => return Err("the body is no string"),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.ok_or("statusCode is no status of HTTP")?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The members of an object that may be missing.
fn members(object: Option<&Value>) -> Result<impl Iterator<Item = (&String, &Value)>, &'static str> {
    match object {
        Some(Value::Object(members)) => Ok(Some(members).into_iter().flatten()),
        Some(Value::Null) | None => Ok(None.into_iter().flatten()),
        _ => Err("the headers are no object"),
    }
}

/// Adds the values of a header; a value that is there already is not repeated.
fn insert(headers: &mut HeaderMap, name: &str, values: &[Value]) -> Result<(), &'static str> {
    let name: HeaderName = match REMAPPED.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
        Some((_, remapped)) => remapped.clone(),
        // Framing belongs to the server; API Gateway too makes an error of it.
        None if name.eq_ignore_ascii_case("transfer-encoding") => {
            return Err("a function cannot set Transfer-Encoding");
        }
        None => name.parse().map_err(|_| "a header's name is none of HTTP")?,
    };
    for value in values {
        let value = match value {
            Value::String(text) => text.parse(),
            Value::Number(_) | Value::Bool(_) => value.to_string().parse(),
            _ => return Err("a header's value is no string"),
        };
        let value: HeaderValue = value.map_err(|_| "a header's value is none of HTTP")?;
        if !headers.get_all(&name).iter().any(|other| *other == value) {
            headers.append(name.clone(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_of_both_kinds_are_merged_without_repeating_a_value() {
        let reply = json!({"statusCode": 200, "headers": {"A": "1"}, "multiValueHeaders": {"a": ["1", "2"]}});
        let response = response(&reply).unwrap();
        assert_eq!(response.headers().get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn www_authenticate_is_remapped() {
        let reply = json!({"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}});
        let response = response(&reply).unwrap();
        assert_eq!(response.headers()["x-amzn-remapped-www-authenticate"], "Bearer");
        assert!(!response.headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_malformed_reply_is_refused() {
        for malformed in [
            json!(null),
            json!({}),
            json!({"statusCode": 99}),
            json!({"statusCode": 100}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a": null}}),
            json!({"statusCode": 200, "headers": {"Transfer-Encoding": "chunked"}}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}}),
        ] {
            assert!(response(&malformed).is_err(), "{malformed}");
        }
    }
}
