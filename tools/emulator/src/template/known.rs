//! The lists of the sections, resources, properties and events that the emulator supports.
//!
//! A name that is on no list is an error with its line, or a warning if it may have no effect on the API.
//! Nothing that could change a response of the deployed API is ignored silently.
//!
//! The properties and events are those of SAM 1.115 (`aws-sam-translator`).

use super::Fault;
use super::value::Value;

/// The transform of SAM templates.
const TRANSFORM: &str = "AWS::Serverless-2016-10-31";
/// Sections of a template.
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];
/// Sections of `Globals`.
const GLOBALS: &[&str] =
    &["Api", "CapacityProvider", "Function", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine"];
/// Attributes of a supported resource. `IgnoreGlobals` is not among them: it would change its properties.
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];
/// Resources, or with `::` at the end whole services, that do not change the responses of an API.
const WITHOUT_EFFECT: &[&str] = &[
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::CertificateManager::",
    "AWS::CloudWatch::",
    "AWS::CodeDeploy::",
    "AWS::Cognito::",
    "AWS::DynamoDB::",
    "AWS::EC2::",
    "AWS::Events::",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Kinesis::",
    "AWS::Lambda::",
    "AWS::Logs::",
    "AWS::Route53::",
    "AWS::S3::",
    "AWS::SNS::",
    "AWS::SQS::",
    "AWS::SSM::",
    "AWS::Scheduler::",
    "AWS::SecretsManager::",
    "AWS::Serverless::Connector",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::StateMachine",
    "AWS::StepFunctions::",
    "AWS::WAFv2::IPSet",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::RegexPatternSet",
    "AWS::WAFv2::RuleGroup",
    "AWS::WAFv2::WebACL",
    "AWS::XRay::",
];
/// Events that are not requests to an API.
const OTHER_EVENTS: &[&str] = &[
    "AlexaSkill",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "DynamoDB",
    "EventBridgeRule",
    "IoTRule",
    "Kinesis",
    "MQ",
    "MSK",
    "S3",
    "SNS",
    "SQS",
    "Schedule",
    "ScheduleV2",
    "SelfManagedKafka",
];
/// Properties of an API that the emulator implements.
const SERVED_BY_API: &[&str] = &["Auth", "Cors", "GatewayResponses", "MethodSettings", "StageName"];
/// Properties of an API that do not change its responses. A cache cluster alone caches nothing.
const HARMLESS_IN_API: &[&str] = &[
    "AccessLogSetting",
    "AlwaysDeploy",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "Description",
    "EndpointConfiguration",
    "FailOnWarnings",
    "Models",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "SecurityPolicy",
    "Tags",
    "TracingEnabled",
];
/// Properties of an HTTP API that the emulator implements.
const SERVED_BY_HTTP_API: &[&str] = &["Auth", "CorsConfiguration", "StageName"];
/// Properties of an HTTP API that do not change its responses, or about which there is a warning.
const HARMLESS_IN_HTTP_API: &[&str] = &[
    "AccessLogSettings",
    "DefaultRouteSettings",
    "Description",
    "Domain",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "Tags",
];
/// Properties of a function that the emulator implements, or that do not change its responses.
const FUNCTION: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CodeSigningConfigArn",
    "CodeUri",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "Events",
    "FileSystemConfigs",
    "FunctionName",
    "FunctionUrlConfig",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "Timeout",
    "Tracing",
    "VersionDescription",
    "VpcConfig",
];

/// A resource whose condition, if it has one, is true.
pub(super) struct Resource<'doc> {
    /// Logical id.
    pub(super) id: String,
    /// Its `Type`.
    pub(super) kind: String,
    /// The resource itself.
    pub(super) value: Value<'doc>,
}

/// Refuses unsupported sections and transforms.
pub(super) fn check_sections(root: &Value<'_>) -> Result<(), Fault> {
    root.allow_only(SECTIONS)?;
    let transform =
        root.get("Transform")?.ok_or_else(|| Fault::new(1, format!("Transform: {TRANSFORM} is missing")))?;
    let transforms = if transform.is_list() { transform.items()? } else { vec![transform] };
    for transform in transforms {
        let name = transform.text()?;
        if name != TRANSFORM {
            return Err(transform.fault(format!("the transform {name} is not supported")));
        }
    }
    root.get("Globals")?.map_or(Ok(()), |globals| globals.allow_only(GLOBALS))
}

