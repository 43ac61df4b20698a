//! `validate`: spends a one-time token. See [`validate::handle`].

use lambda_runtime::{Error, service_fn};
use tokens::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry();
    let now = || Timestamp(apigw::epoch_seconds());
    let config = validate::Config::from_lookup(apigw::env)?;
    let clients = aws::Clients::new(&aws::Config::from_lookup(apigw::env)?);
    clients.warm_up(aws::Role::Spender, now()).await;
    let service = validate::Service::new(config, clients.keys, clients.store, now);
    lambda_runtime::run(service_fn(|event| validate::handle(&service, event))).await
}
