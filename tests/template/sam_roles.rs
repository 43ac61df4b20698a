//! Who may do what: the roles of the functions, and who may call them.

use std::collections::BTreeSet;

use harness::FUNCTIONS;
use serde_json::{Value, json};

use crate::stack::{Stack, names};

/// All that the functions may do: function, action, resource.
///
/// The ARN that CloudFormation gives a log group ends in `:*`, which means its streams. The template
/// itself has no pattern.
fn grants() -> BTreeSet<(String, &'static str, String)> {
    let grants = FUNCTIONS.iter().flat_map(|function| {
        let log_group = format!("${{{}.Arn}}", function.logical_id("LogGroup"));
        let logs = ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action, log_group.clone()));
        let data = function.actions().into_iter().map(|action| {
            let is_on_table = action.starts_with("dynamodb:");
            (action, if is_on_table { "${TokensTable.Arn}" } else { "${KeyRing.Id}" }.to_owned())
        });
        data.chain(logs).map(|(action, resource)| (function.logical_id("Function"), action, resource))
    });
    let usage = USAGE.into_iter().flat_map(|(resource, actions)| {
        actions.iter().map(move |action| ("UsageFunction".to_owned(), *action, resource.to_owned()))
    });
    grants.chain(usage).collect()
}

/// What the function that counts may do besides logging: resource, actions.
const USAGE: [(&str, &[&str]); 2] = [
    (
        "${TokensTable.StreamArn}",
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
    ),
    ("${UsageTable.Arn}", &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]),
];

/// All that may call a function: the function, and what of the API calls it.
///
/// `*` is every stage, as SAM writes it, and there is one; and the id of an authorizer, which API
/// Gateway draws.
fn callers() -> BTreeSet<(String, String)> {
    let authorizers = ["${AuthorizerFunction.Arn}", "${GuardFunction.Arn}"];
    let authorizers = authorizers.map(|arn| (arn.to_owned(), "authorizers/*".to_owned()));
    let routes = FUNCTIONS.iter().flat_map(|function| {
        let id = format!("${{{}}}", function.logical_id("Function"));
        function.routes.iter().map(move |route| (id.clone(), format!("*/{}", route.replacen(' ', "", 1))))
    });
    routes.chain(authorizers).collect()
}

/// Every kind of resource that the stack may hold.
const KINDS: [&str; 18] = [
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::QueryDefinition",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::Secret",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
];

#[test]
#[ignore = "needs SAM's transform of the template"]
fn each_function_may_do_its_own_actions_and_no_other() {
    let stack = Stack::with_all_resources();
    let mut found = BTreeSet::new();
    for (function, properties) in stack.all("AWS::Lambda::Function") {
        let (_, role) = role(&stack, properties);
        for statement in statements(role).into_iter().filter(|statement| statement["Action"] != "sts:AssumeRole") {
            assert_eq!(statement["Effect"], "Allow", "{function}");
            for action in words(&statement["Action"]) {
                let resources = words(&statement["Resource"]).into_iter();
                found.extend(resources.map(|resource| (function.to_owned(), action, resource.to_owned())));
            }
        }
    }
    assert_eq!(found, grants());
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn each_function_has_a_role_of_its_own_that_only_lambda_assumes() {
    let stack = Stack::with_all_resources();
    let functions = stack.all("AWS::Lambda::Function");
    let roles: BTreeSet<_> = functions.iter().map(|(_, properties)| role(&stack, properties).0).collect();
    assert_eq!(roles.len(), functions.len(), "a role is shared");
    assert_eq!(roles.len(), stack.all("AWS::IAM::Role").len(), "a role belongs to no function");
    let lambda =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    for (id, role) in stack.all("AWS::IAM::Role") {
        assert_eq!(role["AssumeRolePolicyDocument"]["Statement"], lambda, "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn no_role_has_a_managed_policy() {
    for (id, role) in Stack::with_all_resources().all("AWS::IAM::Role") {
        assert_eq!(names(role), ["AssumeRolePolicyDocument", "Policies"], "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a71_no_policy_holds_a_pattern_or_an_exception() {
    let stack = Stack::with_all_resources();
    for (id, resource) in &stack.resources {
        for statement in statements(resource) {
            for (name, value) in statement.as_object().unwrap() {
                assert!(["Sid", "Effect", "Principal", "Action", "Resource"].contains(&name.as_str()), "{id}: {name}");
                assert!(!value.to_string().contains(['*', '?']), "{id}: {name} is {value}");
            }
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a71_the_stack_holds_no_bucket_and_nothing_else_that_these_tests_do_not_look_at() {
    let stack = Stack::with_all_resources();
    let kinds: BTreeSet<_> = stack.resources.values().map(|resource| resource["Type"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn an_operator_may_call_exactly_the_routes_that_require_an_iam_permission() {
    let stack = Stack::with_all_resources();
    let policy = stack.the("AWS::IAM::ManagedPolicy");
    let [statement] = statements(policy)[..] else { panic!("there is not exactly one statement") };
    assert_eq!((&statement["Effect"], &statement["Action"]), (&"Allow".into(), &"execute-api:Invoke".into()));
    let api = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/Prod";
    let routes = ["POST/tokens/mint", "POST/tokens/introspect", "POST/tokens/revoke", "GET/usage"];
    let routes = routes.map(|route| format!("{api}/{route}"));
    assert_eq!(words(&statement["Resource"]), routes);
    assert_eq!(names(policy), ["Description", "PolicyDocument"], "it is attached to no role and no user");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a_function_is_called_by_its_own_routes_of_this_api_alone() {
    let stack = Stack::with_all_resources();
    let mut permissions = stack.all("AWS::Lambda::Permission");
    permissions.retain(|(id, _)| *id != "RotatePermission");
    let found: BTreeSet<_> = permissions
        .iter()
        .map(|(id, permission)| {
            assert_eq!(names(permission), ["Action", "FunctionName", "Principal", "SourceArn"], "{id}");
            assert_eq!(permission["Action"], "lambda:InvokeFunction", "{id}");
            assert_eq!(permission["Principal"], "apigateway.amazonaws.com", "{id}");
            let source = permission["SourceArn"].as_str().unwrap();
            let of_this_api = source.strip_prefix("arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/");
            let of_this_api = of_this_api.unwrap_or_else(|| panic!("{id}: {source}"));
            (permission["FunctionName"].as_str().unwrap().to_owned(), of_this_api.to_owned())
        })
        .collect();
    assert_eq!(found, callers());
    assert_eq!(found.len(), permissions.len(), "a permission is there twice");
}

/// The id and the properties of a function's role.
fn role<'stack>(stack: &'stack Stack, function: &'stack Value) -> (&'stack str, &'stack Value) {
    let arn = function["Role"].as_str().unwrap();
    let id = arn.strip_prefix("${").and_then(|rest| rest.strip_suffix(".Arn}")).unwrap();
    (id, &stack.resources[id]["Properties"])
}

/// Every statement of a policy, wherever it is in `value`.
fn statements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) if members.contains_key("Effect") => vec![value],
        Value::Object(members) => members.values().flat_map(statements).collect(),
        Value::Array(items) => items.iter().flat_map(statements).collect(),
        _ => vec![],
    }
}

/// One text or a list of them.
fn words(value: &Value) -> Vec<&str> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().map(|item| item.as_str().unwrap()).collect()
}
