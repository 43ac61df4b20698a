//! The reports: their machine, their guard, their bucket and their topic.

use serde_json::{Value, json};

use crate::template::{all, properties, template};

#[test]
fn both_reports_are_written_at_once_and_then_their_links_are_mailed() {
    let retry = json!([
        {"ErrorEquals": ["Invalid"], "MaxAttempts": 0},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 2, "JitterStrategy": "FULL"},
    ]);
    let branch = |state: &str, report: &str| {
        let task = json!({
            "Type": "Task",
            "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "ReportFunction.Arn",
                "Payload": {"report": report, "started_at": "{% $states.context.Execution.StartTime %}"},
            },
            "Output": "{% $states.result.Payload %}",
            "Retry": retry,
            "End": true,
        });
        json!({"StartAt": state, "States": {(state): task}})
    };
    let notify = json!({
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::sns:publish",
        "Arguments": {
            "TopicArn": "ReportsTopic",
            "Subject": "Your reports are ready",
            "Message": "{% $join($states.input.mail, '') %}",
        },
        // The IDs without the links: a link contains a token, and anyone who may read the status can read the output.
        "Output": "{% $states.input.id %}",
        "Retry": retry,
        "End": true,
    });
    let machine = properties("ReportMachine");
    assert_eq!(machine["Type"], "STANDARD");
    let definition = &machine["Definition"];
    assert_eq!((&definition["QueryLanguage"], &definition["StartAt"]), (&json!("JSONata"), &json!("Write")));
    // `reports` reads the IDs in the order of the branches.
    let branches = [branch("OrdersReport", "orders"), branch("ProductsReport", "products")];
    let write = json!({"Type": "Parallel", "Branches": branches, "Next": "Notify"});
    assert_eq!(definition["States"], json!({"Write": write, "Notify": notify}));
}

#[test]
fn the_retries_of_both_steps_end_before_the_machine_times_out() {
    // 1 + 2 + 4 + 8 + 16 s at most, and six attempts: of at most 30 s by the function, and of seconds by the topic.
    let report = properties("ReportFunction")["Timeout"].as_u64().unwrap();
    let timeout = properties("ReportMachine")["Definition"]["TimeoutSeconds"].as_u64().unwrap();
    assert!((31 + 6 * report) + (31 + 6 * 10) < timeout);
}

#[test]
fn a_link_is_spent_by_a_guard_that_is_never_cached_and_takes_no_checkout_token() {
    let api = properties("ShopApi");
    let guard = json!({
        "FunctionArn": "ReportGuardFunction.Arn", "FunctionPayloadType": "REQUEST", "Identity": {"ReauthorizeEvery": 0},
    });
    assert_eq!(api["Auth"]["Authorizers"]["ReportGuard"], guard);
    let events = &properties("ReportLinkFunction")["Events"];
    let route = json!({
        "RestApiId": "ShopApi", "Method": "POST", "Path": "/report-link", "Auth": {"Authorizer": "ReportGuard"},
    });
    assert_eq!(events, &json!({"PostReportLink": {"Type": "Api", "Properties": route}}));
    let audience = |id: &str| properties(id)["Environment"]["Variables"]["TOKEN_AUDIENCE"].clone();
    assert_eq!(audience("ReportGuardFunction"), audience("ReportFunction"));
    assert_eq!(audience("ReportFunction"), "${AWS::StackName}.${AWS::Region}/reports");
    assert_eq!(audience("CheckoutFunction"), audience("CheckoutTokenFunction"));
    assert_ne!(audience("CheckoutFunction"), audience("ReportFunction"));
}

#[test]
fn the_bucket_is_private_keeps_a_report_for_a_day_and_refuses_http() {
    let bucket = properties("ReportsBucket");
    let blocked: Vec<&Value> = bucket["PublicAccessBlockConfiguration"].as_object().unwrap().values().collect();
    assert_eq!(blocked, [true; 4]);
    assert_eq!(bucket["OwnershipControls"]["Rules"], json!([{"ObjectOwnership": "BucketOwnerEnforced"}]));
    let rule = &bucket["LifecycleConfiguration"]["Rules"];
    assert_eq!((&rule[0]["Status"], &rule[0]["ExpirationInDays"]), (&json!("Enabled"), &json!(1)));
    // The link must not outlive its file.
    assert_eq!(template()["Parameters"]["ReportLinkTtlSeconds"]["MaxValue"], 24 * 60 * 60);
    assert_eq!(properties("ReportFunction")["Environment"]["Variables"]["TOKEN_TTL_SECONDS"], "ReportLinkTtlSeconds");
    let policy = properties("ReportsBucketPolicy");
    assert_eq!(template()["Resources"]["ReportsBucketPolicy"]["Condition"], "IsOnAws");
    assert_eq!(template()["Conditions"]["IsOnAws"], json!(["AwsEndpoint", ""]));
    assert_eq!(policy["Bucket"], "ReportsBucket");
    let refuse = json!([{
        "Sid": "RefuseHttp", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["ReportsBucket.Arn", "${ReportsBucket.Arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }]);
    assert_eq!(policy["PolicyDocument"]["Statement"], refuse);
}

#[test]
fn a_mail_is_sent_to_the_address_of_the_parameter_and_to_none_without_one() {
    let subscription = json!({"TopicArn": "ReportsTopic", "Protocol": "email", "Endpoint": "ReportEmail"});
    assert_eq!(properties("ReportsSubscription"), subscription);
    assert_eq!(template()["Resources"]["ReportsSubscription"]["Condition"], "HasReportEmail");
    assert_eq!(all("AWS::SNS::Subscription").len(), 1);
}
