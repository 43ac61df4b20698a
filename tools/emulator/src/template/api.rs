//! The API that a template describes: routes, authorizers, functions, CORS, gateway responses, throttling.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};

use super::Fault;
use super::intrinsics::{Document, Value};
use crate::gateway_response::{self, GatewayResponse, GatewayResponses};
use crate::routes::{METHODS, Routes};

/// Members of an `Api` event that this runner understands; any other would change how the route is served.
const EVENT_PROPERTIES: &[&str] = &["Auth", "Method", "Path", "RestApiId"];
/// Members of the `Auth` of an API that this runner understands.
const API_AUTH: &[&str] = &["AddDefaultAuthorizerToCorsPreflight", "Authorizers", "DefaultAuthorizer"];
/// Members of an authorizer that this runner understands or that make no difference to it.
const AUTHORIZER: &[&str] =
    &["DisableFunctionDefaultPermissions", "FunctionArn", "FunctionInvokeRole", "FunctionPayloadType", "Identity"];
/// Properties of an API that change what it serves in a way that this runner does not follow.
const UNSERVED_API_PROPERTIES: &[&str] =
    &["BinaryMediaTypes", "DefinitionBody", "DefinitionUri", "Policy", "Variables"];

/// A REST API and the functions behind it.
#[derive(Debug)]
pub(crate) struct Api {
    /// Name of the stage.
    pub(crate) stage: String,
    /// Routes in the order of the template, then the preflights.
    pub(crate) routes: Vec<Route>,
    /// Finds a route.
    pub(crate) table: Routes,
    /// Authorizers in use, by name.
    pub(crate) authorizers: BTreeMap<String, Authorizer>,
    /// Functions in use, by logical id.
    pub(crate) functions: BTreeMap<String, Function>,
    /// What API Gateway answers by itself.
    pub(crate) responses: GatewayResponses,
    /// Throttling of every method.
    pub(crate) throttling: Option<Throttling>,
}

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Route {
    /// Path of the resource, perhaps with `{name}` and `{name+}`.
    pub(crate) path: String,
    /// The line of the path.
    pub(crate) line: usize,
    /// Method in upper case, or `ANY`.
    pub(crate) method: String,
    /// Name of the authorizer that is asked first.
    pub(crate) authorizer: Option<String>,
    /// What answers.
    pub(crate) target: Target,
}

/// What answers a route.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this logical id.
    Function(String),
    /// API Gateway itself, a CORS preflight with these headers.
    Preflight(HeaderMap),
}

/// A REQUEST authorizer.
#[derive(Debug)]
pub(crate) struct Authorizer {
    /// Logical id of its function.
    pub(crate) function: String,
    /// For how long API Gateway would reuse its answer.
    pub(crate) cache_seconds: u32,
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

/// A token bucket's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Throttling {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Requests at once.
    pub(crate) burst: f64,
}

impl Api {
    /// Reads the API of a template's text.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let document = Document::parse(text)?;
        let root = document.root();
        let resources = resources(&root)?;
        let (api_id, api) = only_api(&resources)?;
        let globals = root.get("Globals")?;
        let global = |kind: &str| globals.as_ref().map_or(Ok(None), |globals| globals.get(kind));
        if let Some(defaults) = global("Api")? {
            defaults.allow_only(&["OpenApiVersion"])?;
        }
        let properties = api.required("Properties")?;
        for name in UNSERVED_API_PROPERTIES {
            if let Some(value) = properties.get(name)? {
                return Err(value.fault(format!("{name} is not supported")));
            }
        }

        let auth = Auth::read(properties.get("Auth")?, &resources)?;
        let mut routes = Vec::new();
        for (id, function) in of_type(&resources, "AWS::Serverless::Function") {
            let events = function.required("Properties")?.get("Events")?;
            for (_, event) in events.map_or(Ok(Vec::new()), |events| events.members())? {
                routes.extend(route(&event, id, api_id, &auth)?);
            }
        }
        if let Some(cors) = properties.get("Cors")? {
            routes.extend(preflights(&cors, &routes, &auth)?);
        }

