//! The strict check, against tokens that no minter of this project made.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokens::{
    CheckError, Checker, Claims, FixedKeyStore, Issuer, KeyRing, KeyStore, KeyStoreError, Refusal, Timestamp, Token,
};

const NOW: Timestamp = Timestamp(1_700_000_000);
const KEY: &str = "a-key-of-the-tests-and-of-nothing-else";
const INVALID: CheckError = CheckError::Refused(Refusal::InvalidToken);

fn issuer() -> Issuer {
    Issuer { iss: "stack.eu-west-1".into(), aud: "stack.eu-west-1/Prod".into() }
}

fn check(token: &str) -> Result<Claims, CheckError> {
    let ring = format!(r#"{{"active":"k1","k1":"{KEY}","next":"{KEY}"}}"#);
    let ring = KeyRing::from_json(ring.as_bytes()).unwrap();
    Checker::new(&issuer(), Timestamp(0)).check(&Token::new(token.to_owned()), &ring, NOW)
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "ott+jwt", "kid": "k1"})
}

fn claims() -> Value {
    json!({
        "iss": "stack.eu-west-1", "aud": "stack.eu-west-1/Prod", "jti": "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f",
        "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 300,
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

/// A token of any header and payload, signed with `key` as HS256.
fn sign(header: &str, payload: &str, key: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(key.as_bytes()), Algorithm::HS256).unwrap();
    format!("{message}.{mac}")
}

fn signed(header: &Value, claims: &Value) -> String {
    sign(&header.to_string(), &claims.to_string(), KEY)
}

#[test]
fn a_token_of_another_audience_is_refused_unless_every_audience_is_allowed() {
    let ring = format!(r#"{{"active":"k1","k1":"{KEY}"}}"#);
    let ring = KeyRing::from_json(ring.as_bytes()).unwrap();
    let any = Checker::of_any_audience("stack.eu-west-1", Timestamp(0));
    for (aud, is_ours) in [
        ("stack.eu-west-1/Prod", true),
        ("stack.eu-west-1/report-link", true),
        ("stack.eu-west-1/", false),
        ("stack.eu-west-1", false),
        ("stack.eu-west-1/a/b", false),
        ("stack.eu-west-1-b/Prod", false),
        ("other.eu-west-1/Prod", false),
        ("", false),
    ] {
        let token = signed(&header(), &with(claims(), "aud", aud.into()));
        assert_eq!(check(&token).is_ok(), aud == "stack.eu-west-1/Prod", "{aud}");
        let checked = any.check(&Token::new(token), &ring, NOW);
        assert_eq!(checked.err(), (!is_ours).then_some(INVALID), "{aud}");
    }
    let other = signed(&header(), &with(claims(), "iss", "other.eu-west-1".into()));
    assert_eq!(any.check(&Token::new(other), &ring, NOW), Err(INVALID));
    let list = signed(&header(), &with(claims(), "aud", json!(["stack.eu-west-1/Prod"])));
    assert_eq!(any.check(&Token::new(list), &ring, NOW), Err(INVALID));
}

#[test]
fn a_token_as_minted_here_passes() {
    let claims = check(&signed(&header(), &claims())).unwrap();
    assert_eq!((claims.iat, claims.exp), (NOW, NOW.plus(300)));
}

#[test]
fn a_header_that_is_not_exactly_ours_is_invalid_although_the_mac_is_right() {
    for header in [
        with(header(), "alg", "none".into()),
        with(header(), "alg", "None".into()),
        with(header(), "alg", "hs256".into()),
        with(header(), "alg", "HS384".into()),
        with(header(), "alg", "RS256".into()),
        with(header(), "typ", "JWT".into()),
        with(header(), "typ", "at+jwt".into()),
        with(header(), "typ", "OTT+JWT".into()),
        without(header(), "typ"),
        without(header(), "alg"),
        without(header(), "kid"),
        with(header(), "kid", "../../etc/passwd".into()),
        with(header(), "kid", "k1' OR '1'='1".into()),
        with(header(), "kid", "k1\0".into()),
        with(header(), "kid", "next".into()),
        with(header(), "kid", "active".into()),
        with(header(), "kid", json!(["k1"])),
        with(header(), "crit", json!(["exp"])),
        with(header(), "b64", false.into()),
        with(header(), "jku", "https://attacker.example/keys".into()),
        with(header(), "jwk", json!({"kty": "oct", "k": "AA"})),
        with(header(), "x5u", "https://attacker.example/cert".into()),
        with(header(), "cty", "JWT".into()),
        json!(["HS256", "ott+jwt", "k1"]),
        json!("HS256"),
    ] {
        assert_eq!(check(&signed(&header, &claims())), Err(INVALID), "{header}");
    }
}

#[test]
fn a_repeated_or_unreadable_header_is_invalid() {
    for header in [
        r#"{"alg":"HS256","typ":"ott+jwt","kid":"k1","kid":"k1"}"#,
        r#"{"alg":"HS256","typ":"ott+jwt","kid":"k1"} x"#,
        r#" {"alg":"HS256","typ":"ott+jwt","kid":"k1"}"#,
        "{",
        "",
        "\u{feff}{}",
    ] {
        assert_eq!(check(&sign(header, &claims().to_string(), KEY)), Err(INVALID), "{header}");
    }
}

#[test]
fn an_unknown_kid_of_the_right_form_is_reported_as_such() {
    assert_eq!(check(&signed(&with(header(), "kid", "k2".into()), &claims())), Err(CheckError::UnknownKid));
}

#[test]
fn another_key_is_invalid() {
    for key in ["", "secret", "a-key-of-the-tests-and-of-nothing-els"] {
        assert_eq!(check(&sign(&header().to_string(), &claims().to_string(), key)), Err(INVALID), "{key}");
    }
}

#[test]
fn claims_that_are_not_exactly_ours_are_invalid_although_the_mac_is_right() {
    let mut all = vec![
        with(claims(), "sub", "me".into()),
        with(claims(), "iss", "stack.eu-west-2".into()),
        with(claims(), "iss", json!(["stack.eu-west-1"])),
        with(claims(), "aud", "stack.eu-west-1/Test".into()),
        with(claims(), "aud", json!(["stack.eu-west-1/Prod"])),
        with(claims(), "jti", "".into()),
        with(claims(), "jti", "0198D7A2-6C0E-4F5E-9D43-3A1B2C4D5E6F".into()),
        with(claims(), "iat", (NOW.0 + 6).into()),
        with(claims(), "exp", (NOW.0 + 86_401).into()),
        with(claims(), "exp", u64::MAX.into()),
        with(claims(), "exp", NOW.0.into()),
        with(claims(), "exp", (NOW.0 - 1).into()),
        json!([
            "stack.eu-west-1",
            "stack.eu-west-1/Prod",
            "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f",
            NOW.0,
            NOW.0,
            NOW.0 + 300
        ]),
    ];
    for name in ["iss", "aud", "jti", "iat", "nbf", "exp"] {
        all.push(without(claims(), name));
        all.push(with(claims(), name, Value::Null));
    }
    for name in ["iat", "nbf", "exp"] {
        for value in [json!("1700000000"), json!(1_700_000_000.5), json!(-1), json!([]), json!(true)] {
            all.push(with(claims(), name, value));
        }
    }
    for claims in all {
        assert_eq!(check(&signed(&header(), &claims)), Err(INVALID), "{claims}");
    }
}

#[test]
fn deep_and_huge_json_is_invalid() {
    let deep = "[".repeat(300);
    for payload in [deep.as_str(), r#"{"exp":1e999}"#, r#"{"exp":99999999999999999999999}"#] {
        assert_eq!(check(&sign(&header().to_string(), payload, KEY)), Err(INVALID), "{payload}");
    }
}

#[test]
fn after_the_mac_the_caller_gets_the_true_reason() {
    let refused = |claims: &Value| check(&signed(&header(), claims)).map(|_| ());
    let at = |iat: u64, nbf: u64, exp: u64| {
        with(with(with(claims(), "iat", iat.into()), "nbf", nbf.into()), "exp", exp.into())
    };
    let now = NOW.0;
    assert_eq!(refused(&at(now - 300, now - 300, now)), Err(CheckError::Refused(Refusal::Expired)));
    assert_eq!(refused(&at(now - 299, now - 299, now + 1)), Ok(()));
    assert_eq!(refused(&at(now, now + 6, now + 300)), Err(CheckError::Refused(Refusal::NotYetValid)));
    assert_eq!(refused(&at(now + 5, now + 5, now + 300)), Ok(()));
    assert_eq!(refused(&at(now, now, now + 86_400)), Ok(()));
}

#[test]
fn a_token_of_another_form_is_invalid() {
    let token = signed(&header(), &claims());
    let (message, mac) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    for other in [
        String::new(),
        ".".into(),
        "..".into(),
        message.into(),
        format!("{message}."),
        format!("{token}."),
        format!("{token}.AAAA.AAAA"),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header}=.{claims}.{mac}"),
        format!("{message}.{}", &mac[..42]),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("{message}.{mac}AAAA"),
        token.replace('.', ","),
        "ｅｙＪ.𝕒.ß".into(),
    ] {
        assert_eq!(check(&other), Err(INVALID), "{other}");
    }
}

#[test]
fn stray_bits_at_the_end_of_a_segment_are_invalid() {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let token = signed(&header(), &claims());
    let last = token.chars().last().unwrap();
    for other in alphabet.chars().filter(|other| *other != last) {
        let changed = format!("{}{other}", &token[..token.len() - 1]);
        assert_eq!(check(&changed), Err(INVALID), "the last character as {other}");
    }
}

#[test]
fn no_flip_of_one_bit_passes() {
    let token = signed(&header(), &claims());
    for index in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(check(&changed).is_err(), "bit {bit} of byte {index}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC{0,1100}") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn any_signed_header_and_claims_are_refused_without_a_panic(header in "\\PC{0,200}", payload in "\\PC{0,200}") {
        prop_assert!(check(&sign(&header, &payload, KEY)).is_err());
    }

    #[test]
    fn a_token_is_accepted_exactly_while_it_is_valid(iat in -90_000i64..100, nbf in -10i64..20, life in -10i64..90_000) {
        let moment = |offset: i64| NOW.0.saturating_add_signed(offset);
        let exp = iat + life;
        let token = signed(
            &header(),
            &with(with(with(claims(), "iat", moment(iat).into()), "nbf", moment(nbf).into()), "exp", moment(exp).into()),
        );
        let is_ours = iat <= 5 && nbf <= 5 && (1..=86_400).contains(&life) && exp > 0;
        prop_assert_eq!(check(&token).is_ok(), is_ours);
    }
}

#[tokio::test]
async fn a_look_tells_the_claims_of_a_genuine_token_also_when_it_is_refused() {
    let ring = format!(r#"{{"active":"k1","k1":"{KEY}"}}"#);
    let keys = FixedKeyStore::new(KeyRing::from_json(ring.as_bytes()).unwrap());
    let token = signed(&header(), &claims());
    for (revoked_before, now, refusal) in [
        (Timestamp(0), NOW, None),
        (Timestamp(0), NOW.plus(299), None),
        (Timestamp(0), NOW.plus(300), Some(Refusal::Expired)),
        (Timestamp(0), NOW.plus(10 * 86_400), Some(Refusal::Expired)),
        (NOW, NOW, Some(Refusal::Revoked)),
    ] {
        let checker = Checker::new(&issuer(), revoked_before);
        let checked = checker.look(&Token::new(token.clone()), &keys, now).await.unwrap().unwrap();
        assert_eq!(checked.refusal, refusal, "{now:?}");
        assert_eq!(serde_json::to_value(&checked.claims).unwrap(), claims());
    }
    let look = async |token: &str, now| {
        Checker::new(&issuer(), Timestamp(0)).look(&Token::new(token.to_owned()), &keys, now).await.unwrap()
    };
    let forged = sign(&header().to_string(), &claims().to_string(), "another-key-of-the-tests-and-of-nothing-else");
    assert_eq!(look(&forged, NOW).await, None);
    assert_eq!(look(&signed(&header(), &with(claims(), "aud", "stack.eu-west-1/reports".into())), NOW).await, None);
    assert_eq!(look(&token, NOW.minus(6)).await, None, "it was minted in the future");
}

/// Keys of an environment that was idle while an operator revoked all tokens.
#[derive(Default)]
struct IdleKeys {
    is_refreshed: AtomicBool,
}

#[async_trait]
impl KeyStore for IdleKeys {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let not_before = if self.is_refreshed.load(Ordering::Relaxed) { NOW.0 } else { 0 };
        let ring = format!(r#"{{"active":"k1","k1":"{KEY}","not_before":{not_before}}}"#);
        Ok(Arc::new(KeyRing::from_json(ring.as_bytes()).unwrap()))
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.ring(now).await
    }

    async fn refresh_if_due(&self, _now: Timestamp) {
        self.is_refreshed.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_look_refreshes_a_ring_that_is_due_before_it_checks() {
    let token = Token::new(signed(&header(), &claims()));
    let checker = Checker::new(&issuer(), Timestamp(0));
    let checked = checker.look(&token, &IdleKeys::default(), NOW).await.unwrap().unwrap();
    assert_eq!(checked.refusal, Some(Refusal::Revoked));
}
