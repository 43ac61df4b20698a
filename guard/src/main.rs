//! `guard`: spends a one-time token before the route runs. See [`guard::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = guard::Service::new(Settings::new(&apigw::env), aws::ports(Access::Spend).await?)?;
    lambda_runtime::run(service_fn(|event| guard::handle(&service, event))).await
}
