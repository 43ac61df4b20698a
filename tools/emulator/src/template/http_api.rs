//! An HTTP API: its routes, its authorizers and its CORS.

use std::collections::BTreeMap;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::Fault;
use super::api::{Contents, Kind, api_events};
use super::auth::{self, Authorizer};
use super::known::Resource;
use super::route::{Authorization, Route, Target};
use super::value::Value;
use crate::routes::METHODS;

/// The route for requests that match no other, and the only supported stage: it is not part of the path.
pub(crate) const DEFAULT: &str = "$default";
/// The supported members of an `HttpApi` event. Any other would change how the route is served.
const EVENT: &[&str] = &["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion"];
/// The supported members of an authorizer.
const AUTHORIZER: &[&str] = &[
    "AuthorizerPayloadFormatVersion",
    "EnableFunctionDefaultPermissions",
    "EnableSimpleResponses",
    "FunctionArn",
    "Identity",
];
/// The supported version of the payload of functions and authorizers.
const PAYLOAD: &str = "2.0";

/// The CORS configuration.
#[derive(Debug)]
pub(crate) struct Cors {
    /// Origins that are allowed, as the template names them.
    pub(crate) origins: Vec<String>,
    /// Headers of every response.
    pub(crate) common: HeaderMap,
    /// Headers that only a preflight has.
    pub(crate) preflight: HeaderMap,
}