        let pairs: Vec<_> = routes.iter().map(|route| (route.path.as_str(), route.method.as_str())).collect();
        let table = Routes::new(&pairs).map_err(|(index, message)| Fault::new(routes[index].line, message))?;

        let mut authorizers = auth.authorizers;
        authorizers.retain(|name, _| routes.iter().any(|route| route.authorizer.as_ref() == Some(name)));
        let function_defaults = global("Function")?;
        let mut functions = BTreeMap::new();
        for (id, resource) in of_type(&resources, "AWS::Serverless::Function") {
            let in_use = routes.iter().any(|route| matches!(&route.target, Target::Function(target) if target == id))
                || authorizers.values().any(|authorizer| authorizer.function == id);
            if in_use {
                functions.insert(id.to_owned(), function(resource, function_defaults.as_ref())?);
            }
        }
        Ok(Self {
            stage: properties.required("StageName")?.text()?,
            routes,
            table,
            authorizers,
            functions,
            responses: properties
                .get("GatewayResponses")?
                .map_or(Ok(GatewayResponses::default()), |r| responses(&r))?,
            throttling: properties.get("MethodSettings")?.map_or(Ok(None), |settings| throttling(&settings))?,
        })
    }
}

/// The authorizers of the API and which of them applies by default.
struct Auth {
    /// All that the template has, by name.
    authorizers: BTreeMap<String, Authorizer>,
    /// The one of a route that names none.
    default: Option<String>,
    /// Whether SAM would put the default authorizer before the preflights too.
    guards_preflights: bool,
}

impl Auth {
    /// Reads the property `Auth` of an API.
    fn read(auth: Option<Value<'_>>, resources: &[Resource<'_>]) -> Result<Self, Fault> {
        let mut read = Self { authorizers: BTreeMap::new(), default: None, guards_preflights: false };
        let Some(auth) = auth else { return Ok(read) };
        auth.allow_only(API_AUTH)?;
        let authorizers = auth.get("Authorizers")?.map_or(Ok(Vec::new()), |authorizers| authorizers.members())?;
        for (name, authorizer) in authorizers {
            read.authorizers.insert(name, self::authorizer(&authorizer, resources)?);
        }
        if let Some(default) = auth.get("DefaultAuthorizer")? {
            read.default = read.named(&default)?;
        }
        read.guards_preflights = auth.text_of("AddDefaultAuthorizerToCorsPreflight")?.as_deref() != Some("false");
        Ok(read)
    }

    /// The authorizer that `name` means, if it means one.
    fn named(&self, name: &Value<'_>) -> Result<Option<String>, Fault> {
        match name.text()? {
            none if none == "NONE" => Ok(None),
            known if self.authorizers.contains_key(&known) => Ok(Some(known)),
            iam if iam == "AWS_IAM" => Err(name.fault("the authorizer AWS_IAM is not supported")),
            unknown => Err(name.fault(format!("Authorizers has no {unknown}"))),
        }
    }
}

/// A resource that exists: its logical id, its type and itself.
struct Resource<'doc> {
    /// Logical id.
    id: String,
    /// Its `Type`.
    kind: String,
    /// Itself.
    value: Value<'doc>,
}

/// The resources whose conditions hold.
fn resources<'doc>(root: &Value<'doc>) -> Result<Vec<Resource<'doc>>, Fault> {
    let mut resources = Vec::new();
    for (id, value) in root.required("Resources")?.members()? {
        if value.exists()? {
            resources.push(Resource { id, kind: value.required("Type")?.text()?, value });
        }
    }
    Ok(resources)
}

/// The resources of one type.
fn of_type<'a, 'doc>(
    resources: &'a [Resource<'doc>],
    kind: &'static str,
) -> impl Iterator<Item = (&'a str, &'a Value<'doc>)> {
    resources.iter().filter(move |resource| resource.kind == kind).map(|resource| (&*resource.id, &resource.value))
}

