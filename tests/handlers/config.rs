//! A setting that is missing or bad is named.

use crate::helpers::setting;

fn without(missing: &'static str) -> impl Fn(&str) -> Option<String> {
    move |name| if name == missing { None } else { setting(name) }
}

fn with(variable: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
    move |name| if name == variable { Some(value.to_owned()) } else { setting(name) }
}

#[test]
fn every_missing_variable_is_named() {
    for name in ["TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_TTL_SECONDS"] {
        let error = ::authorizer::Config::from_lookup(without(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    for name in ["TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_TTL_SECONDS", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"] {
        let error = ::issue::Config::from_lookup(without(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    for name in ["TOKEN_ISSUER", "TOKEN_AUDIENCE", "REVOKED_BEFORE", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"] {
        let error = ::validate::Config::from_lookup(without(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    for name in ["CACHED_POLICY_CHECK", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"] {
        let error = ::hello::Config::from_lookup(without(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn every_bad_variable_is_named() {
    for value in ["0", "86401", "-1", "300.0", "five", " 300"] {
        let error = ::authorizer::Config::from_lookup(with("TOKEN_TTL_SECONDS", value)).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable TOKEN_TTL_SECONDS must be 1 to 86400 seconds");
        assert!(::issue::Config::from_lookup(with("TOKEN_TTL_SECONDS", value)).is_err());
    }
    let error = ::validate::Config::from_lookup(with("REVOKED_BEFORE", "soon")).unwrap_err();
    assert!(error.to_string().contains("REVOKED_BEFORE"));
    let error = ::hello::Config::from_lookup(with("CACHED_POLICY_CHECK", "warn")).unwrap_err();
    assert!(error.to_string().contains("refuse or count"));
}