/// Reads an HTTP API. Its route `$default`, if it has one, becomes the last one.
pub(super) fn read(
    id: &str,
    api: &Value<'_>,
    resources: &[Resource<'_>],
    warnings: &mut Vec<Fault>,
) -> Result<Contents, Fault> {
    let properties = api.get("Properties")?;
    let property = |name| properties.as_ref().map_or(Ok(None), |properties| properties.get(name));
    if let Some(stage) = property("StageName")?.filter(|stage| stage.text().is_ok_and(|name| name != DEFAULT)) {
        return Err(stage.fault("only the stage $default is supported, which StageName is if it is not set"));
    }
    let (authorizers, default) = match property("Auth")? {
        Some(auth) => authorizers(&auth, resources, warnings)?,
        None => (BTreeMap::new(), None),
    };
    let mut routes = Vec::new();
    for (function, event) in api_events(resources, "HttpApi")? {
        let properties = event.get("Properties")?.ok_or_else(|| implicit(&event))?;
        properties.allow_only(EVENT)?;
        match properties.text_of("ApiId")? {
            None => return Err(implicit(&event)),
            Some(own) if own != id => return Err(properties.fault(format!("ApiId must be !Ref {id}"))),
            Some(_) => {}
        }
        if properties.text_of("PayloadFormatVersion")?.is_some_and(|version| version != PAYLOAD) {
            return Err(properties.fault(format!("only PayloadFormatVersion: \"{PAYLOAD}\" is supported")));
        }
        let (path, method) = path_and_method(&properties)?;
        routes.push(Route {
            line: event.line(),
            path,
            method,
            authorization: authorization(&properties, &authorizers, default.as_deref())?,
            target: Target::Function(function.to_owned()),
        });
    }
    routes.sort_by_key(|route| route.path == DEFAULT);
    if let [.., first, second] = &routes[..]
        && first.path == DEFAULT
    {
        return Err(Fault::new(second.line, "the route $default already has a function"));
    }
    let cors = property("CorsConfiguration")?.map(|cors| self::cors(&cors)).transpose()?;
    Ok(Contents { kind: Kind::Http { cors }, routes, authorizers })
}

/// The fault of an event that does not name its API.
pub(super) fn implicit(event: &Value<'_>) -> Fault {
    event.fault(
        "an event without ApiId belongs to SAM's implicit API, which is not supported: \
         define an AWS::Serverless::HttpApi and set ApiId: !Ref to it",
    )
}

/// The path and the method of an event, which is for the route `$default` if it has neither.
fn path_and_method(event: &Value<'_>) -> Result<(String, String), Fault> {
    let (path, method) = match (event.get("Path")?, event.get("Method")?) {
        (None, None) => return Ok((DEFAULT.to_owned(), "ANY".to_owned())),
        (Some(path), Some(method)) => (path.string()?, method.string()?.to_uppercase()),
        _ => return Err(event.fault("Path and Method must be set together")),
    };
    if !METHODS.contains(&method.as_str()) && method != "ANY" {
        return Err(event.fault(format!("the method {method} is not supported")));
    }
    if path == DEFAULT && method != "ANY" {
        return Err(event.fault("the route $default is supported for Method: any only"));
    }
    if path.len() > 1 && path.ends_with('/') {
        return Err(event.fault("API Gateway makes no route of a path that ends in /"));
    }
    Ok((path, method))
}

/// All authorizers, and the name of the default one.
fn authorizers(
    auth: &Value<'_>,
    resources: &[Resource<'_>],
    warnings: &mut Vec<Fault>,
) -> Result<(BTreeMap<String, Authorizer>, Option<String>), Fault> {
    auth.allow_only(&["Authorizers", "DefaultAuthorizer"])?;
    let mut authorizers = BTreeMap::new();
    for (name, authorizer) in auth.get("Authorizers")?.map_or(Ok(Vec::new()), |authorizers| authorizers.members())? {
        authorizers.insert(name.clone(), self::authorizer(&name, &authorizer, resources, warnings)?);
    }
    let default = auth.get("DefaultAuthorizer")?;
    let default = default.map(|name| named(&name, &authorizers)).transpose()?;
    Ok((authorizers, default))
}

/// A REQUEST authorizer of payload 2.0.
fn authorizer(
    name: &str,
    authorizer: &Value<'_>,
    resources: &[Resource<'_>],
    warnings: &mut Vec<Fault>,
) -> Result<Authorizer, Fault> {
    authorizer.allow_only(AUTHORIZER)?;
    let boolean = |key| match authorizer.get(key)? {
        Some(value) if !value.is_literal() => Err(value.fault(format!("{key} must be true or false, without quotes"))),
        _ => authorizer.is_true(key),
    };
    match authorizer.text_of("AuthorizerPayloadFormatVersion")? {
        None => return Err(authorizer.fault("SAM refuses an authorizer without AuthorizerPayloadFormatVersion")),
        Some(version) if version != PAYLOAD => {
            return Err(authorizer.fault(format!("only AuthorizerPayloadFormatVersion: \"{PAYLOAD}\" is supported")));
        }
        Some(_) => {}
    }
    let mut read = Authorizer {
        function: auth::function(authorizer, resources)?,
        is_simple: boolean("EnableSimpleResponses")?,
        is_forbidden: !boolean("EnableFunctionDefaultPermissions")?,
        ..Authorizer::default()
    };
    read.read_identity(authorizer)?;
    let says_how_long = authorizer.get("Identity")?.map_or(Ok(None), |identity| identity.get("ReauthorizeEvery"))?;
    if read.cache_seconds > 0 && !read.has_sources() {
        return Err(authorizer.fault("API Gateway refuses an authorizer that is cached and has no identity source"));
    }
    if read.has_sources() && says_how_long.is_none() {
        warnings.push(authorizer.fault(format!(
            "authorizer {name}: without Identity.ReauthorizeEvery: 0 API Gateway may reuse its answer for all requests \
             with the same identity sources (it is never reused here)"
        )));
    }
    if read.is_forbidden {
        warnings.push(authorizer.fault(format!(
            "authorizer {name}: without EnableFunctionDefaultPermissions: true API Gateway may not invoke its function \
             and answers 500, as it does here (a permission that the template grants otherwise is not read)"
        )));
    }
    Ok(read)
}

/// Who may call the route of an event.
fn authorization(
    event: &Value<'_>,
    authorizers: &BTreeMap<String, Authorizer>,
    default: Option<&str>,
) -> Result<Authorization, Fault> {
    let of_default = || default.map_or(Authorization::Open, |name| Authorization::Authorizer(name.to_owned()));
    let Some(auth) = event.get("Auth")? else { return Ok(of_default()) };
    auth.allow_only(&["Authorizer"])?;
    match (auth.get("Authorizer")?, default) {
        (None, None) => {
            Err(auth.fault("an Auth without Authorizer is not supported where the API has no DefaultAuthorizer"))
        }
        (None, Some(_)) => Ok(of_default()),
        (Some(name), None) if name.text()? == "NONE" => {
            Err(name.fault("SAM refuses Authorizer: NONE where the API has no DefaultAuthorizer"))
        }
        (Some(name), _) if name.text()? == "NONE" => Ok(Authorization::Open),
        (Some(name), _) => Ok(Authorization::Authorizer(named(&name, authorizers)?)),
    }
}

/// The name of an authorizer, which must exist.
fn named(name: &Value<'_>, authorizers: &BTreeMap<String, Authorizer>) -> Result<String, Fault> {
    let text = name.text()?;
    if authorizers.contains_key(&text) { Ok(text) } else { Err(name.fault(format!("Authorizers has no {text}"))) }
}

/// The property `CorsConfiguration`.
fn cors(cors: &Value<'_>) -> Result<Cors, Fault> {
    let mut read = Cors { origins: vec!["*".to_owned()], common: HeaderMap::new(), preflight: HeaderMap::new() };
    if !cors.is_mapping() {
        return if cors.is_literal() && cors.text()? == "true" {
            Ok(read)
        } else {
            Err(cors.fault("CorsConfiguration must be true or a mapping"))
        };
    }
    cors.allow_only(&["AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge"])?;
    read.origins = texts(&cors.required("AllowOrigins")?)?;
    let set = |headers: &mut HeaderMap, name: HeaderName, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| cors.fault("invalid HTTP header value"))?);
        Ok::<_, Fault>(())
    };
    for (property, name) in
        [("AllowHeaders", header::ACCESS_CONTROL_ALLOW_HEADERS), ("AllowMethods", header::ACCESS_CONTROL_ALLOW_METHODS)]
    {
        if let Some(values) = cors.get(property)? {
            set(&mut read.preflight, name, &texts(&values)?.join(","))?;
        }
    }
    if let Some(seconds) = cors.get("MaxAge")? {
        set(&mut read.preflight, header::ACCESS_CONTROL_MAX_AGE, &seconds.number::<u32>()?.to_string())?;
    }
    if let Some(names) = cors.get("ExposeHeaders")? {
        set(&mut read.common, header::ACCESS_CONTROL_EXPOSE_HEADERS, &texts(&names)?.join(","))?;
    }
    // SAM ignores any other value, such as "true" in quotes.
    if cors.is_true("AllowCredentials")? && cors.required("AllowCredentials")?.is_literal() {
        if read.origins.iter().any(|origin| origin == "*") {
            return Err(cors.fault("API Gateway refuses AllowCredentials: true where AllowOrigins has *"));
        }
        set(&mut read.common, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true")?;
    }
    Ok(read)
}

/// The texts of a list.
fn texts(list: &Value<'_>) -> Result<Vec<String>, Fault> {
    list.items()?.iter().map(Value::text).collect()
}
