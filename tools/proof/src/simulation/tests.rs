//! The functions keep the promise, and the judge notices when they do not.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use aws::DynamoTokenStore;
use fastrand::Rng;
use serde_json::Value;
use tokens::{
    Claimant, KeyRing, KeyStore, KeyStoreError, Ports, RingVersions, Row, Stages, Timestamp, Verdict, decide,
};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::{
    clock::{Clock, in_simulated_time, now},
    cloud::{Fault, Faults, Network, Rule, Secret, Services},
    lambda::{Conditions, Functions, Minter, PortsOf, VersionsOf},
    matrix,
    outcome::Outcome,
    run,
    run::{Subject, run_with},
};

// A few seeds, for these tests run unoptimized; `proof simulate` takes thousands.
const SEEDS: std::ops::Range<u64> = 0..12;

/// The first violation of `subject`.
fn violation_of(subject: Subject) -> Option<String> {
    (0..300)
        .find_map(|seed| run_with(seed, subject, false).violations.into_iter().next())
        .map(|(_, violation)| violation)
}

/// The first violation under `rule`.
fn violation(rule: Rule) -> Option<String> {
    violation_of(Subject { rule, ..Subject::REAL })
}

/// The first violation of functions with these ports.
fn violation_with(ports: PortsOf) -> Option<String> {
    violation_of(Subject { ports, ..Subject::REAL })
}

/// Whether a simulation of functions whose keys are rotated with these versions has a violation with this text.
fn finds_in_rotation(versions: VersionsOf, text: &str) -> bool {
    let subject = Subject { versions, ..Subject::REAL };
    (0..300).any(|seed| run_with(seed, subject, false).violations.iter().any(|(_, found)| found.contains(text)))
}

#[test]
fn the_functions_keep_the_promise_whatever_happens() {
    for seed in SEEDS {
        assert_eq!(run(seed).violations, []);
    }
}

#[test]
fn a_seed_repeats_itself() {
    let told = |seed| run(seed).counts;
    for seed in SEEDS {
        assert_eq!(told(seed), told(seed));
    }
}

#[test]
fn a36_every_fault_at_every_attempt_ends_in_a_yes_or_in_an_outcome_not_known() {
    for cell in matrix() {
        assert_eq!(cell.violations, [""; 0], "{cell:?}");
    }
}

#[test]
fn a_store_that_gives_a_token_twice_is_caught() {
    fn decide_twice(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::AlreadyUsed { .. } => Verdict::Spent { replayed: true },
            verdict => verdict,
        }
    }
    let violation = violation(Rule { decide: decide_twice, ..Rule::OF_ONE_USE }).unwrap();
    assert!(violation.contains(", and then for "), "{violation}");
}

#[test]
fn a_store_that_forgets_the_claimant_is_caught() {
    fn forget(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::Spent { replayed: true } => Verdict::Unknown,
            verdict => verdict,
        }
    }
    assert!(violation(Rule { decide: forget, ..Rule::OF_ONE_USE }).is_some());
}

#[test]
fn a_store_that_hides_replays_is_caught() {
    fn hide_replays(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::Spent { .. } => Verdict::Spent { replayed: false },
            verdict => verdict,
        }
    }
    fn hide_replays_in_odd_seconds(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        if now.0 % 2 == 1 { hide_replays(row, claimant, now) } else { decide(row, claimant, now) }
    }
    for decide in [hide_replays, hide_replays_in_odd_seconds] {
        let violation = violation(Rule { decide, ..Rule::OF_ONE_USE }).unwrap();
        assert_eq!(violation, "a replay was not called one");
    }
}

#[test]
fn a_store_that_refuses_a_claimant_what_it_has_is_caught() {
    fn refuse_after_exp(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::Spent { .. } if row.is_some_and(|row| row.expires_at <= now) => Verdict::Expired,
            verdict => verdict,
        }
    }
    fn refuse_in_odd_seconds(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        if now.0 % 2 == 1 { refuse_after_exp(row, claimant, now) } else { decide(row, claimant, now) }
    }
    for decide in [refuse_after_exp, refuse_in_odd_seconds] {
        let violation = violation(Rule { decide, ..Rule::OF_ONE_USE }).unwrap();
        assert!(violation.starts_with("expired is not true"), "{violation}");
    }
}

#[test]
fn a_mint_that_may_write_over_a_mark_is_caught() {
    fn insert_over_mark(row: Option<&Row>, minted_by: &Claimant) -> bool {
        row.is_none_or(|row| row.minted_by == *minted_by)
    }
    assert!(violation(Rule { may_insert: insert_over_mark, ..Rule::OF_ONE_USE }).is_some());
}

