//! `rotate`: the function that Secrets Manager calls to rotate the key ring, in four steps.
//!
//! | step | what it does |
//! | --- | --- |
//! | `createSecret` | fills the pending version with the ring that follows the current one ([`tokens::rotation`]) |
//! | `setSecret` | nothing: no other system holds the keys |
//! | `testSecret` | checks that the pending ring refuses no live token |
//! | `finishSecret` | brings the pending ring into force, unless the current one has changed since `createSecret`, and ends the rotation |
//!
//! Secrets Manager repeats a rotation whose step has failed, from its beginning. Each step can be repeated, and may
//! end half-way. The steps are described in
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>.
//!
//! Its tests are in `tests/handlers/rotate.rs`.

use std::sync::Arc;

use apigw::{ConfigError, Event, Settings};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lambda_runtime::Error;
use serde::Deserialize;
use tokens::{
    KeyRingError, KeyStoreError, RingVersions, Stages, Timestamp,
    rotation::{self, Change, SuccessionError},
};
use zeroize::Zeroizing;

/// How many random bytes a key has. In base64url they are 64 characters, as many as the first key has.
const KEY_BYTES: usize = 48;

/// What the function needs besides its settings.
pub struct Ports {
    /// The versions of the secret.
    pub versions: Arc<dyn RingVersions>,
    /// Draws new key material; [`random_key`] in the function.
    pub fresh_key: fn() -> Result<Zeroizing<String>, getrandom::Error>,
    /// The clock. It is read once per invocation.
    pub now: fn() -> Timestamp,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    secret_id: String,
    ports: Ports,
}

impl Service {
    /// Creates the function from its settings (`KEY_RING_SECRET_ID`, an ARN) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn new(settings: Settings<'_>, ports: Ports) -> Result<Self, ConfigError> {
        Ok(Self { secret_id: settings.text("KEY_RING_SECRET_ID")?, ports })
    }
}

/// Draws the material of a key from the operating system's generator.
///
/// # Errors
///
/// When the operating system has no random numbers.
pub fn random_key() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *bytes)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// A step of a rotation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Step {
    CreateSecret,
    SetSecret,
    TestSecret,
    FinishSecret,
    #[serde(other)]
    Unknown,
}

/// What Secrets Manager sends. It may add members.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotationEvent {
    step: Step,
    secret_id: String,
    /// The id of the version that the rotation prepares.
    client_request_token: String,
}

