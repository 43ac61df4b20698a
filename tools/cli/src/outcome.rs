//! What a command comes to: its exit code, its answer, or its failure.

use serde_json::{Value, json};

/// The exit codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Code {
    /// The answer is yes.
    Yes = 0,
    /// The answer is no: refused, inactive, or the promise of one use is broken.
    No = 1,
    /// Wrong use of the command.
    Usage = 2,
    /// The answer is not known. It must never be read as a no.
    Unknown = 3,
    /// Credentials are missing, or they do not permit the request.
    NotAllowed = 4,
}

/// What a command prints when it has an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) code: Code,
    /// Standard output without `--json`.
    pub(crate) text: String,
    /// Standard output with `--json`.
    pub(crate) json: Value,
}

/// Why a command has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: Code,
    /// The reason, for programs: the API's own, or one of this command line.
    pub(crate) reason: String,
    /// What happened, for people.
    pub(crate) message: String,
    /// The request ID, if the API answered with one.
    pub(crate) request_id: Option<String>,
}

impl Failure {
    /// A failure of this command line itself, or of what it called.
    pub(crate) fn new(code: Code, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: plain(reason), message: plain(&message.into()), request_id: None }
    }

    /// Wrong use of the command.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, "usage", message)
    }

    /// The object that `--json` prints.
    pub(crate) fn json(&self) -> Value {
        let mut error = json!({"reason": self.reason, "message": self.message});
        if let Some(id) = &self.request_id {
            error["requestId"] = json!(id);
        }
        json!({ "error": error })
    }
}

/// The most characters that are shown of a text that came from outside.
const SHOWN: usize = 300;

/// A text from outside as it may be printed: on one line, short, and without anything that could be a token.
pub(crate) fn plain(text: &str) -> String {
    without_tokens(text).chars().map(|it| if it.is_control() { ' ' } else { it }).take(SHOWN).collect()
}

/// A text in which each word that could be a token, or a part of one, is shortened.
pub(crate) fn without_tokens(text: &str) -> String {
    let is_part_of_token = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let shown = |word: &str| {
        let name = word.trim_end_matches(|it| !is_part_of_token(it));
        // Two segments of a JWT begin with the base64url of `{"`.
        match name.find("eyJ") {
            Some(begin) => format!("{}eyJ…{}", &name[..begin], &word[name.len()..]),
            None => word.to_owned(),
        }
    };
    text.split_inclusive(|it| !is_part_of_token(it)).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_shows_no_token_and_no_control_character() {
        assert_eq!(plain("token eyJhbGciOi.eyJpc3M.c2ln, used"), "token eyJ…, used");
        assert_eq!(plain("x=eyJhbGciOi&y"), "x=eyJ…&y");
        assert_eq!(plain("one\r\n\u{1b}[31mtwo"), "one   [31mtwo");
        assert_eq!(plain(&"é".repeat(1000)).chars().count(), SHOWN);
        assert_eq!(
            plain("no answer from http://127.0.0.1:3000/validate"),
            "no answer from http://127.0.0.1:3000/validate"
        );
    }
}
