//! Conversion between an item of the table and a [`Row`].

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use tokens::{Claimant, Jti, Row, Timestamp};

/// An item of the table, by attribute.
type Item = HashMap<String, AttributeValue>;

/// An item that is not the row of a token.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the row's attribute `{0}` is missing or malformed")]
pub struct UnreadableRow(&'static str);

/// The item that stores `row`.
#[must_use]
pub fn to_item(jti: &Jti, row: Row) -> Item {
    let texts = [
        ("jti", Some(jti.to_string())),
        ("minted_by", Some(row.minted_by.into())),
        ("host", row.host),
        ("used_by", row.used_by.map(String::from)),
    ];
    let times = [
        ("created_at", Some(row.created_at)),
        ("expires_at", Some(row.expires_at)),
        ("purge_at", Some(row.purge_at)),
        ("used_at", row.used_at),
        ("revoked_at", row.revoked_at),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), AttributeValue::S(text?))));
    let times = times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), seconds(time?))));
    texts.chain(times).collect()
}

/// Reads the row that `item` stores.
///
/// # Errors
///
/// [`UnreadableRow`] when an attribute is missing or malformed: its meaning is never guessed.
pub fn from_item(item: &Item) -> Result<Row, UnreadableRow> {
    let row = Row {
        minted_by: text(item, "minted_by")?.map(Claimant::from_stored).ok_or(UnreadableRow("minted_by"))?,
        created_at: time(item, "created_at")?.ok_or(UnreadableRow("created_at"))?,
        host: text(item, "host")?,
        expires_at: time(item, "expires_at")?.ok_or(UnreadableRow("expires_at"))?,
        purge_at: time(item, "purge_at")?.ok_or(UnreadableRow("purge_at"))?,
        used_at: time(item, "used_at")?,
        used_by: text(item, "used_by")?.map(Claimant::from_stored),
        revoked_at: time(item, "revoked_at")?,
    };
    if row.used_by.is_some() && row.used_at.is_none() {
        return Err(UnreadableRow("used_at"));
    }
    Ok(row)
}

/// A time as the table stores it.
pub(crate) fn seconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.0.to_string())
}

/// The string attribute `name`, if the item has it.
fn text(item: &Item, name: &'static str) -> Result<Option<String>, UnreadableRow> {
    let Some(value) = item.get(name) else { return Ok(None) };
    value.as_s().map(|text| Some(text.clone())).map_err(|_| UnreadableRow(name))
}

/// The time in the attribute `name`, if the item has it.
fn time(item: &Item, name: &'static str) -> Result<Option<Timestamp>, UnreadableRow> {
    let Some(value) = item.get(name) else { return Ok(None) };
    let seconds = value.as_n().ok().and_then(|number| number.parse().ok());
    seconds.map(|seconds| Some(Timestamp(seconds))).ok_or(UnreadableRow(name))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn spent() -> Row {
        Row {
            minted_by: Claimant::from_stored("r:mint".into()),
            created_at: Timestamp(1),
            host: Some("api.example.com".into()),
            expires_at: Timestamp(2),
            purge_at: Timestamp(3),
            used_at: Some(Timestamp(4)),
            used_by: Some(Claimant::from_stored("r:spend".into())),
            revoked_at: Some(Timestamp(5)),
        }
    }

    #[test]
    fn a_row_is_stored_under_the_names_that_the_conditions_use() {
        let item = to_item(&Jti::new(Uuid::nil()), spent());
        let text = |text: &str| AttributeValue::S(text.into());
        let number = |number: &str| AttributeValue::N(number.into());
        let expected = [
            ("jti", text("00000000-0000-0000-0000-000000000000")),
            ("minted_by", text("r:mint")),
            ("created_at", number("1")),
            ("host", text("api.example.com")),
            ("expires_at", number("2")),
            ("purge_at", number("3")),
            ("used_at", number("4")),
            ("used_by", text("r:spend")),
            ("revoked_at", number("5")),
        ];
        assert_eq!(item, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn a_row_is_read_as_it_was_stored() {
        let fresh = Row { host: None, used_at: None, used_by: None, revoked_at: None, ..spent() };
        for stored in [spent(), fresh] {
            assert_eq!(from_item(&to_item(&Jti::new(Uuid::nil()), stored.clone())), Ok(stored));
        }
    }

    #[test]
    fn a_malformed_item_is_an_error_and_never_guessed() {
        let whole = to_item(&Jti::new(Uuid::nil()), spent());
        for name in ["minted_by", "created_at", "expires_at", "purge_at", "used_at"] {
            let mut item = whole.clone();
            item.remove(name);
            assert_eq!(from_item(&item), Err(UnreadableRow(name)));
        }
        for (name, value) in [
            ("used_by", AttributeValue::N("1".into())),
            ("used_at", AttributeValue::S("1".into())),
            ("expires_at", AttributeValue::N("1.5".into())),
            ("revoked_at", AttributeValue::N("-1".into())),
        ] {
            let mut item = whole.clone();
            item.insert(name.to_owned(), value);
            assert_eq!(from_item(&item), Err(UnreadableRow(name)));
        }
    }
}
