//! The tokens of a person who is signed in.

use std::fmt;

/// The longest refresh token, in bytes. A browser keeps cookies of up to 4096 bytes, name and attributes included.
const MAX_LENGTH: usize = 3900;

/// What a browser refreshes the other tokens with, and what ends when a person signs out.
#[derive(Clone, Eq, PartialEq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// Reads a token; `None` if `text` cannot be the value of a cookie (RFC 6265, section 4.1.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_value = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        ((1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_value)).then(|| Self(text.to_owned()))
    }

    /// The token as text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// The tokens that a page has.
#[derive(Clone, Eq, PartialEq)]
pub struct PageTokens {
    /// Calls the API.
    pub access_token: String,
    /// Says who is signed in, to the page.
    pub id_token: String,
    /// For how many seconds both are valid.
    pub expires_in: u64,
}

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageTokens").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_the_value_of_a_cookie() {
        for text in ["x", "eyJ.a-b_c.d=", &"x".repeat(3900)] {
            assert_eq!(RefreshToken::parse(text).unwrap().expose(), text);
        }
        for text in ["", "a b", "a;b", "a,b", "\"a\"", "a\\b", "a\r\nSet-Cookie: b=c", "ä", &"x".repeat(3901)] {
            assert_eq!(RefreshToken::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let tokens = PageTokens { access_token: "canary".into(), id_token: "canary".into(), expires_in: 900 };
        let shown = format!("{:?} {tokens:?}", RefreshToken::parse("canary").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
