//! The identifier of a token.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// The `jti` of a token: a UUID in its canonical form, 36 lower-case characters (RFC 9562, 4).
///
/// It identifies a token and is not a secret: a token cannot be forged because of its MAC. The `jti` is
/// still not logged, because it would link the requests of a person.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Jti(Uuid);

impl Jti {
    /// Takes a UUID that the caller has drawn at random.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads the canonical form and no other; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let jti = Self(Uuid::try_parse(text).ok()?);
        (jti.to_string() == text).then_some(jti) // the parser also accepts braces, upper case and URNs
    }
}

impl fmt::Display for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for Jti {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jti {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a canonical UUID"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_of_a_uuid_is_a_jti() {
        let canonical = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f";
        assert_eq!(Jti::parse(canonical).unwrap().to_string(), canonical);

        for other in [
            "",
            "0198D7A2-6C0E-4F5E-9D43-3A1B2C4D5E6F",
            "0198d7a26c0e4f5e9d433a1b2c4d5e6f",
            "{0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f}",
            "urn:uuid:0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f",
            "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6",
            "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6ff",
            "../../../../../../../../../../../../",
            "０198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f",
        ] {
            assert_eq!(Jti::parse(other), None, "{other}");
        }
    }
}
