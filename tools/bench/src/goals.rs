//! The goals of the functions, each with what was measured. Those that are limits, whose failure ends the command, are
//! in `limits.rs`.

use crate::{comparison::Comparison, instructions::Counted, measured::Measured};

/// What a value may be.
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// The unit of a ratio.
const RATIO: &str = " ×";

/// A goal in Markdown, with the lowest and the highest of the measured values.
fn row(goal: &str, bound: &Bound, unit: &str, values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_reached = match bound {
        Bound::AtMost(limit) => high <= *limit,
        Bound::AtLeast(limit) => low >= *limit,
    };
    // Two digits after the point of a ratio, so that it hardly ever seems to be on the other side of its bound.
    let written = |value: f64| if unit == RATIO { format!("{value:.2}") } else { format!("{value:.0}") };
    let (low, high) = (written(low), written(high));
    let range = if low == high { low } else { format!("{low} to {high}") };
    format!("| {goal} | {range}{unit} | {} |\n", if is_reached { "yes" } else { "**no**" })
}

/// The goals in Markdown: of a comparison over TLS, of the one with the CPU of 128 MB, and of the instructions.
pub(crate) fn table(main: &Comparison, with_128_mb: Option<&Comparison>, counted: &Counted) -> String {
    let floor = &main.programs[0];
    let of_tokens = |compute: &dyn Fn(&Measured) -> f64| -> Vec<f64> {
        main.programs.iter().filter(|it| ["authorizer", "guard", "validate"].contains(&it.name)).map(compute).collect()
    };
    let init_ms = |it: &Measured| it.median(|start| start.init_ms).value;
    let init_cpu_ms = |it: &Measured| it.median(|start| start.init_cpu_ms).value;
    let first_ms = |it: &Measured| it.median(|start| start.first_ms).value;

    let mut table = "| goal | measured | reached |\n| --- | ---: | --- |\n".to_owned();
    table += &row(
        "the CPU of an init of authorizer, guard and validate: at most 2.5 × the floor's",
        &Bound::AtMost(2.5),
        RATIO,
        &of_tokens(&|it| init_cpu_ms(it) / init_cpu_ms(floor)),
    );
    if let Some(python) = main.programs.iter().find(|it| it.name == "Python") {
        table += &row(
            "an init of authorizer, guard and validate: at least 40 × faster than the Python design's",
            &Bound::AtLeast(40.0),
            RATIO,
            &of_tokens(&|it| init_ms(python) / init_ms(it)),
        );
    }
    let instructions = |name: &str| &counted.functions[name];
    #[expect(clippy::cast_precision_loss, reason = "exact below 9 petabytes")]
    let ratio = |count: u64, to: u64| count as f64 / to as f64;
    table += &row(
        "the instructions of an init of hello and page: at most 1.15 × the floor's",
        &Bound::AtMost(1.15),
        RATIO,
        &["hello", "page"].map(|name| ratio(instructions(name).init, instructions("floor").init)),
    );
    table += &row(
        "the first invocation of authorizer, guard and validate: at most 1.5 × a warm one",
        &Bound::AtMost(1.5),
        RATIO,
        &of_tokens(&|it| first_ms(it) / it.warm_ms(500).value),
    );
    table += &row(
        "a warm invocation of authorizer, guard and validate: at most 150 µs more than the floor's and a call to DynamoDB",
        &Bound::AtMost(150.0),
        " µs",
        &of_tokens(&|it| main.beyond_us(it)),
    );
    if let Some(python) = counted.functions.get("Python") {
        table += &row(
            "the instructions of a warm invocation of the authorizer: at most 0.10 × the Python design's",
            &Bound::AtMost(0.1),
            RATIO,
            &[ratio(instructions("authorizer").warm, python.warm)],
        );
    }
    if let Some(comparison) = with_128_mb {
        table += &row(
            "the first token of a new environment, its invocation with the CPU of 128 MB: at most 250 ms",
            &Bound::AtMost(250.0),
            " ms",
            &[comparison.programs[0].cold_mint_ms().value],
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_only_if_every_value_is_within_its_bound() {
        let outcome = |bound, unit, values: &[f64]| row("fast", &bound, unit, values);
        assert_eq!(outcome(Bound::AtMost(2.5), RATIO, &[1.0, 2.5]), "| fast | 1.00 to 2.50 × | yes |\n");
        assert_eq!(outcome(Bound::AtMost(2.5), RATIO, &[1.0, 2.51]), "| fast | 1.00 to 2.51 × | **no** |\n");
        assert_eq!(outcome(Bound::AtLeast(40.0), " ms", &[40.0]), "| fast | 40 ms | yes |\n");
        assert_eq!(outcome(Bound::AtLeast(40.0), " ms", &[39.0, 50.0]), "| fast | 39 to 50 ms | **no** |\n");
    }
}
