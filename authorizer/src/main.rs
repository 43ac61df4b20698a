//! `authorizer`: mints a token for every request to the route behind it. See [`authorizer::handle`].

use lambda_runtime::{Error, service_fn};
use tokens::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry();
    let now = || Timestamp(apigw::epoch_seconds());
    let config = authorizer::Config::from_lookup(apigw::env)?;
    let clients = aws::Clients::new(&aws::Config::from_lookup(apigw::env)?);
    clients.warm_up(aws::Role::Minter, now()).await;
    let service = authorizer::Service::new(config, clients.keys, clients.store, now);
    lambda_runtime::run(service_fn(|event| authorizer::handle(&service, event))).await
}
