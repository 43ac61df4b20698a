//! `floor`: a function that does nothing, and does not even parse its event.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|_: LambdaEvent<Box<RawValue>>| async { Ok::<_, Error>(()) })).await
}
