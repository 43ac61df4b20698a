//! What of a template is understood: sections, resources, properties and events, by lists of what is known.
//!
//! A name that is on no list is refused with its line, or, where it may have nothing to do with the API,
//! warned about. Nothing that could change an answer of the deployed API passes in silence.
//!
//! The properties and events are those of SAM 1.115 (`aws-sam-translator`).

use super::Fault;
use super::value::Value;

/// The transform that makes a template one of SAM's.
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
/// Attributes of a resource that is served; `IgnoreGlobals` would change which properties it has.
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
/// Resources, or whole services with `::` at the end, that stand behind an API or beside it.
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
/// Events that bring no request to an API.
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
/// Properties of an API that are served.
const SERVED_BY_API: &[&str] = &["Auth", "Cors", "GatewayResponses", "MethodSettings", "StageName"];
/// Properties of an API that leave its answers as they are. A cache cluster caches nothing by itself.
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
/// Properties of a function that are served, or that leave its answers as they are.
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

/// A resource that exists.
pub(super) struct Resource<'doc> {
    /// Logical id.
    pub(super) id: String,
    /// Its `Type`.
    pub(super) kind: String,
    /// Itself.
    pub(super) value: Value<'doc>,
}

/// Refuses sections and transforms that are not understood.
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

/// The resources whose conditions hold; adds a warning for each that may change what the API answers.
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
    if matches!(kind, "AWS::Serverless::Api" | "AWS::Serverless::Function")
        || WITHOUT_EFFECT.iter().any(|k| is_known(k))
    {
        return Ok(());
    }
    let mut warn = |message: String| warnings.push(resource.fault(message));
    match kind {
        "AWS::WAFv2::WebACLAssociation" => warn(format!("{kind}: what the web ACL blocks is served here")),
        _ if kind.starts_with("AWS::ApiGateway::DomainName")
            || kind.starts_with("AWS::ApiGateway::BasePathMapping") =>
        {
            warn(format!("{kind}: the API is not served under this domain, nor under its base path"));
        }
        "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi" => return Err(unsupported(kind, resource)),
        _ if kind.starts_with("AWS::ApiGateway::") || kind.starts_with("AWS::ApiGatewayV2::") => {
            return Err(unsupported(kind, resource));
        }
        _ => warn(format!("{kind} is not known here: if it changes what the API answers, that is not served")),
    }
    Ok(())
}

/// A resource that cannot be served.
fn unsupported(kind: &str, resource: &Value<'_>) -> Fault {
    resource.fault(format!("{kind} is not supported, only AWS::Serverless::Api"))
}

/// Refuses an event that would bring requests of an API to something other than a function.
fn check_events(kind: &str, resource: &Value<'_>) -> Result<(), Fault> {
    if !kind.starts_with("AWS::Serverless::") {
        return Ok(());
    }
    let events = resource.get("Properties")?.map_or(Ok(None), |properties| properties.get("Events"))?;
    for (_, event) in events.map_or(Ok(Vec::new()), |events| events.members())? {
        let event_kind = event.required("Type")?;
        let name = event_kind.text()?;
        let is_route = name == "Api" && kind == "AWS::Serverless::Function";
        if !is_route && !OTHER_EVENTS.contains(&name.as_str()) {
            return Err(event_kind.fault(format!("an event of type {name} is not supported in {kind}")));
        }
    }
    Ok(())
}

/// Refuses what of an API, or of `Globals.Api`, is not understood, and warns about what is not served.
pub(super) fn check_api(
    id: &str,
    api: &Value<'_>,
    globals: Option<&Value<'_>>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    api.allow_only(ATTRIBUTES)?;
    let properties = api.required("Properties")?;
    properties.allow_only(&[SERVED_BY_API, HARMLESS_IN_API, &["Domain", "MinimumCompressionSize"]].concat())?;
    if let Some(globals) = globals {
        for (name, value) in globals.members()? {
            if SERVED_BY_API.contains(&name.as_str()) {
                return Err(
                    value.fault(format!("{name} in Globals is not supported: set it in the properties of {id}"))
                );
            }
        }
        globals.allow_only(&[HARMLESS_IN_API, &["Domain", "MinimumCompressionSize"]].concat())?;
    }
    let stage = properties.required("StageName")?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name = stage.text()?;
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

/// Refuses what of a function, or of `Globals.Function`, is not understood, and warns about one that is stopped.
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
            warnings.push(reserved.fault(format!("ReservedConcurrentExecutions: 0 stops {id} where it is deployed")));
        }
    }
    Ok(())
}
