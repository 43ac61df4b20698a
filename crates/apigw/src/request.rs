//! What a function reads from a request.

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::HOST};

use crate::ApiError;

/// The largest body that is looked at, in bytes.
pub const MAX_BODY_BYTES: usize = 4096;

/// The longest host that is kept, in bytes.
const MAX_HOST_BYTES: usize = 255;

/// The id of a request, which the client finds in `x-amzn-RequestId`.
#[must_use]
pub fn request_id(event: &ApiGatewayProxyRequest) -> &str {
    event.request_context.request_id.as_deref().unwrap_or_default()
}

/// All values of the header `name`, in order; one that is not UTF-8 is left out.
pub fn header_values<'a>(event: &'a ApiGatewayProxyRequest, name: &str) -> impl Iterator<Item = &'a str> {
    // `headers` holds only the last value of a header that is sent twice.
    let headers = if event.multi_value_headers.is_empty() { &event.headers } else { &event.multi_value_headers };
    headers.get_all(name).into_iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

/// The host that a request came to: the API's domain name, else the `Host` header.
#[must_use]
pub fn host(domain_name: Option<&str>, headers: &HeaderMap) -> Option<String> {
    let host = domain_name.or_else(|| headers.get(HOST)?.to_str().ok())?;
    (host.len() <= MAX_HOST_BYTES).then(|| host.to_owned())
}

/// The body's bytes, decoded where API Gateway has encoded them; `None` when it is empty.
///
/// # Errors
///
/// 413 above [`MAX_BODY_BYTES`], 400 for a body that claims to be base64 and is not.
pub fn body(event: &ApiGatewayProxyRequest) -> Result<Option<Vec<u8>>, ApiError> {
    let text = event.body.as_deref().unwrap_or_default();
    let bytes = if !event.is_base64_encoded {
        text.as_bytes().to_vec()
    } else if text.len() > MAX_BODY_BYTES.div_ceil(3) * 4 {
        return Err(ApiError::request_too_large()); // before it is decoded
    } else {
        STANDARD.decode(text).map_err(|_| ApiError::invalid_request("The body is not base64"))?
    };
    match bytes.len() {
        0 => Ok(None),
        1..=MAX_BODY_BYTES => Ok(Some(bytes)),
        _ => Err(ApiError::request_too_large()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str, is_base64_encoded: bool) -> ApiGatewayProxyRequest {
        let mut request = ApiGatewayProxyRequest::default();
        request.body = Some(body.to_owned());
        request.is_base64_encoded = is_base64_encoded;
        request
    }

    #[test]
    fn a_body_is_as_long_as_its_decoded_bytes() {
        for length in [1, 3000, 3073, 4095, 4096] {
            let bytes = vec![b'x'; length];
            let (plain, encoded) = (String::from_utf8(bytes.clone()).unwrap(), STANDARD.encode(&bytes));
            assert_eq!(body(&request(&plain, false)).unwrap(), Some(bytes.clone()), "{length}");
            assert_eq!(body(&request(&encoded, true)).unwrap(), Some(bytes), "{length}");
        }
        for length in [4097, 4098, 5000, 100_000] {
            let plain = "x".repeat(length);
            assert!(body(&request(&plain, false)).is_err(), "{length}");
            assert!(body(&request(&STANDARD.encode(&plain), true)).is_err(), "{length}");
        }
    }

    #[test]
    fn an_empty_body_is_none() {
        assert_eq!(body(&ApiGatewayProxyRequest::default()).unwrap(), None);
        assert_eq!(body(&request("", true)).unwrap(), None);
    }

    #[test]
    fn a_host_is_the_domain_name_else_the_header_and_at_most_255_bytes() {
        let headers = HeaderMap::from_iter([(HOST, "header.example".parse().unwrap())]);
        assert_eq!(host(Some("domain.example"), &headers).as_deref(), Some("domain.example"));
        assert_eq!(host(None, &headers).as_deref(), Some("header.example"));
        assert_eq!(host(None, &HeaderMap::new()), None);
        assert!(host(Some(&"x".repeat(255)), &headers).is_some());
        assert_eq!(host(Some(&"x".repeat(256)), &headers), None);
    }
}
