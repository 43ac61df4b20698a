//! Rotates the keys while the functions' binaries mint and spend, and refuses no token.
//!
//! The binary of `rotate` does, by its own clock. Two days cannot pass here, so the name of each fresh key is changed
//! to a time over two days ago, and then every environment fetches the ring again when it is due, as it would in that
//! time. Half of the environments are replaced after each change of the ring. So tokens are spent by environments that
//! have an older ring than those that minted them, and the other way round, and none of these can ask Secrets Manager:
//! it answers an environment once, and then no sooner than the ring is due.
//!
//! During an attempt before the last rotation, an operator revokes every token so far. That attempt must give up.

mod environments;
mod outcome;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use harness::{Table, process::Process};
use serde_json::Value;
use tokens::Timestamp;
use tokio::{
    select,
    task::JoinSet,
    time::{interval, sleep},
};

pub use self::outcome::Drill;
use self::{
    environments::{Environment, Pool},
    outcome::{Minted, Revocation},
};
use crate::{
    events::{self, ROTATION},
    limits::OLDEST_RING_SECONDS,
    simulation::{SECRET, Secret},
    site::{outcome, token},
};

/// How many environments of each function there are at a time.
const ENVIRONMENTS: usize = 8;

/// How long a client keeps a token before it spends it, at most.
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// How many tokens are minted before the revocation, to be spent at the end.
const KEPT_TOKENS: usize = 20;

/// What the functions and the drill share.
struct Site {
    dynamodb: String,
    table: String,
    build: PathBuf,
    secret: Arc<Mutex<Secret>>,
    authorizers: Pool,
    validates: Pool,
    drill: Mutex<Drill>,
}

/// Rotates the keys `rotations` times, under a load of `rate` requests a second. It goes on for `pause` after each
/// rotation.
///
/// # Errors
///
/// When something is missing that the proof needs, or the pause between two rotations is too short.
pub async fn run(dynamodb: &str, build: &Path, rotations: usize, rate: u32, pause: Duration) -> Result<Drill> {
    let shortest = Duration::from_secs(OLDEST_RING_SECONDS) + LONGEST_HOLD;
    ensure!(rotations < 2 || pause > shortest, "until every ring is fetched again a rotation needs over {shortest:?}");
    let site = Arc::new(Site {
        dynamodb: dynamodb.to_owned(),
        table: Table::create(dynamodb).await.context("the table cannot be made")?.name,
        build: build.to_owned(),
        secret: Arc::new(Mutex::new(Secret::rotated(now()))),
        authorizers: Pool::new("authorizer"),
        validates: Pool::new("validate"),
        drill: Mutex::default(),
    });
    for _ in 0..ENVIRONMENTS {
        site.authorizers.put(site.start(&site.authorizers).await?);
        site.validates.put(site.start(&site.validates).await?);
    }
    let began = Instant::now();
    let mut lives = JoinSet::new();
    select! {
        failed = site.load(rate, &mut lives) => failed?,
        done = site.rotations(rotations, pause) => done?,
    }
    let took = began.elapsed();
    while let Some(life) = lives.join_next().await {
        life??;
    }
    let mut drill = std::mem::take(&mut *lock(&site.drill));
    drill.took = took;
    drill.violations.append(&mut lock(&site.secret).defects);
    drill.must_have_seen_everything(rotations);
    Ok(drill)
}

/// Locks what no panic can leave half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Timestamp {
    Timestamp(apigw::epoch_seconds())
}

impl Site {
    /// Begins the lives of tokens, two requests each, until one fails for another reason than an answer.
    async fn load(self: &Arc<Self>, rate: u32, lives: &mut JoinSet<Result<()>>) -> Result<()> {
        let mut ticks = interval(Duration::from_secs(2) / rate);
        loop {
            ticks.tick().await;
            let site = self.clone();
            lives.spawn(async move {
                let Some(minted) = site.mint().await? else { return Ok(()) };
                sleep(LONGEST_HOLD.mul_f64(fastrand::f64())).await;
                site.spend(&minted).await
            });
            while let Some(life) = lives.try_join_next() {
                life??;
            }
        }
    }

    /// Has any environment mint a token.
    async fn mint(&self) -> Result<Option<Minted>> {
        let mut environment = self.authorizers.take().await;
        let answer = environment.process.invoke(events::MINT.to_owned()).await?;
        let minted = token(&answer).map(Minted::new).transpose()?;
        lock(&self.drill).minted(minted.as_ref(), &outcome(&answer));
        self.authorizers.put(environment);
        Ok(minted)
    }

