//! `authorizer`: mints a token for every request to the route behind it. See [`authorizer::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = authorizer::Service::new(Settings::new(&apigw::env), aws::ports(Access::Mint).await?)?;
    lambda_runtime::run(service_fn(|event| authorizer::handle(&service, event))).await
}
