//! The rotation of the key ring: publish a key first, sign with it two days later.
//!
//! A rotated ring holds three keys: the `previous` one, the active one, and the `next` one. A rotation makes
//! `next` the active key, adds a fresh `next`, and drops the key that the rotation before it made `previous`.
//! A key that no rotation replaced stays: when it signed last is not known.
//!
//! | a key | is in the ring for |
//! | --- | --- |
//! | before it signs | at least 48.5 hours, so every environment knows it: a ring is used for at most 24 hours |
//! | after it has signed | at least 48.5 hours: 24 until the last environment has a newer ring, 24 until its last token has expired, and the rest for replays and clocks that differ |

use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    KeyRing, KeyRingError, Kid, Timestamp,
    key_ring::{ACTIVE, Members},
};

/// How long a key has existed, in seconds, before it signs: 49 hours.
///
/// It is counted from the time in the key's name, which is that of its making. Up to [`PROMOTION_SECONDS`]
/// of it pass until the ring with the key is in force.
pub const PUBLICATION_SECONDS: u64 = 49 * 3600;

/// How long after the making of its fresh key a ring may come into force, in seconds: 30 minutes.
///
/// Later, the time in the key's name would say that it has been known for longer than it has.
pub const PROMOTION_SECONDS: u64 = 30 * 60;

/// The earliest time that the name of a key can mean: the beginning of 2020.
const EARLIEST: Timestamp = Timestamp(1_577_836_800);

/// The setting that names the key that will sign after the active one.
const NEXT: &str = "next";

/// The setting that names the key that the last rotation replaced.
const PREVIOUS: &str = "previous";

/// The setting that names the version of the secret that a rotation began from.
const BASE: &str = "base";

/// What a rotation changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The ring had no next key. It gets one, and the active key goes on signing.
    Published {
        /// The fresh key.
        next: Kid,
    },
    /// The next key becomes the active one.
    Promoted {
        /// The key that signs from now on.
        active: Kid,
        /// The fresh key.
        next: Kid,
    },
    /// Nothing: the next key is too young to sign.
    Copied {
        /// The key that waits.
        next: Kid,
    },
}

/// Makes the JSON of the ring that follows `current`, which is the version `base` of its secret. It is a copy
/// while the next key is younger than [`PUBLICATION_SECONDS`].
///
/// `fresh_key` is new key material: at least [`MIN_KEY_BYTES`](crate::MIN_KEY_BYTES) bytes, drawn at random. Every setting is kept,
/// known or not. A `next` whose name is not a time between 2020 and `now` counts as made now, so it never signs.
///
/// # Errors
///
/// [`KeyRingError`] when the current ring is malformed, or the fresh key too short. The error holds no key.
pub fn rotate(
    current: &[u8],
    base: &str,
    now: Timestamp,
    fresh_key: &str,
) -> Result<(Zeroizing<String>, Change), KeyRingError> {
    let ring = KeyRing::from_json(current)?;
    let mut members = Members::from_json(current)?;
    let waiting = next_of(&members, &ring)?;
    let change = match waiting {
        Some(next) if age_seconds(&next, now) < PUBLICATION_SECONDS => Change::Copied { next },
        Some(active) => Change::Promoted { active, next: unused_name(&ring, now) },
        None => Change::Published { next: unused_name(&ring, now) },
    };
    if let Change::Promoted { active, .. } = &change {
        let dropped = previous_of(&members, &ring).filter(|kid| kid != active);
        let is_kept = |name: &str| dropped.is_none() || Kid::parse(name) != dropped;
        // A member that was only taken out of the map would not be wiped from memory.
        let kept = members.0.iter().filter(|(name, _)| is_kept(name));
        members = Zeroizing::new(Members(kept.map(|(name, value)| (name.clone(), value.clone())).collect()));
        set(&mut members, PREVIOUS, &ring.active_kid().to_string());
        set(&mut members, ACTIVE, &active.to_string());
    }
    if let Change::Promoted { next, .. } | Change::Published { next } = &change {
        set(&mut members, NEXT, &next.to_string());
        set(&mut members, &next.to_string(), fresh_key);
    }
    set(&mut members, BASE, base);
    let json = to_json(&members, current.len() + 2 * fresh_key.len() + base.len() + 256);
    // Whatever the reason, a ring that no function can read must not come into force.
    KeyRing::from_json(json.as_bytes())?;
    Ok((json, change))
}

