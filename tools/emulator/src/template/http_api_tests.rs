//! Templates of HTTP APIs: what is read, what is refused, and what is a warning.

use super::*;

const TEMPLATE: &str = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      #api
      Auth:
        #auth
        Authorizers:
          Guard:
            FunctionArn: !GetAtt F.Arn
            #version
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            #authorizer
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: /a, Method: get, Auth: { Authorizer: Guard } } }
        #event
";

/// The API of the template above with `text` in place of the comment `#place`.
fn with(place: &str, text: &str) -> Result<Api, Fault> {
    Api::parse(&TEMPLATE.replace(&format!("#{place}\n"), &format!("{text}\n")))
}

/// The API of the template above without the lines that contain `text`.
fn without(text: &str) -> Result<Api, Fault> {
    Api::parse(
        &TEMPLATE.lines().filter(|line| !line.contains(text)).map(|line| format!("{line}\n")).collect::<String>(),
    )
}

/// An event of the API.
fn event(rest: &str) -> String {
    format!("X: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Api, {rest} }} }}")
}

#[test]
fn an_authorizer_is_simple_and_may_be_invoked_only_if_the_template_says_so() {
    let api = Api::parse(TEMPLATE).unwrap();
    assert!(api.authorizers["Guard"].is_simple && !api.authorizers["Guard"].is_forbidden);
    assert_eq!((api.authorizers["Guard"].cache_seconds, api.warnings.as_slice()), (0, &[][..]));

    assert!(!without("EnableSimpleResponses").unwrap().authorizers["Guard"].is_simple);

    let forbidden = without("EnableFunctionDefaultPermissions").unwrap();
    assert!(forbidden.authorizers["Guard"].is_forbidden);
    let [warning] = &forbidden.warnings[..] else { panic!("{:?}", forbidden.warnings) };
    assert!(warning.line == 10 && warning.message.contains("may not invoke its function"), "{warning}");
}

#[test]
fn an_authorizer_that_may_be_cached_is_a_warning() {
    let api = with("authorizer", "Identity: { Headers: [X-Access-Token] }").unwrap();
    let [warning] = &api.warnings[..] else { panic!("{:?}", api.warnings) };
    assert!(warning.line == 10 && warning.message.contains("may reuse its answer"), "{warning}");

    for quiet in ["Identity: { Headers: [X-Access-Token], ReauthorizeEvery: 0 }", "Identity: { ReauthorizeEvery: 0 }"] {
        assert_eq!(with("authorizer", quiet).unwrap().warnings, [], "{quiet}");
    }
}

#[test]
fn a_default_authorizer_applies_unless_a_route_says_otherwise() {
    let events = [
        event("Path: /b, Method: post"),
        event("Path: /c, Method: post, Auth: { Authorizer: NONE }").replace('X', "Y"),
    ];
    let template = TEMPLATE.replace("#auth\n", "DefaultAuthorizer: Guard\n");
    let api = Api::parse(&template.replace("#event", &events.join("\n        "))).unwrap();
    let authorization = |path: &str| &api.routes.iter().find(|route| route.path == path).unwrap().authorization;
    assert_eq!(*authorization("/b"), Authorization::Authorizer("Guard".to_owned()));
    assert_eq!(*authorization("/c"), Authorization::Open);
}

#[test]
fn an_event_without_path_and_method_is_the_last_route() {
    for default in ["Auth: { Authorizer: Guard }", "Path: $default, Method: any"] {
        let template = TEMPLATE.replace("Get: {", &format!("{}\n        Get: {{", event(default)));
        let api = Api::parse(&template).unwrap();
        let routes: Vec<_> = api.routes.iter().map(|route| (&*route.path, &*route.method)).collect();
        assert_eq!(routes, [("/a", "GET"), ("$default", "ANY")], "{default}");
    }
}

