//! The list of cases: those of a cell, or all.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::opened::Opened;
use super::pairs_view::draw_pairs;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded, padded_name, padded_start};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::probability_bars::{cells_of, probability_spans};
use mammoscope_domain::metrics::evaluation_set::SetName;

/// The smallest and the largest width of a bar.
const BARS: (usize, usize) = (2, 12);
/// Columns for the name of a case.
const NAME: usize = 14;

/// Draws the listed cases.
pub(super) fn draw_cases(frame: &mut Frame<'_>, area: Rect, opened: &mut Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let total = opened.cases.cases.len();
    let title = opened.list_title();
    // The right title counts the cases, too.
    let title = if opened.in_cases { title.split(" · ").next().unwrap_or_default() } else { &title };
    let rows = usize::from(area.height.saturating_sub(3));
    let open = key_text(Verb::Open, &shared.keymap);
    let right = match (opened.in_cases, total) {
        (_, 0) => String::new(),
        (true, _) => format!("{} of {total} · {}", opened.cases.list.cursor + 1, opened.cases.order_title()),
        (false, _) if total > rows => format!("1–{rows} of {total} · {open} to browse"),
        (false, _) => format!("{open} to browse"),
    };
    let focused = opened.in_cases;
    let inner = draw_pane(frame, area, theme, focused, [title, &right]);
    if total == 0 {
        let text = match (opened.pair(), opened.cell) {
            (Some(_), _) => " no flips",
            (None, (truth, predicted)) if truth == predicted => " none predicted correctly",
            _ => " no such errors",
        };
        frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), inner);
        return;
    }
    if opened.pair().is_some() {
        draw_pairs(frame, inner, opened, shared);
        return;
    }
    let is_fused = matches!(opened.name, Some(SetName::Side(_) | SetName::Total));
    let views = if is_fused { 7 } else { 0 };
    let room = usize::from(inner.width).saturating_sub(2 + NAME + views);
    let bar = (room / 4).saturating_sub(cells_of(0) / 4).clamp(BARS.0, BARS.1);
    let name_cells = usize::from(inner.width).saturating_sub(2 + views + cells_of(bar)).clamp(4, 30);
    let heading =
        format!("  {}{}", padded("subject", name_cells), if is_fused { padded("views", views) } else { String::new() });
    let place = Rect { height: 1.min(inner.height), ..inner };
    let heading = fitted(&format!("{heading}probabilities, true class underlined"), inner.width.into());
    frame.render_widget(Paragraph::new(Line::styled(heading, theme.dim())), place);
    let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let visible = opened.cases.list.visible(rows, total);
    let first = visible.start;
    let opened = &*opened;
    let Some(set) = opened.set() else { return };
    for row in visible {
        let case = opened.cases.cases[row].place;
        let chosen = focused && row == opened.cases.list.cursor;
        let Some(prediction) = set.evaluated.set.cases.get(case) else { continue };
        let mut spans = vec![
            Span::styled(if chosen { theme.sign("▸ ", "> ") } else { "  " }, theme.accent()),
            Span::raw(padded_name(&Opened::case_name(&set.evaluated, case), name_cells - 1) + " "),
        ];
        if is_fused {
            let count = set.rows.get(case).map_or(0, Vec::len);
            spans.push(Span::styled(padded(&padded_start(&count.to_string(), 5), views), theme.dim()));
        }
        spans.extend(probability_spans(&prediction.probabilities, prediction.label, bar, theme));
        let style = if chosen { theme.selected(true) } else { theme.text() };
        let place = Rect::new(rows.x, rows.y + (row - first) as u16, rows.width, 1);
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), place);
    }
}
