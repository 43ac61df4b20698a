//! The rotation of the keys of the deployed stack, and what an operator does to the ring by hand.
//!
//! The emulator begins a rotation and calls no function, so these tests send the four steps.

use serde_json::{Value, json};

use crate::{
    emulator::{Emulator, Principal},
    operations::{run, spend},
};

/// The steps, in the order in which Secrets Manager calls them.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Calls an action of Secrets Manager on the secret, as root.
async fn call(emulator: &Emulator, action: &str, mut body: Value) -> Value {
    body["SecretId"] = emulator.secret().await;
    emulator.json(&Principal::root(), "secretsmanager", &format!("secretsmanager.{action}"), &body).await
}

/// The version in force, and its ring.
async fn current(emulator: &Emulator) -> (String, Value) {
    let value = call(emulator, "GetSecretValue", json!({})).await;
    let ring = serde_json::from_str(value["SecretString"].as_str().unwrap()).unwrap();
    (value["VersionId"].as_str().unwrap().to_owned(), ring)
}

/// Puts `ring` into force.
async fn put(emulator: &Emulator, ring: &Value) {
    call(emulator, "PutSecretValue", json!({"SecretString": ring.to_string()})).await;
}

/// Begins a rotation; returns the id of the pending version.
async fn begin(emulator: &Emulator) -> String {
    let begun =
        call(emulator, "RotateSecret", json!({"RotationLambdaARN": emulator.physical_id("RotateFunction").await}));
    begun.await["VersionId"].as_str().unwrap().to_owned()
}

/// Has the deployed function run a step; its reply.
async fn step(emulator: &Emulator, step: &str, version: &str) -> Value {
    let event = json!({"Step": step, "SecretId": emulator.secret().await, "ClientRequestToken": version});
    emulator.invoke("RotateFunction", event.to_string()).await
}

/// Runs a rotation to its end; the ring that is then in force.
async fn rotate(emulator: &Emulator) -> Value {
    let version = begin(emulator).await;
    for name in STEPS {
        let reply = step(emulator, name, &version).await;
        assert_eq!(reply, Value::Null, "{name}");
    }
    let (in_force, ring) = current(emulator).await;
    assert_eq!(in_force, version);
    ring
}

/// Runs the commands of a section on the key ring.
async fn run_on_ring(emulator: &Emulator, section: &str) {
    let secret = emulator.secret().await;
    let output = run(section, &[("<KeyRingArn>", secret.as_str().unwrap())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_a_token_minted_before_a_rotation_passes_after_it() {
    let emulator = Emulator::new().await;
    let (_, before) = current(&emulator).await;
    let active = before["active"].as_str().unwrap();
    let token = emulator.mint().await;

    // As if the next key had been published more than two days ago.
    let next = format!("k{}", apigw::epoch_seconds() - 50 * 3600);
    let mut published = before.clone();
    (published["next"], published[&next]) = (json!(next), json!("a-key-of-the-tests-that-is-not-of-this-ring"));
    put(&emulator, &published).await;
    let rotated = rotate(&emulator).await;

    assert_eq!((&rotated["active"], &rotated[active]), (&json!(next), &before[active]));
    assert!(rotated["next"].as_str().unwrap() > next.as_str(), "there is no fresh key");
    assert_eq!(spend(&emulator, &token).await.0, 200);

    let copy = rotate(&emulator).await;
    assert_eq!((&copy["active"], &copy["next"]), (&rotated["active"], &rotated["next"]));
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_a_rotation_of_another_version_or_secret_fails_and_changes_nothing() {
    let emulator = Emulator::new().await;
    let before = current(&emulator).await;
    let version = begin(&emulator).await;
    let reply = step(&emulator, "createSecret", "00000000-0000-4000-8000-000000000000").await;
    assert!(reply["errorMessage"].as_str().unwrap().contains("neither the pending nor the current"), "{reply}");
    let other = json!({"Step": "createSecret", "SecretId": "other", "ClientRequestToken": version});
    let reply = emulator.invoke("RotateFunction", other.to_string()).await;
    assert_eq!(reply["errorMessage"], "the event is for another secret");
    let reply = step(&emulator, "finishSecret", &version).await;
    assert!(reply["errorMessage"].as_str().unwrap().contains("empty"), "{reply}");
    assert_eq!(current(&emulator).await, before);
    for name in STEPS {
        assert_eq!(step(&emulator, name, &version).await, Value::Null, "{name}");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack, and the AWS CLI"]
async fn ministack_the_documented_commands_set_not_before_and_a_rotation_in_progress_gives_up() {
    let emulator = Emulator::new().await;
    let (_, before) = current(&emulator).await;
    let version = begin(&emulator).await;
    assert_eq!(step(&emulator, "createSecret", &version).await, Value::Null);
    let now = apigw::epoch_seconds();

    run_on_ring(&emulator, "Revoke every token without a deployment").await;

    let (_, mut edited) = current(&emulator).await;
    assert!(edited["not_before"].as_u64().unwrap() >= now);
    let reply = step(&emulator, "finishSecret", &version).await;
    assert!(reply["errorMessage"].as_str().unwrap().contains("changed since this rotation began"), "{reply}");
    assert_eq!(current(&emulator).await.1, edited);
    // The next rotation keeps it.
    assert_eq!(rotate(&emulator).await["not_before"], edited["not_before"]);
    edited.as_object_mut().unwrap().remove("not_before");
    assert_eq!(edited, before);
    put(&emulator, &before).await;
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack, and the AWS CLI"]
async fn ministack_after_the_documented_commands_for_a_leaked_key_nothing_that_it_signed_passes() {
    let emulator = Emulator::new().await;
    let (_, leaked) = current(&emulator).await;
    let token = emulator.mint().await;

    run_on_ring(&emulator, "A key has leaked").await;
    let updated = run("Revoke every token without a build", &[("token-auth", &emulator.stack)]);
    assert!(updated.status.success(), "{}", String::from_utf8_lossy(&updated.stderr));

    let (_, replaced) = current(&emulator).await;
    assert!(leaked.as_object().unwrap().keys().all(|name| name == "active" || replaced.get(name).is_none()));
    assert_eq!(spend(&emulator, &token).await, (401, "invalid_token".to_owned()));
    let fresh = emulator.mint().await;
    assert_eq!(spend(&emulator, &fresh).await.0, 200);
    assert_eq!(rotate(&emulator).await["active"], replaced["active"]);
    let (_, rotated) = current(&emulator).await;
    assert!(rotated["next"].is_string(), "the rotation published no key");
}
