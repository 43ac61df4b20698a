//! The rotation of the key ring: who calls the function, and the schedule.

use serde_json::json;

use crate::stack::Stack;

#[test]
#[ignore = "needs SAM's transform of the template"]
fn only_secrets_manager_calls_the_rotation_and_only_for_the_key_ring_with_a_schedule_or_without() {
    for days in ["0", "30"] {
        let stack = Stack::with(&[("RotationDays", days)]);
        let expected = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": "${RotateFunction}",
            "Principal": "secretsmanager.amazonaws.com",
            "SourceAccount": "${AWS::AccountId}",
            "SourceArn": "${KeyRing}",
        });
        assert_eq!(stack.resources["RotatePermission"]["Properties"], expected);
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn by_default_there_is_no_schedule_and_a_number_of_days_sets_one_after_the_permission() {
    assert!(Stack::by_default().all("AWS::SecretsManager::RotationSchedule").is_empty());
    let stack = Stack::with(&[("RotationDays", "30")]);
    let expected = json!({
        "SecretId": "${KeyRing}",
        "RotationLambdaARN": "${RotateFunction.Arn}",
        "RotationRules": {"AutomaticallyAfterDays": "30"},
    });
    assert_eq!(*stack.the("AWS::SecretsManager::RotationSchedule"), expected);
    assert_eq!(stack.resources["KeyRingRotation"]["DependsOn"], "RotatePermission");
}
