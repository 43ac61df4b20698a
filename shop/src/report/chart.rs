//! Charts. They hold shapes and no text but `<title>`, so that they stretch to any width; the page writes the figures
//! beside them.

use maud::{Markup, html};

/// The height of a chart of columns, in units of its own.
const HEIGHT: u64 = 100;

/// The width of a column and of the gap beside it.
const STEP: u64 = 10;

/// The length of the longest bar.
const LENGTH: u64 = 1000;

/// A column for each value, in a row. Each has its own title.
pub(super) fn columns(title: &str, values: &[(String, u64)]) -> Markup {
    let max = values.iter().map(|(_, value)| *value).max().unwrap_or_default();
    let width = STEP * values.len() as u64;
    html! {
        svg .columns role="img" viewBox=(format!("0 0 {width} {HEIGHT}")) preserveAspectRatio="none" {
            title { (title) }
            @for (place, (title, value)) in (0_u64..).zip(values) {
                @let height = scaled(*value, max, HEIGHT);
                rect x=(place * STEP + 1) y=(HEIGHT - height) width=(STEP - 2) height=(height) { title { (title) } }
            }
        }
    }
}

/// A bar for `value`, as long as its part of `max`.
pub(super) fn bar(title: &str, value: u64, max: u64) -> Markup {
    html! {
        svg .bar role="img" viewBox=(format!("0 0 {LENGTH} 1")) preserveAspectRatio="none" {
            title { (title) }
            rect width=(scaled(value, max, LENGTH)) height="1" {}
        }
    }
}

/// `value` when `max` is `length`, rounded; what is not 0 is at least 1, so that it can be seen.
fn scaled(value: u64, max: u64, length: u64) -> u64 {
    let (value, max) = (u128::from(value.min(max)), u128::from(max.max(1)));
    let scaled = (value * u128::from(length) + max / 2) / max;
    u64::try_from(scaled).unwrap_or(length).max(u64::from(value > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_fills_the_chart_nothing_is_nothing_and_a_little_can_be_seen() {
        for (value, max, expected) in
            [(0, 0, 0), (0, 10, 0), (10, 10, 100), (5, 10, 50), (1, 3, 33), (2, 3, 67), (1, 1_000_000, 1)]
        {
            assert_eq!(scaled(value, max, 100), expected, "{value} of {max}");
        }
        assert_eq!(scaled(u64::MAX, u64::MAX, 100), 100);
    }

    #[test]
    fn a_column_stands_on_the_ground_and_says_what_it_shows() {
        let svg = columns("Revenue", &[("first".into(), 50), ("<second>".into(), 100)]).into_string();
        assert!(svg.contains(r#"viewBox="0 0 20 100""#), "{svg}");
        assert!(svg.contains(r#"<rect x="1" y="50" width="8" height="50"><title>first</title></rect>"#), "{svg}");
        assert!(
            svg.contains(r#"<rect x="11" y="0" width="8" height="100"><title>&lt;second&gt;</title></rect>"#),
            "{svg}"
        );
    }
}
