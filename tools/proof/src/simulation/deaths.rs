//! A rotation that dies at any request of any of its steps: the real function, its real client and the real SDK.
//!
//! The function dies before the request takes effect, or after that and before the reply. Then Secrets Manager repeats
//! the rotation, or an operator has edited the ring before it does, or an operator gives the rotation up and the next
//! one begins. Each ends well, and the ring has every key that may sign or has signed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use apigw::{Event, Settings};
use aws_sdk_dynamodb::config::{
    SharedHttpClient,
    http::{HttpRequest, HttpResponse},
};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use lambda_runtime::Context;
use serde_json::{Value, json, value::RawValue};
use tokio::time::timeout;

use super::{
    clock::{BEGINNING, in_simulated_time},
    cloud::{SECRET, Secret},
};
use crate::events::{self, ROTATION};

/// When a function dies at a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    BeforeEffect,
    BeforeReply,
}

/// What happens after the death.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Then {
    /// Secrets Manager repeats the rotation.
    Repeated,
    /// An operator sets `not_before`, and then Secrets Manager repeats the rotation.
    EditedAndRepeated,
    /// An operator takes `AWSPENDING` off, and another rotation begins.
    Abandoned,
}

/// Secrets Manager, and the death that is planned there: at the request of that number, from 0.
#[derive(Debug)]
struct SecretsManager {
    secret: Mutex<Secret>,
    death: Mutex<Option<(usize, Moment)>>,
}

impl SecretsManager {
    fn secret(&self) -> MutexGuard<'_, Secret> {
        self.secret.lock().unwrap()
    }

    /// The ring in force.
    fn ring(&self) -> Value {
        let (_, body) = self.serve("GetSecretValue", &json!({"SecretId": SECRET}));
        serde_json::from_str(body["SecretString"].as_str().unwrap()).unwrap()
    }

    fn serve(&self, action: &str, body: &Value) -> (u16, Value) {
        self.secret().serve(action, body.to_string().as_bytes()).unwrap()
    }

    /// Counts down to the death; the moment of it, if this is the request.
    fn dies(&self) -> Option<Moment> {
        let mut death = self.death.lock().unwrap();
        let (left, moment) = (*death)?;
        *death = left.checked_sub(1).map(|left| (left, moment));
        (left == 0).then_some(moment)
    }
}

/// The way of the function's requests to Secrets Manager.
#[derive(Debug)]
struct Connector(Arc<SecretsManager>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let dies = self.0.dies();
        if dies == Some(Moment::BeforeEffect) {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        let (status, body) = self.0.serve(target.rsplit('.').next().unwrap_or_default(), &body);
        if dies == Some(Moment::BeforeReply) {
            return HttpConnectorFuture::new(std::future::pending());
        }
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()))))
    }
}

/// The function, and Secrets Manager with `secret`.
fn function(secret: Secret) -> (rotate::Service, Arc<SecretsManager>) {
    let secrets_manager = Arc::new(SecretsManager { secret: Mutex::new(secret), death: Mutex::default() });
    let connector = SharedHttpConnector::new(Connector(secrets_manager.clone()));
    let http_client: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    let setting = |name: &str| match name {
        "KEY_RING_SECRET_ID" => Some(SECRET.to_owned()),
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("simulated".to_owned()),
        _ => None,
    };
    let settings = Settings::new(&setting);
    let versions = Arc::new(aws::ring_versions_with_http_client(settings, http_client).unwrap());
    let ports = rotate::Ports { versions, fresh_key: rotate::random_key, now: || BEGINNING };
    (rotate::Service::new(settings, ports).unwrap(), secrets_manager)
}

/// Runs a step; `None` when the function dies in it.
async fn step(function: &rotate::Service, step: &str, version: &str) -> Option<Result<(), String>> {
    let event = RawValue::from_string(events::rotate(step, SECRET, version)).unwrap();
    let handled = rotate::handle(function, Event::new(event, Context::default()));
    // Before the SDK makes another attempt.
    let result = timeout(Duration::from_millis(100), handled).await.ok()?;
    Some(result.map_err(|err| err.to_string()))
}

/// Runs the steps until one fails.
async fn steps(function: &rotate::Service, version: &str) -> Result<(), String> {
    for name in ROTATION {
        step(function, name, version).await.unwrap()?;
    }
    Ok(())
}

