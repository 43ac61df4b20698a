//! `issue`: mints a token on demand. See [`issue::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = issue::Service::new(Settings::new(&apigw::env), aws::ports(Access::Mint).await?)?;
    lambda_runtime::run(service_fn(|event| issue::handle(&service, event))).await
}