/// The one REST API of the template.
fn only_api<'a, 'doc>(resources: &'a [Resource<'doc>]) -> Result<(&'a str, &'a Value<'doc>), Fault> {
    let foreign = |kind: &str| {
        matches!(kind, "AWS::ApiGateway::RestApi" | "AWS::Serverless::HttpApi")
            || kind.starts_with("AWS::ApiGatewayV2::")
    };
    if let Some(resource) = resources.iter().find(|resource| foreign(&resource.kind)) {
        return Err(resource.value.fault(format!("{} is not supported, only AWS::Serverless::Api", resource.kind)));
    }
    let mut apis = of_type(resources, "AWS::Serverless::Api");
    let api = apis.next().ok_or_else(|| Fault::new(1, "the template has no AWS::Serverless::Api"))?;
    match apis.next() {
        Some((_, second)) => Err(second.fault("a second AWS::Serverless::Api is not supported")),
        None => Ok(api),
    }
}

/// The route of an event of the function `function`, if the event is one of this API.
fn route(event: &Value<'_>, function: &str, api_id: &str, auth: &Auth) -> Result<Option<Route>, Fault> {
    let kind = event.required("Type")?;
    match kind.text()?.as_str() {
        "Api" => {}
        "HttpApi" => return Err(kind.fault("an event of type HttpApi is not supported")),
        _ => return Ok(None),
    }
    let properties = event.required("Properties")?;
    properties.allow_only(EVENT_PROPERTIES)?;
    if properties.text_of("RestApiId")?.as_deref() != Some(api_id) {
        return Err(properties.fault(format!("RestApiId must be !Ref {api_id}")));
    }
    let authorizer = match properties.get("Auth")? {
        Some(own) => {
            own.allow_only(&["Authorizer"])?;
            own.get("Authorizer")?.map_or_else(|| Ok(auth.default.clone()), |name| auth.named(&name))?
        }
        None => auth.default.clone(),
    };
    let (path, method) = (properties.required("Path")?, properties.required("Method")?.text()?.to_uppercase());
    if !METHODS.contains(&method.as_str()) && method != "ANY" {
        return Err(properties.fault(format!("the method {method} is not supported")));
    }
    Ok(Some(Route {
        // API Gateway makes the resource `/a` of the path `/a/` when it imports SAM's document.
        path: crate::routes::without_trailing_slash(&path.text()?).to_owned(),
        line: path.line(),
        method,
        authorizer,
        target: Target::Function(function.to_owned()),
    }))
}

/// A REQUEST authorizer.
fn authorizer(authorizer: &Value<'_>, resources: &[Resource<'_>]) -> Result<Authorizer, Fault> {
    if authorizer.text_of("FunctionPayloadType")?.as_deref() != Some("REQUEST") {
        return Err(authorizer.fault("only an authorizer with FunctionPayloadType: REQUEST is supported"));
    }
    authorizer.allow_only(AUTHORIZER)?;
    let arn = authorizer.required("FunctionArn")?;
    let text = arn.text()?;
    let function =
        text.strip_suffix(".Arn").filter(|id| of_type(resources, "AWS::Serverless::Function").any(|f| f.0 == *id));
    let function =
        function.ok_or_else(|| arn.fault("FunctionArn must be !GetAtt <a function of this template>.Arn"))?;
    let identity = authorizer.get("Identity")?;
    if let Some(identity) = &identity {
        identity.allow_only(&["ReauthorizeEvery"])?;
    }
    Ok(Authorizer {
        function: function.to_owned(),
        cache_seconds: match identity.as_ref().map_or(Ok(None), |identity| identity.get("ReauthorizeEvery"))? {
            Some(seconds) => seconds.number()?,
            None => crate::policy::DEFAULT_CACHE_SECONDS,
        },
    })
}