#[test]
fn an_unsupported_part_is_a_fault_that_names_the_line() {
    for (place, text, line, message) in [
        ("api", "StageName: prod", 6, "only the stage $default is supported, which StageName is if it is not set"),
        ("api", "DefinitionBody: {}", 6, "DefinitionBody is not supported"),
        ("api", "CorsConfiguration: '*'", 6, "CorsConfiguration must be true or a mapping"),
        ("api", "CorsConfiguration: { AllowMethods: [GET] }", 6, "AllowOrigins is missing"),
        ("api", "CorsConfiguration: { AllowOrigins: '*' }", 6, "a list is expected here"),
        (
            "api",
            "CorsConfiguration: { AllowOrigins: ['*'], AllowCredentials: true }",
            6,
            "API Gateway refuses AllowCredentials: true where AllowOrigins has *",
        ),
        ("auth", "EnableIamAuthorizer: true", 8, "EnableIamAuthorizer is not supported"),
        ("auth", "DefaultAuthorizer: Other", 8, "Authorizers has no Other"),
        ("authorizer", "FunctionInvokeRole: a", 16, "FunctionInvokeRole is not supported"),
        ("authorizer", "JwtConfiguration: {}", 16, "JwtConfiguration is not supported"),
        ("authorizer", "Identity: { StageVariables: [a] }", 16, "StageVariables is not supported"),
        (
            "authorizer",
            "Identity: { ReauthorizeEvery: 60 }",
            10,
            "API Gateway refuses an authorizer that is cached and has no identity source",
        ),
        ("authorizer", "Identity: { ReauthorizeEvery: 3601 }", 16, "ReauthorizeEvery is at most 3600"),
        ("event", &event("Path: /b"), 25, "Path and Method must be set together"),
        ("event", &event("Path: /b/, Method: get"), 25, "API Gateway makes no route of a path that ends in /"),
        ("event", &event("Path: b, Method: get"), 25, "a path must begin with /"),
        ("event", &event("Path: /a, Method: GET"), 25, "GET /a already has a function"),
        ("event", &event("Path: $default, Method: get"), 25, "the route $default is supported for Method: any only"),
        ("event", &event("Path: /b, Method: brew"), 25, "the method BREW is not supported"),
        ("event", &event("Path: /b, Method: get, TimeoutInMillis: 50"), 25, "TimeoutInMillis is not supported"),
        (
            "event",
            &event("Path: /b, Method: get, PayloadFormatVersion: '1.0'"),
            25,
            "only PayloadFormatVersion: \"2.0\" is supported",
        ),
        ("event", &event("Path: /b, Method: get, Auth: { Authorizer: AWS_IAM }"), 25, "Authorizers has no AWS_IAM"),
        (
            "event",
            &event("Path: /b, Method: get, Auth: { Authorizer: NONE }"),
            25,
            "SAM refuses Authorizer: NONE where the API has no DefaultAuthorizer",
        ),
        (
            "event",
            &event("Path: /b, Method: get, Auth: {}"),
            25,
            "an Auth without Authorizer is not supported where the API has no DefaultAuthorizer",
        ),
        (
            "event",
            "X: { Type: HttpApi, Properties: { Path: /b, Method: get } }",
            25,
            "an event without ApiId belongs to SAM's implicit API, which is not supported: \
             define an AWS::Serverless::HttpApi and set ApiId: !Ref to it",
        ),
        ("event", &event("Path: /b").replace("!Ref Api", "Other"), 25, "ApiId must be !Ref Api"),
        (
            "event",
            "X: { Type: Api, Properties: { Path: /b, Method: get } }",
            25,
            "an event of type Api belongs to a second API, which is not supported",
        ),
    ] {
        let fault = with(place, text).map(|_| ()).expect_err(text);
        assert_eq!((fault.message.as_str(), fault.line), (message, line), "{text}");
    }
    for (from, to, line, message) in [
        ("'2.0'", "'1.0'", 10, "only AuthorizerPayloadFormatVersion: \"2.0\" is supported"),
        (
            "EnableSimpleResponses: true",
            "EnableSimpleResponses: 'true'",
            14,
            "EnableSimpleResponses must be true or false, without quotes",
        ),
        (
            "#event",
            "X: { Type: HttpApi, Properties: { ApiId: !Ref Api } }\n        Y: { Type: HttpApi, Properties: { ApiId: !Ref Api } }",
            26,
            "the route $default already has a function",
        ),
    ] {
        let fault = Api::parse(&TEMPLATE.replace(from, to)).map(|_| ()).expect_err(to);
        assert_eq!((fault.message.as_str(), fault.line), (message, line), "{to}");
    }
    let fault = without("AuthorizerPayloadFormatVersion").unwrap_err();
    assert_eq!(fault.message, "SAM refuses an authorizer without AuthorizerPayloadFormatVersion");
}
