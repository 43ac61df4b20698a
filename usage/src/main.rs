//! `usage`: counts what happens to tokens, and reports it. See [`usage::handle`].

use apigw::Settings;
use lambda_runtime::{Error, service_fn};
use tokens::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let settings = Settings::new(&apigw::env);
    let now = || Timestamp(apigw::epoch_seconds());
    let service = usage::Service::new(settings, aws::usage_store(settings)?, now)?;
    lambda_runtime::run(service_fn(|event| usage::handle(&service, event))).await
}
