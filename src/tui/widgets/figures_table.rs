//! A table of metrics: of one evaluation with intervals, or of two with their difference.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::figure_text::{figure, interval, signed};
use super::fitted::{padded, padded_start};
use crate::tui::theme::Theme;
use mammoscope_domain::metrics::agreement::{INTER_READER, INTRA_READER};
use mammoscope_domain::metrics::baseline_figures::BaselineFigures;
use mammoscope_domain::metrics::bootstrap::Interval;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::figures_of_merit::FiguresOfMerit;
use mammoscope_domain::metrics::flips::FlipCounts;
use mammoscope_domain::metrics::paired_comparison::PairedComparison;

/// Cells of a title, of a metric, and of an interval.
const TITLE: usize = 16;
const FIGURE: usize = 6;
const INTERVAL: usize = 12;
/// Smaller differences are rounding errors.
const ROUNDING: f64 = 1e-12;
/// From this width on, a comparison shows both values beside their difference.
const WIDE: u16 = 58;

struct Row {
    title: &'static str,
    value: fn(&FiguresOfMerit<Option<f64>>) -> Option<f64>,
    ends: fn(&FiguresOfMerit<Option<Interval>>) -> Option<Interval>,
}

macro_rules! rows {
    ($($title:literal $field:ident,)*) => {
        [$(Row { title: $title, value: |figures| figures.$field, ends: |intervals| intervals.$field },)*]
    };
}

const ROWS: [Row; 8] = rows! {
    "accuracy" accuracy,
    "macro recall" macro_recall,
    "macro precision" macro_precision,
    "kappa linear" kappa_linear,
    "kappa quadratic" kappa_quadratic,
    "dense/non-dense" dense_accuracy,
    "macro AUC" auc_macro_ovr,
    "calibration ECE" ece15,
};

/// The height of the longest table.
pub(in crate::tui) const FULL_HEIGHT: u16 = ROWS.len() as u16 + 3;

/// Draws the metrics of a set. Intervals that are not computed yet are shown as dots.
pub(in crate::tui) fn draw_figures(
    frame: &mut Frame<'_>,
    area: Rect,
    set: &EvaluatedSet,
    resampled: bool,
    theme: &Theme,
) {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for row in &ROWS {
        let value = (row.value)(&set.evaluation.figures);
        let ends = (row.ends)(&set.evaluation.intervals.figures);
        lines.push(line(row.title, value, &ends_text(value, ends, resampled, false, theme), theme));
    }
    if let Some(baseline) = &set.baseline {
        lines.push(baseline_line(baseline, resampled, area.width, theme));
    }
    lines.push(readers_line(area.width, theme));
    frame.render_widget(Paragraph::new(lines), area);
}

