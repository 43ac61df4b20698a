//! The option `--stack`: the URL of a deployed API, from the outputs of its stack.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::{Client, error::ProvideErrorMetadata as _};
use reqwest::Url;

use crate::{
    client::cause,
    outcome::{Code, Failure},
    signer::no_region,
};

/// The URL of the API that the stack `name` deploys: to AWS, or to the emulator that the configuration names.
///
/// # Errors
///
/// A failure that says whether the stack, its output, the credentials or the connection is missing.
pub(crate) async fn url(configuration: &SdkConfig, name: &str) -> Result<Url, Failure> {
    if configuration.region().is_none() {
        return Err(no_region());
    }
    let described = Client::new(configuration).describe_stacks().stack_name(name).send().await.map_err(|err| {
        let code = match err.code() {
            Some("ValidationError") => Code::Usage,
            Some("AccessDenied" | "ExpiredToken" | "InvalidClientTokenId" | "SignatureDoesNotMatch") => {
                Code::NotAllowed
            }
            _ => Code::Unknown,
        };
        let message = err.message().map_or_else(|| cause(&err), str::to_owned);
        Failure::new(code, "stack", format!("the stack {name} cannot be described: {message}"))
    })?;
    let outputs = || described.stacks().iter().flat_map(|stack| stack.outputs());
    let output = |name: &str| outputs().find(|it| it.output_key() == Some(name)).and_then(|it| it.output_value());
    let deployed = output("ApiUrl").ok_or_else(|| Failure::usage(format!("the stack {name} has no output ApiUrl")))?;
    let url = match (configuration.endpoint_url(), output("ApiId")) {
        (Some(endpoint), Some(id)) => emulated(endpoint, id, deployed),
        _ => deployed.to_owned(),
    };
    url.parse().map_err(|_| Failure::usage(format!("the output ApiUrl of the stack {name} is not a URL: {url}")))
}

/// Where an emulator of AWS at `endpoint` serves the API that AWS would serve at `deployed`.
fn emulated(endpoint: &str, id: &str, deployed: &str) -> String {
    let stage = deployed.rsplit('/').next().unwrap_or_default();
    format!("{}/restapis/{id}/{stage}/_user_request_", endpoint.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_serves_the_api_at_its_own_host() {
        let url = emulated("http://127.0.0.1:4566/", "abc", "https://abc.execute-api.us-east-1.amazonaws.com/Prod");
        assert_eq!(url, "http://127.0.0.1:4566/restapis/abc/Prod/_user_request_");
    }
}
