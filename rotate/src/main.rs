//! `rotate`: rotates the key ring. See [`rotate::handle`].

use std::sync::Arc;

use apigw::Settings;
use lambda_runtime::{Error, service_fn};
use rotate::{Ports, Service};
use tokens::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let settings = Settings::new(&apigw::env);
    let versions = Arc::new(aws::ring_versions(settings)?);
    let ports = Ports { versions, fresh_key: rotate::random_key, now: || Timestamp(apigw::epoch_seconds()) };
    let service = Service::new(settings, ports)?;
    lambda_runtime::run(service_fn(|event| rotate::handle(&service, event))).await
}
