//! `revoke`: revokes a token. See [`revoke::handle`].

use apigw::Settings;
use aws::Access;
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let service = revoke::Service::new(Settings::new(&apigw::env), aws::ports(Access::Revoke).await?)?;
    lambda_runtime::run(service_fn(|event| revoke::handle(&service, event))).await
}
