//! The AWS account and Region that events and ARNs contain.

use std::sync::Arc;

/// The account ID of AWS's own examples.
pub(crate) const ACCOUNT_ID: &str = "123456789012";
/// The unique ID of the user to whom the access key belongs.
pub(crate) const USER_ID: &str = "AIDALOCAL";
/// The name of that user.
pub(crate) const USER_NAME: &str = "local";

/// The Region of an API: the one of [`Options`](crate::Options), or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Region(Option<Arc<str>>);

impl Region {
    /// Its name. Without a Region this is `local`, which no deployed API has.
    pub(crate) fn name(&self) -> &str {
        self.0.as_deref().unwrap_or("local")
    }

    /// The Region in the scope of a signature. It is never `local`, because some signers accept only existing Regions.
    pub(crate) fn of_signatures(&self) -> &str {
        self.0.as_deref().unwrap_or("us-east-1")
    }

    /// The Region `name`; `None` if it is malformed, or in another partition than `aws`, which ARNs here contain.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let [area, place, number] = name.split('-').collect::<Vec<_>>()[..] else { return None };
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (area.len() == 2 && area != "cn" && is_word(area) && is_word(place) && is_number)
            .then(|| Self(Some(name.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_another_partition_and_what_is_no_region_are_refused() {
        for name in ["us-east-1", "ap-southeast-12", "il-central-1"] {
            let region = Region::parse(name).unwrap();
            assert_eq!((region.name(), region.of_signatures()), (name, name));
        }
        for name in
            ["", "local", "cn-north-1", "us-gov-west-1", "us-east", "us-east-1a", "US-EAST-1", "us--1", "eu_x_1"]
        {
            assert!(Region::parse(name).is_none(), "{name}");
        }
        let none = Region::default();
        assert_eq!((none.name(), none.of_signatures()), ("local", "us-east-1"));
    }
}
