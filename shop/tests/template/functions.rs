//! The functions: which code they run, and what they may do.

use std::collections::BTreeSet;

use serde_json::json;

use crate::template::{TEXT, all, properties, template, texts};

/// The composition of the functions.
const MAIN: &str = include_str!("../../src/main.rs");

/// What each function may do besides logging: function, action, resource.
const GRANTS: [(&str, &str, &str); 33] = [
    ("CheckoutFunction", "dynamodb:BatchGetItem", "ProductsTable.Arn"),
    ("CheckoutFunction", "secretsmanager:GetSecretValue", "KeyRing.Id"),
    ("CheckoutFunction", "states:DescribeExecution", EXECUTIONS),
    ("CheckoutFunction", "states:StartExecution", "OrderMachine"),
    ("CheckoutTokenFunction", "dynamodb:PutItem", "TokensTable.Arn"),
    ("CheckoutTokenFunction", "secretsmanager:GetSecretValue", "KeyRing.Id"),
    ("CrudFunction", "dynamodb:DeleteItem", "ProductsTable.Arn"),
    ("CrudFunction", "dynamodb:GetItem", "ProductsTable.Arn"),
    ("CrudFunction", "dynamodb:PutItem", "ProductsTable.Arn"),
    ("CrudFunction", "dynamodb:Scan", "ProductsTable.Arn"),
    ("NewOrderFunction", "dynamodb:PutItem", "OrdersTable.Arn"),
    ("NewOrderFunction", "dynamodb:UpdateItem", "TokensTable.Arn"),
    ("OrdersFunction", "dynamodb:GetItem", "OrdersTable.Arn"),
    ("OrdersFunction", "dynamodb:Query", "${OrdersTable.Arn}/index/by-time"),
    ("ProductsFunction", "dynamodb:GetItem", "ProductsTable.Arn"),
    ("ProductsFunction", "dynamodb:Scan", "ProductsTable.Arn"),
    ("ProxyFunction", "secretsmanager:GetSecretValue", "ApiKeySecret.Id"),
    ("ReportFunction", "dynamodb:PutItem", "TokensTable.Arn"),
    ("ReportFunction", "dynamodb:Query", "${OrdersTable.Arn}/index/by-time"),
    ("ReportFunction", "dynamodb:Scan", "ProductsTable.Arn"),
    ("ReportFunction", "s3:PutObject", REPORTS),
    ("ReportFunction", "secretsmanager:GetSecretValue", "KeyRing.Id"),
    ("ReportGuardFunction", "dynamodb:UpdateItem", "TokensTable.Arn"),
    ("ReportGuardFunction", "secretsmanager:GetSecretValue", "KeyRing.Id"),
    ("ReportLinkFunction", "s3:GetObject", REPORTS),
    ("ReportsFunction", "s3:GetObject", REPORTS),
    ("ReportsFunction", "states:DescribeExecution", REPORT_EXECUTIONS),
    ("ReportsFunction", "states:StartExecution", "ReportMachine"),
    ("UpdateInventoryFunction", "dynamodb:UpdateItem", "OrdersTable.Arn"),
    ("UpdateInventoryFunction", "dynamodb:UpdateItem", "ProductsTable.Arn"),
    ("OrderMachine", "lambda:InvokeFunction", "NewOrderFunction.Arn UpdateInventoryFunction.Arn"),
    ("ReportMachine", "lambda:InvokeFunction", "ReportFunction.Arn"),
    ("ReportMachine", "sns:Publish", "ReportsTopic"),
];

/// The files of the reports.
const REPORTS: &str = "${ReportsBucket.Arn}/reports/*";

/// The executions of a machine: an execution has no resource of its own in a template.
const REPORT_EXECUTIONS: &str =
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${ReportMachine.Name}:*";

/// As [`REPORT_EXECUTIONS`], of orders.
const EXECUTIONS: &str =
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${OrderMachine.Name}:*";

/// The logical IDs of the functions and of the machine, each with that of its role.
fn roles() -> Vec<(String, String)> {
    let kinds = ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"];
    let resources = kinds.iter().flat_map(|kind| all(kind));
    let role = |role: &serde_json::Value| role.as_str().unwrap().strip_suffix(".Arn").unwrap().to_owned();
    resources.map(|(id, properties)| (id, role(&properties["Role"]))).collect()
}

#[test]
fn the_handlers_of_the_template_are_the_arms_of_main() {
    let template = template();
    let functions = template["Resources"].as_object().unwrap().values();
    let of_the_shop = functions.filter(|resource| resource["Metadata"]["BuildProperties"]["Binary"] == "shop");
    let handlers: Vec<_> = of_the_shop.map(|function| texts(&function["Properties"]["Handler"]).remove(0)).collect();
    let arms = MAIN.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" =>"));
    let arms: Vec<_> = arms.map(|(arm, _)| arm.to_owned()).collect();
    assert_eq!(handlers.iter().collect::<BTreeSet<_>>(), arms.iter().collect::<BTreeSet<_>>());
    assert_eq!((handlers.len(), arms.len()), (11, 11), "one is there twice");
}

