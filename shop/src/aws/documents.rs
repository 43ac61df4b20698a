//! The files of reports in S3.

use std::{fmt, sync::Arc, time::Duration};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{Builder, ResponseChecksumValidation},
    presigning::PresigningConfig,
};
use tokens::Jti;

use super::unavailable;
use crate::{Documents, Unavailable};

/// The files in a bucket of S3, under `reports/`.
pub struct S3Documents {
    client: Client,
    bucket: String,
}

impl S3Documents {
    /// The files of a function: `REPORTS_BUCKET_NAME` names the bucket. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        let shared = ::aws::sdk_config(settings, "AWS_ENDPOINT_URL_S3")?;
        let config = Builder::from(&shared)
            // An emulator has no domain for each bucket.
            .force_path_style(shared.endpoint_url().is_some())
            // A browser checks no checksum, and the URL is long enough without one.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let bucket = settings.text("REPORTS_BUCKET_NAME")?;
        Ok(Arc::new(Self { client: Client::from_conf(config.build()), bucket }))
    }
}

impl fmt::Debug for S3Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Documents").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

#[async_trait]
impl Documents for S3Documents {
    async fn put(&self, id: &Jti, html: String) -> Result<(), Unavailable> {
        let put = self.client.put_object().bucket(&self.bucket).key(key(id)).body(html.into_bytes().into());
        let put = put.content_type("text/html; charset=utf-8").cache_control("no-store");
        put.send().await.map_err(|err| unavailable(err.into_service_error()))?;
        Ok(())
    }

    async fn url(&self, id: &Jti, seconds: u32) -> Result<String, Unavailable> {
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(seconds.into())).map_err(unavailable)?;
        let get = self.client.get_object().bucket(&self.bucket).key(key(id));
        let request = get.presigned(lifetime).await.map_err(unavailable)?;
        Ok(request.uri().to_owned())
    }
}

/// The key of a file.
fn key(id: &Jti) -> String {
    format!("reports/{id}.html")
}