/// The resources whose conditions are true. Adds a warning for each that may change the API's responses.
pub(super) fn resources<'doc>(root: &Value<'doc>, warnings: &mut Vec<Fault>) -> Result<Vec<Resource<'doc>>, Fault> {
    let mut resources = Vec::new();
    for (id, value) in root.required("Resources")?.members()? {
        if !value.exists()? {
            continue;
        }
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(value.fault(format!("the logical id {id} must be letters and digits")));
        }
        let kind = value.required("Type")?.text()?;
        check_kind(&kind, &value, warnings)?;
        check_events(&kind, &value)?;
        resources.push(Resource { id, kind, value });
    }
    Ok(resources)
}

/// The resources of one type.
pub(super) fn of_type<'a, 'doc>(
    resources: &'a [Resource<'doc>],
    kind: &'static str,
) -> impl Iterator<Item = (&'a str, &'a Value<'doc>)> {
    resources.iter().filter(move |resource| resource.kind == kind).map(|resource| (&*resource.id, &resource.value))
}

/// Refuses a resource that would change the API, and warns about one that may.
fn check_kind(kind: &str, resource: &Value<'_>, warnings: &mut Vec<Fault>) -> Result<(), Fault> {
    let is_known = |known: &str| known == kind || (known.ends_with("::") && kind.starts_with(known));
    if matches!(kind, "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" | "AWS::Serverless::Function")
        || WITHOUT_EFFECT.iter().any(|k| is_known(k))
    {
        return Ok(());
    }
    let mut warn = |message: String| warnings.push(resource.fault(message));
    match kind {
        "AWS::WAFv2::WebACLAssociation" => warn(format!("{kind}: the web ACL is not applied here")),
        _ if kind.starts_with("AWS::ApiGateway::DomainName")
            || kind.starts_with("AWS::ApiGateway::BasePathMapping") =>
        {
            warn(format!("{kind}: the API is not served under this domain, nor under its base path"));
        }
        "AWS::Serverless::WebSocketApi" => return Err(unsupported(kind, resource)),
        _ if kind.starts_with("AWS::ApiGateway::") || kind.starts_with("AWS::ApiGatewayV2::") => {
            return Err(unsupported(kind, resource));
        }
        _ => warn(format!("{kind} is unknown and ignored here, even if it changes the API's responses")),
    }
    Ok(())
}

/// The fault of an unsupported resource.
fn unsupported(kind: &str, resource: &Value<'_>) -> Fault {
    resource.fault(format!("{kind} is not supported, only AWS::Serverless::Api and ::HttpApi"))
}

/// Refuses an event that would send requests of an API to anything but a function.
fn check_events(kind: &str, resource: &Value<'_>) -> Result<(), Fault> {
    if !kind.starts_with("AWS::Serverless::") {
        return Ok(());
    }
    let events = resource.get("Properties")?.map_or(Ok(None), |properties| properties.get("Events"))?;
    for (_, event) in events.map_or(Ok(Vec::new()), |events| events.members())? {
        let event_kind = event.required("Type")?;
        let name = event_kind.text()?;
        let is_route = matches!(&*name, "Api" | "HttpApi") && kind == "AWS::Serverless::Function";
        if !is_route && !OTHER_EVENTS.contains(&name.as_str()) {
            return Err(event_kind.fault(format!("an event of type {name} is not supported in {kind}")));
        }
    }
    Ok(())
}

/// Refuses unsupported parts of an API or of `Globals.Api`, and warns about those that have no effect here.
pub(super) fn check_api(
    id: &str,
    api: &Value<'_>,
    globals: Option<&Value<'_>>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    api.allow_only(ATTRIBUTES)?;
    let properties = api.required("Properties")?;
    properties.allow_only(&[SERVED_BY_API, HARMLESS_IN_API, &["Domain", "MinimumCompressionSize"]].concat())?;
    check_globals(id, globals, SERVED_BY_API, &[HARMLESS_IN_API, &["Domain", "MinimumCompressionSize"]].concat())?;
    let stage = properties.required("StageName")?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name = stage.string()?;
    if name.is_empty() || !name.bytes().all(is_valid) {
        return Err(stage.fault("StageName must be letters, digits, - and _"));
    }
    for properties in globals.into_iter().chain([&properties]) {
        if let Some(version) = properties.get("OpenApiVersion")? {
            let text = version.text()?;
            let digits: Vec<_> = text.split('.').collect();
            let is_digit = |text: &&str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit());
            if !matches!(digits[..], ["2" | "3", _] | ["2" | "3", _, _]) || !digits.iter().all(is_digit) {
                return Err(version.fault("OpenApiVersion must have the form 2.0 or 3.0.1"));
            }
            if version.is_literal() && digits[0] != "3" {
                return Err(version.fault("SAM refuses an OpenApiVersion of 2 that is not in quotes"));
            }
        }
        if let Some(size) = properties.get("MinimumCompressionSize")? {
            warnings.push(size.fault("MinimumCompressionSize: responses are not compressed here"));
        }
        if let Some(path) = properties.get("Domain")?.map_or(Ok(None), |domain| domain.get("BasePath"))? {
            warnings.push(path.fault("BasePath: the API is not served under this domain, nor under its base path"));
        }
    }
    Ok(())
}

