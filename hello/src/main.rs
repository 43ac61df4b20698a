//! `hello`: the protected API. See [`hello::handle`].

use apigw::Settings;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = hello::Service::new(Settings::new(&apigw::env), apigw::epoch_seconds)?;
    lambda_runtime::run(service_fn(|event| hello::handle(&service, event))).await
}