/// Why a step failed. The version in force is then the one that was before.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("not a rotation event of Secrets Manager")]
    UnreadableEvent,
    #[error("the event is for another secret")]
    OtherSecret,
    #[error("the event has an unknown step")]
    UnknownStep,
    #[error("the secret has no current version")]
    NoCurrentVersion,
    #[error("the event's version is neither the pending nor the current version of the secret")]
    OtherVersion,
    #[error("the pending version is empty: createSecret has not succeeded")]
    EmptyVersion,
    #[error("the current version has no value")]
    NoCurrentRing,
    #[error("the current ring cannot be rotated, and stays in force")]
    MalformedRing(#[source] KeyRingError),
    #[error("the secret has changed since this rotation began; it is given up, and the next one begins afresh")]
    Overtaken,
    #[error("the pending ring may not come into force; it is given up, and the next rotation begins afresh")]
    Refused(#[source] SuccessionError),
    #[error(transparent)]
    Unavailable(#[from] KeyStoreError),
    #[error(transparent)]
    NoRandomness(#[from] getrandom::Error),
}

/// Runs one step of a rotation.
///
/// # Errors
///
/// When the step failed. It is logged, and Secrets Manager tries the rotation again.
pub async fn handle(service: &Service, event: Event) -> Result<(), Error> {
    let done = run(service, event.payload.get()).await;
    done.inspect_err(|err| apigw::log_failure("the rotation step failed", err))?;
    Ok(())
}

async fn run(service: &Service, event: &str) -> Result<(), StepError> {
    let Ports { versions, fresh_key, now } = &service.ports;
    let now = now();
    // The error of the parser could quote the event.
    let RotationEvent { step, secret_id, client_request_token: version } =
        serde_json::from_str(event).map_err(|_| StepError::UnreadableEvent)?;
    if secret_id != service.secret_id {
        return Err(StepError::OtherSecret);
    }
    if matches!(step, Step::Unknown) {
        return Err(StepError::UnknownStep);
    }
    let Stages { current, pending } = versions.stages().await?;
    let current = current.ok_or(StepError::NoCurrentVersion)?;
    if version == current {
        tracing::info!(?step, version, "nothing to do: this version is in force already");
        return match step {
            Step::FinishSecret if pending.as_ref() == Some(&version) => Ok(versions.release(&version).await?),
            _ => Ok(()),
        };
    }
    if pending.as_ref() != Some(&version) {
        return Err(StepError::OtherVersion);
    }
    match step {
        Step::CreateSecret => create(&**versions, &version, &current, now, *fresh_key).await,
        Step::TestSecret => test(&**versions, &version, &current, now).await,
        Step::FinishSecret => finish(&**versions, &version, &current, now).await,
        Step::SetSecret | Step::Unknown => Ok(()),
    }
}

/// Fills the pending version, unless an earlier attempt has.
async fn create(
    versions: &dyn RingVersions,
    version: &str,
    current: &str,
    now: Timestamp,
    fresh_key: fn() -> Result<Zeroizing<String>, getrandom::Error>,
) -> Result<(), StepError> {
    if versions.ring_json(version).await?.is_some() {
        tracing::info!(version, "nothing to do: the pending version holds a ring already");
        return Ok(());
    }
    let ring = versions.ring_json(current).await?.ok_or(StepError::NoCurrentRing)?;
    let rotated = rotation::rotate(ring.as_bytes(), current, now, &fresh_key()?);
    let (json, change) = rotated.map_err(StepError::MalformedRing)?;
    versions.put_pending(version, &json).await?;
    match change {
        Change::Published { next } => {
            tracing::info!(version, %next, "the pending ring has a next key, and the active key is the same");
        }
        Change::Promoted { active, next } => {
            tracing::info!(version, %active, %next, "the pending ring has another active key and a fresh next key");
        }
        Change::Copied { next } => {
            tracing::warn!(version, %next, "the pending ring is a copy: the next key is not 49 hours old by its name");
        }
    }
    Ok(())
}

/// Checks the pending ring. An empty version passes: when rotation is configured, Secrets Manager calls this
/// step alone.
async fn test(versions: &dyn RingVersions, version: &str, current: &str, now: Timestamp) -> Result<(), StepError> {
    match versions.ring_json(version).await? {
        Some(pending) => check(versions, version, &pending, current, now).await,
        None => Ok(()),
    }
}

/// Brings the pending ring into force, in place of the version that it was made from and of no other.
async fn finish(versions: &dyn RingVersions, version: &str, current: &str, now: Timestamp) -> Result<(), StepError> {
    let pending = versions.ring_json(version).await?.ok_or(StepError::EmptyVersion)?;
    // A malformed ring has no base, and is given up too.
    let base = rotation::base(pending.as_bytes()).ok().flatten();
    if base.as_deref() != Some(current) {
        versions.release(version).await?;
        return Err(StepError::Overtaken);
    }
    check(versions, version, &pending, current, now).await?;
    if let Err(err) = versions.promote(version, current).await {
        // Only the reply may have been lost.
        let stages = versions.stages().await?;
        if stages.current.as_deref() != Some(version) {
            return Err(err.into());
        }
    }
    tracing::info!(version, "the pending ring is in force");
    // On a version that an operator then replaces, the label would look like a rotation in progress.
    Ok(versions.release(version).await?)
}

/// Checks that the pending ring refuses no live token. Otherwise gives it up: Secrets Manager would repeat this
/// rotation, and begin no other.
async fn check(
    versions: &dyn RingVersions,
    version: &str,
    pending: &str,
    current: &str,
    now: Timestamp,
) -> Result<(), StepError> {
    let ring = versions.ring_json(current).await?.ok_or(StepError::NoCurrentRing)?;
    match rotation::may_succeed(ring.as_bytes(), pending.as_bytes(), now) {
        Ok(()) => Ok(()),
        Err(err) => {
            versions.release(version).await?;
            Err(StepError::Refused(err))
        }
    }
}
