//! Replies of functions: from the value that a proxy integration returns to an HTTP response.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Headers of a reply that the client gets as `x-amzn-Remapped-…` (recorded: docs/gateway.md).
const REMAPPED: [(HeaderName, HeaderName); 14] = [
    (header::AUTHORIZATION, HeaderName::from_static("x-amzn-remapped-authorization")),
    (header::CONNECTION, HeaderName::from_static("x-amzn-remapped-connection")),
    (header::CONTENT_LENGTH, HeaderName::from_static("x-amzn-remapped-content-length")),
    (HeaderName::from_static("content-md5"), HeaderName::from_static("x-amzn-remapped-content-md5")),
    (header::DATE, HeaderName::from_static("x-amzn-remapped-date")),
    (header::EXPECT, HeaderName::from_static("x-amzn-remapped-expect")),
    (header::HOST, HeaderName::from_static("x-amzn-remapped-host")),
    (header::MAX_FORWARDS, HeaderName::from_static("x-amzn-remapped-max-forwards")),
    (header::PROXY_AUTHENTICATE, HeaderName::from_static("x-amzn-remapped-proxy-authenticate")),
    (header::SERVER, HeaderName::from_static("x-amzn-remapped-server")),
    (header::TRAILER, HeaderName::from_static("x-amzn-remapped-trailer")),
    (header::UPGRADE, HeaderName::from_static("x-amzn-remapped-upgrade")),
    (header::USER_AGENT, HeaderName::from_static("x-amzn-remapped-user-agent")),
    (header::WWW_AUTHENTICATE, HeaderName::from_static("x-amzn-remapped-www-authenticate")),
];
/// Members that a reply may have. None is required, and any other makes the reply malformed.
const MEMBERS: [&str; 5] = ["body", "headers", "isBase64Encoded", "multiValueHeaders", "statusCode"];

/// The HTTP response that a function's reply describes, or what is wrong with the reply.
pub(crate) fn response(reply: &Value) -> Result<Response, &'static str> {
    let reply = reply.as_object().ok_or("the reply is not an object")?;
    if reply.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(
            "the reply has a member other than statusCode, headers, multiValueHeaders, body and isBase64Encoded",
        );
    }
    let status = match reply.get("statusCode") {
        Some(Value::Number(number)) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Null) | None => Some(200),
        Some(_) => None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).filter(|status| *status >= StatusCode::OK);
    let mut headers = HeaderMap::new();
    for (name, values) in members(reply.get("multiValueHeaders"))? {
        insert(&mut headers, name, values.as_array().ok_or("a member of multiValueHeaders is not a list")?)?;
    }
    for (name, value) in members(reply.get("headers"))? {
        insert(&mut headers, name, std::slice::from_ref(value))?;
    }
    // API Gateway's default.
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // Without binary media types API Gateway does not decode a body, whatever `isBase64Encoded` says.
    let body = match reply.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        _ => return Err("the body is not a string"),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.ok_or("invalid HTTP status code")?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The members of an object, which may be missing.
fn members(object: Option<&Value>) -> Result<impl Iterator<Item = (&String, &Value)>, &'static str> {
    match object {
        Some(Value::Object(members)) => Ok(Some(members).into_iter().flatten()),
        Some(Value::Null) | None => Ok(None.into_iter().flatten()),
        _ => Err("the headers are not an object"),
    }
}

/// Adds the values of a header, except those that it already has.
fn insert(headers: &mut HeaderMap, name: &str, values: &[Value]) -> Result<(), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "invalid HTTP header name")?;
    if name == header::TRANSFER_ENCODING {
        return Ok(()); // dropped: framing belongs to the server
    }
    let name = REMAPPED.iter().find(|(own, _)| *own == name).map_or(name, |(_, remapped)| remapped.clone());
    for value in values {
        let value = match value {
            Value::String(text) => text.parse(),
            Value::Number(_) | Value::Bool(_) => value.to_string().parse(),
            _ => return Err("a header value is not a string"),
        };
        let value: HeaderValue = value.map_err(|_| "invalid HTTP header value")?;
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
    fn a_member_of_the_reply_is_optional_and_a_status_may_be_text() {
        for (reply, status) in [
            (json!({}), 200),
            (json!({"headers": {"test-header": "value"}}), 200),
            (json!({"statusCode": null, "headers": null, "multiValueHeaders": null, "body": null}), 200),
            (json!({"statusCode": "201"}), 201),
            (json!({"statusCode": 204, "isBase64Encoded": false}), 204),
        ] {
            let response = response(&reply).unwrap();
            assert_eq!(response.status(), status, "{reply}");
            assert_eq!(response.headers()["content-type"], "application/json", "{reply}");
        }
    }

    #[test]
    fn values_of_both_kinds_are_merged_the_multiple_ones_first_and_none_twice() {
        let reply = json!({"headers": {"test-multi": "solo", "b": "1", "c": true}, "multiValueHeaders": {"tesT-Multi": ["multi"], "B": ["1", "2"]}});
        let response = response(&reply).unwrap();
        let values = |name| response.headers().get_all(name).iter().collect::<Vec<_>>();
        assert_eq!([values("test-multi"), values("b")], [["multi", "solo"], ["1", "2"]]);
        assert_eq!(values("c"), ["true"]);
    }

    #[test]
    fn fourteen_headers_are_remapped_and_transfer_encoding_is_dropped() {
        for (own, remapped) in REMAPPED {
            let reply = json!({"headers": {own.as_str().to_uppercase(): "x"}});
            let response = response(&reply).unwrap();
            assert_eq!(response.headers()[&remapped], "x");
            assert_eq!(remapped.as_str(), format!("x-amzn-remapped-{own}"));
            assert!(!response.headers().contains_key(&own), "{own}");
        }
        let reply = json!({"headers": {"Transfer-Encoding": "chunked", "TE": "x", "Via": "x"}});
        let headers = response(&reply).unwrap().headers().clone();
        assert_eq!(headers.len(), 3, "{headers:?}");
        assert!(!headers.contains_key("transfer-encoding"));
    }

    #[test]
    fn a_malformed_reply_is_refused() {
        for malformed in [
            json!(null),
            json!("text"),
            json!([]),
            json!({"statusCode": 200, "wrongValue": "value"}),
            json!({"statusCode": "test"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 100}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": true}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a": null}}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}}),
        ] {
            assert!(response(&malformed).is_err(), "{malformed}");
        }
    }
}
