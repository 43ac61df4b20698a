//! Replies of functions in payload 2.0: from the value that a function returns to an HTTP response.

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The media type of a response that API Gateway writes itself, or infers.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The HTTP response that a function's reply describes, or what is wrong with the reply.
///
/// A reply without a status is the body of a 200, as API Gateway infers.
pub(super) fn response(reply: &Value) -> Result<Response, &'static str> {
    let Some(status) = reply.get("statusCode") else {
        let mut response = Response::new(Body::from(match reply {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        return Ok(response);
    };
    let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).filter(|status| *status >= StatusCode::OK);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match &reply["headers"] {
        Value::Object(members) => {
            for (name, value) in members {
                let name: HeaderName = name.parse().map_err(|_| "invalid HTTP header name")?;
                // Framing belongs to the server.
                if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING && name != header::CONNECTION {
                    headers.insert(name, text(value)?);
                }
            }
        }
        Value::Null => {}
        _ => return Err("the headers are not an object"),
    }
    match &reply["cookies"] {
        Value::Array(cookies) => {
            for cookie in cookies {
                headers.append(header::SET_COOKIE, text(cookie)?);
            }
        }
        Value::Null => {}
        _ => return Err("the cookies are not a list"),
    }
    let body = match &reply["body"] {
        Value::String(text) if reply["isBase64Encoded"] == true => {
            STANDARD.decode(text).map_err(|_| "the body is not base64")?
        }
        Value::String(text) => text.clone().into_bytes(),
        Value::Null => Vec::new(),
        _ => return Err("the body is not a string"),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.ok_or("invalid HTTP status code")?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The value of a header.
fn text(value: &Value) -> Result<HeaderValue, &'static str> {
    let text = match value {
        Value::String(text) => text.parse(),
        Value::Number(_) | Value::Bool(_) => value.to_string().parse(),
        _ => return Err("a header value is not a string"),
    };
    text.map_err(|_| "invalid HTTP header value")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn rendered(reply: &Value) -> (u16, String, String) {
        let response = response(reply).unwrap();
        let (status, media_type) = (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap());
        let media_type = media_type.to_owned();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, media_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_reply_without_a_status_is_the_body_of_a_200_as_recorded() {
        for (reply, body) in [
            (json!("Hello, World!"), "Hello, World!"),
            (json!(""), ""),
            (json!("Special \"quoted\" text"), "Special \"quoted\" text"),
            (json!(42), "42"),
            (json!(true), "true"),
            (json!([1, 2]), "[1,2]"),
            (json!({"message": "Hello, World!"}), r#"{"message":"Hello, World!"}"#),
            (
                json!({"body": "a", "headers": {"content-type": "text/html"}}),
                r#"{"body":"a","headers":{"content-type":"text/html"}}"#,
            ),
        ] {
            assert_eq!(rendered(&reply).await, (200, "application/json".to_owned(), body.to_owned()), "{reply}");
        }
    }

    #[tokio::test]
    async fn a_reply_with_a_status_is_text_unless_it_says_otherwise() {
        let plain = "text/plain; charset=utf-8";
        for (reply, expected) in [
            (json!({"statusCode": 201, "body": "{}"}), (201, plain, "{}")),
            (json!({"statusCode": 204, "unknown": {}}), (204, plain, "")),
            (json!({"statusCode": 200, "headers": {"Content-Type": "application/xml"}}), (200, "application/xml", "")),
            (json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}), (200, plain, "hi")),
            (json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": false}), (200, plain, "aGk=")),
        ] {
            let (status, media_type, body) = rendered(&reply).await;
            assert_eq!((status, media_type.as_str(), body.as_str()), expected, "{reply}");
        }
        let reply = json!({"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "headers": {"X-A": "b,c", "Content-Length": "9"}});
        let headers = response(&reply).unwrap().headers().clone();
        assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1; Path=/", "b=2"]);
        assert_eq!(
            (&headers["x-a"], headers.contains_key("content-length")),
            (&HeaderValue::from_static("b,c"), false)
        );
    }

    #[test]
    fn a_malformed_reply_is_refused() {
        for malformed in [
            json!({"statusCode": 0, "body": "a"}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": "200"}),
            json!({"statusCode": null}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a": ["b"]}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "cookies": "a=1"}),
        ] {
            assert!(response(&malformed).is_err(), "{malformed}");
        }
    }
}