#[test]
fn each_function_may_do_its_own_actions_and_no_other() {
    let mut found = BTreeSet::new();
    for (id, role) in roles() {
        for policy in properties(&role)["Policies"].as_array().unwrap() {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                assert_eq!(statement["Effect"], "Allow", "{id}");
                let resource = texts(&statement["Resource"]).join(" ");
                for action in texts(&statement["Action"]) {
                    found.insert((id.clone(), action, resource.clone()));
                }
            }
        }
    }
    let logs = |id: &str| {
        let of = id.to_owned();
        ["logs:CreateLogStream", "logs:PutLogEvents"]
            .map(|action| (of.clone(), action.to_owned(), "LogGroup.Arn".to_owned()))
    };
    let functions = all("AWS::Serverless::Function");
    let grants =
        GRANTS.iter().map(|(id, action, resource)| ((*id).to_owned(), (*action).to_owned(), (*resource).to_owned()));
    assert_eq!(found, grants.chain(functions.keys().flat_map(|id| logs(id))).collect());
}

#[test]
fn a_report_may_read_what_was_ordered_and_not_by_whom() {
    let statements = properties("ReportRole")["Policies"][0]["PolicyDocument"]["Statement"].clone();
    let query = statements.as_array().unwrap().iter().find(|of| of["Action"] == "dynamodb:Query").unwrap();
    let condition = json!({
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "kind", "status", "items", "placed_at"]},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    });
    assert_eq!(query["Condition"], condition);
    // No other statement has a condition, and this is the only action on orders.
    for (id, role) in all("AWS::IAM::Role") {
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap() {
            assert_eq!(statement.get("Condition").is_some(), statement == query, "{id}");
        }
    }
}

#[test]
fn each_role_belongs_to_one_function_and_has_no_managed_policy() {
    let roles: BTreeSet<_> = roles().into_iter().map(|(_, role)| role).collect();
    assert_eq!(roles, all("AWS::IAM::Role").into_keys().collect());
    let machines = all("AWS::Serverless::StateMachine");
    assert_eq!(roles.len(), all("AWS::Serverless::Function").len() + machines.len(), "a role is shared");
    for (id, role) in all("AWS::IAM::Role") {
        assert_eq!(
            role.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["AssumeRolePolicyDocument", "Policies"],
            "{id}"
        );
        let service = if id.ends_with("MachineRole") { "states.amazonaws.com" } else { "lambda.amazonaws.com" };
        let statement = json!([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]);
        assert_eq!(role["AssumeRolePolicyDocument"]["Statement"], statement, "{id}");
    }
}

#[test]
fn every_suppression_has_its_reason_beside_it() {
    let skips: Vec<_> = TEXT.lines().filter(|line| line.contains("checkov:skip=")).collect();
    assert!(!skips.is_empty());
    for line in skips {
        let reason = line.split_once("checkov:skip=").and_then(|(_, skip)| skip.split_once(':'));
        assert!(reason.is_some_and(|(_, reason)| reason.split_whitespace().count() > 2), "{line}");
    }
}

#[test]
fn the_key_of_the_api_of_products_is_letters_and_digits_in_a_secret() {
    let generated = json!({
        "ExcludePunctuation": true, "GenerateStringKey": "key", "PasswordLength": 40, "SecretStringTemplate": "{}",
    });
    assert_eq!(properties("ApiKeySecret")["GenerateSecretString"], generated);
    assert_eq!(properties("ProductsApiKey")["Value"], "{{resolve:secretsmanager:${ApiKeySecret}:SecretString:key}}");
    // The plan is for the stage of this one API, and the key for the plan.
    let plan = properties("ProductsUsagePlan");
    assert_eq!(plan["ApiStages"], json!([{"ApiId": "CrudApi", "Stage": "CrudApi.Stage"}]));
    assert_eq!(plan["Quota"], json!({"Limit": "ProductsDailyQuota", "Period": "DAY"}));
    assert_eq!(plan["Throttle"], json!({"RateLimit": 50, "BurstLimit": 100}));
    let key = json!({"KeyId": "ProductsApiKey", "KeyType": "API_KEY", "UsagePlanId": "ProductsUsagePlan"});
    assert_eq!(properties("ProductsUsagePlanKey"), key);
}

#[test]
fn the_key_ring_is_generated_as_before() {
    let generated = json!({
        "ExcludePunctuation": true,
        "GenerateStringKey": "k1",
        "PasswordLength": 64,
        "SecretStringTemplate": r#"{"active":"k1"}"#,
    });
    assert_eq!(properties("KeyRing")["GenerateSecretString"], generated);
}