/// The version of the secret that the ring in `json` was made from, if a rotation made it.
///
/// # Errors
///
/// [`KeyRingError`] when it is not a JSON object.
pub fn base(json: &[u8]) -> Result<Option<String>, KeyRingError> {
    Ok(Members::from_json(json)?.text(BASE).map(str::to_owned))
}

/// Checks that the ring `pending` may come into force after `current` without the refusal of a live token.
///
/// # Errors
///
/// [`SuccessionError`], which says why it may not.
pub fn may_succeed(current: &[u8], pending: &[u8], now: Timestamp) -> Result<(), SuccessionError> {
    let previous = Members::from_json(current)?;
    let (current, members) = (KeyRing::from_json(current)?, Members::from_json(pending)?);
    let previous = previous_of(&previous, &current);
    let pending = KeyRing::from_json(pending)?;
    if !current.holds(pending.active()) {
        return Err(SuccessionError::UnknownActiveKey);
    }
    let mut lost = current.keys().filter(|(kid, key)| Some(*kid) != previous.as_ref() && !pending.holds(key));
    if let Some((kid, _)) = lost.next() {
        return Err(SuccessionError::LostKey(kid.clone()));
    }
    match next_of(&members, &pending)? {
        Some(next) if current.key(&next).is_none() && age_seconds(&next, now) > PROMOTION_SECONDS => {
            Err(SuccessionError::Late)
        }
        _ => Ok(()),
    }
}

/// Why a ring may not come into force.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum SuccessionError {
    /// One of the two rings is malformed.
    #[error(transparent)]
    Malformed(#[from] KeyRingError),
    /// It would sign with a key that the functions do not know yet.
    #[error("the pending ring signs with a key that the current ring does not hold")]
    UnknownActiveKey,
    /// It might refuse live tokens that this key has signed.
    #[error("the pending ring does not hold {0}, which no rotation has replaced")]
    LostKey(Kid),
    /// Its fresh key would be known for a shorter time than its name says.
    #[error("the pending ring was made more than {PROMOTION_SECONDS} seconds ago")]
    Late,
}

/// Sets a member to a text.
fn set(members: &mut Members, name: &str, text: &str) {
    members.0.insert(name.to_owned(), Value::String(text.to_owned()));
}

/// The JSON of a ring, in a buffer of `capacity` bytes: a buffer that grows leaves copies of the keys behind.
fn to_json(members: &Members, capacity: usize) -> Zeroizing<String> {
    let mut json = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut json, &members.0).expect("a map of texts and values is JSON");
    Zeroizing::new(String::from_utf8(json).expect("JSON is UTF-8"))
}

/// The key that `ring` names as the next one; `None` without one, and when that one signs already.
fn next_of(members: &Members, ring: &KeyRing) -> Result<Option<Kid>, KeyRingError> {
    let Some(next) = members.0.get(NEXT) else { return Ok(None) };
    let next = next.as_str().and_then(Kid::parse).filter(|next| ring.key(next).is_some());
    let next = next.ok_or(KeyRingError::NoNextKey)?;
    Ok(Some(next).filter(|next| next != ring.active_kid()))
}

/// The key that the last rotation replaced, unless it signs again.
fn previous_of(members: &Members, ring: &KeyRing) -> Option<Kid> {
    members.text(PREVIOUS).and_then(Kid::parse).filter(|previous| previous != ring.active_kid())
}

/// The age of a key by its name.
fn age_seconds(kid: &Kid, now: Timestamp) -> u64 {
    let made_at = Some(Timestamp(kid.number())).filter(|made_at| (EARLIEST..=now).contains(made_at));
    now.0 - made_at.unwrap_or(now).0
}

