//! `page`: the web page of the API. See [`page::handle`].

use apigw::Settings;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = page::Service::new(Settings::new(&apigw::env))?;
    lambda_runtime::run(service_fn(|event| page::handle(&service, event))).await
}
