//! A token, and where it is read from: standard input or a file, never an argument or a variable.

use std::{
    fmt,
    fs::File,
    io::{IsTerminal as _, Read, stdin},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::outcome::Failure;

/// The most bytes that are read. The API accepts no token of more than 1024.
const MAX_BYTES: u64 = 4096;

/// A token. It is printed by `get` and `mint`, and by nothing else.
#[derive(Clone)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A token from a reply of the API; `None` if the text could not be one.
    pub(crate) fn from_reply(text: &str) -> Option<Self> {
        let is_token = !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
        is_token.then(|| Self(text.to_owned()))
    }

    /// Reads a token from `file`, or from standard input if there is none or it is `-`.
    ///
    /// # Errors
    ///
    /// A failure of use if there is no token, or more than one.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        match file.filter(|file| *file != Path::new("-")) {
            Some(file) => {
                let place = file.display().to_string();
                Self::from_input(&place, File::open(file).map_err(|err| unreadable(&place, &err))?)
            }
            None if stdin().is_terminal() => Err(Failure::usage(
                "the token is read from standard input, which is a terminal: pipe it in \
                 (token-auth get | token-auth validate), or name a file with --token-file",
            )),
            None => Self::from_input("standard input", stdin().lock()),
        }
    }

    fn from_input(place: &str, input: impl Read) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        input.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|err| unreadable(place, &err))?;
        let text = str::from_utf8(&bytes).map(str::trim);
        let problem = match text {
            _ if bytes.len() as u64 > MAX_BYTES => "holds more than a token",
            Err(_) => "is not UTF-8 text",
            Ok("") => "holds no token",
            Ok(text) if text.contains(char::is_whitespace) => {
                "holds white space within the token, or more than one token"
            }
            Ok(text) => return Ok(Self(text.to_owned())),
        };
        Err(Failure::usage(format!("{place} {problem}")))
    }

    /// The token itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// A claim of the token, which is not checked; `None` if it cannot be read.
    pub(crate) fn claim(&self, name: &str) -> Option<Value> {
        let payload = URL_SAFE_NO_PAD.decode(self.0.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Value>(&payload).ok()?.get(name).cloned()
    }
}

fn unreadable(place: &str, err: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {place}: {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<String, String> {
        Token::from_input("standard input", input).map(|it| it.0).map_err(|err| err.message)
    }

    #[test]
    fn a_token_is_read_without_the_white_space_around_it() {
        for input in ["a.b.c", "a.b.c\n", " a.b.c\r\n\n"] {
            assert_eq!(read(input.as_bytes()).unwrap(), "a.b.c");
        }
    }

    #[test]
    fn what_cannot_be_one_token_is_not_sent() {
        for (input, expected) in [
            (&b""[..], "standard input holds no token"),
            (b" \n", "standard input holds no token"),
            (b"a.b.c\nd.e.f\n", "standard input holds white space within the token, or more than one token"),
            (b"a.b\xff.c", "standard input is not UTF-8 text"),
            (&[b'a'; 5000], "standard input holds more than a token"),
        ] {
            assert_eq!(read(input).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_token_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Token("secret".to_owned())), "Token(..)");
    }

    #[test]
    fn a_claim_that_cannot_be_read_is_none() {
        for text in ["", "a", "a.b.c", "a.e30.c", "a.eyJqdGkiOjF9.c"] {
            assert_eq!(Token(text.to_owned()).claim("exp"), None);
        }
        assert_eq!(Token("a.eyJqdGkiOjF9.c".to_owned()).claim("jti"), Some(1.into()));
    }
}
