//! The option `--parameter-overrides`, in the forms of SAM CLI.

use std::collections::BTreeMap;

/// Reads values for the template's parameters: `Name=value`, or `ParameterKey=Name,ParameterValue=value`. One text
/// may have several, separated by spaces; a value with spaces is then in quotes.
///
/// # Errors
///
/// What is wrong with a text, for people.
pub fn parameter_overrides<S: AsRef<str>>(texts: &[S]) -> Result<BTreeMap<String, String>, String> {
    let mut parameters = BTreeMap::new();
    for text in texts.iter().map(AsRef::as_ref) {
        let words = shlex::split(text).ok_or_else(|| format!("{text}: a quote is not closed"))?;
        for word in words {
            let (name, value) = assignment(&word).ok_or_else(|| format!("{word:?} is not of the form Name=value"))?;
            if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
    }
    Ok(parameters)
}

/// The name and the value of one parameter; `None` if the word is malformed.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = match word.strip_prefix("ParameterKey=") {
        Some(rest) => rest.split_once(",ParameterValue=")?,
        None => word.split_once('=')?,
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_sam_is_read() {
        for (texts, expected) in [
            (&["A=1", "B=2"][..], &[("A", "1"), ("B", "2")][..]),
            (&["A=1 B=2"], &[("A", "1"), ("B", "2")]),
            (&["ParameterKey=A,ParameterValue=a,b ParameterKey=B,ParameterValue=2"], &[("A", "a,b"), ("B", "2")]),
            (&["ParameterKey=A,ParameterValue=1", "B=2"], &[("A", "1"), ("B", "2")]),
            (&["A='x y' B=\"z\"", "C=x\\ y"], &[("A", "x y"), ("B", "z"), ("C", "x y")]),
            (&["A=1=2", "B="], &[("A", "1=2"), ("B", "")]),
            (&[""], &[]),
        ] {
            let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(parameter_overrides(texts), Ok(expected.collect()), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_value_of_a_parameter_is_an_error_that_shows_it() {
        for (text, expected) in [
            ("A", r#""A" is not of the form Name=value"#),
            ("=1", r#""=1" is not of the form Name=value"#),
            ("A-B=1", r#""A-B=1" is not of the form Name=value"#),
            ("A=x y", r#""y" is not of the form Name=value"#),
            ("ParameterKey=A", r#""ParameterKey=A" is not of the form Name=value"#),
            ("file://values.yaml", r#""file://values.yaml" is not of the form Name=value"#),
            ("A='x", "A='x: a quote is not closed"),
            ("A=1 A=1", "A is there twice"),
        ] {
            assert_eq!(parameter_overrides(&[text]), Err(expected.to_owned()));
        }
        assert_eq!(parameter_overrides(&["A=1", "A=2"]), Err("A is there twice".to_owned()));
    }
}