#[test]
fn a_mint_that_may_not_repeat_itself_is_caught() {
    fn insert_once(row: Option<&Row>, _: &Claimant) -> bool {
        row.is_none()
    }
    assert!(violation(Rule { may_insert: insert_once, ..Rule::OF_ONE_USE }).is_some());
}

/// Keeps the first key ring that it gets, although it is refreshed.
struct FirstRing(Arc<dyn KeyStore>, OnceLock<Arc<KeyRing>>);

#[async_trait]
impl KeyStore for FirstRing {
    async fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let ring = self.0.ring(now).await?;
        Ok(self.1.get_or_init(|| ring).clone())
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.0.ring_for_unknown_kid(now).await
    }

    async fn refresh_if_due(&self, now: Timestamp) {
        self.0.refresh_if_due(now).await;
    }
}

#[test]
fn a_mint_that_ignores_a_refreshed_ring_is_caught() {
    fn ignore(function: &str, ports: Ports<DynamoTokenStore>) -> Ports<DynamoTokenStore> {
        match function {
            "validate" | "guard" | "inspect" | "revoke" => ports,
            _ => Ports { keys: Arc::new(FirstRing(ports.keys, OnceLock::new())), ..ports },
        }
    }
    let ignore_refreshed = Subject { ports: ignore, ..Subject::REAL };
    let violations: Vec<_> = (0..300).flat_map(|seed| run_with(seed, ignore_refreshed, false).violations).collect();
    assert!(violations.iter().any(|(_, violation)| violation.contains("was let through")), "{violations:?}");
}

/// Fails when the clock has been set back, as code does that measures an age and expects it not to be
/// negative.
struct ForwardOnly(Arc<dyn KeyStore>, Mutex<Timestamp>);

#[async_trait]
impl KeyStore for ForwardOnly {
    async fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let last = std::mem::replace(&mut *self.1.lock().unwrap(), now);
        if now < last {
            return Err(KeyStoreError("the clock went backwards".into()));
        }
        self.0.ring(now).await
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.0.ring_for_unknown_kid(now).await
    }

    async fn refresh_if_due(&self, now: Timestamp) {
        self.0.refresh_if_due(now).await;
    }
}

#[test]
fn a_function_that_expects_the_clock_to_go_forward_is_caught() {
    let violation = violation_with(|_, ports| {
        let keys = Arc::new(ForwardOnly(ports.keys, Mutex::default()));
        Ports { keys, ..ports }
    });
    let violation = violation.unwrap();
    assert!(violation.contains("request was answered"), "{violation}");
}

#[test]
fn a_function_that_does_not_act_on_the_time_of_its_beginning_is_caught() {
    let violation = violation_with(|_, ports| Ports { now: || now().plus(1), ..ports }).unwrap();
    assert!(violation.starts_with("a write with another time"), "{violation}");
}

#[test]
fn a_thousand_simulations_that_do_not_see_everything_are_caught() {
    let mut total = Outcome::default();
    for seed in 0..300 {
        total.add(run_with(seed, Subject::REAL, false));
    }
    total.must_have_seen_everything(0);
    assert_eq!(total.violations, []);
    total.counts.remove("crashed");
    total.must_have_seen_everything(1000);
    assert_eq!(total.violations, [(1000, "crashed was never seen in 300 simulations".to_owned())]);
}

#[test]
fn a_store_that_revokes_a_spent_token_is_caught() {
    assert!(violation(Rule { may_revoke: |row| row.is_some(), ..Rule::OF_ONE_USE }).is_some());
}

#[test]
fn a_store_that_does_not_revoke_is_caught() {
    let violation = violation(Rule { may_revoke: |_| false, ..Rule::OF_ONE_USE }).unwrap();
    assert!(violation.starts_with("revoked, and the row says"), "{violation}");
}

#[test]
fn a_store_that_forgets_a_revocation_is_caught() {
    fn forget(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        decide(row.map(|row| Row { revoked_at: None, ..row.clone() }).as_ref(), claimant, now)
    }
    assert!(violation(Rule { decide: forget, ..Rule::OF_ONE_USE }).is_some());
}

/// The versions of a secret in which a rotation puts another ring than it knows. It keeps the one that it knows
/// beside it, so that its own checks find nothing wrong.
struct Altered(Arc<dyn RingVersions>, fn(&mut Value));

#[async_trait]
impl RingVersions for Altered {
    async fn stages(&self) -> Result<Stages, KeyStoreError> {
        self.0.stages().await
    }

    async fn ring_json(&self, version: &str) -> Result<Option<Zeroizing<String>>, KeyStoreError> {
        let Some(json) = self.0.ring_json(version).await? else { return Ok(None) };
        let ring: Value = serde_json::from_str(&json).unwrap();
        let Some(known) = ring.get("known") else { return Ok(Some(json)) };
        let mut known = known.clone();
        // An operator may have edited the ring since.
        if let Some(not_before) = ring.get("not_before") {
            known["not_before"] = not_before.clone();
        }
        Ok(Some(Zeroizing::new(known.to_string())))
    }

