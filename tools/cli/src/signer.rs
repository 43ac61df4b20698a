//! The user's AWS credentials, and requests signed with them for the routes with IAM.

use std::time::SystemTime;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use reqwest::{
    Body, RequestBuilder, Url,
    header::{HeaderName, HeaderValue},
};

use crate::{
    arguments::Global,
    outcome::{Code, Failure},
};

/// The AWS configuration of the user: environment, files and single sign-on, as the AWS CLI reads them.
pub(crate) async fn configuration(global: &Global) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &global.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &global.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}

/// The failure of a command that needs a Region, and finds none.
pub(crate) fn no_region() -> Failure {
    Failure::usage("the AWS Region is not known: give it with --region")
}

/// Signs requests with Signature Version 4.
#[derive(Debug)]
pub(crate) struct Signer {
    credentials: Credentials,
    region: String,
}

impl Signer {
    /// A signer for the API at `url`.
    ///
    /// # Errors
    ///
    /// A failure if there are no credentials, or the Region is not known.
    pub(crate) async fn new(global: &Global, url: &Url) -> Result<Self, Failure> {
        let configuration = configuration(global).await;
        let region = global.region.clone().or_else(|| region_of(url));
        let region = region.or_else(|| configuration.region().map(ToString::to_string));
        let region = region.ok_or_else(no_region)?;
        let missing = |why: String| {
            let message = format!("there are no AWS credentials ({why}): log in, or name a profile with --profile");
            Failure::new(Code::NotAllowed, "no_credentials", message)
        };
        let provider = configuration.credentials_provider().ok_or_else(|| missing("no provider".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|err| missing(err.to_string()))?;
        Ok(Self { credentials, region })
    }

    /// The request with a signature.
    ///
    /// # Errors
    ///
    /// A failure if the request cannot be signed.
    pub(crate) fn sign(&self, request: RequestBuilder) -> Result<RequestBuilder, Failure> {
        #[expect(clippy::disallowed_methods, reason = "AWS compares the time of a signature with its clock")]
        let now = SystemTime::now();
        let unsigned = |err: &dyn std::error::Error| Failure::new(Code::NotAllowed, "no_credentials", err.to_string());
        let identity = self.credentials.clone().into();
        let parameters =
            SigningParams::builder().identity(&identity).region(&self.region).name("execute-api").time(now);
        let parameters = parameters.settings(SigningSettings::default()).build().map_err(|err| unsigned(&err))?;
        let (client, request) = request.build_split();
        let mut request = request.map_err(|err| unsigned(&err))?;
        let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
        let (method, url) = (request.method().as_str(), request.url().as_str());
        let signable = SignableRequest::new(method, url, [].into_iter(), SignableBody::Bytes(body))
            .map_err(|err| unsigned(&err))?;
        let signed = sign(signable, &parameters.into()).map_err(|err| unsigned(&err))?;
        for (name, value) in signed.output().headers() {
            let value = HeaderValue::from_str(value).map_err(|err| unsigned(&err))?;
            request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).map_err(|err| unsigned(&err))?, value);
        }
        Ok(RequestBuilder::from_parts(client, request))
    }
}

/// The Region in the name of an API Gateway's host.
fn region_of(url: &Url) -> Option<String> {
    let mut labels = url.host_str()?.split('.').skip(1);
    (labels.next()? == "execute-api").then(|| labels.next().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_api() {
        let region = |url: &str| region_of(&url.parse().unwrap());
        assert_eq!(region("https://abc.execute-api.eu-west-1.amazonaws.com/Prod").as_deref(), Some("eu-west-1"));
        assert_eq!(region("https://abc.execute-api.cn-north-1.amazonaws.com.cn/Prod").as_deref(), Some("cn-north-1"));
        assert_eq!(region("http://127.0.0.1:3000"), None);
        assert_eq!(region("https://tokens.example.com"), None);
    }
}
