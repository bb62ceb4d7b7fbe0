//! The lists of what is shown: the columns of the list of runs, and the metrics that are charted.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::columns::Column;
use super::metric::Metric;
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::effect::Effect;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::padded;
use crate::tui::widgets::pane::draw_box;

/// What is chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Columns,
    Metrics,
}

/// An open list with its cursor.
#[derive(Debug)]
pub(super) struct Chooser {
    choice: Choice,
    cursor: usize,
    area: Rect,
}

impl Chooser {
    /// A list with the cursor on the first item.
    pub(super) fn new(choice: Choice) -> Self {
        Self { choice, cursor: 0, area: Rect::default() }
    }
}

impl RunsScreen {
    /// The items of the open list with their descriptions, and whether they are shown.
    fn choices(&self, choice: Choice) -> Vec<(&'static str, &'static str, bool)> {
        match choice {
            Choice::Columns => Column::OPTIONAL
                .map(|column| (column.title(), column.meaning(), self.view.columns.contains(&column)))
                .to_vec(),
            Choice::Metrics => Metric::ALL
                .map(|metric| (metric.title(), metric.meaning(), self.view.metrics.contains(&metric)))
                .to_vec(),
        }
    }

    /// Handles a key while a list is open. At least one metric stays.
    pub(super) fn press_chooser(&mut self, key: Key) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        let (choice, at) = (chooser.choice, chooser.cursor);
        let last = match choice {
            Choice::Columns => Column::OPTIONAL.len(),
            Choice::Metrics => Metric::ALL.len(),
        } - 1;
        match key {
            Key::Up | Key::Char('k') => chooser.cursor = at.saturating_sub(1),
            Key::Down | Key::Char('j') => chooser.cursor = (at + 1).min(last),
            Key::Char(' ') => match choice {
                Choice::Columns => toggle(&mut self.view.columns, Column::OPTIONAL[at]),
                Choice::Metrics => {
                    toggle(&mut self.view.metrics, Metric::ALL[at]);
                    if self.view.metrics.is_empty() {
                        self.view.metrics.push(Metric::ALL[at]);
                        return vec![Effect::neutral("at least one chart stays")];
                    }
                }
            },
            Key::Escape | Key::Enter | Key::Char('q') => {
                self.chooser = None;
                return vec![Effect::SaveView];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Handles the mouse while a list is open: a click toggles an item, a click elsewhere closes the list.
    pub(super) fn mouse_in_chooser(&mut self, mouse: Mouse) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        let area = chooser.area;
        match mouse.kind {
            MouseKind::WheelUp => self.press_chooser(Key::Up),
            MouseKind::WheelDown => self.press_chooser(Key::Down),
            MouseKind::Press if area.contains((mouse.column, mouse.row).into()) => {
                chooser.cursor = usize::from(mouse.row - area.y);
                self.press_chooser(Key::Char(' '))
            }
            MouseKind::Press => self.press_chooser(Key::Escape),
            MouseKind::Drag | MouseKind::Release => Vec::new(),
        }
    }

    /// Draws the open list over the screen.
    pub(super) fn draw_chooser(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let Some(choice) = self.chooser.as_ref().map(|chooser| chooser.choice) else { return };
        let items = self.choices(choice);
        let title = match choice {
            Choice::Columns => "Columns",
            Choice::Metrics => "Charts",
        };
        let inner = draw_box(frame, area, (60, items.len() as u16 + 2), shared, [title, "Space toggle · Esc close"]);
        let Some(chooser) = &mut self.chooser else { return };
        chooser.area = inner;
        let line = |(at, (name, meaning, is_shown)): (usize, &(&str, &str, bool))| {
            let mark = if *is_shown { "[x]" } else { "[ ]" };
            let style = if at == chooser.cursor { theme.selected(true) } else { Style::new() };
            let rest = usize::from(inner.width).saturating_sub(20);
            Line::from(vec![
                Span::styled(format!(" {mark} {} ", padded(name, 14)), style),
                Span::styled(padded(meaning, rest), theme.dim().patch(style)),
            ])
        };
        let lines: Vec<Line<'_>> = items.iter().enumerate().map(line).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }
}

fn toggle<T: PartialEq + Ord>(chosen: &mut Vec<T>, item: T) {
    if let Some(at) = chosen.iter().position(|other| *other == item) {
        chosen.remove(at);
    } else {
        chosen.push(item);
        chosen.sort_unstable();
    }
}