/// Draws the differences between the metrics of two networks, the first minus the second.
pub(in crate::tui) fn draw_differences(
    frame: &mut Frame<'_>,
    area: Rect,
    comparison: &PairedComparison,
    resampled: bool,
    theme: &Theme,
) {
    let wide = area.width >= WIDE;
    let mut heading = padded("", TITLE);
    if wide {
        heading += &padded_start("this", FIGURE);
        heading += &padded_start("other", FIGURE + 1);
        heading += "  difference";
    } else {
        heading += "diff.  95 %";
    }
    let mut lines = vec![Line::styled(heading, theme.dim())];
    for row in &ROWS {
        let difference = (row.value)(&comparison.difference);
        let ends = (row.ends)(&comparison.intervals);
        // Marked by a star, not by the colour alone.
        let marked = ends.is_some_and(|ends| ends.low > ROUNDING || ends.high < -ROUNDING);
        let mut spans = vec![Span::styled(padded(row.title, TITLE), theme.dim())];
        if wide {
            let side = |figures| padded_start(&figure((row.value)(figures), 3, theme), FIGURE);
            spans.push(Span::raw(side(&comparison.here)));
            spans.push(Span::raw(format!(" {}  ", side(&comparison.there))));
        }
        let star = if marked { "*" } else { " " };
        let text = format!("{}{star}", padded_start(&signed(difference, 3, theme), FIGURE - 1));
        spans.push(Span::styled(text, if marked { theme.accent() } else { theme.text() }));
        let ends = ends_text(difference, ends, resampled, true, theme);
        spans.push(Span::styled(format!(" {ends}"), theme.dim()));
        lines.push(Line::from(spans));
    }
    let test = mcnemar_text(comparison, wide);
    if usize::from(area.height) > lines.len() + 1 {
        lines.push(Line::styled("* interval excludes 0", theme.dim()));
        lines.push(Line::raw(test));
    } else {
        lines.push(Line::raw(format!("*: excludes 0 · {test}")));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// The test whether the two differ in accuracy.
fn mcnemar_text(comparison: &PairedComparison, wide: bool) -> String {
    let test = FlipCounts::of(&comparison.pairs).test();
    let p = p_value_text(test.p_value);
    if wide {
        format!("McNemar, exact: p {p} ({} fixed, {} broken)", test.only_first, test.only_second)
    } else {
        format!("McNemar p {p}")
    }
}

/// A p-value with its sign of equality, such as `= .034` or `< .001`.
fn p_value_text(p: f64) -> String {
    if p < 0.001 {
        return "< .001".to_owned();
    }
    let text = format!("{p:.3}");
    format!("= {}", text.strip_prefix('0').unwrap_or("1"))
}

fn line(title: &'static str, value: Option<f64>, ends: &str, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(padded(title, TITLE), theme.dim()),
        Span::raw(padded_start(&figure(value, 3, theme), FIGURE - 1)),
        Span::styled(format!(" {}", padded(ends, INTERVAL)), theme.dim()),
    ])
}

fn ends_text(
    value: Option<f64>,
    ends: Option<Interval>,
    resampled: bool,
    is_difference: bool,
    theme: &Theme,
) -> String {
    match (value, resampled) {
        (None, _) => String::new(),
        (_, false) => theme.sign("…", "...").to_owned(),
        (_, true) => interval(ends, is_difference, theme),
    }
}

/// The kappa that the spread of grey values alone reaches, and how far the network is ahead.
fn baseline_line(baseline: &BaselineFigures, resampled: bool, cells: u16, theme: &Theme) -> Line<'static> {
    let ahead = signed(baseline.kappa_linear_difference, 2, theme);
    let wide = cells >= WIDE;
    let text = match (wide, resampled, baseline.kappa_linear_difference_interval) {
        (false, ..) => format!(" diff. {ahead}"),
        (true, true, Some(ends)) => format!(" network − baseline {ahead} {}", interval(Some(ends), true, theme)),
        (true, ..) => format!(" network − baseline {ahead}"),
    };
    let title = padded("baseline kappa", TITLE);
    Line::from(vec![
        Span::styled(title, theme.dim()),
        Span::raw(padded_start(&figure(baseline.kappa_linear, 3, theme), FIGURE - 1)),
        Span::styled(text, theme.dim()),
    ])
}

/// The agreement between and within human readers, as a yardstick for the kappas.
fn readers_line(cells: u16, theme: &Theme) -> Line<'static> {
    let number = |kappa: f64| figure(Some(kappa), 2, theme);
    let text = if cells >= WIDE {
        format!(
            "{}inter-reader {}, intra-reader {}",
            padded("readers' kappa", TITLE),
            number(INTER_READER.kappa),
            number(INTRA_READER.kappa)
        )
    } else {
        format!(
            "{}inter {}, intra {}",
            padded("readers' kappa", TITLE - 1),
            number(INTER_READER.kappa),
            number(INTRA_READER.kappa)
        )
    };
    Line::styled(text, theme.dim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!(p_value_text(0.034_4), "= .034");
        assert_eq!(p_value_text(0.000_99), "< .001");
        assert_eq!(p_value_text(1.0), "= 1");
    }
}
