//! A function's settings: the environment variables that the template gives it.

use std::{ops::RangeInclusive, str::FromStr};

/// A missing or malformed setting, which keeps a function from starting.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable has a value that is not allowed.
    #[error("the environment variable {variable} must be {expected}")]
    Bad {
        /// The name of the variable.
        variable: &'static str,
        /// What its value must be.
        expected: String,
    },
}

/// Looks up a variable in the environment of this process.
#[must_use]
pub fn env(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one lookup that the settings are read through")]
    std::env::var(name).ok()
}

/// Reads variables through a lookup, so that tests need no process environment.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Settings<'a> {
    /// The settings that `lookup` finds; [`env()`] in a function.
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The value of `name`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] when it is not set, or empty.
    pub fn text(&self, name: &'static str) -> Result<String, ConfigError> {
        (self.lookup)(name).filter(|value| !value.is_empty()).ok_or(ConfigError::Missing(name))
    }

    /// The value of `name`, a whole number within `allowed`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which says what is allowed.
    pub fn number(&self, name: &'static str, allowed: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let number = self.text(name)?.parse().ok().filter(|number| allowed.contains(number));
        let expected = || format!("a whole number from {} to {}", allowed.start(), allowed.end());
        number.ok_or_else(|| ConfigError::Bad { variable: name, expected: expected() })
    }

    /// The meaning of `name`'s value: `choices` lists the allowed values, each with its meaning.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which lists the values.
    pub fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let value = self.text(name)?;
        let chosen = choices.iter().find(|(choice, _)| *choice == value).map(|(_, meaning)| *meaning);
        chosen.ok_or_else(|| {
            let values: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
            ConfigError::Bad { variable: name, expected: values.join(" or ") }
        })
    }

    /// Whether `name` is `true`. The only other allowed value is `false`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for any other value.
    pub fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// The value of `name`, parsed as a `T` that `is_allowed` accepts.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which says what is `expected`.
    pub fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
        is_allowed: impl Fn(&T) -> bool,
    ) -> Result<T, ConfigError> {
        let value = self.text(name)?.parse().ok().filter(is_allowed);
        value.ok_or_else(|| ConfigError::Bad { variable: name, expected: expected.to_owned() })
    }
}

impl std::fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings(..)") // some are secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        let value = match name {
            "EMPTY" => "",
            "NEGATIVE" => "-1",
            "NINE" => "9",
            "YES" => "yes",
            "TRUE" => "true",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn a_function_reads_the_environment_of_its_process() {
        assert_eq!(env("CARGO_PKG_NAME").as_deref(), Some("apigw")); // set by Cargo
        assert_eq!(env("A_VARIABLE_THAT_NOBODY_SETS"), None);
    }

    #[test]
    fn debug_shows_no_setting() {
        assert_eq!(format!("{:?}", Settings::new(&lookup)), "Settings(..)");
    }

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        for name in ["NAME", "EMPTY"] {
            assert_eq!(Settings::new(&lookup).text(name), Err(ConfigError::Missing(name)));
        }
        assert_eq!(ConfigError::Missing("NAME").to_string(), "the environment variable NAME is not set");
    }

    #[test]
    fn a_number_outside_its_range_is_an_error_that_names_the_range() {
        let settings = Settings::new(&lookup);
        assert_eq!(settings.number("NINE", 1..=9), Ok(9));
        for (name, allowed) in [("NINE", 1..=8), ("NEGATIVE", 1..=8), ("YES", 1..=8)] {
            let error = settings.number(name, allowed).unwrap_err().to_string();
            assert_eq!(error, format!("the environment variable {name} must be a whole number from 1 to 8"));
        }
    }

    #[test]
    fn a_value_that_is_not_among_the_choices_is_an_error_that_lists_them() {
        let settings = Settings::new(&lookup);
        assert_eq!(settings.flag("TRUE"), Ok(true));
        let error = settings.flag("YES").unwrap_err().to_string();
        assert_eq!(error, "the environment variable YES must be true or false");
        assert_eq!(
            settings.parsed::<u8>("YES", "a byte", |_| true).unwrap_err().to_string(),
            "the environment variable YES must be a byte"
        );
    }
}
