//! The versions of the secret that holds the key ring, for its rotation.

use async_trait::async_trait;
use aws_sdk_secretsmanager::{Client, error::SdkError, operation::get_secret_value::GetSecretValueError};
use tokens::{KeyStoreError, RingVersions, Stages};
use zeroize::Zeroizing;

use crate::key_store::NoSecretString;

/// The staging label of the version in force.
const CURRENT: &str = "AWSCURRENT";

/// The staging label of the version that a rotation prepares.
const PENDING: &str = "AWSPENDING";

/// [`RingVersions`] in Secrets Manager.
///
/// Its role needs `DescribeSecret`, `GetSecretValue`, `PutSecretValue` and `UpdateSecretVersionStage`.
#[derive(Debug)]
pub struct SecretsManagerRingVersions {
    client: Client,
    secret_id: String,
}

impl SecretsManagerRingVersions {
    /// The versions of the secret `secret_id`.
    #[must_use]
    pub fn new(client: Client, secret_id: String) -> Self {
        Self { client, secret_id }
    }
}

#[async_trait]
impl RingVersions for SecretsManagerRingVersions {
    async fn stages(&self) -> Result<Stages, KeyStoreError> {
        let described = self.client.describe_secret().secret_id(&self.secret_id).send().await;
        let secret = described.map_err(|err| unavailable(err.into_service_error()))?;
        let mut stages = Stages::default();
        for (version, labels) in secret.version_ids_to_stages.unwrap_or_default() {
            for label in labels {
                match label.as_str() {
                    CURRENT => stages.current = Some(version.clone()),
                    PENDING => stages.pending = Some(version.clone()),
                    _ => {}
                }
            }
        }
        Ok(stages)
    }

    async fn ring_json(&self, version: &str) -> Result<Option<Zeroizing<String>>, KeyStoreError> {
        let get = self.client.get_secret_value().secret_id(&self.secret_id).version_id(version);
        match get.send().await.map_err(SdkError::into_service_error) {
            Ok(secret) => {
                let json = secret.secret_string.map(Zeroizing::new);
                json.ok_or_else(|| KeyStoreError(NoSecretString.into())).map(Some)
            }
            // The version that a rotation prepares exists, empty, before its first step.
            Err(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
            Err(err) => Err(unavailable(err)),
        }
    }

    async fn put_pending(&self, version: &str, ring_json: &str) -> Result<(), KeyStoreError> {
        // The token is the id of the new version. Secrets Manager ignores a put of what the version holds
        // already, and refuses a put of anything else.
        let put = self.client.put_secret_value().secret_id(&self.secret_id).client_request_token(version);
        let put = put.secret_string(ring_json).version_stages(PENDING).send().await;
        put.map(|_| ()).map_err(|err| unavailable(err.into_service_error()))
    }

    async fn promote(&self, version: &str, base: &str) -> Result<(), KeyStoreError> {
        // Secrets Manager refuses to move a label that is not at the version from which it is to be removed.
        let promote = self.client.update_secret_version_stage().secret_id(&self.secret_id).version_stage(CURRENT);
        let promoted = promote.move_to_version_id(version).remove_from_version_id(base).send().await;
        promoted.map(|_| ()).map_err(|err| unavailable(err.into_service_error()))
    }

    async fn release(&self, version: &str) -> Result<(), KeyStoreError> {
        let release = self.client.update_secret_version_stage().secret_id(&self.secret_id).version_stage(PENDING);
        let released = release.remove_from_version_id(version).send().await;
        released.map(|_| ()).map_err(|err| unavailable(err.into_service_error()))
    }
}

/// An error of the service, without the reply: a reply may contain keys.
fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> KeyStoreError {
    KeyStoreError(Box::new(err))
}
