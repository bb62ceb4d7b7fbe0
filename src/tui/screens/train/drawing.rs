//! The screen Train as it is drawn.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::fields::{Field, Row};
pub(super) use super::rows::Areas;
use super::rows::VALUE_AT;
use super::wrapped::wrapped;
use super::{Pane, TrainScreen};
use crate::tui::model::Model;
use crate::tui::widgets::fitted::{fitted, padded, width};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::config_keys::ConfigKey;

/// From so many cells on what will happen stands beside the form, below that under it.
const SIDE_BY_SIDE: u16 = 110;
/// Rows of help under the form.
const HELP: usize = 3;
/// Cells at which an outlook reads well when it has the screen for itself.
const READABLE: u16 = 92;

impl TrainScreen {
    pub(super) fn draw_all(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        self.areas = Areas::default();
        match self.pane {
            Pane::Layers => self.draw_layers(frame, area, model),
            Pane::Outlook => self.draw_outlook(frame, area, true, model),
            Pane::Form if area.width >= SIDE_BY_SIDE => {
                let columns = Layout::horizontal([Constraint::Percentage(59), Constraint::Fill(1)]);
                let [form, outlook] = columns.areas(area);
                self.draw_form(frame, form, model);
                self.draw_outlook(frame, outlook, true, model);
            }
            Pane::Form => {
                let below = if area.height >= 20 { 7 } else { 4 };
                let [form, outlook] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(area);
                self.draw_form(frame, form, model);
                self.draw_outlook(frame, outlook, false, model);
            }
        }
    }

    /// How many lines the pane has that is only read.
    pub(super) fn lines_of_pane(&self) -> usize {
        match self.pane {
            Pane::Layers => self.layer_count(),
            Pane::Outlook | Pane::Form => self.outlook_count,
        }
    }

    fn draw_form(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let theme = &model.theme;
        let rows = self.rows();
        let found = if self.filter.text().is_empty() && !self.filters {
            String::new()
        } else {
            format!("{} found · Esc shows all", rows.len())
        };
        let inner = draw_pane(frame, area, theme, self.pane == Pane::Form, ["New training", &found]);
        // Short of rows, the list gives way last but one: a line of help and the button always stay.
        let help = if inner.height >= 10 { HELP } else { 1 };
        let filters = self.filters || !self.filter.text().is_empty();
        let [filter, list, rule, help, button] = Layout::vertical([
            Constraint::Length(u16::from(filters)),
            Constraint::Fill(1),
            Constraint::Length(u16::from(inner.height >= 16)),
            Constraint::Length(help as u16),
            Constraint::Length(1),
        ])
        .areas(inner);
        if filters {
            let mut spans = vec![Span::styled(" / ", theme.accent())];
            spans.extend(self.filter.spans(usize::from(filter.width).saturating_sub(4), self.filters, theme));
            frame.render_widget(Paragraph::new(Line::from(spans)), filter);
        }
        self.areas.views = list.x + VALUE_AT;
        self.draw_rows(frame, list, &rows, model);
        let dash = if theme.ascii { "-" } else { "─" };
        frame.render_widget(Paragraph::new(Line::styled(dash.repeat(usize::from(rule.width)), theme.border())), rule);
        frame.render_widget(Paragraph::new(self.help_lines(help, model)), help);
        self.draw_button(frame, button, model);
    }

    fn draw_rows(&mut self, frame: &mut Frame<'_>, area: Rect, rows: &[Row], model: &Model) {
        let theme = &model.theme;
        if rows.is_empty() {
            // The nearest key is named.
            let text = match ConfigKey::named(self.filter.text().trim()) {
                Err(error) => printable(&error.to_string()),
                Ok(_) => "no field is called so".to_owned(),
            };
            let lines: Vec<Line<'_>> = wrapped(&text, usize::from(area.width).saturating_sub(4))
                .into_iter()
                .map(|line| Line::styled(format!("   {line}"), theme.warning()))
                .collect();
            frame.render_widget(Paragraph::new(lines), area);
            return;
        }
        // The heading above the first field is seen whenever that is.
        if self.list.cursor == 1 {
            self.list.cursor = 0;
            self.list.visible(area, rows.len());
            self.list.cursor = 1;
        }
        let visible = self.list.visible(area, rows.len());
        let first = visible.start;
        for position in visible {
            let place = Rect::new(area.x, area.y + (position - first) as u16, area.width, 1);
            let cells = usize::from(area.width);
            let selected = position == self.list.cursor;
            match rows[position] {
                Row::Section(title) => {
                    let style = theme.dim().add_modifier(Modifier::BOLD);
                    frame.render_widget(Paragraph::new(Line::styled(format!(" {title}"), style)), place);
                }
                Row::Field(field) => {
                    let style = if selected { theme.selected(self.pane == Pane::Form) } else { Style::new() };
                    let line = self.field_line(field, selected, cells, model);
                    frame.render_widget(Paragraph::new(line).style(style), place);
                }
            }
        }
    }

