//! Settings, read through a lookup so that tests need no process environment.

use std::str::FromStr;

/// A setting without which a function does not start.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable's value is not one of those allowed.
    #[error("the environment variable {variable} must be {expected}")]
    Bad {
        /// The name of the variable.
        variable: &'static str,
        /// What its value must be.
        expected: &'static str,
    },
}

/// Looks a variable up in the environment of this process.
#[must_use]
pub fn env(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one lookup that the settings are read through")]
    std::env::var(name).ok()
}

/// The value of `name`.
///
/// # Errors
///
/// [`ConfigError::Missing`] when it is absent or empty.
pub fn required(lookup: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<String, ConfigError> {
    lookup(name).filter(|value| !value.is_empty()).ok_or(ConfigError::Missing(name))
}

/// The value of `name` as a `T`, for which `is_allowed` holds.
///
/// # Errors
///
/// [`ConfigError`], which says what is `expected`.
pub fn parsed<T: FromStr>(
    lookup: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    expected: &'static str,
    is_allowed: impl Fn(&T) -> bool,
) -> Result<T, ConfigError> {
    let value = required(lookup, name)?.parse().ok();
    value.filter(is_allowed).ok_or(ConfigError::Bad { variable: name, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_variable_and_what_it_must_be() {
        let lookup = |name: &str| (name == "TTL").then(|| "-1".to_owned());
        let ttl = parsed::<u32>(&lookup, "TTL", "1 to 9", |_| true).unwrap_err();
        assert_eq!(ttl.to_string(), "the environment variable TTL must be 1 to 9");
        let name = required(&lookup, "NAME").unwrap_err();
        assert_eq!(name.to_string(), "the environment variable NAME is not set");
        assert_eq!(required(&|_| Some(String::new()), "NAME"), Err(ConfigError::Missing("NAME")));
    }
}
