//! The error names a missing or malformed setting.

use std::sync::Arc;

use apigw::{ConfigError, Settings};

use crate::helpers::{NOW, keys, ports, setting, setting_with, store};

/// The error of the function `name`, which does not start with these settings.
fn error(name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> ConfigError {
    let (settings, ports) = (Settings::new(lookup), ports(keys(), store()));
    match name {
        "authorizer" => ::authorizer::Service::new(settings, ports).unwrap_err(),
        "guard" => ::guard::Service::new(settings, ports).unwrap_err(),
        "inspect" => ::inspect::Service::new(settings, ports).unwrap_err(),
        "revoke" => ::revoke::Service::new(settings, ports).unwrap_err(),
        "hello" => ::hello::Service::new(settings, || NOW.0).unwrap_err(),
        "issue" => ::issue::Service::new(settings, ports).unwrap_err(),
        "page" => ::page::Service::new(settings).unwrap_err(),
        "rotate" => ::rotate::Service::new(settings, crate::rotate::ports()).unwrap_err(),
        "usage" => ::usage::Service::new(settings, Arc::new(tokens::InMemoryUsageStore::new()), || NOW).unwrap_err(),
        "validate" => ::validate::Service::new(settings, ports).unwrap_err(),
        _ => panic!("{name}"),
    }
}

#[test]
fn every_missing_variable_is_named() {
    for (function, variables) in [
        ("authorizer", &["TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_TTL_SECONDS", "REVOKED_BEFORE", "OPEN_ROUTES"][..]),
        ("hello", &["CACHED_POLICY_CHECK", "ALLOWED_ORIGIN", "EXPOSED_HEADERS", "OPEN_ROUTES"]),
        (
            "issue",
            &[
                "TOKEN_ISSUER",
                "TOKEN_AUDIENCE",
                "TOKEN_TTL_SECONDS",
                "REVOKED_BEFORE",
                "ALLOWED_ORIGIN",
                "EXPOSED_HEADERS",
                "OPEN_ROUTES",
            ],
        ),
        ("guard", &["TOKEN_ISSUER", "TOKEN_AUDIENCE", "REVOKED_BEFORE"]),
        ("inspect", &["TOKEN_ISSUER", "REVOKED_BEFORE", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"]),
        ("page", &["WEB_PAGE", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"]),
        ("revoke", &["TOKEN_ISSUER", "REVOKED_BEFORE", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"]),
        ("rotate", &["KEY_RING_SECRET_ID"]),
        ("usage", &["ALLOWED_ORIGIN", "EXPOSED_HEADERS"]),
        ("validate", &["TOKEN_ISSUER", "TOKEN_AUDIENCE", "REVOKED_BEFORE", "ALLOWED_ORIGIN", "EXPOSED_HEADERS"]),
    ] {
        for missing in variables {
            let without = |name: &str| if name == *missing { None } else { setting(name) };
            assert_eq!(error(function, &without), ConfigError::Missing(missing));
        }
    }
}

#[test]
fn every_bad_variable_is_named_with_what_it_must_be() {
    let ttls = ["0", "86401", "-1", "300.0", "five", " 300"].map(|value| ("TOKEN_TTL_SECONDS", value));
    for ttl in ttls {
        for function in ["authorizer", "issue"] {
            assert_eq!(
                error(function, &setting_with(&[ttl])).to_string(),
                "the environment variable TOKEN_TTL_SECONDS must be a whole number from 1 to 86400"
            );
        }
    }
    for (function, variable, value, expected) in [
        ("validate", "REVOKED_BEFORE", "soon", "a whole number from 0 to 9999999999"),
        ("validate", "REVOKED_BEFORE", "1700000000000", "a whole number from 0 to 9999999999"),
        ("hello", "CACHED_POLICY_CHECK", "warn", "refuse or count"),
        ("hello", "OPEN_ROUTES", "yes", "true or false"),
        ("page", "WEB_PAGE", "on", "true or false"),
        ("issue", "ALLOWED_ORIGIN", "a\nb", "the value of an HTTP header"),
    ] {
        let error = error(function, &setting_with(&[(variable, value)])).to_string();
        assert_eq!(error, format!("the environment variable {variable} must be {expected}"));
    }
}
