//! Templates: what is read, what is refused, and what is a warning.

use std::time::Duration;

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
            Identity: { Headers: [X-Caller] }
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
      Handler: bootstrap
      Runtime: provided.al2023
Transform: AWS::Serverless-2016-10-31
";

impl Api {
    /// The API of a template, deployed with its defaults.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        Self::read(text, Inputs::default())
    }
}

/// The API of the template above with `text` in place of the comment `#place`.
fn with(place: &str, text: &str) -> Result<Api, Fault> {
    Api::parse(&TEMPLATE.replace(&format!("#{place}\n"), &format!("{text}\n")))
}

/// An event of the API.
fn event(path: &str, rest: &str) -> String {
    format!("X: {{ Type: Api, Properties: {{ RestApiId: !Ref Api, Path: {path}, {rest} }} }}")
}

#[test]
fn omitted_properties_have_sam_s_defaults() {
    let api = Api::parse(TEMPLATE).unwrap();
    assert_eq!(api.authorizers["Mint"].cache_seconds, 300);
    assert_eq!(api.warnings, []);
    assert_eq!(api.functions["F"].timeout, Duration::from_secs(3));
    assert_eq!(api.routes.len(), 1, "no preflight without Cors");
    assert!(matches!(api.kind, Kind::Rest { throttling: None, .. }), "{:?}", api.kind);
}

#[test]
fn a_default_authorizer_applies_unless_a_route_says_otherwise() {
    let event = event("/b", "Method: post")
        + "\n        Y: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /c, Method: any, Auth: { Authorizer: NONE } } }";
    let text = TEMPLATE.replace("#event", &event).replace("#auth\n", "DefaultAuthorizer: Mint\n");
    let authorizers = |text: &str| -> Vec<_> {
        let routes = Api::parse(text).unwrap().routes;
        routes.into_iter().map(|route| (route.method, route.authorization != Authorization::Open)).collect()
    };
    let route = |method: &str, has_authorizer| (method.to_owned(), has_authorizer);
    assert_eq!(authorizers(&text), [route("GET", true), route("POST", true), route("ANY", false)]);

    let with_cors = text.replace("#api", "Cors: \"'*'\"");
    assert_eq!(authorizers(&with_cors)[3..], [(); 3].map(|()| route("OPTIONS", true)), "SAM's default");
    let unguarded =
        with_cors.replace("DefaultAuthorizer", "AddDefaultAuthorizerToCorsPreflight: false\n        DefaultAuthorizer");
    assert_eq!(authorizers(&unguarded)[3..], [(); 3].map(|()| route("OPTIONS", false)));
}

