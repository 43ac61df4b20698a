//! The API that a template describes: routes, authorizers, functions, and what only its kind of API has.

use std::collections::BTreeMap;
use std::time::Duration;

use super::auth::{Auth, Authorizer};
use super::http_api::{self, Cors};
use super::intrinsics::Document;
use super::known::{self, Resource, of_type};
use super::parameters::Inputs;
use super::route::{Authorization, Route, Target};
use super::stage::{self, Throttling};
use super::value::Value;
use super::{Fault, cors};
use crate::gateway_response::GatewayResponses;
use crate::routes::{METHODS, Routes, without_trailing_slash};

/// The type of a REST API.
const REST_API: &str = "AWS::Serverless::Api";
/// The type of an HTTP API.
const HTTP_API: &str = "AWS::Serverless::HttpApi";
/// The supported members of an `Api` event. Any other would change how the route is served.
const EVENT: &[&str] = &["Auth", "Method", "Path", "RestApiId"];
/// Lambda's limit for a function's time-out, in seconds.
const MAX_TIMEOUT_SECONDS: u64 = 900;

/// An API and the functions behind it.
#[derive(Debug)]
pub(crate) struct Api {
    /// What only a REST API or only an HTTP API has.
    pub(crate) kind: Kind,
    /// Routes in the order of the template, then the preflights of a REST API or the route `$default`.
    pub(crate) routes: Vec<Route>,
    /// Finds a route, except for `$default`.
    pub(crate) table: Routes,
    /// Authorizers in use, by name.
    pub(crate) authorizers: BTreeMap<String, Authorizer>,
    /// Functions in use, by logical id.
    pub(crate) functions: BTreeMap<String, Function>,
    /// Where the deployed API may differ from this one, in the order of the template.
    pub(crate) warnings: Vec<Fault>,
}

/// The kind of an API.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `AWS::Serverless::Api`.
    Rest {
        /// Name of the stage.
        stage: String,
        /// The gateway responses.
        responses: GatewayResponses,
        /// Throttling of every method.
        throttling: Option<Throttling>,
    },
    /// `AWS::Serverless::HttpApi`, with the stage `$default`.
    Http {
        /// Its CORS, if it is configured.
        cors: Option<Cors>,
    },
}

/// What is read in another way from each kind of API.
pub(super) struct Contents {
    /// See [`Api::kind`].
    pub(super) kind: Kind,
    /// See [`Api::routes`].
    pub(super) routes: Vec<Route>,
    /// All authorizers, by name.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
}

/// A Lambda function.
#[derive(Debug)]
pub(crate) struct Function {
    /// Name of the binary, which names the handler.
    pub(crate) binary: String,
    /// The line that names the binary.
    pub(crate) line: usize,
    /// Environment variables.
    pub(crate) environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub(crate) timeout: Duration,
}

impl Api {
    /// Reads the API of a template's text, deployed with `inputs`.
    pub(crate) fn read(text: &str, inputs: Inputs) -> Result<Self, Fault> {
        let document = Document::parse(text, inputs)?;
        let root = document.root();
        let mut warnings = Vec::new();
        known::check_sections(&root)?;
        let resources = known::resources(&root, &mut warnings)?;
        let globals = root.get("Globals")?;
        let global = |kind: &str| globals.as_ref().map_or(Ok(None), |globals| globals.get(kind));
        let (kind, api_id, api) = only_api(&resources)?;
        let other = if kind == REST_API { "HttpApi" } else { "Api" };
        if let Some((_, event)) = api_events(&resources, other)?.first() {
            return Err(
                event.fault(format!("an event of type {other} belongs to a second API, which is not supported"))
            );
        }
        let Contents { kind, routes, mut authorizers } = if kind == REST_API {
            known::check_api(api_id, api, global("Api")?.as_ref(), &mut warnings)?;
            rest_api(api_id, &api.required("Properties")?, &resources, &mut warnings)?
        } else {
            known::check_http_api(api_id, api, global("HttpApi")?.as_ref(), &mut warnings)?;
            http_api::read(api_id, api, &resources, &mut warnings)?
        };
        let with_path = routes.iter().filter(|route| route.path != http_api::DEFAULT);
        let pairs: Vec<_> = with_path.map(|route| (route.path.as_str(), route.method.as_str())).collect();
        let table = Routes::new(&pairs).map_err(|(index, message)| Fault::new(routes[index].line, message))?;
        let is_used = |name: &String| {
            routes.iter().any(|route| matches!(&route.authorization, Authorization::Authorizer(used) if used == name))
        };
        authorizers.retain(|name, _| is_used(name));
        let function_defaults = global("Function")?;
        let mut functions = BTreeMap::new();
        for (id, resource) in of_type(&resources, "AWS::Serverless::Function") {
            known::check_package(resource, function_defaults.as_ref())?;
            let in_use = routes.iter().any(|route| matches!(&route.target, Target::Function(target) if target == id))
                || authorizers.values().any(|authorizer| authorizer.function == id);
            if in_use {
                known::check_function(id, resource, function_defaults.as_ref(), &mut warnings)?;
                functions.insert(id.to_owned(), function(id, resource, function_defaults.as_ref())?);
            }
        }
        warnings.sort_by_key(|warning| warning.line);
        warnings.dedup(); // one for each line of Globals, not for each function
        Ok(Self { kind, routes, table, authorizers, functions, warnings })
    }
}

