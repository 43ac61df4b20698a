//! A token as text.

use std::fmt;

/// The compact serialization of a token, genuine or not.
///
/// Any holder can spend it, so its `Debug` shows nothing of it and it has no `Display`.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(String);

impl Token {
    /// Wraps a text, which need not be a valid token.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, to be sent or checked and never logged.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a61_debug_shows_nothing_of_a_token() {
        assert_eq!(format!("{:?}", Token::new("eyJ".to_owned())), "Token(..)");
    }
}
