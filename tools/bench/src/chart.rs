//! A chart as SVG: a row for each label, and in it a dot for each value, on a logarithmic axis.

use std::fmt::Write as _;

use crate::figure::{Figure, rounded};

/// The left end of the axis, where the labels end.
const LEFT: f64 = 120.0;

/// The right end of the axis.
const RIGHT: f64 = 700.0;

/// The distance of two rows.
const ROW: f64 = 36.0;

/// The colours of the series, in turn, which differ in brightness too.
const COLOURS: [&str; 4] = ["#0072b2", "#e69f00", "#cc3311", "#777777"];

/// A row, with a value for each series.
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) values: Vec<Figure>,
}

/// Draws the rows. A dot is a median, and the line through it its range.
pub(crate) fn dots(title: &str, unit: &str, series: &[&str], rows: &[Row]) -> String {
    let figures = || rows.iter().flat_map(|row| &row.values);
    let first = figures().map(|it| it.low).fold(f64::INFINITY, f64::min).log10().floor();
    let last = figures().map(|it| it.high).fold(0.0, f64::max).log10().ceil();
    let x = |value: f64| LEFT + (RIGHT - LEFT) * (value.log10() - first) / (last - first).max(1.0);

    let top = 60.0;
    let mut y = top;
    let mut drawn = String::new();
    for row in rows {
        y += ROW;
        let label = (LEFT - 10.0, y + 4.0, &row.label);
        _ = writeln!(drawn, r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#, label.0, label.1, label.2);
        // Above and below the dots, in turn, so that those of near ones do not meet.
        for ((figure, colour), to_text) in row.values.iter().zip(COLOURS).zip([-9.0, 17.0, -9.0, 17.0]) {
            let Figure { value, low, high } = *figure;
            let (x, from, to) = (x(value), x(low), x(high));
            _ = writeln!(drawn, r#"<path d="M{from:.1} {y}H{to:.1}" stroke="{colour}" stroke-width="2"/>"#);
            _ = writeln!(drawn, r#"<circle cx="{x:.1}" cy="{y}" r="5" fill="{colour}"/>"#);
            let text = rounded(value);
            _ = writeln!(
                drawn,
                r#"<text x="{x:.1}" y="{}" text-anchor="middle" class="small">{text}</text>"#,
                y + to_text
            );
        }
    }

    let bottom = y + ROW / 2.0;
    let mut axis = String::new();
    let mut power = first;
    while power <= last.max(first + 1.0) {
        let (value, x) = (10_f64.powf(power), x(10_f64.powf(power)));
        _ = writeln!(axis, r#"<path d="M{x:.1} {top}V{bottom}" class="grid"/>"#);
        _ = writeln!(axis, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{value} {unit}</text>"#, bottom + 18.0);
        power += 1.0;
    }

    let mut legend = String::new();
    for (index, (name, colour)) in (0_u32..).zip(series.iter().zip(COLOURS)) {
        let x = LEFT + 140.0 * f64::from(index);
        _ = writeln!(legend, r#"<circle cx="{x}" cy="48" r="5" fill="{colour}"/>"#);
        _ = writeln!(legend, r#"<text x="{}" y="52">{name}</text>"#, x + 10.0);
    }
    let height = bottom + 30.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" role="img" aria-label="{title}">
<style>
text {{ font: 13px sans-serif; fill: #222 }}
.small {{ font-size: 10px }}
.grid {{ stroke: #bbb; stroke-width: 1 }}
rect {{ fill: #fff }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .grid {{ stroke: #555 }} rect {{ fill: #111 }} }}
</style>
<rect width="760" height="{height}"/>
<text x="10" y="24" style="font-size: 16px">{title}</text>
{axis}{drawn}{legend}</svg>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_where_its_value_is_on_the_axis() {
        let row =
            |label: &str, value| Row { label: label.to_owned(), values: vec![Figure { value, low: 1.0, high: 100.0 }] };
        let svg = dots("Init", "ms", &["ours", "theirs"], &[row("one", 1.0), row("ten", 10.0), row("hundred", 100.0)]);
        for (x, y) in [(120, 96), (410, 132), (700, 168)] {
            let dot = format!(r#"<circle cx="{x}.0" cy="{y}" r="5""#);
            assert!(svg.contains(&dot), "{dot} in {svg}");
        }
        assert_eq!(svg.matches(r#"class="grid""#).count(), 3, "1, 10 and 100 ms");
        assert!(svg.contains(">100 ms</text>") && svg.contains(">theirs</text>"));
    }
}
