//! Money.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of US dollars in whole cents.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Cents(pub u64);

impl Cents {
    /// Reads a price: up to five digits and, if given, a point and one or two more, such as `2`, `2.5` or `2.50`. `None`
    /// for anything else, and for 0.
    #[must_use]
    pub fn parse_price(text: &str) -> Option<Self> {
        let (dollars, cents) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |digits: &str, most| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        };
        if !are_digits(dollars, 5) || !are_digits(cents, 2) {
            return None;
        }
        let cents = cents.parse::<u64>().ok()? * if cents.len() == 1 { 10 } else { 1 };
        Some(Self(dollars.parse::<u64>().ok()? * 100 + cents)).filter(|price| price.0 > 0)
    }

    /// This amount `quantity` times. Saturates instead of overflowing.
    #[must_use]
    pub const fn times(self, quantity: u32) -> Self {
        Self(self.0.saturating_mul(quantity as u64))
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), |sum, amount| Self(sum.0.saturating_add(amount.0)))
    }
}

impl fmt::Display for Cents {
    /// Writes dollars and cents, such as `17.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_up_to_five_digits_with_up_to_two_behind_the_point() {
        for (text, cents) in
            [("2", 200), ("2.5", 250), ("2.05", 205), ("0.01", 1), ("00002.00", 200), ("99999.99", 9_999_999)]
        {
            assert_eq!(Cents::parse_price(text), Some(Cents(cents)), "{text}");
        }
        for text in ["", "0", "0.00", ".5", "2.", "2.005", "100000", "-1", "+1", "1e2", "1,00", " 1", "1.0.0", "١"] {
            assert_eq!(Cents::parse_price(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_is_written_with_two_digits_behind_the_point() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (1700, "17.00"), (9_999_999, "99999.99")] {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }

    #[test]
    fn amounts_are_multiplied_and_added_up() {
        assert_eq!(Cents(250).times(3), Cents(750));
        assert_eq!([Cents(750), Cents(5)].into_iter().sum::<Cents>(), Cents(755));
    }
}
