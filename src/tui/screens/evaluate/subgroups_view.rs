//! The metrics of parts of the data: views, breasts, and the scanners where the data set names them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::opened::{Opened, set_title};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::figure_text::{figure, interval};
use crate::tui::widgets::fitted::{fitted, padded, padded_start};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::metrics::bootstrap::Interval;
use mammoscope_domain::metrics::evaluation::Evaluation;

/// Cells of a number of cases and of a metric with its interval.
const CASES: usize = 7;
const FIGURE: usize = 16;
/// Cells of a metric without its interval, and the width below which the last column has none.
const NARROW_FIGURE: usize = 11;
const WIDE: u16 = 76;

/// Draws one line for the selected set, one per scanner in it, and one for each other view, breast or examination.
pub(super) fn draw_subgroups(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let Some(set) = opened.set() else { return };
    let inner = draw_pane(frame, area, theme, false, ["Subgroups", "95 % intervals"]);
    let is_wide = inner.width >= WIDE;
    let last = if is_wide { FIGURE } else { NARROW_FIGURE };
    let name_cells = usize::from(inner.width).saturating_sub(CASES + 2 * FIGURE + last + 2).clamp(8, 28);
    let mut heading = format!(" {}{}", padded("", name_cells), padded_start("n", CASES));
    for title in ["accuracy", "kappa linear", "AUC dense"] {
        heading += &padded(&format!("  {title}"), FIGURE);
    }
    let mut lines = vec![Line::styled(fitted(heading.trim_end(), inner.width.into()), theme.dim())];
    let name = |name: &str, style| Span::styled(format!(" {}", padded(name, name_cells)), style);
    let row = |name: Span<'static>, evaluation: &Evaluation, resampled: bool| {
        line(name, evaluation, [resampled, is_wide], theme)
    };
    let own = name(set_title(set.evaluated.set.name), theme.accent());
    lines.push(row(own, &set.evaluated.evaluation, set.resampled));
    for group in &set.subgroups {
        let scanner = name(&format!("  {}", group.name), theme.text());
        lines.push(row(scanner, &group.evaluation, set.resampled));
    }
    let others = opened.sets.iter().flat_map(|sets| &sets.sets);
    for other in others.filter(|other| Some(other.evaluated.set.name) != opened.name) {
        let title = name(set_title(other.evaluated.set.name), theme.text());
        lines.push(row(title, &other.evaluated.evaluation, other.resampled));
    }
    let rows = usize::from(inner.height);
    if set.subgroups.is_empty() && lines.len() < rows {
        let text = " scanners unknown: only `mammoscope preprocess` records them";
        lines.push(Line::styled(fitted(text, inner.width.into()), theme.dim()));
    } else if lines.len() > rows && rows > 1 {
        let hidden = lines.len() + 1 - rows;
        lines.truncate(rows - 1);
        lines.push(Line::styled(format!(" {hidden} more in a taller window"), theme.dim()));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The line of a subgroup; its last metric has an interval only if there is room.
fn line(name: Span<'static>, evaluation: &Evaluation, [resampled, is_wide]: [bool; 2], theme: &Theme) -> Line<'static> {
    let (figures, ends) = (&evaluation.figures, &evaluation.intervals.figures);
    let cell = |value: Option<f64>, ends: Option<Interval>| {
        let ends = match (value, resampled) {
            (None, _) => String::new(),
            (_, false) => theme.sign("…", "...").to_owned(),
            (_, true) => interval(ends, false, theme),
        };
        let text = format!("  {} {ends}", padded_start(&figure(value, 3, theme), 4));
        Span::raw(padded(&text, FIGURE))
    };
    Line::from(vec![
        name,
        Span::raw(padded_start(&evaluation.n.to_string(), CASES)),
        cell(figures.accuracy, ends.accuracy),
        cell(figures.kappa_linear, ends.kappa_linear),
        if is_wide {
            cell(figures.auc_dense_sum, ends.auc_dense_sum)
        } else {
            Span::raw(format!("  {}", padded_start(&figure(figures.auc_dense_sum, 3, theme), 4)))
        },
    ])
}
