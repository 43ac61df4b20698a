//! `hello`: the protected API. See [`hello::handle`].

use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry();
    let config = hello::Config::from_lookup(apigw::env)?;
    let service = hello::Service::new(config, apigw::epoch_seconds);
    lambda_runtime::run(service_fn(|event| hello::handle(&service, event))).await
}
