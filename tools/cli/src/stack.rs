//! The option `--stack`: the URL of a deployed API, from the outputs of its stack.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::{Client, error::ProvideErrorMetadata as _};
use reqwest::Url;

use crate::outcome::{Code, Failure};

/// The output that holds the URL.
const OUTPUT: &str = "ApiUrl";

/// The URL of the API that the stack `name` deploys.
///
/// # Errors
///
/// A failure that says whether the stack, its output, the credentials or the connection is missing.
pub(crate) async fn url(configuration: &SdkConfig, name: &str) -> Result<Url, Failure> {
    if configuration.region().is_none() {
        return Err(Failure::usage("the AWS Region is not known: give it with --region"));
    }
    let described = Client::new(configuration).describe_stacks().stack_name(name).send().await.map_err(|err| {
        let code = match (err.as_service_error().is_some(), err.code()) {
            (true, Some("ValidationError")) => Code::Usage,
            (true, _) => Code::NotAllowed,
            (false, _) => Code::Unknown,
        };
        let source = std::iter::successors(Some(&err as &dyn std::error::Error), |err| err.source()).last();
        let message = err.message().map(str::to_owned).or_else(|| source.map(ToString::to_string)).unwrap_or_default();
        Failure::new(code, "stack", format!("the stack {name} cannot be described: {message}"))
    })?;
    let outputs = described.stacks().iter().flat_map(|stack| stack.outputs());
    let value = outputs.filter(|output| output.output_key() == Some(OUTPUT)).find_map(|output| output.output_value());
    let value = value.ok_or_else(|| Failure::usage(format!("the stack {name} has no output {OUTPUT}")))?;
    value.parse().map_err(|_| Failure::usage(format!("the output {OUTPUT} of the stack {name} is not a URL: {value}")))
}