/// Runs the steps, of which none may fail.
async fn ends_well(function: &rotate::Service, version: &str, cell: &str) {
    if let Err(err) = steps(function, version).await {
        panic!("{cell}: {err}");
    }
}

/// Asserts that `after` has the keys of `before` that sign now, or may sign next.
fn assert_has_live_keys(after: &Value, before: &Value, cell: &str) {
    for key in ["active", "next"].iter().filter_map(|role| before[role].as_str()) {
        assert!(after[key].is_string() && after[key] == before[key], "{cell}: {key} is lost");
    }
}

/// Has the function die at the request `number` of the step `dying`. Whether it made that request.
async fn dies_and_ends_well(secret: Secret, dying: &str, number: usize, moment: Moment, then: Then) -> bool {
    let cell = format!("{dying}, request {number}, {moment:?}, {then:?}");
    let (function, secrets_manager) = function(secret);
    let first = secrets_manager.ring();
    let version = secrets_manager.secret().begin_rotation();
    for name in ROTATION.into_iter().take_while(|name| *name != dying) {
        step(&function, name, &version).await.unwrap().unwrap();
    }
    *secrets_manager.death.lock().unwrap() = Some((number, moment));
    if let Some(done) = step(&function, dying, &version).await {
        done.unwrap();
        return false;
    }
    let second = secrets_manager.ring();

    let mut last = version.clone();
    match then {
        Then::Repeated => ends_well(&function, &version, &cell).await,
        Then::EditedAndRepeated => {
            let current = secrets_manager.secret().current().to_owned();
            assert!(secrets_manager.secret().set_not_before(&current, BEGINNING));
            last = secrets_manager.secret().begin_rotation();
            if let Err(err) = steps(&function, &last).await {
                assert!(err.contains("changed since this rotation began"), "{cell}: {err}");
                let next = secrets_manager.secret().begin_rotation();
                assert_ne!(next, last, "{cell}: no rotation begins any more");
                last = next;
                ends_well(&function, &last, &cell).await;
            }
        }
        Then::Abandoned => {
            let label = json!({"SecretId": SECRET, "VersionStage": "AWSPENDING", "RemoveFromVersionId": version});
            secrets_manager.serve("UpdateSecretVersionStage", &label);
            last = secrets_manager.secret().begin_rotation();
            assert_ne!(last, version, "{cell}");
            ends_well(&function, &last, &cell).await;
        }
    }

    let third = secrets_manager.ring();
    for (after, before) in [(&second, &first), (&third, &first), (&third, &second)] {
        assert_has_live_keys(after, before, &cell);
    }
    assert!(third["next"].is_string(), "{cell}: no key is published");
    let mut secret = secrets_manager.secret();
    assert_eq!(secret.current(), last, "{cell}");
    assert!(secret.ring.keys.len() <= 3, "{cell}: {:?}", secret.ring);
    // Nor does an edit later make the rotation look as if it were in progress.
    assert!(secret.set_not_before(&last, BEGINNING.plus(1)));
    assert_ne!(secret.begin_rotation(), last, "{cell}: no rotation begins any more");
    assert_eq!(secret.defects, [""; 0], "{cell}");
    true
}

#[test]
fn a_rotation_that_dies_at_any_request_of_any_step_ends_well_and_loses_no_live_key() {
    let mut requests = BTreeMap::new();
    in_simulated_time(async {
        // The next rotation publishes a key, or changes the key that signs; or copies, because the key is too young.
        for (ring, secret) in
            [Secret::generated, || Secret::rotated(BEGINNING), || Secret::rotated(BEGINNING.plus(7200))]
                .into_iter()
                .enumerate()
        {
            for dying in ROTATION {
                for (moment, then) in [Moment::BeforeEffect, Moment::BeforeReply].into_iter().flat_map(|moment| {
                    [Then::Repeated, Then::EditedAndRepeated, Then::Abandoned].map(|then| (moment, then))
                }) {
                    let mut number = 0;
                    while dies_and_ends_well(secret(), dying, number, moment, then).await {
                        number += 1;
                    }
                    let counted = *requests.entry(dying).or_insert(number);
                    assert_eq!(number, counted, "requests of {dying} with ring {ring}");
                }
            }
        }
    });
    assert_eq!(
        Vec::from_iter(requests),
        [("createSecret", 4), ("finishSecret", 5), ("setSecret", 1), ("testSecret", 3)]
    );
}