/// Refuses a property in `Globals` that the emulator reads only in the API `id` itself, and one that is not harmless.
fn check_globals(id: &str, globals: Option<&Value<'_>>, served: &[&str], harmless: &[&str]) -> Result<(), Fault> {
    let Some(globals) = globals else { return Ok(()) };
    match globals.members()?.iter().find(|(name, _)| served.contains(&name.as_str())) {
        Some((name, value)) => {
            Err(value.fault(format!("{name} in Globals is not supported: set it in the properties of {id}")))
        }
        None => globals.allow_only(harmless),
    }
}

/// Refuses unsupported parts of an HTTP API or of `Globals.HttpApi`, and warns about those that have no effect
/// here.
pub(super) fn check_http_api(
    id: &str,
    api: &Value<'_>,
    globals: Option<&Value<'_>>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    api.allow_only(ATTRIBUTES)?;
    let properties = api.get("Properties")?;
    if let Some(properties) = &properties {
        properties.allow_only(&[SERVED_BY_HTTP_API, HARMLESS_IN_HTTP_API].concat())?;
    }
    check_globals(id, globals, SERVED_BY_HTTP_API, HARMLESS_IN_HTTP_API)?;
    for properties in globals.into_iter().chain(&properties) {
        for settings in ["DefaultRouteSettings", "RouteSettings"] {
            if let Some(settings) = properties.get(settings)? {
                warnings.push(settings.fault("the throttling of an HTTP API is not enforced here"));
            }
        }
        if let Some(domain) = properties.get("Domain")? {
            warnings.push(domain.fault("Domain: the API is not served under this domain, nor under its base path"));
        }
    }
    Ok(())
}

/// Refuses a function without `Handler` or `Runtime`, unless it is a container image.
pub(super) fn check_package(function: &Value<'_>, globals: Option<&Value<'_>>) -> Result<(), Fault> {
    let properties = function.required("Properties")?;
    let source = |key| if properties.has(key) { Some(&properties) } else { globals };
    if source("PackageType").is_some_and(|source| source.has("PackageType")) {
        return Ok(());
    }
    for key in ["Handler", "Runtime"] {
        // An intrinsic function that cannot be resolved here has a value in AWS.
        let has_value = |source: &Value<'_>| source.get(key).map_or(true, |value| value.is_some());
        if !source(key).is_some_and(|source| has_value(source) && !source.is_falsy(key).unwrap_or(false)) {
            return Err(function.fault(format!("SAM refuses a function without {key}")));
        }
    }
    Ok(())
}

/// Refuses unsupported parts of a function or of `Globals.Function`, and warns about a stopped function.
pub(super) fn check_function(
    id: &str,
    function: &Value<'_>,
    globals: Option<&Value<'_>>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    function.allow_only(ATTRIBUTES)?;
    let properties = function.required("Properties")?;
    if let Some(events) = globals.map_or(Ok(None), |globals| globals.get("Events"))? {
        return Err(events.fault("SAM refuses Events in Globals"));
    }
    for properties in globals.into_iter().chain([&properties]) {
        properties.allow_only(FUNCTION)?;
        if let Some(environment) = properties.get("Environment")? {
            environment.allow_only(&["Variables"])?;
        }
        let reserved = properties.get("ReservedConcurrentExecutions")?;
        if let Some(reserved) = reserved.filter(|reserved| reserved.text().is_ok_and(|text| text == "0")) {
            warnings.push(reserved.fault(format!("ReservedConcurrentExecutions: 0 stops {id} in AWS, but not here")));
        }
    }
    Ok(())
}