    async fn put_pending(&self, version: &str, ring_json: &str) -> Result<(), KeyStoreError> {
        let known: Value = serde_json::from_str(ring_json).unwrap();
        let mut ring = known.clone();
        (self.1)(&mut ring);
        ring["known"] = known;
        self.0.put_pending(version, &ring.to_string()).await
    }

    async fn promote(&self, version: &str, base: &str) -> Result<(), KeyStoreError> {
        self.0.promote(version, base).await
    }

    async fn release(&self, version: &str) -> Result<(), KeyStoreError> {
        self.0.release(version).await
    }
}

#[test]
fn a_rotation_that_signs_at_once_with_the_fresh_key_is_caught() {
    fn sign_at_once(ring: &mut Value) {
        ring["active"] = ring["next"].clone();
    }
    assert!(finds_in_rotation(|versions| Arc::new(Altered(versions, sign_at_once)), "its key is not in"));
}

#[test]
fn a_rotation_that_drops_the_previous_key_is_caught() {
    fn drop_previous(ring: &mut Value) {
        let kept = [&ring["active"], &ring["next"]].map(|kid| kid.as_str().unwrap().to_owned());
        ring.as_object_mut().unwrap().retain(|name, _| !name.starts_with('k') || kept.contains(name));
    }
    assert!(finds_in_rotation(|versions| Arc::new(Altered(versions, drop_previous)), "invalid_token is not true"));
}

#[test]
fn a_rotation_that_undoes_a_revocation_is_caught() {
    fn forget(ring: &mut Value) {
        ring.as_object_mut().unwrap().remove("not_before");
    }
    assert!(finds_in_rotation(|versions| Arc::new(Altered(versions, forget)), "undoes what the operator did"));
}

#[test]
fn a_rotation_that_brings_a_malformed_ring_into_force_is_caught() {
    fn shorten(ring: &mut Value) {
        let next = ring["next"].as_str().unwrap().to_owned();
        ring[next] = "short".into();
    }
    assert!(finds_in_rotation(|versions| Arc::new(Altered(versions, shorten)), "which holds no key ring"));
}

#[test]
fn a_day_without_secrets_manager_stops_only_functions_that_start_in_it() {
    const DAY: Duration = Duration::from_hours(24);
    in_simulated_time(async {
        fastrand::seed(0); // the SDK's pauses
        let conditions = Conditions {
            crash_percent: 0,
            max_skew_seconds: 0,
            ttl_seconds: 86_400,
            revoked_before: Timestamp(0),
            ports: |_, ports| ports,
            versions: |versions| versions,
        };
        let services = Services::new(Rule::OF_ONE_USE, Secret::generated());
        let network = Network::new(services, Rng::with_seed(0), Faults::Random(0));
        let functions = Functions::new(&network, Clock::exact(), conditions);
        let (mut tokens, mut warm, mut cold) = (Vec::new(), 0, 0);
        for _ in 0..70 {
            tokens.push(functions.mint(Minter::Issue).await.answer.unwrap().unwrap().token);
        }
        for token in tokens.drain(..20) {
            functions.spend(token.expose(), None).await;
        }

        // Every attempt at it is throttled.
        network.set_faults(Faults::At { action: "GetSecretValue", attempt: usize::MAX, fault: Fault::Throttled });

        let outage = Instant::now();
        while outage.elapsed() < DAY - Duration::from_mins(31) {
            sleep(Duration::from_mins(30)).await;
            let mint = functions.mint(Minter::Issue).await;
            assert_eq!(mint.answer.unwrap().err(), mint.fetch.is_none().then(|| r#"503 "unavailable""#.to_owned()));
            let spend = functions.spend(tokens.pop().unwrap().expose(), None).await;
            let (status, count) = if spend.fetch.is_some() { (200, &mut warm) } else { (503, &mut cold) };
            assert_eq!(spend.answer.unwrap().status, status);
            *count += 1;
        }
        assert!(warm > 0 && cold > 0, "{warm} warm and {cold} cold");
        // A ring is used for a day.
        sleep(DAY + Duration::from_mins(1) - outage.elapsed()).await;
        assert!(functions.mint(Minter::Issue).await.answer.unwrap().is_err());

        network.set_faults(Faults::Random(0));
        sleep(Duration::from_secs(10)).await; // the longest pause before the next attempt
        for _ in 0..20 {
            let minted = functions.mint(Minter::Issue).await.answer.unwrap().unwrap();
            assert_eq!(functions.spend(minted.token.expose(), None).await.answer.unwrap().status, 200);
        }
    });
}
