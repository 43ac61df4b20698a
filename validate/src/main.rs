//! `validate`: spends a one-time token. See [`validate::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = validate::Service::new(Settings::new(&apigw::env), aws::ports(Access::Spend).await?)?;
    lambda_runtime::run(service_fn(|event| validate::handle(&service, event))).await
}
