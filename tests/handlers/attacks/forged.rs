//! Forged tokens, and the answers of `validate`.

use std::{sync::Arc, time::Instant};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokens::{FixedKeyStore, KeyRing, KeyStore};
use uuid::Uuid;

use super::{
    INVALID, Place, Seen, for_authorizer,
    forger::{Forger, base64url, mac, sign, sign_with, with, with_first, without},
    request_with, seen,
};
use crate::helpers::{KEY, NOW, UntouchedStore, guard, guarded, invocation, service, setting};

/// The settings in the ring of these tests. An attacker may know their values.
const SETTINGS: [(&str, &str); 3] =
    [("active", "k1"), ("next", "k1"), ("base", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE")];

/// An attack on the form of a token.
pub(super) struct Attack {
    /// Its number.
    pub(super) number: String,
    /// Its description in `docs/security.md`.
    pub(super) what: &'static str,
    /// Makes the tokens of all variants of the attack.
    pub(super) tokens: fn(Forger) -> Vec<String>,
}

/// Defines a test for each attack, and the list of all attacks.
macro_rules! attacks {
    ($($name:ident($tokens:ident): $what:literal, $reason:expr;)*) => {
        /// All attacks.
        pub(super) fn attacks() -> Vec<Attack> {
            vec![$(Attack {
                number: stringify!($tokens).to_uppercase(),
                what: $what,
                tokens: $tokens,
            },)*]
        }

        $(#[tokio::test]
        async fn $name() {
            assert_refused($tokens, $reason).await;
        })*
    };
}

attacks! {
    a01_alg_none_is_refused(a01):
        "`alg` is `none`, however it is spelt", INVALID;
    a02_a_longer_hmac_with_the_right_key_is_refused(a02):
        "HS384 and HS512 with the right key", INVALID;
    a03_an_asymmetric_alg_over_an_hmac_is_refused(a03):
        "an asymmetric `alg` over an HMAC", INVALID;
    a05_alg_in_another_case_is_refused(a05):
        "`alg` in another case, or not a string", INVALID;
    a06_a_critical_extension_is_refused(a06):
        "`crit` names an unknown extension", INVALID;
    a07_an_unencoded_payload_is_refused(a07):
        "`b64: false` (RFC 7797)", INVALID;
    a08_a_key_in_the_header_is_refused(a08):
        "the header contains a key, or the address of one", INVALID;
    a09_another_typ_is_refused(a09):
        "another `typ`, or none", INVALID;
    a11_a_kid_that_is_a_path_or_a_query_is_refused(a11):
        "`kid` is a path, a query, a NUL, a megabyte", INVALID;
    a13_a_key_that_is_not_in_the_ring_is_refused(a13):
        "a key that was withdrawn from the ring", INVALID;
    a14_a_signature_in_another_form_is_refused(a14):
        "the MAC stripped, cut, padded or encoded differently", INVALID;
    a15_no_flip_of_one_bit_passes(a15):
        "one bit of a good token is flipped: each of them", INVALID;
    a16_another_number_of_segments_is_refused(a16):
        "two, four or five segments, as a JWE has", INVALID;
    a18_a_token_over_1024_bytes_is_refused(a18):
        "1025 bytes to 9 kB, good except for the spaces in its JSON", INVALID;
    a19_a_key_that_anybody_may_know_is_refused(a19):
        "signed with an empty, a common or another environment's key", INVALID;
    a20_deep_and_huge_json_is_refused(a20):
        "claims of deeply nested arrays and huge numbers, signed", INVALID;
    a21_an_expired_token_is_told_so(a21):
        "`exp` has passed", "expired";
    a22_an_exp_that_is_no_whole_number_is_refused(a22):
        "`exp` is not a whole number of seconds", INVALID;
    a24_a_token_is_not_valid_before_its_nbf(a24):
        "`nbf` is in the future", "not_yet_valid";
    a25_an_iat_in_the_future_is_refused(a25):
        "`iat` is in the future", INVALID;
    a26_another_issuer_or_audience_is_refused(a26):
        "another `iss` or `aud`, or several", INVALID;
    a28_a_missing_claim_is_refused(a28):
        "a claim is missing or null", INVALID;
    a30_a_jti_that_is_no_canonical_uuid_is_refused(a30):
        "`jti` is not a canonical UUID", INVALID;
    a31_a_claim_that_is_not_ours_is_refused(a31):
        "an additional claim", INVALID;
    a74_a_setting_of_the_ring_is_no_key(a74):
        "`kid` names a setting of the ring, whose value is the key", INVALID;
    a76_a_member_that_is_there_twice_is_refused(a76):
        "a member twice, once with another value", INVALID;
    a77_json_in_another_encoding_is_refused(a77):
        "JSON in UTF-16 or overlong UTF-8, with a BOM or bytes after it", INVALID;
    a78_a_part_that_is_no_object_is_refused(a78):
        "header or claims are an array, a string, a number, or nothing", INVALID;
    a79_another_name_of_the_same_number_is_no_kid_of_ours(a79):
        "`kid` is `k1` in another spelling", INVALID;
    a80_a_token_with_anything_around_it_is_refused(a80):
        "white space, quotes, or the dots in another encoding", INVALID;
    a81_a_member_named_for_a_language_is_refused(a81):
        "`__proto__` and similar names, in header and claims", INVALID;
    a82_the_json_form_of_a_jws_is_refused(a82):
        "the JSON serialization of a JWS", INVALID;
    a83_a_mac_of_another_purpose_is_refused(a83):
        "signed with the key that derives claimants", INVALID;
    a84_parts_of_two_good_tokens_do_not_make_a_third(a84):
        "parts of two good tokens put together, or in another order", INVALID;
    a85_a_lifetime_that_is_not_ours_is_refused(a85):
        "a lifetime over a day, without end, or below zero", INVALID;
}

pub(super) fn a01(forger: Forger) -> Vec<String> {
    let tokens = ["none", "None", "NONE", "nOnE", ""].map(|alg| forger.with_member("alg", alg));
    let stripped = tokens.clone().map(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
    [tokens, stripped].concat()
}

fn a02(forger: Forger) -> Vec<String> {
    let signed = |alg: &str, algorithm| {
        let header = with(Forger::header(), "alg", alg).to_string();
        let message = format!("{}.{}", base64url(header), base64url(forger.claims().to_string()));
        format!("{message}.{}", mac(&message, KEY, algorithm))
    };
    vec![
        signed("HS384", Algorithm::HS384),
        signed("HS512", Algorithm::HS512),
        signed("HS256", Algorithm::HS512),
        signed("HS512", Algorithm::HS256),
    ]
}

fn a03(forger: Forger) -> Vec<String> {
    ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"].map(|alg| forger.with_member("alg", alg)).into()
}

fn a05(forger: Forger) -> Vec<String> {
    vec![
        forger.with_member("alg", "hs256"),
        forger.with_member("alg", "Hs256"),
        forger.with_member("alg", "HS256 "),
        forger.with_member("alg", "HS256\0"),
        forger.with_member("alg", json!(["HS256"])),
        forger.with_member("alg", Value::Null),
        forger.with_header(&without(Forger::header(), "alg")),
    ]
}

fn a06(forger: Forger) -> Vec<String> {
    [json!(["unknown"]), json!(["exp"]), json!([]), Value::Null].map(|crit| forger.with_member("crit", crit)).into()
}

fn a07(forger: Forger) -> Vec<String> {
    let header = with(with(Forger::header(), "b64", false), "crit", json!(["b64"]));
    let message = format!("{}.{}", base64url(header.to_string()), forger.claims());
    vec![
        forger.with_header(&header),
        forger.with_member("b64", false),
        format!("{message}.{}", mac(&message, KEY, Algorithm::HS256)),
    ]
}

pub(super) fn a08(forger: Forger) -> Vec<String> {
    let theirs = "a-key-that-the-attacker-has-drawn-at-home";
    let jwk = json!({"kty": "oct", "alg": "HS256", "k": base64url(theirs)});
    let members = [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/certificate")),
        ("x5c", json!(["MIIB"])),
        ("x5t#S256", json!("AAAA")),
    ];
    let headers = members.map(|(name, value)| with(Forger::header(), name, value));
    let by_them = headers.clone().map(|header| sign_with(theirs, header.to_string(), forger.claims().to_string()));
    [by_them, headers.map(|header| forger.with_header(&header))].concat()
}

fn a09(forger: Forger) -> Vec<String> {
    let typs = ["JWT", "jwt", "at+jwt", "OTT+JWT", "application/ott+jwt", "ott+jwt ", ""];
    let mut tokens = typs.map(|typ| forger.with_member("typ", typ)).to_vec();
    tokens.push(forger.with_member("typ", Value::Null));
    tokens.push(forger.with_header(&without(Forger::header(), "typ")));
    tokens
}

fn a11(forger: Forger) -> Vec<String> {
    let kids = [
        "../../../../dev/null",
        "/dev/null",
        "k1/../k1",
        "k1.pem",
        "file:///dev/null",
        "https://attacker.example/k1",
        "k1' OR '1'='1",
        "k1;ls",
        "k1\0",
        "k1\0.pem",
        "k1\n",
        " k1",
        "",
        "k",
        "k-1",
        "k+1",
        "k1e1",
    ];
    let mut tokens = kids.map(|kid| forger.with_member("kid", kid)).to_vec();
    tokens.extend([Value::Null, json!(1), json!(["k1"]), json!({})].map(|kid| forger.with_member("kid", kid)));
    tokens.push(forger.with_header(&without(Forger::header(), "kid")));
    tokens.push(forger.with_member("kid", "k".repeat(1_000_000)));
    // A file at this path would be read as an empty key.
    let header = with(Forger::header(), "kid", "/dev/null");
    tokens.push(sign_with("", header.to_string(), forger.claims().to_string()));
    tokens
}

fn a13(forger: Forger) -> Vec<String> {
    let retired = "a-key-of-the-tests-that-was-retired-long-ago";
    ["k0", "k1", "k2"]
        .map(|kid| {
            let header = with(Forger::header(), "kid", kid);
            sign_with(retired, header.to_string(), forger.claims().to_string())
        })
        .into()
}

pub(super) fn a14(forger: Forger) -> Vec<String> {
    let token = forger.good_with_a_url_character();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut tokens = vec![
        message.to_owned(),
        format!("{message}."),
        format!("{message}.{}", base64url(&bytes[..31])),
        format!("{message}.{}", base64url(&bytes[..16])),
        format!("{message}.{}", base64url([&bytes[..], &[0]].concat())),
        format!("{message}.{}", base64url([&bytes[..], &bytes[..]].concat())),
        format!("{message}.{}", base64url([0; 32])),
        format!("{message}.{}", base64url(b"")),
        format!("{message}.{}", STANDARD.encode(&bytes).trim_end_matches('=')),
        format!("{message}.{}", STANDARD.encode(&bytes)),
        format!("{token}="),
        token.replace('.', "=."),
        format!("{token}A"),
    ];
    // Two bits of the last of 43 characters belong to no byte.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(token.chars().last().unwrap()).unwrap();
    let stray = (1..4).map(|bits| format!("{}{}", &token[..token.len() - 1], &alphabet[last + bits..=last + bits]));
    tokens.extend(stray);
    tokens
}

pub(super) fn a15(forger: Forger) -> Vec<String> {
    // Not the eighth bit: the text would no longer be UTF-8.
    let token = forger.good();
    let bits = (0..token.len()).flat_map(|index| (0..7).map(move |bit| (index, bit)));
    let flipped = bits.map(|(index, bit)| {
        let mut bytes = token.clone().into_bytes();
        bytes[index] ^= 1 << bit;
        String::from_utf8(bytes).unwrap()
    });
    flipped.collect::<Vec<_>>()
}

fn a16(forger: Forger) -> Vec<String> {
    let token = forger.good();
    let parts: Vec<&str> = token.split('.').collect();
    let jwe = base64url(r#"{"alg":"dir","enc":"A256GCM","kid":"k1"}"#);
    vec![
        ".".to_owned(),
        "..".to_owned(),
        parts[..2].join("."),
        format!(".{token}"),
        format!("{token}."),
        format!("{token}.{}", parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{token}", parts[0]),
        format!("{jwe}..{}.{}.{}", parts[2], parts[1], parts[2]),
        format!("{token}.{}.{}", parts[1], parts[2]),
    ]
}

fn a18(forger: Forger) -> Vec<String> {
    [1025, 1500, 4000, 9000].map(|length| padded(forger, length)).into()
}

pub(super) fn a19(forger: Forger) -> Vec<String> {
    let keys = [
        "",
        "\0",
        "secret",
        "changeme",
        "your-256-bit-secret",
        "k1",
        "ott+jwt",
        "another-environment-s-key-of-32-bytes",
        &KEY[..KEY.len() - 1],
        &KEY.to_uppercase(),
        &STANDARD.encode(KEY),
    ];
    keys.map(|key| sign_with(key, Forger::header().to_string(), forger.claims().to_string())).into()
}

fn a20(forger: Forger) -> Vec<String> {
    let header = Forger::header().to_string();
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let exp = |number: &str| forger.claims().to_string().replace(&(forger.now + 300).to_string(), number);
    vec![
        sign(&header, "[".repeat(650)),
        sign(&header, r#"{"":"#.repeat(160)),
        sign(&header, with_first(&forger.claims().to_string(), &format!(r#""deep":{}"#, nested(200)))),
        sign(nested(300), forger.claims().to_string()),
        sign(&header, exp("1e999")),
        sign(&header, exp(&"9".repeat(400))),
        sign(&header, exp("18446744073709551616")),
        sign(&header, exp("1e-999")),
    ]
}

fn a21(forger: Forger) -> Vec<String> {
    [0, 1, 30, 3600].map(|ago| forger.with_times(forger.now - 4000, forger.now - 4000, forger.now - ago)).into()
}

fn a22(forger: Forger) -> Vec<String> {
    let exp = forger.now + 300;
    [
        json!(exp.to_string()),
        json!(f64::from(u32::try_from(exp).unwrap())),
        json!(f64::from(u32::try_from(exp).unwrap()) + 0.5),
        json!(-1),
        json!(1e20),
        json!([exp]),
        json!({}),
        json!(true),
        json!(""),
        Value::Null,
    ]
    .map(|exp| forger.with_claim("exp", exp))
    .into()
}

fn a24(forger: Forger) -> Vec<String> {
    [6, 60, 299].map(|ahead| forger.with_claim("nbf", forger.now + ahead)).into()
}

fn a25(forger: Forger) -> Vec<String> {
    [6, 60, 3600].map(|ahead| forger.with_times(forger.now + ahead, forger.now, forger.now + ahead + 300)).into()
}

fn a26(forger: Forger) -> Vec<String> {
    let (iss, aud) = (setting("TOKEN_ISSUER").unwrap(), setting("TOKEN_AUDIENCE").unwrap());
    [
        ("iss", json!("https://attacker.example")),
        ("iss", json!("")),
        ("iss", json!(format!("{iss} "))),
        ("iss", json!(iss.to_uppercase())),
        ("iss", json!([iss])),
        ("iss", json!([iss, "other"])),
        ("iss", json!(aud)),
        ("aud", json!("token-auth.eu-west-2/Prod")),
        ("aud", json!("token-auth.eu-west-1/Test")),
        ("aud", json!("")),
        ("aud", json!(format!("{aud}/"))),
        ("aud", json!(iss)),
        ("aud", json!([aud])),
        ("aud", json!([aud, "other"])),
        ("aud", json!([])),
    ]
    .map(|(name, value)| forger.with_claim(name, value))
    .into()
}

fn a28(forger: Forger) -> Vec<String> {
    let names = ["iss", "aud", "jti", "iat", "nbf", "exp"];
    let missing = names.map(|name| forger.with_claims(&without(forger.claims(), name)));
    [missing, names.map(|name| forger.with_claim(name, Value::Null))].concat()
}

fn a30(forger: Forger) -> Vec<String> {
    let uuid = Uuid::from_u128(0xabc);
    [
        json!(""),
        json!(" "),
        json!("../../../../../../../../../../../../"),
        json!("x".repeat(500)),
        json!(uuid.simple().to_string()),
        json!(uuid.to_string().to_uppercase()),
        json!(uuid.braced().to_string()),
        json!(uuid.urn().to_string()),
        json!(format!("{uuid}\0")),
        json!(format!("{uuid} ")),
        json!(&uuid.to_string()[1..]),
        json!(1),
        json!([uuid.to_string()]),
    ]
    .map(|jti| forger.with_claim("jti", jti))
    .into()
}

pub(super) fn a31(forger: Forger) -> Vec<String> {
    [
        ("sub", json!("me")),
        ("admin", json!(true)),
        ("scope", json!("*")),
        ("uuid", json!("")),
        ("EXP", json!(0)),
        ("", json!(0)),
    ]
    .map(|(name, value)| forger.with_claim(name, value))
    .into()
}

fn a74(forger: Forger) -> Vec<String> {
    SETTINGS
        .map(|(name, value)| {
            let header = with(Forger::header(), "kid", name);
            sign_with(value, header.to_string(), forger.claims().to_string())
        })
        .into()
}

fn a76(forger: Forger) -> Vec<String> {
    let (header, claims) = (Forger::header().to_string(), forger.claims().to_string());
    let in_header = [r#""alg":"none""#, r#""alg":"HS256""#, r#""\u0061lg":"none""#, r#""kid":"k2""#, r#""typ":"JWT""#]
        .map(|member| sign(with_first(&header, member), &claims));
    let in_claims = [
        r#""exp":99999999999"#,
        r#""\u0065xp":99999999999"#,
        r#""jti":"00000000-0000-0000-0000-000000000002""#,
        r#""aud":"other""#,
        r#""iss":"other""#,
        r#""iat":1"#,
    ]
    .map(|member| sign(&header, with_first(&claims, member)));
    [&in_header[..], &in_claims[..]].concat()
}

fn a77(forger: Forger) -> Vec<String> {
    let (header, claims) = (Forger::header().to_string(), forger.claims().to_string());
    let writings: [fn(&str) -> Vec<u8>; 7] = [
        |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |text| [b"\xc1\xbb", &text.as_bytes()[1..]].concat(), // `{` in two bytes
        |text| [&text.as_bytes()[..2], b"\xed\xa0\x80", &text.as_bytes()[2..]].concat(), // half a surrogate pair
        |text| format!("\u{feff}{text}").into(),
        |text| format!(" {text}").into(),
        |text| format!("{text}\0").into(),
        |text| format!("{text}{{}}").into(),
    ];
    let tokens = writings.map(|write| [sign(write(&header), &claims), sign(&header, write(&claims))]);
    tokens.concat()
}

fn a78(forger: Forger) -> Vec<String> {
    let (header, claims) = (Forger::header(), forger.claims());
    let (iss, aud, jti) = (&claims["iss"], &claims["aud"], &claims["jti"]);
    let others = [json!("HS256"), json!(1), json!(true), Value::Null, json!([]), json!({})];
    let mut tokens = vec![
        forger.with_header(&json!(["HS256", "ott+jwt", "k1"])),
        forger.with_claims(&json!([iss, aud, jti, forger.now, forger.now, forger.now + 300])),
        forger.with_header(&json!([header])),
        forger.with_claims(&json!([claims])),
        sign("", claims.to_string()),
        sign(header.to_string(), ""),
    ];
    tokens.extend(others.iter().flat_map(|other| [forger.with_header(other), forger.with_claims(other)]));
    tokens
}

fn a79(forger: Forger) -> Vec<String> {
    ["k01", "k0000000001", "k00000000001", "k9999999999", "k4294967297", "K1", "k１", "k1.0", "\u{212a}1", "k0x1"]
        .map(|kid| forger.with_member("kid", kid))
        .into()
}

pub(super) fn a80(forger: Forger) -> Vec<String> {
    let token = forger.good();
    let (head, rest) = token.split_at(10);
    vec![
        format!("{token}\n"),
        format!("{token}\r\n"),
        format!(" {token}"),
        format!("{token} "),
        format!("\t{token}"),
        format!("{token}\0"),
        format!("{head}\n{rest}"),
        format!("{head} {rest}"),
        format!("\"{token}\""),
        format!("Bearer {token}"),
        format!("{token},{token}"),
        format!("\u{feff}{token}"),
        format!("{token}\u{200b}"),
        token.replace('.', "%2E"),
        token.replace('.', "\u{ff0e}"),
        token.replace('.', "\u{2024}"),
        token.replace('e', "\u{ff45}"),
        token.to_lowercase(),
    ]
}

fn a81(forger: Forger) -> Vec<String> {
    let members = [
        ("__proto__", json!({"alg": "none"})),
        ("constructor", json!({})),
        ("toString", json!("")),
        ("$type", json!("x")),
    ];
    members
        .into_iter()
        .flat_map(|(name, value)| [forger.with_member(name, value.clone()), forger.with_claim(name, value)])
        .collect::<Vec<_>>()
}

fn a82(forger: Forger) -> Vec<String> {
    let token = forger.good();
    let parts: Vec<&str> = token.split('.').collect();
    let signature = json!({"protected": parts[0], "signature": parts[2]});
    vec![
        with(signature.clone(), "payload", parts[1]).to_string(),
        json!({"payload": parts[1], "signatures": [signature]}).to_string(),
    ]
}

fn a83(forger: Forger) -> Vec<String> {
    let derived = mac("token-auth claimant v1", KEY, Algorithm::HS256);
    let token = forger.good();
    vec![
        sign_with(URL_SAFE_NO_PAD.decode(&derived).unwrap(), Forger::header().to_string(), forger.claims().to_string()),
        format!("{}.{derived}", token.rsplit_once('.').unwrap().0),
    ]
}

fn a84(forger: Forger) -> Vec<String> {
    let (one, other) = (forger.good(), forger.with_claim("jti", Uuid::from_u128(2).to_string()));
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split('.').collect(), other.split('.').collect());
    vec![
        [one[0], one[1], other[2]].join("."),
        [one[0], other[1], one[2]].join("."),
        [one[1], one[0], one[2]].join("."),
        sign(forger.claims().to_string(), Forger::header().to_string()),
    ]
}

fn a85(forger: Forger) -> Vec<String> {
    vec![
        forger.with_times(forger.now, forger.now, forger.now + 86_401),
        forger.with_times(0, 0, forger.now + 300),
        forger.with_times(forger.now, forger.now, u64::MAX),
        forger.with_times(forger.now, forger.now, u64::MAX / 2),
        forger.with_times(forger.now + 5, forger.now, forger.now + 5),
        forger.with_times(forger.now + 5, forger.now, forger.now + 1),
    ]
}

/// A token of `length` bytes or a little more, which is good except for the spaces in its claims.
fn padded(forger: Forger, length: usize) -> String {
    let header = Forger::header().to_string();
    let tokens = (0..).map(|spaces| sign(&header, format!("{}{}", forger.claims(), " ".repeat(spaces))));
    let mut tokens = tokens.skip_while(|token| token.len() < length);
    tokens.next().unwrap()
}

/// The keys of these tests: a ring with every setting that a ring can have.
fn keys() -> Arc<dyn KeyStore> {
    let mut ring = json!({"k1": KEY, "not_before": 0});
    for (name, value) in SETTINGS {
        ring[name] = value.into();
    }
    Arc::new(FixedKeyStore::new(KeyRing::from_json(ring.to_string().as_bytes()).unwrap()))
}

/// The answers to `token` in every place that can hold it. No store may be called.
pub(super) async fn answers(token: &str) -> Vec<Seen> {
    let service = service(keys(), Arc::new(UntouchedStore));
    let mut answers = Vec::new();
    for place in [Place::Body, Place::Header, Place::Bearer] {
        if let Some(request) = request_with(token, place) {
            answers.push(seen(&service, request).await);
        }
    }
    answers
}

/// The reasons with which `guard` refuses `token` in each header that can hold it. No store may be called.
async fn guard_reasons(token: &str) -> Vec<String> {
    let guard = guard(keys(), Arc::new(UntouchedStore));
    let mut reasons = Vec::new();
    for place in [Place::Header, Place::Bearer] {
        if let Some(request) = request_with(token, place) {
            let answer = guarded(&guard, invocation(&for_authorizer(request), "attack-1")).await.unwrap();
            assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny");
            reasons.push(answer["context"]["reason"].as_str().unwrap().to_owned());
        }
    }
    reasons
}

/// Asserts that `guard` refuses every token of the attack, and that `validate` refuses it like the garbage
/// `x`, with the same status, headers and body except for the `reason`. No message shows a token.
async fn assert_refused(attack: fn(Forger) -> Vec<String>, reason: &str) {
    let tokens = attack(Forger { now: NOW.0 });
    let garbage = answers("x").await.remove(0);
    assert_eq!((garbage.status, garbage.reason().as_str()), (401, INVALID));
    let expected = Seen { body: garbage.body.replace(INVALID, reason), ..garbage };
    assert!(!tokens.is_empty());
    for (index, token) in tokens.iter().enumerate() {
        let answers = answers(token).await;
        assert!(!answers.is_empty(), "token {index}: no request can hold it");
        for answer in answers {
            assert_eq!(answer, expected, "token {index}");
        }
        assert!(guard_reasons(token).await.iter().all(|refused| refused == reason), "token {index}");
    }
}

/// Whether the check accepts `token`: the store is called then, and [`UntouchedStore`] panics.
async fn passes(token: &str) -> bool {
    let answers = answers(token).await;
    assert!(!answers.is_empty());
    answers.iter().all(|answer| answer.status == 500)
}

#[tokio::test]
async fn a_good_token_and_the_longest_pass_the_check_that_refuses_the_others() {
    let forger = Forger { now: NOW.0 };
    assert!(passes(&forger.good()).await);
    assert!(passes(&forger.good_with_a_url_character()).await);
    assert_eq!(padded(forger, 1024).len(), 1024);
    assert!(passes(&padded(forger, 1024)).await);
}

#[test]
fn a19_a_ring_with_a_key_below_32_bytes_is_refused() {
    for key in ["", "secret", &KEY[..31]] {
        assert!(KeyRing::from_json(json!({"active": "k1", "k1": key}).to_string().as_bytes()).is_err());
    }
    assert!(KeyRing::from_json(json!({"active": "k1", "k1": &KEY[..32]}).to_string().as_bytes()).is_ok());
}

/// Asserts that no token of the attack takes a millisecond. The quickest of several tries counts, so that
/// a busy machine does not fail the test.
async fn assert_quick(attack: fn(Forger) -> Vec<String>) {
    let tokens = attack(Forger { now: NOW.0 });
    let service = service(keys(), Arc::new(UntouchedStore));
    for (index, token) in tokens.iter().enumerate() {
        let place = if request_with(token, Place::Body).is_some() { Place::Body } else { Place::Header };
        let mut times = Vec::new();
        for _ in 0..20 {
            let event = invocation(&request_with(token, place).unwrap(), "attack-1");
            let began = Instant::now();
            ::validate::handle(&service, event).await.unwrap();
            times.push(began.elapsed());
        }
        let quickest = times.into_iter().min().unwrap();
        assert!(quickest.as_micros() < 1000, "token {index}: {quickest:?}");
    }
}

#[tokio::test]
async fn a18_an_oversized_token_takes_less_than_a_millisecond() {
    assert_quick(a18).await;
}

#[tokio::test]
async fn a20_deep_and_huge_json_takes_less_than_a_millisecond() {
    assert_quick(a20).await;
}
