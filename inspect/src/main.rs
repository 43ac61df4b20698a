//! `inspect`: returns the state of a token. See [`inspect::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = inspect::Service::new(Settings::new(&apigw::env), aws::ports(Access::Find).await?)?;
    lambda_runtime::run(service_fn(|event| inspect::handle(&service, event))).await
}
