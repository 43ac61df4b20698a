//! The order machine. The emulator ignores its delays and time-outs, so they are held here.

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use shop::{Unavailable, functions::TaskError};
use tokens::Refusal;

use crate::template::properties;

/// What is not retried.
const FINAL: [&str; 3] = ["OutOfStock", "TokenRefused", "Invalid"];

#[test]
fn an_order_has_two_steps_that_are_retried_for_minutes_unless_their_failure_is_final() {
    let retry = json!([
        {"ErrorEquals": FINAL, "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 20, "BackoffRate": 2,
            "MaxDelaySeconds": 60, "JitterStrategy": "FULL",
        },
    ]);
    let step = |function: &str, next: (&str, Value)| {
        let mut step = json!({
            "Type": "Task",
            "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
            "Arguments": {"FunctionName": format!("{function}.Arn"), "Payload": "{% $states.input %}"},
            "Output": "{% $states.result.Payload %}",
            "Retry": retry,
        });
        step[next.0] = next.1;
        step
    };
    let machine = properties("OrderMachine");
    // An express machine may run one name twice.
    assert_eq!(machine["Type"], "STANDARD");
    let definition = &machine["Definition"];
    assert_eq!(definition["QueryLanguage"], "JSONata");
    assert_eq!(definition["TimeoutSeconds"], 2400);
    assert_eq!(definition["StartAt"], "NewOrder");
    let expected = json!({
        "NewOrder": step("NewOrderFunction", ("Next", json!("UpdateInventory"))),
        "UpdateInventory": step("UpdateInventoryFunction", ("End", json!(true))),
    });
    assert_eq!(definition["States"], expected);
}

#[test]
fn what_is_final_is_what_another_attempt_cannot_change() {
    for (error, is_final) in [
        (TaskError::OutOfStock, true),
        (TaskError::TokenRefused(Refusal::Expired), true),
        (TaskError::Invalid, true),
        (TaskError::Busy, false),
        (TaskError::from(Unavailable("down".into())), false),
    ] {
        let name = Diagnostic::from(error).error_type;
        assert_eq!(FINAL.contains(&name.as_str()), is_final, "{name}");
    }
}

#[test]
fn the_retries_of_both_steps_end_before_the_machine_times_out() {
    // 1 + 2 + 4 + 8 + 16 + 32 s, then 14 times 60 s, each at most, and 21 attempts of at most 5 s.
    let (delays, attempts) = (63 + 14 * 60, 21 * 5);
    let timeout = properties("OrderMachine")["Definition"]["TimeoutSeconds"].as_u64().unwrap();
    assert!(2 * (delays + attempts) < timeout);
}