/// Reads a REST API.
fn rest_api(
    id: &str,
    properties: &Value<'_>,
    resources: &[Resource<'_>],
    warnings: &mut Vec<Fault>,
) -> Result<Contents, Fault> {
    let auth = Auth::read(properties.get("Auth")?, resources)?;
    let mut routes = routes(resources, id, &auth, warnings)?;
    if let Some(cors) = properties.get("Cors")? {
        routes.extend(cors::preflights(&cors, &routes, &auth)?);
    }
    let kind = Kind::Rest {
        stage: properties.required("StageName")?.text()?,
        responses: properties
            .get("GatewayResponses")?
            .map_or(Ok(GatewayResponses::default()), |responses| stage::responses(&responses))?,
        throttling: properties.get("MethodSettings")?.map_or(Ok(None), |settings| stage::throttling(&settings))?,
    };
    Ok(Contents { kind, routes, authorizers: auth.authorizers })
}

/// The one API of the template, with its type and its logical id.
fn only_api<'a, 'doc>(resources: &'a [Resource<'doc>]) -> Result<(&'static str, &'a str, &'a Value<'doc>), Fault> {
    let of = |kind| of_type(resources, kind).map(move |(id, api)| (kind, id, api));
    let mut apis = of(REST_API).chain(of(HTTP_API));
    let Some(api) = apis.next() else {
        let missing = Fault::new(1, "the template has no AWS::Serverless::Api and no AWS::Serverless::HttpApi");
        let rest = api_events(resources, "Api")?.first().map(|(_, event)| implicit(event));
        let http = api_events(resources, "HttpApi")?.first().map(|(_, event)| http_api::implicit(event));
        return Err(rest.or(http).unwrap_or(missing));
    };
    match apis.next() {
        Some((_, _, second)) => Err(second.fault("a second API is not supported")),
        None => Ok(api),
    }
}

/// The events of this type, `Api` or `HttpApi`, each with its function.
pub(super) fn api_events<'a, 'doc>(
    resources: &'a [Resource<'doc>],
    kind: &str,
) -> Result<Vec<(&'a str, Value<'doc>)>, Fault> {
    let mut found = Vec::new();
    for (id, function) in of_type(resources, "AWS::Serverless::Function") {
        let events = function.required("Properties")?.get("Events")?;
        for (_, event) in events.map_or(Ok(Vec::new()), |events| events.members())? {
            if event.text_of("Type")?.as_deref() == Some(kind) {
                found.push((id, event));
            }
        }
    }
    Ok(found)
}

/// The fault of an event that does not name its API.
fn implicit(event: &Value<'_>) -> Fault {
    event.fault(
        "an event without RestApiId belongs to SAM's implicit API, which is not supported: \
         define an AWS::Serverless::Api and set RestApiId: !Ref to it",
    )
}

/// The routes of the functions' events.
fn routes(
    resources: &[Resource<'_>],
    api_id: &str,
    auth: &Auth,
    warnings: &mut Vec<Fault>,
) -> Result<Vec<Route>, Fault> {
    let mut routes = Vec::new();
    for (function, event) in api_events(resources, "Api")? {
        let properties = event.required("Properties")?;
        properties.allow_only(EVENT)?;
        match properties.text_of("RestApiId")? {
            None => return Err(implicit(&event)),
            Some(id) if id != api_id => return Err(properties.fault(format!("RestApiId must be !Ref {api_id}"))),
            Some(_) => {}
        }
        let authorization = auth.of_route(&properties, warnings)?;
        let (path, method) = (properties.required("Path")?, properties.required("Method")?.string()?.to_uppercase());
        if !METHODS.contains(&method.as_str()) && method != "ANY" {
            return Err(properties.fault(format!("the method {method} is not supported")));
        }
        routes.push(Route {
            // API Gateway makes the resource `/a` of the path `/a/` when it imports SAM's document.
            path: without_trailing_slash(&path.string()?).to_owned(),
            line: path.line(),
            method,
            authorization,
            target: Target::Function(function.to_owned()),
        });
    }
    Ok(routes)
}

/// A function, with the defaults of `Globals`.
fn function(id: &str, resource: &Value<'_>, defaults: Option<&Value<'_>>) -> Result<Function, Fault> {
    let properties = resource.required("Properties")?;
    let build = resource.get("Metadata")?.map_or(Ok(None), |metadata| metadata.get("BuildProperties"))?;
    let binary = build.map_or(Ok(None), |build| build.get("Binary"))?;
    let binary = binary.ok_or_else(|| {
        resource.fault(format!("{id} has no Metadata.BuildProperties.Binary, which names the binary that it runs"))
    })?;
    let mut environment = BTreeMap::new();
    let mut timeout = crate::lambda::DEFAULT_TIMEOUT;
    for source in defaults.into_iter().chain([&properties]) {
        if let Some(variables) =
            source.get("Environment")?.map_or(Ok(None), |environment| environment.get("Variables"))?
        {
            for (name, value) in variables.members()? {
                environment.insert(name, value.text()?);
            }
        }
        if let Some(seconds) = source.get("Timeout")? {
            timeout = Duration::from_secs(seconds.number()?);
            if !(1..=MAX_TIMEOUT_SECONDS).contains(&timeout.as_secs()) {
                return Err(seconds.fault(format!("Timeout must be 1 to {MAX_TIMEOUT_SECONDS}")));
            }
        }
    }
    Ok(Function { binary: binary.text()?, line: binary.line(), environment, timeout })
}
