//! A curve as a line of bars of eighths, one column per cell.

use crate::tui::theme::Theme;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_BARS: [&str; 4] = ["_", ".", "-", "^"];

/// The values as at most `cells` bars between their smallest and their largest. If there are more values than cells, each
/// cell shows the mean of its share. Values that are not finite are gaps.
pub(super) fn sparkline(values: &[f64], cells: usize, theme: &Theme) -> String {
    let count = values.len().min(cells);
    let mean = |column: usize| {
        let share = &values[column * values.len() / count..(column + 1) * values.len() / count];
        let finite: Vec<f64> = share.iter().copied().filter(|value| value.is_finite()).collect();
        (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
    };
    let means: Vec<Option<f64>> = (0..count).map(mean).collect();
    let low = means.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let bars: &[&str] = if theme.ascii { &ASCII_BARS } else { &BARS };
    let bar = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        bars[((share * bars.len() as f64) as usize).min(bars.len() - 1)]
    };
    means.into_iter().map(|mean| mean.map_or(" ", bar)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::testing::empty_shared_state;

    #[test]
    fn the_extremes_are_the_lowest_and_the_highest_bar() {
        let theme = empty_shared_state().theme;
        assert_eq!(sparkline(&[8.0, 4.5, 1.0], 10, &theme), "█▅▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0], 10, &theme), "▁ █");
        assert_eq!(sparkline(&[1.0, 1.0], 10, &theme), "▁▁", "a constant has no height");
        assert_eq!(sparkline(&[4.0, 2.0, 1.0, 1.0], 2, &theme), "█▁", "means of halves");
        assert_eq!(sparkline(&[], 10, &theme), "");
    }

    proptest! {
        #[test]
        fn there_is_one_cell_per_value_up_to_the_width(values in prop::collection::vec(any::<f64>(), 0..40), cells in 0_usize..20) {
            let theme = empty_shared_state().theme;
            let text = sparkline(&values, cells, &theme);
            prop_assert_eq!(text.chars().count(), values.len().min(cells));
        }
    }
}
