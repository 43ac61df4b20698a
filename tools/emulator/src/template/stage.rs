//! Gateway responses, and the throttling of the stage.

use http::StatusCode;
use http::header::{HeaderMap, HeaderName};

use super::Fault;
use super::cors::literal;
use super::value::Value;
use crate::gateway_response::{self, BodyTemplate, GatewayResponse, GatewayResponses};

/// Members of a method setting that the emulator implements, or that do not change the responses.
const METHOD_SETTING: &[&str] = &[
    "CacheDataEncrypted",
    "CacheTtlInSeconds",
    "CachingEnabled",
    "DataTraceEnabled",
    "HttpMethod",
    "LoggingLevel",
    "MetricsEnabled",
    "ResourcePath",
    "ThrottlingBurstLimit",
    "ThrottlingRateLimit",
];

/// A token bucket's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Throttling {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Requests at once.
    pub(crate) burst: f64,
}

/// The throttling of the whole stage, from the property `MethodSettings`.
pub(super) fn throttling(settings: &Value<'_>) -> Result<Option<Throttling>, Fault> {
    let mut throttling = None;
    for setting in settings.items()? {
        setting.allow_only(METHOD_SETTING)?;
        if setting.is_true("CachingEnabled")? {
            return Err(setting.fault(
                "CachingEnabled: true is not supported: API Gateway would answer several callers with one response",
            ));
        }
        let (rate, burst) = (setting.get("ThrottlingRateLimit")?, setting.get("ThrottlingBurstLimit")?);
        throttling = match (rate, burst) {
            (None, None) => continue,
            (Some(rate), Some(burst)) => Some(Throttling { rate: rate.number()?, burst: burst.number()? }),
            _ => return Err(setting.fault("ThrottlingRateLimit and ThrottlingBurstLimit must be set together")),
        };
        let is = |key: &str, all: &str| Ok::<_, Fault>(setting.text_of(key)?.as_deref() == Some(all));
        if !is("ResourcePath", "/*")? || !is("HttpMethod", "*")? {
            return Err(
                setting.fault("only throttling of the whole stage is supported, ResourcePath /* and HttpMethod *")
            );
        }
    }
    Ok(throttling)
}

/// The gateway responses of the template.
pub(super) fn responses(overrides: &Value<'_>) -> Result<GatewayResponses, Fault> {
    let mut responses = GatewayResponses::default();
    for (name, response) in overrides.members()? {
        if !gateway_response::is_type(&name) {
            return Err(response.fault(format!("unknown gateway response {name}")));
        }
        response.allow_only(&["ResponseParameters", "ResponseTemplates", "StatusCode"])?;
        let mut headers = HeaderMap::new();
        if let Some(parameters) = response.get("ResponseParameters")? {
            parameters.allow_only(&["Headers"])?;
            for (name, value) in parameters.required("Headers")?.members()? {
                let name: HeaderName = name.parse().map_err(|_| value.fault("invalid HTTP header name"))?;
                headers.insert(name, literal(&value)?);
            }
        }
        let template = response.get("ResponseTemplates")?.map(|templates| body(&templates)).transpose()?;
        let status = response.get("StatusCode")?;
        let status = status.map(|status| {
            StatusCode::from_bytes(status.text()?.as_bytes()).map_err(|_| status.fault("invalid HTTP status code"))
        });
        responses.insert(&name, GatewayResponse { status: status.transpose()?, headers, template });
    }
    Ok(responses)
}

/// The media type and the body of a gateway response.
fn body(templates: &Value<'_>) -> Result<(http::HeaderValue, BodyTemplate), Fault> {
    match templates.members()?.as_slice() {
        [(media_type, template)] => {
            let media_type = media_type.parse().map_err(|_| template.fault("invalid media type"))?;
            let body = BodyTemplate::parse(&template.text()?).map_err(|err| template.fault(err))?;
            Ok((media_type, body))
        }
        _ => Err(templates.fault("exactly one media type is supported")),
    }
}
