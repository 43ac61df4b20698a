//! The commands that `docs/operations.md` gives to revoke tokens, run as they are written there.

use std::process::{Command, Output};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{Emulator, Principal, send};

/// Runs the commands of a section of the document, with the values in place of what they stand for.
pub(crate) fn run(section: &str, values: &[(&str, &str)]) -> Output {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    let (_, section) = document.split_once(&format!("\n## {section}\n")).unwrap();
    let (_, block) = section.split_once("```console\n$ ").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    let commands = block.replace("\n$ ", "\n");
    let commands = values.iter().fold(commands, |commands, (name, value)| {
        assert!(commands.contains(name), "the commands do not contain {name}");
        commands.replace(name, value)
    });
    Command::new("bash").args(["-euo", "pipefail", "-c", &commands]).output().unwrap()
}

/// Runs the commands that revoke the token `jti`.
async fn revoke(emulator: &Emulator, jti: &str) -> Output {
    let table = emulator.table().await;
    run("Revoke one token", &[("<TableName>", table.as_str().unwrap()), ("<jti>", jti)])
}

fn jti(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["jti"].as_str().unwrap().to_owned()
}

/// The status and the reason of the answer to a spend.
pub(crate) async fn spend(emulator: &Emulator, token: &str) -> (u16, String) {
    let (status, answer) =
        send(emulator.request(Method::POST, "/validate").await.header("x-access-token", token)).await;
    let reason = answer.split(r#""reason":""#).nth(1).and_then(|rest| rest.split('"').next());
    (status, reason.unwrap_or_default().to_owned())
}

/// The row of a token, as the emulator returns it.
async fn row(emulator: &Emulator, jti: &str) -> Value {
    let get = json!({"TableName": emulator.table().await, "Key": {"jti": {"S": jti}}, "ConsistentRead": true});
    emulator.json(&Principal::root(), "dynamodb", "DynamoDB_20120810.GetItem", &get).await["Item"].clone()
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack, and the AWS CLI"]
async fn ministack_the_documented_command_revokes_one_token_that_is_not_spent() {
    let emulator = Emulator::new().await;
    let (token, spent) = (emulator.mint().await, emulator.mint().await);
    assert_eq!(spend(&emulator, &spent).await.0, 200);

    for _ in 0..2 {
        let revoked = revoke(&emulator, &jti(&token)).await;
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    }
    let missing = "00000000-0000-4000-8000-000000000000";
    for jti in [jti(&spent).as_str(), missing] {
        let before = row(&emulator, jti).await;
        let refused = revoke(&emulator, jti).await;
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && error.contains("ConditionalCheckFailedException"), "{error}");
        assert_eq!(row(&emulator, jti).await, before);
    }

    assert_eq!(spend(&emulator, &token).await, (401, "revoked".to_owned()));
    assert_eq!(spend(&emulator, &spent).await, (401, "already_used".to_owned()));
    assert_eq!(row(&emulator, missing).await, Value::Null);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack, and the AWS CLI"]
async fn ministack_the_documented_commands_revoke_every_token_and_keep_the_other_parameters() {
    let emulator = Emulator::new().await;
    let token = emulator.mint().await;
    let parameters = parameters(&emulator.stack);

    let updated = run("Revoke every token without a build", &[("token-auth", &emulator.stack)]);

    assert!(updated.status.success(), "{}", String::from_utf8_lossy(&updated.stderr));
    assert_eq!(spend(&emulator, &token).await, (401, "revoked".to_owned()));
    let fresh = emulator.mint().await;
    assert_eq!(spend(&emulator, &fresh).await.0, 200);
    assert_eq!(self::parameters(&emulator.stack), parameters);
}

/// The parameters of a stack except `RevokedBefore`, as the AWS CLI shows them.
fn parameters(stack: &str) -> String {
    let query = "sort_by(Stacks[0].Parameters[?ParameterKey!='RevokedBefore'], &ParameterKey)";
    let describe = ["cloudformation", "describe-stacks", "--stack-name", stack, "--query", query];
    let described = Command::new("aws").args(describe).output().unwrap();
    assert!(described.status.success(), "{}", String::from_utf8_lossy(&described.stderr));
    String::from_utf8(described.stdout).unwrap()
}
