//! What the shop sells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Cents, InvalidMember};

/// The longest ID of a product, in characters.
const MAX_ID_LENGTH: usize = 36;

/// The most of a product that can be in stock.
const MAX_INVENTORY_COUNT: u64 = 1_000_000;

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

impl Product {
    /// Checks what an admin has entered. The name is trimmed.
    ///
    /// # Errors
    ///
    /// [`InvalidMember`], for the first member that is not allowed.
    pub fn new(
        id: ProductId,
        product_name: &str,
        description: &str,
        price: &str,
        inventory_count: Option<u64>,
        image: &str,
    ) -> Result<Self, InvalidMember> {
        const NAME: &str = "`product_name` is not 1 to 80 characters, none of them a control character";
        const DESCRIPTION: &str = "`description` is not up to 500 characters, none of them a control character";
        const PRICE: &str = "`price` is not a price such as 2.50, above 0 and below 100000";
        const COUNT: &str = "`inventory_count` is not a whole number from 0 to 1000000";
        const IMAGE: &str = "`image` is not the name of a picture such as peanut-chocolate.svg";

        let is_text = |text: &str, most| text.chars().count() <= most && !text.contains(char::is_control);
        let product_name = product_name.trim();
        if product_name.is_empty() || !is_text(product_name, 80) {
            return Err(InvalidMember(NAME));
        }
        if !is_text(description, 500) {
            return Err(InvalidMember(DESCRIPTION));
        }
        let price = Cents::parse_price(price).ok_or(InvalidMember(PRICE))?;
        let inventory_count = inventory_count.filter(|count| *count <= MAX_INVENTORY_COUNT);
        let inventory_count = inventory_count.ok_or(InvalidMember(COUNT))?;
        // A file name, and never a URL: a page loads it from its own origin.
        let is_image = image.split_once('.').is_some_and(|(name, kind)| {
            let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !name.is_empty() && name.bytes().all(is_name) && ["svg", "png", "jpg", "jpeg", "webp"].contains(&kind)
        });
        if !is_image || image.len() > 80 {
            return Err(InvalidMember(IMAGE));
        }
        let (product_name, description) = (product_name.to_owned(), description.to_owned());
        Ok(Self { id, product_name, description, price, inventory_count, image: image.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A product with one member changed: its name, description, price, stock and image.
    fn with(change: impl Fn(&mut (String, String, String, Option<u64>, String))) -> Result<Product, InvalidMember> {
        let mut entered = ("Cookie".into(), "A cookie.".into(), "2.50".into(), Some(7), "cookie.svg".into());
        change(&mut entered);
        let (name, description, price, count, image) = entered;
        Product::new(ProductId::parse("1").unwrap(), &name, &description, &price, count, &image)
    }

    #[test]
    fn a_product_is_accepted_at_the_limits_and_its_name_is_trimmed() {
        let product = with(|entered| entered.0 = "  Cookie ".into()).unwrap();
        assert_eq!((product.product_name.as_str(), product.price, product.inventory_count), ("Cookie", Cents(250), 7));
        assert!(with(|entered| (entered.0, entered.1) = ("é".repeat(80), "é".repeat(500))).is_ok());
        assert!(with(|entered| entered.1 = String::new()).is_ok());
        assert!(with(|entered| entered.2 = "99999.99".into()).is_ok());
        assert!(with(|entered| entered.3 = Some(0)).is_ok());
        assert!(with(|entered| entered.3 = Some(1_000_000)).is_ok());
        for image in ["a.svg", "a-1.png", "0.jpg", "a.jpeg", "a.webp", &format!("{}.svg", "a".repeat(76))] {
            assert!(with(|entered| entered.4 = image.into()).is_ok(), "{image}");
        }
    }

    #[test]
    fn the_member_at_fault_is_named() {
        let member =
            |result: Result<Product, InvalidMember>| result.unwrap_err().0.split('`').nth(1).unwrap().to_owned();
        for name in ["", "  ", "a\nb", &"x".repeat(81)] {
            assert_eq!(member(with(|entered| entered.0 = name.into())), "product_name", "{name:?}");
        }
        for description in ["a\u{7}b", &"x".repeat(501)] {
            assert_eq!(member(with(|entered| entered.1 = description.into())), "description", "{description:?}");
        }
        for price in ["", "0", "100000", "-1", "free"] {
            assert_eq!(member(with(|entered| entered.2 = price.into())), "price", "{price}");
        }
        for count in [None, Some(1_000_001), Some(u64::MAX)] {
            assert_eq!(member(with(|entered| entered.3 = count)), "inventory_count", "{count:?}");
        }
        let long = format!("{}.svg", "a".repeat(77));
        for image in
            ["", ".svg", "a", "a.gif", "A.svg", "a b.svg", "a.b.svg", "../a.svg", "https://a.svg", "a.svg\n", &long]
        {
            assert_eq!(member(with(|entered| entered.4 = image.into())), "image", "{image:?}");
        }
    }

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
