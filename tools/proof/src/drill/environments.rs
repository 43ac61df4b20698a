//! The environments of the functions, and Secrets Manager as each of them reaches it.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::http::StatusCode;
use harness::{
    FakeAws, Function,
    fake_aws::{Call, Reply},
    process::{Process, variables},
};
use tokio::sync::Semaphore;

use super::{Secret, Site, lock};

/// How long after a fetch of the ring its attempts may still arrive.
const ATTEMPTS_OF_A_FETCH: Duration = Duration::from_secs(2);

/// How old a ring is when it is due, at least: 270 s, less the fractions of two seconds and some time.
const EARLIEST_REFRESH: Duration = Duration::from_secs(265);

/// Longer than any token is kept, so that none expires.
const TTL_SECONDS: u64 = 3600;

/// An environment of a function.
pub(super) struct Environment {
    pub(super) process: Process,
    /// When it began to start. It has fetched the ring since.
    pub(super) started: Instant,
    /// The key that signed then.
    pub(super) key: u32,
}

/// The environments of a function that are idle.
pub(super) struct Pool {
    function: &'static str,
    idle: Mutex<Vec<Environment>>,
    count: Semaphore,
}

impl Pool {
    /// No environments of `function`.
    pub(super) fn new(function: &'static str) -> Self {
        Self { function, idle: Mutex::default(), count: Semaphore::new(0) }
    }

    /// Takes any of them, or the next one that is idle.
    pub(super) async fn take(&self) -> Environment {
        self.count.acquire().await.expect("it is never closed").forget();
        let mut idle = lock(&self.idle);
        let any = fastrand::usize(..idle.len());
        idle.swap_remove(any)
    }

    /// Adds one, or puts it back.
    pub(super) fn put(&self, environment: Environment) {
        lock(&self.idle).push(environment);
        self.count.add_permits(1);
    }
}

impl Site {
    /// Starts an environment of the function of `pool`, which is not put there.
    pub(super) async fn start(&self, pool: &Pool) -> Result<Environment> {
        let (started, key) = (Instant::now(), lock(&self.secret).ring.active);
        let (secret, fetched) = (self.secret.clone(), Mutex::new(None));
        let secrets_manager = FakeAws::start(move |call| answer(&mut lock(&secret), &mut lock(&fetched), call)).await?;
        let mut variables = variables(&self.dynamodb, &secrets_manager.url, &self.table);
        variables.push(("TOKEN_TTL_SECONDS", TTL_SECONDS.to_string()));
        let process = Process::start(&Function::named(pool.function).binary(&self.build), &variables).await?;
        lock(&self.drill).starts += 1;
        Ok(Environment { process, started, key })
    }
}

/// The answer of Secrets Manager to an environment that has last fetched the ring at `fetched`. It does not answer a
/// fetch that comes sooner than the ring is due.
fn answer(secret: &mut Secret, fetched: &mut Option<Instant>, call: &Call) -> Reply {
    if call.action == "GetSecretValue" && !call.body.contains("VersionId") {
        match fetched.map(|at| at.elapsed()) {
            Some(age) if age < ATTEMPTS_OF_A_FETCH => {}
            Some(age) if age < EARLIEST_REFRESH => {
                return Reply::error(StatusCode::BAD_REQUEST, "ThrottlingException");
            }
            _ => *fetched = Some(Instant::now()),
        }
    }
    let Some((status, body)) = secret.serve(&call.action, call.body.as_bytes()) else {
        secret.defects.push(format!("a request that no function sends: {}", call.action));
        return Reply::error(StatusCode::BAD_REQUEST, "ValidationException");
    };
    Reply::new(StatusCode::from_u16(status).expect("a status of HTTP"), body.to_string())
}
