//! The files of reports in S3.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use http::{
    Method, Request, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use tokens::Jti;

use super::{
    https::{self, Https},
    unavailable,
};
use crate::{Documents, Unavailable};

/// For how many seconds the URL that writes a file is valid. The function uses it at once.
const PUT_SECONDS: u32 = 60;

/// The files in a bucket of S3, under `reports/`, by presigned URLs.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
///
/// The SDK's client for S3 is not used. A presigned URL needs only a signer, and the client would add a minute to the
/// first build on two cores.
pub struct S3Documents {
    /// Only for the function that writes: the others sign, and need not read the root certificates.
    https: LazyLock<Https>,
    bucket_url: String,
    region: String,
    credentials: Credentials,
}

/// S3 did not take a file.
#[derive(Debug, thiserror::Error)]
#[error("S3 replied {0} to a file")]
struct Refused(StatusCode);

impl S3Documents {
    /// The files of a function: `REPORTS_BUCKET_URL` is the address of the bucket. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self {
            https: LazyLock::new(Https::new),
            bucket_url: https::url(settings, "REPORTS_BUCKET_URL")?,
            region: settings.text("AWS_REGION")?,
            credentials: ::aws::credentials(settings)?,
        }))
    }

    /// The URL that allows `method` on the file `key` for `seconds` from `now`.
    fn presigned(&self, method: &Method, key: &str, seconds: u32, now: SystemTime) -> Result<String, Unavailable> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(seconds.into()));
        // As S3 wants them, and no other service.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;

        let identity = self.credentials.clone().into();
        let parameters = SigningParams::builder().identity(&identity).region(&self.region).name("s3").time(now);
        let parameters = parameters.settings(settings).build().map_err(unavailable)?.into();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/{key}", self.bucket_url))
            .body(())
            .map_err(unavailable)?;
        let signable = SignableRequest::new(
            method.as_str(),
            request.uri().to_string(),
            std::iter::empty(),
            SignableBody::UnsignedPayload,
        );
        let signed = sign(signable.map_err(unavailable)?, &parameters).map_err(unavailable)?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        Ok(request.uri().to_string())
    }
}

impl fmt::Debug for S3Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Documents").field("bucket_url", &self.bucket_url).finish_non_exhaustive()
    }
}

#[async_trait]
impl Documents for S3Documents {
    async fn put(&self, id: &Jti, html: String) -> Result<(), Unavailable> {
        let request = Request::put(self.presigned(&Method::PUT, &key(id), PUT_SECONDS, now())?)
            .header(CONTENT_TYPE, "text/html; charset=utf-8")
            .header(CACHE_CONTROL, "no-store");
        match self.https.send(request.body(html.into_bytes()).map_err(unavailable)?).await? {
            (StatusCode::OK, _) => Ok(()),
            (status, _) => Err(unavailable(Refused(status))),
        }
    }

    async fn url(&self, id: &Jti, seconds: u32) -> Result<String, Unavailable> {
        self.presigned(&Method::GET, &key(id), seconds, now())
    }
}

/// The key of a file.
fn key(id: &Jti) -> String {
    format!("reports/{id}.html")
}

/// The time of a signature.
#[expect(clippy::disallowed_methods, reason = "S3 compares the time of a signature with its clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
    #[test]
    fn a_url_is_signed_as_in_the_documentation_of_s3() {
        let documents = S3Documents {
            https: LazyLock::new(Https::new),
            bucket_url: "https://examplebucket.s3.amazonaws.com".to_owned(),
            region: "us-east-1".to_owned(),
            credentials: Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "documentation",
            ),
        };
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600); // 2013-05-24T00:00:00Z
        let url = documents.presigned(&Method::GET, "test.txt", 86400, at).unwrap();
        let signature = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(url.starts_with("https://examplebucket.s3.amazonaws.com/test.txt?"), "{url}");
        assert!(url.split(['?', '&']).any(|part| part == signature), "{url}");
    }
}
