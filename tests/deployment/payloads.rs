//! The deployed guard, invoked with the events of a REST API and of an HTTP API: the emulator of AWS serves no
//! routes of HTTP APIs.

use std::path::Path;

use crate::emulator::Emulator;

#[tokio::test]
#[ignore = "needs a deployment to ministack"]
async fn ministack_the_guard_spends_a_token_once_over_both_payloads() {
    let emulator = Emulator::new().await;
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    for (first, second) in [("guard.json", "guard-http-api.json"), ("guard-http-api.json", "guard.json")] {
        let token = emulator.mint().await;
        for (name, is_allowed) in [(first, true), (second, false), (first, false)] {
            let event = std::fs::read_to_string(events.join(name)).unwrap().replace("TOKEN", &token);

            let answer = emulator.invoke("GuardFunction", event).await;

            let decision = match name {
                "guard.json" => answer["policyDocument"]["Statement"][0]["Effect"] == "Allow",
                _ => answer["isAuthorized"].as_bool().unwrap(),
            };
            assert_eq!(decision, is_allowed, "{name}");
            assert_eq!(answer["context"]["reason"] == "already_used", !is_allowed, "{name}");
        }
    }
}