/// The preflight routes that SAM adds to every path.
fn preflights(cors: &Value<'_>, routes: &[Route], auth: &Auth) -> Result<Vec<Route>, Fault> {
    let mut common = HeaderMap::new();
    if cors.is_mapping() {
        cors.allow_only(&["AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigin", "MaxAge"])?;
        for (property, name) in [
            ("AllowOrigin", header::ACCESS_CONTROL_ALLOW_ORIGIN),
            ("AllowHeaders", header::ACCESS_CONTROL_ALLOW_HEADERS),
            ("AllowMethods", header::ACCESS_CONTROL_ALLOW_METHODS),
            ("MaxAge", header::ACCESS_CONTROL_MAX_AGE),
        ] {
            if let Some(value) = cors.get(property)? {
                common.insert(name, literal(&value)?);
            }
        }
        if cors.text_of("AllowCredentials")?.as_deref() == Some("true") {
            common.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, http::HeaderValue::from_static("true"));
        }
    } else {
        common.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, literal(cors)?);
    }

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
            let methods = methods.join(",").parse().map_err(|_| cors.fault("a method is no header value"))?;
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        preflights.push(Route {
            path: route.path.clone(),
            line: route.line,
            method: "OPTIONS".to_owned(),
            authorizer: auth.default.clone().filter(|_| auth.guards_preflights),
            target: Target::Preflight(headers),
        });
    }
    Ok(preflights)
}

/// The gateway responses of the template.
fn responses(overrides: &Value<'_>) -> Result<GatewayResponses, Fault> {
    let mut responses = GatewayResponses::default();
    for (name, response) in overrides.members()? {
        if !gateway_response::is_type(&name) {
            return Err(response.fault(format!("there is no gateway response {name}")));
        }
        response.allow_only(&["ResponseParameters", "ResponseTemplates", "StatusCode"])?;
        let mut headers = HeaderMap::new();
        if let Some(parameters) = response.get("ResponseParameters")? {
            parameters.allow_only(&["Headers"])?;
            for (name, value) in parameters.required("Headers")?.members()? {
                let name: HeaderName = name.parse().map_err(|_| value.fault("this is no header name"))?;
                headers.insert(name, literal(&value)?);
            }
        }
        let template = match response.get("ResponseTemplates")? {
            Some(templates) => match templates.members()?.as_slice() {
                [(media_type, template)] => {
                    let media_type = media_type.parse().map_err(|_| template.fault("this is no media type"))?;
                    let body =
                        gateway_response::BodyTemplate::parse(&template.text()?).map_err(|err| template.fault(err))?;
                    Some((media_type, body))
                }
                _ => return Err(templates.fault("exactly one media type is supported")),
            },
            None => None,
        };
        let status = response.get("StatusCode")?;
        let status = status.map(|status| {
            http::StatusCode::from_bytes(status.text()?.as_bytes()).map_err(|_| status.fault("this is no status code"))
        });
        responses.insert(&name, GatewayResponse { status: status.transpose()?, headers, template });
    }
    Ok(responses)
}

