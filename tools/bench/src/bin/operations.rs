//! `operations`: does one thing a number of times, without a store, Lambda or a network, so that `bench instructions` can
//! count the instructions of that alone.

use std::{env, hint::black_box, sync::Arc};

use anyhow::{Context as _, Result, bail, ensure};
use apigw::{Event, Settings};
use async_trait::async_trait;
use harness::{Function, process};
use lambda_runtime::Context;
use serde::Serialize;
use serde_json::{value::RawValue, value::to_raw_value};
use tokens::{
    Checker, Claimant, Find, FixedKeyStore, Insert, Issuer, Jti, KeyRing, KeyStore as _, Minter, NewToken, Ports,
    Revoke, Row, Spend, Spending, StoreError, Timestamp, Token, Verdict,
};
use tokio::runtime;
use uuid::Uuid;

/// The time of every operation.
const NOW: Timestamp = Timestamp(1_700_000_000);

/// A store in which every operation succeeds.
struct Willing;

#[async_trait]
impl Insert for Willing {
    async fn insert(&self, _: &Jti, _: Row) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Spend for Willing {
    async fn spend(&self, _: &Jti, _: &Claimant, _: Timestamp) -> Result<Spending, StoreError> {
        Ok(Verdict::Spent { replayed: false }.into())
    }
}

#[async_trait]
impl Revoke for Willing {
    async fn revoke(&self, _: &Jti, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Find for Willing {
    async fn find(&self, _: &Jti) -> Result<Option<Row>, StoreError> {
        Ok(None)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().collect();
    let [_, operation, count] = arguments.as_slice() else { bail!("operations OPERATION COUNT") };
    let count = count.parse()?;
    runtime::Builder::new_current_thread().build()?.block_on(repeat(operation, count))
}

/// Does the operation `count` times.
async fn repeat(operation: &str, count: u32) -> Result<()> {
    let variables = process::variables("http://127.0.0.1", "http://127.0.0.1", "tokens");
    let lookup = |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone());
    let setting = |name| lookup(name).context("a variable of the harness");
    let issuer = Issuer { iss: setting("TOKEN_ISSUER")?, aud: setting("TOKEN_AUDIENCE")? };
    let ring = KeyRing::from_json(br#"{"active":"k1","k1":"a key of this benchmark and of nothing else"}"#)?;
    let keys = Arc::new(FixedKeyStore::new(ring));
    let minter = Minter::new(issuer.iss.clone(), Timestamp(0), keys.clone(), Arc::new(Willing));
    let mint = async || {
        let (jti, minted_by) = (Jti::new(Uuid::from_u128(1)), Claimant::from_stored("r:mint".to_owned()));
        let new = NewToken { jti, aud: issuer.aud.clone(), ttl_seconds: 300, minted_by, host: None };
        minter.mint(new, NOW).await
    };
    let token = Token::new(mint().await?.token.expose().to_owned());
    let ports = Ports { keys: keys.clone(), store: Arc::new(Willing), now: || NOW };
    let now: fn() -> u64 = || NOW.0;

    /// Handles the sample event of a function again and again.
    macro_rules! handle {
        ($function:ident, $argument:ident) => {{
            let service = $function::Service::new(Settings::new(&lookup), $argument)?;
            let event = Function::named(operation).event()?.replace("TOKEN", token.expose());
            let event: Box<RawValue> = serde_json::from_str(&event)?;
            for _ in 0..count {
                let mut context = Context::default();
                context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
                let answer = $function::handle(&service, Event::new(event.clone(), context)).await;
                succeeded(&answer.map_err(|err| anyhow::anyhow!(err))?)?;
            }
        }};
    }

    match operation {
        "mint" => {
            for _ in 0..count {
                black_box(mint().await?);
            }
        }
        "check" => {
            let (checker, ring) = (Checker::new(&issuer, Timestamp(0)), keys.ring(NOW).await?);
            for _ in 0..count {
                ensure!(checker.check(black_box(&token), &ring, NOW).is_ok(), "a good token is refused");
            }
        }
        "authorizer" => handle!(authorizer, ports),
        "guard" => handle!(guard, ports),
        "hello" => handle!(hello, now),
        "inspect" => handle!(inspect, ports),
        "issue" => handle!(issue, ports),
        "revoke" => handle!(revoke, ports),
        "validate" => handle!(validate, ports),
        _ => bail!("there is no operation {operation}"),
    }
    Ok(())
}

/// Fails unless a function has allowed a request or replied 200. The function's runtime writes its answer as JSON too.
fn succeeded(answer: &impl Serialize) -> Result<()> {
    let json = to_raw_value(answer)?;
    let is_success = [r#""Effect":"Allow""#, r#""statusCode":200"#].iter().any(|part| json.get().contains(part));
    ensure!(is_success, "not a success: {json}");
    Ok(())
}
