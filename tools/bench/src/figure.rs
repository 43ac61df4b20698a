//! Figures of several values, and how they are written.

/// A median with its range, or a size, whose range is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Figure {
    /// The median of the values, the lowest and the highest.
    pub(crate) fn median(mut values: Vec<f64>) -> Self {
        let [low, value, high] = [0, 500, 1000].map(|it| percentile(&mut values, it));
        Self { value, low, high }
    }

    /// What is the same in every start.
    pub(crate) fn fixed(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// In another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { value: factor * self.value, low: factor * self.low, high: factor * self.high }
    }
}

/// The percentile by nearest rank, in thousandths, of values that this sorts; the median of an even number is the mean of the
/// middle two.
pub(crate) fn percentile(values: &mut [f64], per_mille: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * per_mille).div_ceil(1000).max(1);
    let is_between = per_mille == 500 && values.len() == 2 * rank;
    if is_between { f64::midpoint(values[rank - 1], values[rank]) } else { values[rank - 1] }
}

/// A measured value with as many digits as say something.
pub(crate) fn rounded(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.2}"),
        ..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_of_the_nearest_rank() {
        let upto = |last: u32| (1..=last).map(f64::from).collect::<Vec<_>>();
        assert_eq!([500, 990, 999].map(|it| percentile(&mut upto(1600), it)), [800.5, 1584.0, 1599.0]);
        assert_eq!([500, 990, 999].map(|it| percentile(&mut upto(3), it)), [2.0, 3.0, 3.0]);
        assert_eq!([0, 500, 999].map(|it| percentile(&mut upto(1), it)), [1.0, 1.0, 1.0]);
        assert_eq!(percentile(&mut [2.0, 1.0], 500), 1.5);
    }
}