#[test]
fn a_preflight_names_the_methods_of_its_path_unless_the_template_does() {
    let methods = |cors: &str, rest: &str| {
        let text = TEMPLATE.replace("#api", cors).replace("#event", &event("/a", rest));
        let routes = Api::parse(&text).unwrap().routes;
        let Target::Preflight(headers) = &routes.last().unwrap().target else { panic!("{routes:?}") };
        headers[http::header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().to_owned()
    };
    assert_eq!(methods("Cors: \"'*'\"", "Method: delete"), "DELETE,GET,OPTIONS");
    assert_eq!(methods("Cors: \"'*'\"", "Method: any"), "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT");
    assert_eq!(methods("Cors: { AllowMethods: \"'GET'\", AllowOrigin: \"'*'\" }", "Method: put"), "GET");
}

/// The headers of a preflight with these properties in `Cors`, and whether it has an authorizer.
fn preflight(cors: &str, auth: &str) -> (http::HeaderMap, bool) {
    let text = TEMPLATE.replace("#api", &format!("Cors: {{ AllowOrigin: \"'https://a'\", {cors} }}"));
    let route = Api::parse(&text.replace("#auth\n", &format!("{auth}\n"))).unwrap().routes.pop().unwrap();
    let is_open = route.authorization == Authorization::Open;
    let Target::Preflight(headers) = route.target else { panic!("{route:?}") };
    (headers, !is_open)
}

#[test]
fn a_boolean_in_quotes_is_a_string_to_sam() {
    for (value, is_true) in [("true", true), ("yes", true), ("false", false), ("'true'", false), ("!Sub 'true'", false)]
    {
        let (headers, _) = preflight(&format!("AllowCredentials: {value}"), "").clone();
        assert_eq!(headers.contains_key("access-control-allow-credentials"), is_true, "{value}");
    }
    for (value, is_guarded) in
        [("true", true), ("false", false), ("no", false), ("0", false), ("", false), ("'false'", true), ("'no'", true)]
    {
        let auth = format!("DefaultAuthorizer: Mint\n        AddDefaultAuthorizerToCorsPreflight: {value}");
        assert_eq!(preflight("", &auth).1, is_guarded, "{value}");
    }
}

#[test]
fn a_route_with_aws_iam_warns_unless_api_gateway_invokes_its_function_by_itself() {
    let line = |text: &str| {
        let api = Api::parse(text).map_err(|fault| format!("{text}: {fault}")).unwrap();
        assert_eq!(api.routes[1].authorization, Authorization::Iam, "{text}");
        let [warning] = api.warnings.as_slice() else { return None };
        assert!(warning.message.starts_with("AWS_IAM: API Gateway would invoke the function "), "{warning}");
        Some((warning.line, warning.message.contains("as the caller")))
    };
    let with = |auth: &str, event_auth: &str| {
        let event = event("/b", &format!("Method: get{event_auth}"));
        TEMPLATE.replace("#event", &event).replace("#auth\n", &format!("{auth}\n"))
    };
    for (auth, event_auth, expected) in [
        ("", ", Auth: { Authorizer: AWS_IAM, InvokeRole: NONE }", None),
        ("", ", Auth: { Authorizer: AWS_IAM }", Some((25, true))),
        ("", ", Auth: { Authorizer: AWS_IAM, InvokeRole: CALLER_CREDENTIALS }", Some((25, true))),
        ("", ", Auth: { Authorizer: AWS_IAM, InvokeRole: 'arn:aws:iam::123456789012:role/r' }", Some((25, false))),
        ("InvokeRole: NONE", ", Auth: { Authorizer: AWS_IAM }", None),
        ("InvokeRole: NONE", ", Auth: { Authorizer: AWS_IAM, InvokeRole: CALLER_CREDENTIALS }", Some((25, true))),
        ("DefaultAuthorizer: AWS_IAM", "", Some((25, true))),
        ("DefaultAuthorizer: AWS_IAM", ", Auth: { InvokeRole: CALLER_CREDENTIALS }", None),
        ("DefaultAuthorizer: AWS_IAM\n        InvokeRole: NONE", "", None),
        ("DefaultAuthorizer: AWS_IAM\n        InvokeRole: NONE", ", Auth: {}", None),
    ] {
        assert_eq!(line(&with(auth, event_auth)), expected, "{auth} {event_auth}");
    }
}

#[test]
fn aws_iam_as_the_default_applies_unless_a_route_says_otherwise() {
    let event = event("/b", "Method: post")
        + "\n        Y: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /c, Method: any, Auth: { Authorizer: NONE } } }";
    let auth = "InvokeRole: NONE\n        DefaultAuthorizer: AWS_IAM\n";
    let text = TEMPLATE.replace("#event", &event).replace("#auth\n", auth).replace("#api", "Cors: \"'*'\"");
    let authorizations: Vec<_> = Api::parse(&text).unwrap().routes.into_iter().map(|it| it.authorization).collect();
    let iam = Authorization::Iam;
    assert_eq!(authorizations[..3], [Authorization::Authorizer("Mint".to_owned()), iam.clone(), Authorization::Open]);
    assert_eq!(authorizations[3..], [iam.clone(), iam.clone(), iam], "SAM adds it to the preflights");
}

#[test]
fn a_preflight_allows_every_origin_unless_the_template_names_one() {
    let origin = |cors: &str| {
        let routes = with("api", cors).unwrap().routes;
        let Target::Preflight(headers) = &routes.last().unwrap().target else { panic!("{routes:?}") };
        headers[http::header::ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap().to_owned()
    };
    assert_eq!(origin("Cors: { MaxAge: \"'1'\" }"), "*", "SAM's default");
    assert_eq!(origin("Cors: { AllowOrigin: \"'https://a'\", AllowCredentials: yes }"), "https://a");
}

#[test]
fn a_path_with_a_trailing_slash_is_the_resource_without_it() {
    let api = with("event", &event("/b/", "Method: get")).unwrap();
    assert_eq!(api.routes[1].path, "/b");
    assert_eq!(with("event", &event("/a/", "Method: get")).unwrap_err().message, "GET /a already has a function");
}

#[test]
fn aliases_and_the_environment_of_globals_are_read() {
    let text = TEMPLATE.replace("#function", "Environment: &shared { Variables: { A: own } }").replace(
        "Transform",
        "Globals: { Function: { Timeout: &t 7, Environment: { Variables: { A: common, B: !Ref AWS::Region } } }, \
         Api: { OpenApiVersion: '2.0' } }\nTransform",
    );
    let function = &Api::parse(&text).unwrap().functions["F"];
    assert_eq!(function.timeout, Duration::from_secs(7));
    assert_eq!(function.environment["A"], "own");
    assert_eq!(function.environment["B"], "local");
}

#[test]
fn a_resource_whose_condition_is_false_does_not_exist() {
    let conditional = |condition: &str| {
        let text = TEMPLATE.replace("Resources:", &format!("Conditions: {{ C: {condition} }}\nResources:"));
        Api::parse(&text.replace("  F:\n", "  F:\n    Condition: C\n")).map(|api| api.routes.len())
    };
    assert_eq!(conditional("!Equals [a, a]"), Ok(1));
    assert!(conditional("!Equals [a, b]").unwrap_err().message.starts_with("FunctionArn must be"));
}

#[test]
fn an_unsupported_part_is_a_fault_that_names_the_line() {
    for (place, text, line, message) in [
        ("api", "DefinitionBody: {}", 7, "DefinitionBody is not supported"),
        ("api", "BinaryMediaTypes: ['*/*']", 7, "BinaryMediaTypes is not supported"),
        ("api", "Unknown: 1", 7, "Unknown is not supported"),
        ("api", "Cors: '*'", 7, "only a literal in single quotes is supported here, as in \"'*'\""),
        ("api", "Cors: !ImportValue x", 7, "the function Fn::ImportValue is not supported"),
        ("api", "Cors: \"'{{resolve:ssm:/origin}}'\"", 7, "dynamic references ({{resolve:…}}) are not supported"),
        (
            "api",
            "Cors: { AllowCredentials: true }",
            7,
            "SAM refuses AllowCredentials: true where AllowOrigin is \"'*'\" or not set",
        ),
        (
            "api",
            "Cors: { AllowCredentials: true, AllowOrigin: \"'*'\" }",
            7,
            "SAM refuses AllowCredentials: true where AllowOrigin is \"'*'\" or not set",
        ),
        ("api", "GatewayResponses: { DEFAULT_4xx: {} }", 7, "unknown gateway response DEFAULT_4xx"),
        ("api", "GatewayResponses: { THROTTLED: { StatusCode: 42 } }", 7, "invalid HTTP status code"),
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
        (
            "api",
            "MethodSettings: [{ HttpMethod: '*', ResourcePath: /*, CachingEnabled: true }]",
            7,
            "CachingEnabled: true is not supported: API Gateway would answer several callers with one response",
        ),
        ("api", "MethodSettings: [{ HttpMethod: '*', Unknown: 1 }]", 7, "Unknown is not supported"),
        ("auth", "DefaultAuthorizer: NONE", 9, "Authorizers has no NONE"),
        (
            "event",
            &event("/b", "Method: get, Auth: { Authorizer: NONE }"),
            25,
            "SAM refuses Authorizer: NONE where the API has no DefaultAuthorizer",
        ),
        ("api", "OpenApiVersion: '1.0'", 7, "OpenApiVersion must have the form 2.0 or 3.0.1"),
        ("api", "OpenApiVersion: 2.0", 7, "SAM refuses an OpenApiVersion of 2 that is not in quotes"),
        ("event", &event("1", "Method: get"), 25, "a string is expected here: put it in quotes"),
        ("event", &event("/b", "Method: yes"), 25, "a string is expected here: put it in quotes"),
        ("api", "Cors: { AllowCredentials: true, AllowHeaders: [a] }", 7, "a string is expected here"),
        ("auth", "ApiKeyRequired: true", 9, "ApiKeyRequired is not supported"),
        ("auth", "DefaultAuthorizer: AWS_iam", 9, "Authorizers has no AWS_iam"),
        ("authorizer", "AuthorizationScopes: [a]", 15, "AuthorizationScopes is not supported"),
        ("event", &event("/b", "Method: get, Auth: { Authorizer: Other }"), 25, "Authorizers has no Other"),
        ("event", &event("/b", "Method: get, Auth: { ApiKeyRequired: true }"), 25, "ApiKeyRequired is not supported"),
        ("event", &event("/b", "Method: get, RequestModel: {}"), 25, "RequestModel is not supported"),
        ("event", &event("/b", "Method: brew"), 25, "the method BREW is not supported"),
        ("event", &event("/a", "Method: GET"), 25, "GET /a already has a function"),
        (
            "event",
            &event("/{a}{b}", "Method: get").replace("/{a}{b}", "'/{a}{b}'"),
            25,
            "a segment of a path must be letters, digits and ._-: or one {variable}",
        ),
        (
            "event",
            "X: { Type: HttpApi }",
            25,
            "an event of type HttpApi belongs to a second API, which is not supported",
        ),
        ("event", "X: { Type: New }", 25, "an event of type New is not supported in AWS::Serverless::Function"),
        (
            "event",
            "X: { Type: Api, Properties: { Path: /b, Method: get } }",
            25,
            "an event without RestApiId belongs to SAM's implicit API, which is not supported: \
             define an AWS::Serverless::Api and set RestApiId: !Ref to it",
        ),
        ("event", &event("/b", "Method: get").replace("!Ref Api", "Other"), 25, "RestApiId must be !Ref Api"),
        ("function", "Timeout: soon", 21, "a number is expected here"),
        ("function", "Timeout: 901", 21, "Timeout must be 1 to 900"),
        ("function", "Unknown: 1", 21, "Unknown is not supported"),
        (
            "function",
            "Environment: { Variables: { A: !Ref Nothing } }",
            21,
            "Nothing is neither a parameter nor a resource",
        ),
        (
            "function",
            "Environment: { Variables: { A: '{{resolve:secretsmanager:a}}' } }",
            21,
            "dynamic references ({{resolve:…}}) are not supported",
        ),
    ] {
        let fault = with(place, text).map(|_| ()).expect_err(text);
        assert_eq!((fault.message.as_str(), fault.line), (message, line), "{text}");
    }
}

#[test]
fn a_resource_that_changes_the_api_from_outside_is_a_fault_that_names_the_line() {
    let uncached = "SAM refuses an authorizer that is cached and has no identity source: \
                    set Identity.ReauthorizeEvery: 0, or Identity.Headers";
    for (from, to, line, message) in [
        (
            "FunctionPayloadType: REQUEST",
            "X: 1",
            11,
            "only an authorizer with FunctionPayloadType: REQUEST is supported",
        ),
        ("            Identity: { Headers: [X-Caller] }\n", "", 11, uncached),
        ("{ Headers: [X-Caller] }", "{ Headers: [], ReauthorizeEvery: 1 }", 11, uncached),
        ("{ Headers: [X-Caller] }", "[a]", 14, "a mapping is expected here"),
        ("Mint:", "AWS_IAM:", 11, "SAM refuses an authorizer of the name AWS_IAM"),
        ("StageName: Prod", "StageName: 1", 6, "a string is expected here: put it in quotes"),
        ("      Handler: bootstrap\n", "", 16, "SAM refuses a function without Handler"),
        ("Runtime: provided.al2023", "Runtime: ''", 16, "SAM refuses a function without Runtime"),
        ("Runtime: provided.al2023", "Runtime: ~", 16, "SAM refuses a function without Runtime"),
        ("Runtime: provided.al2023", "Runtime: !Ref AWS::NoValue", 16, "SAM refuses a function without Runtime"),
        (
            "Resources:",
            "Resources:\n  Unused: { Type: AWS::Serverless::Function, Properties: { Handler: a } }",
            3,
            "SAM refuses a function without Runtime",
        ),
        ("StageName: Prod", "StageName: a/b", 6, "StageName must be letters, digits, - and _"),
        ("StageName: Prod", "StageName: ''", 6, "StageName must be letters, digits, - and _"),
        ("  F:\n", "  F-1:\n", 16, "the logical id F-1 must be letters and digits"),
        ("Resources:", "Globals: { Function: { Events: {} } }\nResources:", 2, "SAM refuses Events in Globals"),
        ("{ Headers: [X-Caller] }", "{ Context: [a] }", 14, "Context is not supported"),
        ("{ Headers: [X-Caller] }", "{ ReauthorizeEvery: never }", 14, "a number is expected here"),
        ("{ Headers: [X-Caller] }", "{ ReauthorizeEvery: 3601 }", 14, "ReauthorizeEvery is at most 3600"),
        ("!GetAtt F.Arn", "arn:aws:lambda:x", 13, "FunctionArn must be !GetAtt <a function of this template>.Arn"),
        (
            "    Metadata: { BuildProperties: { Binary: f } }\n",
            "",
            16,
            "F has no Metadata.BuildProperties.Binary, which names the binary that it runs",
        ),
        ("    Metadata:", "    IgnoreGlobals: '*'\n    Metadata:", 18, "IgnoreGlobals is not supported"),
        (
            "AWS::Serverless::Api",
            "AWS::Serverless::WebSocketApi",
            3,
            "AWS::Serverless::WebSocketApi is not supported, only AWS::Serverless::Api and ::HttpApi",
        ),
        (
            "Resources:",
            "Resources:\n  R: { Type: AWS::ApiGateway::GatewayResponse }",
            3,
            "AWS::ApiGateway::GatewayResponse is not supported, only AWS::Serverless::Api and ::HttpApi",
        ),
        (
            "Resources:",
            "Resources:\n  R: { Type: AWS::ApiGateway::Method }",
            3,
            "AWS::ApiGateway::Method is not supported, only AWS::Serverless::Api and ::HttpApi",
        ),
        (
            "Resources:",
            "Resources:\n  R: { Type: AWS::Serverless::StateMachine, Properties: { Events: { E: { Type: Api } } } }",
            3,
            "an event of type Api is not supported in AWS::Serverless::StateMachine",
        ),
        (
            "Resources:",
            "Globals: { Api: { Auth: {} } }\nResources:",
            2,
            "Auth in Globals is not supported: set it in the properties of Api",
        ),
        ("Resources:", "Globals: { Api: { Unknown: 1 } }\nResources:", 2, "Unknown is not supported"),
        ("Resources:", "Globals: { Function: { Unknown: 1 } }\nResources:", 2, "Unknown is not supported"),
        ("Resources:", "Globals: { Nothing: 1 }\nResources:", 2, "Nothing is not supported"),
        ("Resources:", "Hooks: {}\nResources:", 2, "Hooks is not supported"),
        (
            "Resources:",
            "Resources:\n  Fn::ForEach::Each: []",
            3,
            "Fn::ForEach is not supported: write out what it repeats",
        ),
        (
            "Resources:",
            "Resources:\n  <<: {}",
            3,
            "merge keys (<<) are not supported: repeat the members, or use an alias",
        ),
        ("Transform: AWS::Serverless-2016-10-31\n", "", 1, "Transform: AWS::Serverless-2016-10-31 is missing"),
        (
            "AWS::Serverless-2016-10-31",
            "[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]",
            28,
            "the transform AWS::LanguageExtensions is not supported",
        ),
    ] {
        let fault = Api::parse(&TEMPLATE.replacen(from, to, 1)).map(|_| ()).expect_err(to);
        assert_eq!((fault.message.as_str(), fault.line), (message, line), "{to}");
    }
    let implicit = TEMPLATE.replacen("AWS::Serverless::Api", "AWS::S3::Bucket", 1).replace("RestApiId: !Ref Api, ", "");
    let fault = Api::parse(&implicit).unwrap_err();
    assert_eq!(fault.line, 23);
    assert!(fault.message.starts_with("an event without RestApiId"), "{fault}");
}

#[test]
fn a_part_without_effect_on_responses_is_ignored() {
    for (from, to) in [
        ("#api", "TracingEnabled: !ImportValue x"),
        ("#api", "MethodSettings: [{ HttpMethod: '*', ResourcePath: /*, LoggingLevel: OFF, CachingEnabled: no }]"),
        ("#api", "Domain: { DomainName: a.example }"),
        ("#function", "Layers: !ImportValue x"),
        ("#auth", "InvokeRole: NONE"),
        ("#api", "OpenApiVersion: 3.0"),
        ("#api", "OpenApiVersion: !!str 2.0"),
        ("Runtime: provided.al2023", "Runtime: !ImportValue x"),
        ("Resources:", "Resources:\n  F1: { Type: AWS::Serverless::Function, Properties: { PackageType: Image } }"),
        ("Resources:", "Globals: { Api: { TracingEnabled: true } }\nResources:"),
        ("Resources:", "Outputs: { Fn: { Value: !ImportValue x } }\nResources:"),
        ("Resources:", "Resources:\n  R: { Type: AWS::DynamoDB::Table, Properties: !ImportValue x }"),
        ("Resources:", "Resources:\n  R: { Type: AWS::Serverless::StateMachine, Properties: { Events: {} } }"),
        ("Transform: AWS::Serverless-2016-10-31", "Transform: [AWS::Serverless-2016-10-31]"),
    ] {
        let api = Api::parse(&TEMPLATE.replacen(from, to, 1)).map_err(|fault| format!("{to}: {fault}")).unwrap();
        assert_eq!(api.warnings, [], "{to}");
    }
}

#[test]
fn a_difference_from_the_deployed_api_is_a_warning_with_its_line() {
    for (from, to, line, message) in [
        (
            "Resources:",
            "Resources:\n  R: { Type: AWS::WAFv2::WebACLAssociation }",
            3,
            "AWS::WAFv2::WebACLAssociation: the web ACL is not applied here",
        ),
        (
            "Resources:",
            "Resources:\n  R: { Type: AWS::ApiGateway::BasePathMapping }",
            3,
            "AWS::ApiGateway::BasePathMapping: the API is not served under this domain, nor under its base path",
        ),
        (
            "Resources:",
            "Resources:\n  R: { Type: Custom::Route }",
            3,
            "Custom::Route is unknown and ignored here, even if it changes the API's responses",
        ),
        (
            "#api",
            "Domain: { BasePath: /v1 }",
            7,
            "BasePath: the API is not served under this domain, nor under its base path",
        ),
        ("#api", "MinimumCompressionSize: 0", 7, "MinimumCompressionSize: responses are not compressed here"),
        (
            "#function",
            "ReservedConcurrentExecutions: 0",
            21,
            "ReservedConcurrentExecutions: 0 stops F in AWS, but not here",
        ),
        (
            "Resources:",
            "Globals: { Api: { MinimumCompressionSize: 0 } }\nResources:",
            2,
            "MinimumCompressionSize: responses are not compressed here",
        ),
    ] {
        let api = Api::parse(&TEMPLATE.replacen(from, to, 1)).map_err(|fault| format!("{to}: {fault}")).unwrap();
        assert_eq!(api.warnings, [Fault::new(line, message)], "{to}");
    }
}
