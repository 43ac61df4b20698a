//! What the shop sells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Cents;

/// The longest ID of a product, in characters.
const MAX_ID_LENGTH: usize = 36;

/// The ID of a product: 1 to 36 ASCII letters, digits, `_` and `-`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ProductId(String);

impl ProductId {
    /// Reads an ID; `None` if `text` cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = (1..=MAX_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        is_id.then(|| Self(text.to_owned()))
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A product and its stock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Product {
    /// Its ID.
    pub id: ProductId,
    /// Its name.
    pub product_name: String,
    /// What it is, in a sentence.
    pub description: String,
    /// The price of one.
    pub price: Cents,
    /// How many are in stock.
    pub inventory_count: u64,
    /// The file name of its picture.
    pub image: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_1_to_36_letters_digits_underscores_and_hyphens() {
        for text in ["1", "peanut-chocolate", "A_b-9", &"x".repeat(36)] {
            assert_eq!(ProductId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a/b", "1.5", "ä", "a\0", &"x".repeat(37)] {
            assert_eq!(ProductId::parse(text), None, "{text}");
        }
    }
}