    /// The field under the cursor in words, or what is wrong with what is typed there.
    #[expect(clippy::single_match_else, reason = "both are of the same weight")]
    fn help_lines(&self, area: Rect, model: &Model) -> Vec<Line<'static>> {
        let theme = &model.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        let Some(field) = self.field() else { return Vec::new() };
        let wrong = self.editing.as_ref().and_then(|editing| {
            self.form.check_text(editing.field, editing.typed.text()).err().map(|error| printable(&error))
        });
        let mut lines = Vec::new();
        match wrong {
            Some(error) => {
                let sign = theme.sign("✖", "x");
                let parts = wrapped(&error, cells.saturating_sub(2));
                lines.extend(parts.into_iter().enumerate().map(|(number, part)| {
                    let lead = if number == 0 { sign } else { " " };
                    Line::styled(format!(" {lead} {part}"), theme.bad())
                }));
            }
            None => {
                if let Some(facts) = self.facts(field).filter(|_| area.height > 1) {
                    lines.push(Line::styled(format!(" {}", fitted(&facts, cells)), theme.text()));
                }
                let parts = wrapped(field.meaning(), cells);
                lines.extend(parts.into_iter().map(|part| Line::styled(format!(" {part}"), theme.dim())));
            }
        }
        lines.truncate(usize::from(area.height));
        lines
    }

    /// What a key may be, and what the preset has; what a preset is for.
    fn facts(&self, field: Field) -> Option<String> {
        let form = &self.form;
        if field == Field::Preset {
            return Some(form.preset.description.clone());
        }
        let key = field.key()?;
        let about = key.range.about(key.name);
        let of_preset = key.value(&form.preset.config);
        Some(if form.is_changed(field) {
            format!("{about} · preset {}: {of_preset}, Del takes it", form.preset.name)
        } else {
            format!("{about} · as preset {} has it", form.preset.name)
        })
    }

    fn draw_button(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let theme = &model.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        let plural = |count: usize| if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
        let line = match (self.starting, self.obstacle()) {
            (Some(count), _) => {
                let text = format!("starting {}: loading the engine …", plural(count));
                Line::styled(format!(" {}", fitted(&text, cells)), theme.accent())
            }
            (None, Some(obstacle)) => {
                let text = format!("cannot start yet: {}", printable(&obstacle));
                Line::styled(format!(" {}", fitted(&text, cells)), theme.dim())
            }
            (None, None) => {
                let runs = self.data.known().map_or(0, |data| data.views.len());
                let key = " Ctrl-S ";
                let text = format!(" start {} ", plural(runs));
                self.areas.button = Rect::new(area.x, area.y, (width(key) + width(&text)) as u16, 1);
                let duration = match self.duration_text() {
                    known if known.is_empty() => known,
                    known => format!("· {known}"),
                };
                let room = usize::from(area.width).saturating_sub(width(key) + width(&text) + 1);
                Line::from(vec![
                    Span::styled(key, theme.accent().add_modifier(Modifier::REVERSED)),
                    Span::styled(text, theme.text().add_modifier(Modifier::BOLD)),
                    Span::styled(padded(&duration, room), theme.dim()),
                ])
            }
        };
        frame.render_widget(Paragraph::new(line), area);
    }

    fn draw_outlook(&mut self, frame: &mut Frame<'_>, area: Rect, whole: bool, model: &Model) {
        let theme = &model.theme;
        let focused = self.pane == Pane::Outlook;
        let cells = usize::from(area.width.min(READABLE)).saturating_sub(4);
        let height = usize::from(area.height.saturating_sub(2));
        let lines = if whole { self.estimate_lines(cells, model) } else { self.brief_lines(cells, height, model) };
        let hidden = lines.len().saturating_sub(height);
        let note = match (focused, whole, hidden) {
            (true, _, 0) => "Esc back".to_owned(),
            (true, ..) => "↑↓ more · Esc back".to_owned(),
            (false, _, 0) => self.duration_text(),
            (false, true, _) => format!("{hidden} more lines: w"),
            (false, false, _) => "w shows all".to_owned(),
        };
        let inner = draw_pane(frame, area, theme, focused, ["What will happen", &note]);
        let inner = Rect::new(inner.x + 1, inner.y, inner.width.saturating_sub(1), inner.height);
        let first = if focused {
            // The cursor is the first line, as far as there is something behind.
            self.outlook_count = hidden + 1;
            self.outlook.cursor = self.outlook.cursor.min(hidden);
            self.outlook.cursor
        } else {
            0
        };
        let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }
}