    /// Has any environment spend a token.
    async fn spend(&self, minted: &Minted) -> Result<()> {
        let mut environment = self.validates.take().await;
        let began = Instant::now();
        let answer = environment.process.invoke(events::spend(&minted.token, None)).await?;
        lock(&self.drill).spent(minted, &environment, began, &outcome(&answer));
        self.validates.put(environment);
        Ok(())
    }

    /// The rotations, and what an operator does before the last one.
    async fn rotations(&self, rotations: usize, pause: Duration) -> Result<()> {
        let mut kept = Vec::new();
        sleep(LONGEST_HOLD).await;
        for rotation in 1..=rotations {
            if rotation == rotations {
                kept = self.revocation_in_a_rotation().await?;
                self.replace_half().await?;
            }
            self.rotation().await?;
            self.replace_half().await?;
            if rotation < rotations {
                self.age_the_fresh_key();
            }
            sleep(pause).await;
        }
        for minted in &kept {
            self.spend(minted).await?;
        }
        Ok(())
    }

    /// A rotation from its beginning to its end.
    async fn rotation(&self) -> Result<()> {
        let mut rotate = self.rotate().await?;
        let version = lock(&self.secret).begin_rotation();
        for step in ROTATION {
            self.step(&mut rotate, step, &version, "").await?;
        }
        self.must(lock(&self.secret).current() == version, "the rotation did not bring its ring into force");
        Ok(())
    }

    /// A rotation during which an operator revokes every token so far, so that it gives up. The result are tokens
    /// from before.
    async fn revocation_in_a_rotation(&self) -> Result<Vec<Minted>> {
        let mut rotate = self.rotate().await?;
        let version = lock(&self.secret).begin_rotation();
        let (before, after) = ROTATION.split_at(2);
        for step in before {
            self.step(&mut rotate, step, &version, "").await?;
        }
        let mut kept = Vec::new();
        for _ in 0..KEPT_TOKENS {
            kept.extend(self.mint().await?);
        }
        // Tokens of the current second may be minted after the revocation.
        sleep(Duration::from_secs(1)).await;
        let revoked_before = now().minus(1);
        let revoked = {
            let mut secret = lock(&self.secret);
            let base = secret.current().to_owned();
            self.must(secret.set_not_before(&base, revoked_before), "the ring has changed");
            lock(&self.drill).revocation = Some(Revocation { revoked_before, at: Instant::now() });
            secret.current().to_owned()
        };
        self.step(&mut rotate, after[0], &version, "").await?;
        self.step(&mut rotate, after[1], &version, "changed since this rotation began").await?;
        let mut secret = lock(&self.secret);
        self.must(secret.current() == revoked, "a rotation replaced the ring of the operator");
        self.must(secret.begin_rotation() != version, "the rotation did not give its version up");
        Ok(kept)
    }

    /// An environment of the function that rotates.
    async fn rotate(&self) -> Result<Process> {
        Ok(self.start(&Pool::new("rotate")).await?.process)
    }

    /// Has `rotate` run a step, which must fail with `error`, or succeed if that is empty.
    async fn step(&self, rotate: &mut Process, step: &str, version: &str, error: &str) -> Result<()> {
        let answer = rotate.invoke(events::rotate(step, SECRET, version)).await?;
        let is_right = match answer.body["errorMessage"].as_str() {
            Some(message) => !error.is_empty() && message.contains(error),
            None => error.is_empty() && answer.body == Value::Null,
        };
        self.must(is_right, &format!("{step}: {}", answer.body));
        Ok(())
    }

    /// Changes the name of the fresh key as if it had been made 50 hours ago.
    fn age_the_fresh_key(&self) {
        let aged = format!("k{}", now().minus(50 * 3600).0);
        lock(&self.secret).edit(|ring| {
            let fresh = ring["next"].as_str().unwrap_or_default().to_owned();
            ring[&aged] = ring[&fresh].take();
            ring["next"] = aged.into();
            ring.as_object_mut().map(|ring| ring.remove(&fresh));
        });
    }

    /// Replaces half of the environments, any of them.
    async fn replace_half(&self) -> Result<()> {
        for pool in [&self.authorizers, &self.validates] {
            for _ in 0..ENVIRONMENTS / 2 {
                let fresh = self.start(pool).await?;
                drop(pool.take().await);
                pool.put(fresh);
            }
        }
        Ok(())
    }

    fn must(&self, is_right: bool, violation: &str) {
        if !is_right {
            lock(&self.drill).violations.push(violation.to_owned());
        }
    }
}