/// The name of a key that is made now. If the ring has it already, the next free second.
fn unused_name(ring: &KeyRing, now: Timestamp) -> Kid {
    let mut names = (now.0..).filter_map(|second| Kid::parse(&format!("k{second}")));
    names.find(|kid| ring.key(kid).is_none()).expect("a ring holds fewer keys than there are seconds")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, REPLAY_WINDOW_SECONDS};

    const NOW: Timestamp = Timestamp(1_700_000_000);

    /// The key number `number` of these tests.
    fn key(number: u64) -> String {
        format!("0123456789abcdef0123456789abcdef-{number}")
    }

    /// The ring after a rotation that changed it as `change` says, as JSON.
    fn rotated(current: &Value, now: Timestamp, change: &Change) -> Value {
        let (json, changed) = rotate(current.to_string().as_bytes(), "v1", now, &key(now.0)).unwrap();
        assert_eq!(changed, *change);
        serde_json::from_str(&json).unwrap()
    }

    fn kid(second: Timestamp) -> Kid {
        Kid::parse(&format!("k{}", second.0)).unwrap()
    }

    #[test]
    fn the_first_rotation_publishes_a_key_and_changes_nothing_else() {
        let ring = json!({"active": "k1", "k1": key(1), "not_before": 7, "note": ["mine"]});
        let next = kid(NOW);
        let expected = json!({
            "active": "k1", "k1": key(1), "not_before": 7, "note": ["mine"],
            "base": "v1", "next": "k1700000000", "k1700000000": key(NOW.0),
        });
        assert_eq!(rotated(&ring, NOW, &Change::Published { next }), expected);
    }

    #[test]
    fn a_rotation_signs_with_the_next_key_and_drops_only_the_key_that_the_last_rotation_replaced() {
        let made_at = NOW.minus(PUBLICATION_SECONDS);
        let (active, next) = (kid(made_at), kid(NOW));
        let ring = json!({
            "active": "k3", "next": active.to_string(), "previous": "k1", "base": "v0", "not_before": "7", "note": null,
            "k1": key(1), "k2": key(2), "k3": key(3), (active.to_string()): key(made_at.0),
        });
        let expected = json!({
            "active": active.to_string(), "next": next.to_string(), "previous": "k3", "base": "v1", "not_before": "7",
            "note": null, "k2": key(2), "k3": key(3), (active.to_string()): key(made_at.0), (next.to_string()): key(NOW.0),
        });
        assert_eq!(rotated(&ring, NOW, &Change::Promoted { active, next }), expected);
    }

    #[test]
    fn a_key_that_an_operator_added_or_replaced_outlives_every_rotation() {
        let made_at = NOW.minus(PUBLICATION_SECONDS);
        let next = kid(made_at);
        let others = |ring: &Value| [&ring["k1"], &ring["k2"]].map(Value::is_string);
        // `k1` signed until the operator named `k2`, or `k2` waits until the operator names it.
        for active in ["k2", "k1"] {
            let mut ring = json!({
                "active": active, "next": next.to_string(), "k1": key(1), "k2": key(2), (next.to_string()): key(3),
            });
            for rotation in 0..3 {
                let now = NOW.plus(rotation * PUBLICATION_SECONDS);
                let (json, _) = rotate(ring.to_string().as_bytes(), "v1", now, &key(now.0)).unwrap();
                assert_eq!(may_succeed(ring.to_string().as_bytes(), json.as_bytes(), now), Ok(()));
                ring = serde_json::from_str(&json).unwrap();
                let expected = match rotation {
                    0 => [true, true],
                    // The one that signed was replaced by the first rotation, and is dropped by the second.
                    _ => [active == "k2", active == "k1"],
                };
                assert_eq!(others(&ring), expected, "{active} signed, rotation {rotation}");
            }
        }
    }

    #[test]
    fn a_replaced_key_that_signs_again_or_soon_is_not_dropped() {
        let next = kid(NOW.minus(PUBLICATION_SECONDS));
        for previous in ["k1".to_owned(), next.to_string(), "k7".to_owned(), "mine".to_owned()] {
            let ring = json!({
                "active": "k1", "next": next.to_string(), "previous": previous, "k1": key(1), (next.to_string()): key(2),
            });
            let after = rotated(&ring, NOW, &Change::Promoted { active: next.clone(), next: kid(NOW) });
            assert!(after["k1"].is_string() && after[next.to_string()].is_string(), "{previous}");
            assert_eq!(after["previous"], "k1");
        }
    }

    #[test]
    fn while_the_next_key_is_younger_than_49_hours_the_ring_is_copied() {
        let next = kid(NOW);
        let mut ring = json!({"active": "k1", "next": next.to_string(), "k1": key(1), (next.to_string()): key(2)});
        let last = NOW.plus(49 * 3600 - 1);
        ring["base"] = "v1".into();
        assert_eq!(rotated(&ring, last, &Change::Copied { next: next.clone() }), ring);
        let later = last.plus(1);
        rotated(&ring, later, &Change::Promoted { active: next, next: kid(later) });
    }

    #[test]
    fn a_next_key_whose_name_is_no_time_between_2020_and_now_never_signs() {
        for name in ["k2", "k0", "k1577836799", "k1700000001", "k9999999999"] {
            let ring = json!({"active": "k1", "next": name, "base": "v1", "k1": key(1), name: key(2)});
            assert_eq!(rotated(&ring, NOW, &Change::Copied { next: Kid::parse(name).unwrap() }), ring);
        }
        let first = Kid::parse("k1577836800").unwrap();
        let ring = json!({"active": "k1", "next": "k1577836800", "k1": key(1), "k1577836800": key(2)});
        rotated(&ring, NOW, &Change::Promoted { active: first, next: kid(NOW) });
    }

    #[test]
    fn a_next_key_that_signs_already_is_followed_by_a_fresh_one() {
        let ring = json!({"active": "k1600000000", "next": "k1600000000", "k1600000000": key(1), "k2": key(2)});
        let after = rotated(&ring, NOW, &Change::Published { next: kid(NOW) });
        assert_eq!((&after["active"], &after["k2"]), (&json!("k1600000000"), &json!(key(2))));
    }

    #[test]
    fn a_fresh_key_never_takes_the_name_of_another() {
        let ring = json!({"active": "k1700000000", "k1700000000": key(1), "k1700000001": key(2)});
        let after = rotated(&ring, NOW, &Change::Published { next: kid(NOW.plus(2)) });
        assert_eq!((&after["k1700000000"], &after["k1700000001"]), (&json!(key(1)), &json!(key(2))));
    }

    #[test]
    fn a_malformed_ring_or_a_short_key_is_an_error_that_holds_no_key() {
        let k1 = Kid::parse("k1").unwrap();
        for (ring, error) in [
            (json!([]), KeyRingError::NotAnObject),
            (json!({"active": "k2", "k1": key(1)}), KeyRingError::NoActiveKey),
            (json!({"active": "k1", "k1": "short"}), KeyRingError::ShortKey(k1)),
            (json!({"active": "k1", "k1": key(1), "next": "k2"}), KeyRingError::NoNextKey),
            (json!({"active": "k1", "k1": key(1), "next": 2}), KeyRingError::NoNextKey),
            (json!({"active": "k1", "k1": key(1), "not_before": "soon"}), KeyRingError::BadNotBefore),
        ] {
            let found = rotate(ring.to_string().as_bytes(), "v1", NOW, &key(2)).unwrap_err();
            assert!(!found.to_string().contains("0123"));
            assert_eq!(found, error, "{ring}");
        }
        let ring = json!({"active": "k1", "k1": key(1)}).to_string();
        assert_eq!(rotate(ring.as_bytes(), "v1", NOW, "short").unwrap_err(), KeyRingError::ShortKey(kid(NOW)));
    }

    #[test]
    fn a_ring_succeeds_another_if_its_active_key_is_known_and_it_holds_every_key_that_may_have_signed() {
        let succeeds = |current: &Value, pending: &Value| {
            may_succeed(current.to_string().as_bytes(), pending.to_string().as_bytes(), NOW)
        };
        let one = json!({"active": "k1", "k1": key(1), "k2": key(2)});
        let two = json!({"active": "k2", "k1": key(1), "k2": key(2)});
        let other = json!({"active": "k1", "k1": key(1), "k2": key(3)});
        assert_eq!(succeeds(&one, &two), Ok(()));
        assert_eq!(succeeds(&one, &one), Ok(()));
        assert_eq!(succeeds(&other, &two), Err(SuccessionError::UnknownActiveKey));
        let k2 = Kid::parse("k2").unwrap();
        assert_eq!(succeeds(&two, &other), Err(SuccessionError::LostKey(k2.clone())));
        let without = json!({"active": "k1", "k1": key(1)});
        assert_eq!(succeeds(&one, &without), Err(SuccessionError::LostKey(k2)));
        let replaced = json!({"active": "k1", "previous": "k2", "k1": key(1), "k2": key(2)});
        assert_eq!(succeeds(&replaced, &without), Ok(()));
        assert_eq!(succeeds(&one, &json!({})), Err(KeyRingError::NoActiveKey.into()));
        assert_eq!(succeeds(&json!({}), &one), Err(KeyRingError::NoActiveKey.into()));
    }

    #[test]
    fn a_ring_comes_into_force_within_30_minutes_of_its_making_or_not_at_all() {
        let current = json!({"active": "k1", "k1": key(1)}).to_string();
        let (pending, _) = rotate(current.as_bytes(), "v1", NOW, &key(2)).unwrap();
        let at = |seconds| may_succeed(current.as_bytes(), pending.as_bytes(), NOW.plus(seconds));
        assert_eq!((at(1800), at(1801)), (Ok(()), Err(SuccessionError::Late)));
        // A copy brings no key.
        let (copy, _) = rotate(pending.as_bytes(), "v2", NOW.plus(3600), &key(3)).unwrap();
        assert_eq!(may_succeed(pending.as_bytes(), copy.as_bytes(), NOW.plus(7200)), Ok(()));
    }

    #[test]
    fn a_ring_names_the_version_that_it_was_made_from() {
        assert_eq!(base(br#"{"base":"v1"}"#), Ok(Some("v1".to_owned())));
        assert_eq!(base(b"{}"), Ok(None));
        assert_eq!(base(b"[]"), Err(KeyRingError::NotAnObject));
    }

    /// A ring, and when it came into force.
    struct InForce {
        since: u64,
        json: Zeroizing<String>,
    }

    impl InForce {
        fn ring(&self) -> KeyRing {
            KeyRing::from_json(self.json.as_bytes()).unwrap()
        }
    }

    /// How long an environment uses a ring, in seconds.
    const OLD_RING_SECONDS: u64 = 24 * 3600;

    /// How far ahead or behind the clock of a rotation may be, in seconds.
    const SKEW_SECONDS: i64 = 60;

    proptest! {
        #[test]
        fn no_rotation_at_any_time_drops_a_key_of_a_live_token_or_signs_with_a_key_that_an_environment_does_not_know(
            steps in prop::collection::vec(
                (prop_oneof![0..60 * 3600_u64, 48 * 3600..50 * 3600_u64], 0..4 * 3600_u64, -SKEW_SECONDS..=SKEW_SECONDS, -SKEW_SECONDS..=SKEW_SECONDS),
                1..12,
            ),
        ) {
            let mut time = NOW.0;
            let first = Zeroizing::new(json!({"active": "k1", "k1": key(1)}).to_string());
            let mut history = vec![InForce { since: time, json: first }];
            for (number, (pause, finish, skew, skew_at_finish)) in steps.into_iter().enumerate() {
                let current = history.last().unwrap().json.clone();
                time += pause;
                let by_clock = Timestamp(time.saturating_add_signed(skew));
                let (json, _) = rotate(current.as_bytes(), "v", by_clock, &key(number as u64 + 2)).unwrap();
                time += finish;
                let by_clock = Timestamp(time.saturating_add_signed(skew_at_finish));
                if may_succeed(current.as_bytes(), json.as_bytes(), by_clock).is_ok() {
                    history.push(InForce { since: time, json });
                }
            }

            let until = |index: usize| history.get(index + 1).map_or(u64::MAX - (1 << 32), |next| next.since);
            for (index, signing) in history.iter().enumerate() {
                let ring = signing.ring();
                // From when it signs first until its last token, and the last replay of that, are over.
                let token = MAX_LIFETIME_SECONDS + REPLAY_WINDOW_SECONDS + LEEWAY_SECONDS + 2 * SKEW_SECONDS.unsigned_abs();
                let (from, to) = (signing.since, until(index) + OLD_RING_SECONDS + token);
                for (other, checking) in history.iter().enumerate() {
                    let is_in_use = checking.since <= to && until(other) + OLD_RING_SECONDS >= from;
                    prop_assert!(
                        !is_in_use || checking.ring().holds(ring.active()),
                        "the ring {other} of {} does not hold the active key of ring {index} of {}",
                        history.len(), history.len(),
                    );
                }
            }
            prop_assert!(history.iter().all(|ring| ring.ring().len() <= 3), "more than three keys");
        }
    }
}
