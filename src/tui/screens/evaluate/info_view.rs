//! The panes beside the matrix: metrics, curves, reliability and subgroups.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::curves_view::{draw_curves, draw_reliability_curves};
use super::info_pane::InfoPane;
use super::opened::Opened;
use super::subgroups_view::draw_subgroups;
use super::view::PER_CLASS;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::figure_text::{figure, interval};
use crate::tui::widgets::figures_table::{draw_differences, draw_figures};
use crate::tui::widgets::fitted::{padded, padded_start};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::per_class_table::{draw_per_class, draw_per_class_difference};
use crate::tui::widgets::reliability_diagram::draw_reliability;
use mammoscope_domain::metrics::bootstrap::Bootstrap;

/// The height of the table of calibration figures with its frame.
const CALIBRATION: u16 = 6;

/// Draws a pane in one large area.
pub(super) fn draw_wide_info(frame: &mut Frame<'_>, area: Rect, pane: InfoPane, opened: &Opened, shared: &SharedState) {
    match pane {
        InfoPane::Figures => {
            let [classes, figures] = Layout::vertical([Constraint::Length(PER_CLASS), Constraint::Fill(1)]).areas(area);
            draw_class_pane(frame, classes, opened, shared);
            draw_figure_pane(frame, figures, opened, shared);
        }
        InfoPane::Curves => {
            let halves = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
            draw_curves(frame, halves, opened, shared);
        }
        InfoPane::Reliability => {
            let [diagram, figures] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(CALIBRATION)]).areas(area);
            draw_reliability_pane(frame, diagram, opened, shared);
            draw_calibration_pane(frame, figures, opened, shared);
        }
        InfoPane::Subgroups => draw_subgroups(frame, area, opened, shared),
    }
}

/// Draws a pane in the small area beside the matrix and the wide one below both.
pub(super) fn draw_small_info(
    frame: &mut Frame<'_>,
    [beside, below]: [Rect; 2],
    pane: InfoPane,
    opened: &Opened,
    shared: &SharedState,
) {
    match pane {
        InfoPane::Figures => draw_figure_pane(frame, beside, opened, shared),
        InfoPane::Curves => draw_curves(frame, [beside, below], opened, shared),
        InfoPane::Reliability => {
            draw_reliability_pane(frame, beside, opened, shared);
            draw_calibration_pane(frame, below, opened, shared);
        }
        InfoPane::Subgroups => {
            draw_figure_pane(frame, beside, opened, shared);
            draw_subgroups(frame, below, opened, shared);
        }
    }
}

/// Draws the figures of calibration, in a comparison those of both.
fn draw_calibration_pane(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let Some(set) = opened.set() else { return };
    let inner = draw_pane(frame, area, theme, false, ["Calibration", "lower is better"]);
    let evaluation = &set.evaluated.evaluation;
    let (own, ends) = match opened.pair() {
        Some(pair) => (pair.comparison.here, pair.comparison.intervals),
        None => (evaluation.figures, evaluation.intervals.figures),
    };
    let there = opened.pair().map(|pair| pair.comparison.there);
    let rows = [
        ("expected error (ECE)", own.ece15, there.map(|there| there.ece15), ends.ece15),
        ("maximum error (MCE)", own.mce15, there.map(|there| there.mce15), ends.mce15),
        ("Brier score", own.brier_multiclass, there.map(|there| there.brier_multiclass), ends.brier_multiclass),
        ("log loss", own.log_loss, there.map(|there| there.log_loss), ends.log_loss),
    ];
    let lines = rows.map(|(title, own, there, ends)| {
        let own = padded_start(&figure(own, 3, theme), 6);
        let text = match there {
            None => format!(" {}{own} {}", padded(title, 22), interval(ends, false, theme)),
            Some(there) => {
                let there = padded_start(&figure(there, 3, theme), 6);
                let [here, other] = opened.short_titles();
                format!(" {}{here}{own}  {other}{there}  difference {}", padded(title, 22), interval(ends, true, theme))
            }
        };
        Line::raw(text)
    });
    frame.render_widget(Paragraph::new(lines.to_vec()), inner);
}

pub(super) fn draw_class_pane(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let Some(set) = opened.set() else { return };
    if let Some(paired) = opened.pair().map(|pair| &pair.comparison) {
        let inner = draw_pane(frame, area, theme, false, ["Per class", "difference"]);
        draw_per_class_difference(frame, inner, [&paired.matrix_here, &paired.matrix_there], theme);
        return;
    }
    let inner = draw_pane(frame, area, theme, false, ["Per class", ""]);
    draw_per_class(frame, inner, &set.evaluated.evaluation, set.resampled, theme);
}

pub(super) fn draw_figure_pane(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let Some(set) = opened.set() else { return };
    let resamples = Bootstrap::default().resamples;
    let drawn = |resampled: bool| {
        if resampled { format!("{resamples} resamples") } else { "drawing resamples".to_owned() }
    };
    let pane = |frame: &mut Frame<'_>, title: &str, right: &str| {
        let inner = draw_pane(frame, area, theme, false, [title, right]);
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner }
    };
    if let Some(one) = opened.compared()
        && let Ok(pair) = &one.compared
    {
        let inner = pane(frame, "Differences", &drawn(one.resampled));
        draw_differences(frame, inner, &pair.comparison, one.resampled, theme);
        return;
    }
    let inner = pane(frame, "Agreement", &drawn(set.resampled));
    draw_figures(frame, inner, &set.evaluated, set.resampled, theme);
}

pub(super) fn draw_reliability_pane(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let theme = &shared.theme;
    if opened.pair().is_some() {
        draw_reliability_curves(frame, area, opened, shared);
        return;
    }
    let Some(set) = opened.set() else { return };
    let confidence = theme.sign("━ confidence", "= confidence");
    let right = if area.width < 46 { confidence.to_owned() } else { format!("bars: accuracy · {confidence}") };
    let inner = draw_pane(frame, area, theme, false, ["Reliability", &right]);
    draw_reliability(frame, inner, &set.evaluated.evaluation.ece15_bins, theme);
}
