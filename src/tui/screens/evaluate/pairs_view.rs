//! The list of flips: cases that the two networks of a comparison predict differently.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::opened::Opened;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::figure_text::figure;
use crate::tui::widgets::fitted::{fitted, padded, padded_name};
use mammoscope_domain::metrics::flips::Flip;
use mammoscope_domain::subject::density::DensityClass;

/// Cells of the true class, of a prediction, and of the flip.
const TRUE: usize = 6;
const PREDICTION: usize = 12;
const FLIP: usize = 14;

/// Draws one line per flip: the case, its class, the open evaluation's prediction and the other's with their confidences, and what changed.
pub(super) fn draw_pairs(frame: &mut Frame<'_>, area: Rect, opened: &mut Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let name_cells = usize::from(area.width).saturating_sub(2 + TRUE + 2 * PREDICTION + FLIP).clamp(4, 30);
    let [here, there] = opened.short_titles();
    let heading = format!(
        "  {}{}{}{}",
        padded("subject", name_cells),
        padded("true", TRUE),
        padded(&fitted(&here, PREDICTION - 1), PREDICTION),
        padded(&fitted(&there, PREDICTION - 1), PREDICTION),
    );
    let place = Rect { height: 1.min(area.height), ..area };
    let heading = fitted(&heading, area.width.into());
    frame.render_widget(Paragraph::new(Line::styled(heading, theme.dim())), place);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let visible = opened.cases.list.visible(rows, opened.cases.cases.len());
    let opened = &*opened;
    let Some(set) = opened.set() else { return };
    for (line, row) in visible.enumerate() {
        let case = opened.cases.cases[row];
        let chosen = opened.in_cases && row == opened.cases.list.cursor;
        let (Some(own), Some(other), Some(pair)) =
            (set.evaluated.set.cases.get(case.place), opened.other_prediction(case), case.pair)
        else {
            continue;
        };
        let predicted = own.predicted();
        let mut spans = vec![
            Span::styled(if chosen { theme.sign("▸ ", "> ") } else { "  " }, theme.accent()),
            Span::raw(padded_name(&Opened::case_name(&set.evaluated, case.place), name_cells - 1) + " "),
            Span::styled(padded(pair.truth.letter(), TRUE), theme.class(pair.truth).add_modifier(Modifier::BOLD)),
        ];
        spans.extend(prediction_spans((predicted, own.probabilities.of(predicted)), theme));
        spans.extend(prediction_spans(other, theme));
        let (text, style) = match pair.flip() {
            Some(Flip::Fixed) => (theme.sign("✔ fixed", "ok fixed"), theme.good()),
            Some(Flip::Broken) => (theme.sign("✖ broken", "x broken"), theme.bad()),
            _ => ("other error", theme.dim()),
        };
        spans.push(Span::styled(text, style));
        let style = if chosen { theme.selected(true) } else { theme.text() };
        let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), place);
    }
}

/// A predicted class with its probability.
fn prediction_spans((class, probability): (DensityClass, f64), theme: &Theme) -> [Span<'static>; 2] {
    let text = format!(" {}", figure(Some(probability), 2, theme));
    [Span::styled(class.letter(), theme.class(class)), Span::raw(padded(&text, PREDICTION - 1))]
}