/// The throttling of the whole stage.
fn throttling(settings: &Value<'_>) -> Result<Option<Throttling>, Fault> {
    let mut throttling = None;
    for setting in settings.items()? {
        let (rate, burst) = (setting.get("ThrottlingRateLimit")?, setting.get("ThrottlingBurstLimit")?);
        throttling = match (rate, burst) {
            (None, None) => continue,
            (Some(rate), Some(burst)) => Some(Throttling { rate: rate.number()?, burst: burst.number()? }),
            _ => return Err(setting.fault("ThrottlingRateLimit and ThrottlingBurstLimit must stand together")),
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

/// A function, with the defaults of `Globals`.
fn function(resource: &Value<'_>, defaults: Option<&Value<'_>>) -> Result<Function, Fault> {
    let properties = resource.required("Properties")?;
    let binary = resource.required("Metadata")?.required("BuildProperties")?.required("Binary")?;
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
        }
    }
    Ok(Function { binary: binary.text()?, line: binary.line(), environment, timeout })
}

/// A header's value in the form `'literal'`, the only one that needs no request.
fn literal(value: &Value<'_>) -> Result<http::HeaderValue, Fault> {
    let text = value.text()?;
    let literal = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let literal =
        literal.ok_or_else(|| value.fault("only a literal in single quotes is supported here, as in \"'*'\""))?;
    literal.parse().map_err(|_| value.fault("this is no header value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "\
Parameters: { Unused: { Type: String, Default: !ImportValue x } }
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      #api
      Auth:
        #auth
        Authorizers:
          Mint:
            FunctionPayloadType: REQUEST
            FunctionArn: !GetAtt F.Arn
            #authorizer
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Role: !ImportValue not-needed-here
      #function
      Events:
        Get: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /a, Method: get, Auth: { Authorizer: Mint } } }
        Tick: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }
        #event
";

    /// The API of the template above with `text` in the place of the comment `#place`.
    fn with(place: &str, text: &str) -> Result<Api, Fault> {
        Api::parse(&TEMPLATE.replace(&format!("#{place}\n"), &format!("{text}\n")))
    }

    /// An event of the API.
    fn event(path: &str, rest: &str) -> String {
        format!("X: {{ Type: Api, Properties: {{ RestApiId: !Ref Api, Path: {path}, {rest} }} }}")
    }

    #[test]
    fn what_the_template_does_not_say_is_as_in_sam() {
        let api = Api::parse(TEMPLATE).unwrap();
        assert_eq!(api.authorizers["Mint"].cache_seconds, 300);
        assert_eq!(api.functions["F"].timeout, Duration::from_secs(3));
        assert_eq!(api.routes.len(), 1, "no preflight without Cors");
        assert_eq!(api.throttling, None);
    }

    #[test]
    fn a_default_authorizer_applies_unless_a_route_says_otherwise() {
        let event = event("/b", "Method: post")
            + "\n        Y: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /c, Method: any, Auth: { Authorizer: NONE } } }";
        let text = TEMPLATE.replace("#event", &event).replace("#auth\n", "DefaultAuthorizer: Mint\n");
        let authorizers = |text: &str| -> Vec<_> {
            let routes = Api::parse(text).unwrap().routes;
            routes.into_iter().map(|route| (route.method, route.authorizer.is_some())).collect()
        };
        let route = |method: &str, has_authorizer| (method.to_owned(), has_authorizer);
        assert_eq!(authorizers(&text), [route("GET", true), route("POST", true), route("ANY", false)]);

        let with_cors = text.replace("#api", "Cors: \"'*'\"");
        assert_eq!(authorizers(&with_cors)[3..], [(); 3].map(|()| route("OPTIONS", true)), "SAM's default");
        let unguarded = with_cors
            .replace("DefaultAuthorizer", "AddDefaultAuthorizerToCorsPreflight: false\n        DefaultAuthorizer");
        assert_eq!(authorizers(&unguarded)[3..], [(); 3].map(|()| route("OPTIONS", false)));
    }

    #[test]
    fn a_preflight_names_the_methods_of_its_path_unless_the_template_does() {
        let methods = |cors: &str, rest: &str| {
            let text = TEMPLATE.replace("#api", cors).replace("#event", &event("/a", rest));
            let routes = Api::parse(&text).unwrap().routes;
            let Target::Preflight(headers) = &routes.last().unwrap().target else { panic!("{routes:?}") };
            headers[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().to_owned()
        };
        assert_eq!(methods("Cors: \"'*'\"", "Method: delete"), "DELETE,GET,OPTIONS");
        assert_eq!(methods("Cors: \"'*'\"", "Method: any"), "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT");
        assert_eq!(methods("Cors: { AllowMethods: \"'GET'\", AllowOrigin: \"'*'\" }", "Method: put"), "GET");
    }

    #[test]
    fn a_resource_whose_condition_does_not_hold_is_not_there() {
        let conditional = |condition: &str| {
            let text = TEMPLATE.replace("Resources:", &format!("Conditions: {{ C: {condition} }}\nResources:"));
            Api::parse(&text.replace("  F:\n", "  F:\n    Condition: C\n")).map(|api| api.routes.len())
        };
        assert_eq!(conditional("!Equals [a, a]"), Ok(1));
        assert!(conditional("!Equals [a, b]").unwrap_err().message.starts_with("FunctionArn must be"));
    }

    #[test]
    fn what_cannot_be_served_is_a_fault_that_names_the_line() {
        for (place, text, line, message) in [
            ("api", "DefinitionBody: {}", 7, "DefinitionBody is not supported"),
            ("api", "BinaryMediaTypes: ['*/*']", 7, "BinaryMediaTypes is not supported"),
            ("api", "Cors: '*'", 7, "only a literal in single quotes is supported here, as in \"'*'\""),
            ("api", "Cors: !ImportValue x", 7, "the function Fn::ImportValue is not supported"),
            ("api", "GatewayResponses: { DEFAULT_4xx: {} }", 7, "there is no gateway response DEFAULT_4xx"),
            ("api", "GatewayResponses: { THROTTLED: { StatusCode: 42 } }", 7, "this is no status code"),
            (
                "api",
                "GatewayResponses: { THROTTLED: { ResponseTemplates: { a/b: $input.body } } }",
                7,
                "$input.body is not supported in a gateway response, only $context",
            ),
            (
                "api",
                "GatewayResponses:\n        THROTTLED:\n          ResponseParameters:\n            Headers:\n              A: method.request.header.A",
                11,
                "only a literal in single quotes is supported here, as in \"'*'\"",
            ),
            (
                "api",
                "MethodSettings: [{ HttpMethod: GET, ResourcePath: /a, ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1 }]",
                7,
                "only throttling of the whole stage is supported, ResourcePath /* and HttpMethod *",
            ),
            ("auth", "ApiKeyRequired: true", 9, "ApiKeyRequired is not supported"),
            ("auth", "DefaultAuthorizer: AWS_IAM", 9, "the authorizer AWS_IAM is not supported"),
            ("authorizer", "Identity: { Context: [a] }", 14, "Context is not supported"),
            ("authorizer", "Identity: { ReauthorizeEvery: never }", 14, "a number is expected here"),
            (
                "event",
                &event("/b", "Method: get, Auth: { Authorizer: AWS_IAM }"),
                24,
                "the authorizer AWS_IAM is not supported",
            ),
            ("event", &event("/b", "Method: get, Auth: { Authorizer: Other }"), 24, "Authorizers has no Other"),
            (
                "event",
                &event("/b", "Method: get, Auth: { ApiKeyRequired: true }"),
                24,
                "ApiKeyRequired is not supported",
            ),
            ("event", &event("/b", "Method: get, RequestModel: {}"), 24, "RequestModel is not supported"),
            ("event", &event("/b", "Method: brew"), 24, "the method BREW is not supported"),
            ("event", &event("/a", "Method: GET"), 24, "GET /a has a function already"),
            (
                "event",
                &event("/{a}{b}", "Method: get").replace("/{a}{b}", "'/{a}{b}'"),
                24,
                "a segment of a path must be letters, digits and ._-: or one {variable}",
            ),
            ("event", "X: { Type: HttpApi }", 24, "an event of type HttpApi is not supported"),
            ("event", "X: { Type: Api, Properties: { Path: /b, Method: get } }", 24, "RestApiId must be !Ref Api"),
            ("function", "Timeout: soon", 20, "a number is expected here"),
            (
                "function",
                "Environment: { Variables: { A: !Ref Nothing } }",
                20,
                "Nothing is neither a parameter nor a resource",
            ),
        ] {
            let fault = with(place, text).map(|_| ()).expect_err(text);
            assert_eq!((fault.message.as_str(), fault.line), (message, line), "{text}");
        }
        for (from, to, line, message) in [
            (
                "FunctionPayloadType: REQUEST",
                "Identity: {}",
                11,
                "only an authorizer with FunctionPayloadType: REQUEST is supported",
            ),
            ("!GetAtt F.Arn", "arn:aws:lambda:x", 13, "FunctionArn must be !GetAtt <a function of this template>.Arn"),
            ("    Metadata: { BuildProperties: { Binary: f } }\n", "", 15, "Metadata is missing"),
            (
                "AWS::Serverless::Api",
                "AWS::Serverless::HttpApi",
                3,
                "AWS::Serverless::HttpApi is not supported, only AWS::Serverless::Api",
            ),
            ("Resources:", "Globals: { Api: { Auth: {} } }\nResources:", 2, "Auth is not supported"),
        ] {
            let fault = Api::parse(&TEMPLATE.replacen(from, to, 1)).map(|_| ()).expect_err(to);
            assert_eq!((fault.message.as_str(), fault.line), (message, line), "{to}");
        }
    }
}
