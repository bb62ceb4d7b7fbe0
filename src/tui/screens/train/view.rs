//! The drawing of the screen Train.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::fields::{Field, Row, sections};
use super::form::TrainForm;
pub(super) use super::rows::Areas;
use super::rows::VALUE_AT;
use super::wrapped::wrapped;
use super::{Pane, TrainScreen};
use crate::tui::protocol::train::SplitChoice;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, padded, width};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::config_keys::ConfigKey;

/// From this width on, the estimate is beside the form, otherwise below it.
const SIDE_BY_SIDE: u16 = 110;
/// Lines of help below the form.
const HELP: usize = 3;
/// The largest readable width of the estimate.
const MAX_READABLE: u16 = 92;

impl TrainScreen {
    pub(super) fn draw_all(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.areas = Areas::default();
        match self.pane {
            Pane::Layers => self.draw_layers(frame, area, shared),
            Pane::Estimate => self.draw_estimate(frame, area, true, shared),
            Pane::Form if area.width >= SIDE_BY_SIDE => {
                let columns = Layout::horizontal([Constraint::Percentage(59), Constraint::Fill(1)]);
                let [form, estimate] = columns.areas(area);
                self.draw_form(frame, form, shared);
                self.draw_estimate(frame, estimate, true, shared);
            }
            Pane::Form => {
                let below = if area.height >= 20 { 7 } else { 4 };
                let [form, estimate] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(area);
                self.draw_form(frame, form, shared);
                self.draw_estimate(frame, estimate, false, shared);
            }
        }
    }

    /// The length of the current reading pane.
    pub(super) fn pane_length(&self) -> usize {
        match self.pane {
            Pane::Layers => self.layer_count(),
            Pane::Estimate | Pane::Form => self.reading.estimate_length,
        }
    }

    fn draw_form(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let rows = self.rows();
        let is_filtered = self.filter.is_shown();
        let back = if self.filter.is_typing { "Esc".to_owned() } else { key_text(Verb::Back, &shared.keymap) };
        let found = if is_filtered { format!("{} found · {back} shows all", rows.len()) } else { String::new() };
        let inner = draw_pane(frame, area, theme, self.pane == Pane::Form, ["New training", &found]);
        // In a low terminal the list shrinks; one line of help and the button always stay.
        let help = if inner.height >= 10 { HELP } else { 1 };
        let [filter, list, rule, help, button] = Layout::vertical([
            Constraint::Length(u16::from(is_filtered)),
            Constraint::Fill(1),
            Constraint::Length(u16::from(inner.height >= 16)),
            Constraint::Length(help as u16),
            Constraint::Length(1),
        ])
        .areas(inner);
        if is_filtered {
            let mut spans = vec![Span::styled(" / ", theme.accent())];
            let cells = usize::from(filter.width).saturating_sub(4);
            spans.extend(self.filter.field.spans(cells, self.filter.is_typing, theme));
            frame.render_widget(Paragraph::new(Line::from(spans)), filter);
        }
        self.areas.views = list.x + VALUE_AT;
        self.draw_rows(frame, list, &rows, shared);
        let history = self.history_lines(usize::from(list.width).saturating_sub(2), shared);
        let (free, needed) = (usize::from(list.height).saturating_sub(rows.len()), history.len());
        if needed > 0 && free > needed && !is_filtered {
            let place =
                Rect { x: list.x + 1, y: list.bottom() - needed as u16, width: list.width - 1, height: needed as u16 };
            frame.render_widget(Paragraph::new(history), place);
        }
        let dash = if theme.ascii { "-" } else { "─" };
        frame.render_widget(Paragraph::new(Line::styled(dash.repeat(usize::from(rule.width)), theme.border())), rule);
        frame.render_widget(Paragraph::new(self.help_lines(help, shared)), help);
        self.draw_button(frame, button, shared);
    }

    fn draw_rows(&mut self, frame: &mut Frame<'_>, area: Rect, rows: &[Row], shared: &SharedState) {
        let theme = &shared.theme;
        if rows.is_empty() {
            // The error names the most similar key.
            let text = match ConfigKey::named(self.filter.field.text().trim()) {
                Err(error) => printable(&error.to_string()),
                Ok(_) => "no matching field".to_owned(),
            };
            let lines: Vec<Line<'_>> = wrapped(&text, usize::from(area.width).saturating_sub(4))
                .into_iter()
                .map(|line| Line::styled(format!("   {line}"), theme.warning()))
                .collect();
            frame.render_widget(Paragraph::new(lines), area);
            return;
        }
        // The heading above the first field is visible whenever that is.
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
                Row::Heading(title) => {
                    let style = theme.dim().add_modifier(Modifier::BOLD);
                    frame.render_widget(Paragraph::new(Line::styled(format!(" {title}"), style)), place);
                }
                Row::Section(title) => {
                    let style = if selected { theme.selected(self.pane == Pane::Form) } else { Style::new() };
                    let line = self.section_line(title, selected, cells, theme);
                    frame.render_widget(Paragraph::new(line).style(style), place);
                }
                Row::Field(field) => {
                    let style = if selected { theme.selected(self.pane == Pane::Form) } else { Style::new() };
                    let line = self.field_line(field, selected, cells, shared);
                    frame.render_widget(Paragraph::new(line).style(style), place);
                }
            }
        }
    }

    /// A description of the field under the cursor, or what is wrong with the typed value.
    #[expect(clippy::single_match_else, reason = "both cases are equally important")]
    fn help_lines(&self, area: Rect, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        if let Some(title) = self.section() {
            return section_help(title, cells, theme);
        }
        let Some(field) = self.field() else { return Vec::new() };
        let wrong = self.editing.as_ref().and_then(|editing| {
            self.form.check_text(editing.field, editing.typed.text()).err().map(|error| printable(error.text()))
        });
        let asked = self.editing.as_ref().and_then(|editing| {
            let text = editing.doubted.as_ref().filter(|text| *text == editing.typed.text())?;
            TrainForm::doubt(editing.field, text).map(|doubt| format!("{doubt}; Enter accepts, Esc cancels"))
        });
        let mut lines = Vec::new();
        let problem = wrong.map(|error| (error, theme.sign("✖", "x"), theme.bad()));
        match problem.or_else(|| asked.map(|question| (question, "!", theme.warning()))) {
            Some((text, sign, style)) => {
                let parts = wrapped(&text, cells.saturating_sub(2));
                lines.extend(parts.into_iter().enumerate().map(|(number, part)| {
                    let lead = if number == 0 { sign } else { " " };
                    Line::styled(format!(" {lead} {part}"), style)
                }));
            }
            None => {
                if let Some(facts) = self.facts(field, shared).filter(|_| area.height > 1) {
                    lines.push(Line::styled(format!(" {}", fitted(&facts, cells)), theme.text()));
                }
                let parts = wrapped(self.form.meaning(field), cells);
                lines.extend(parts.into_iter().map(|part| Line::styled(format!(" {part}"), theme.dim())));
            }
        }
        lines.truncate(usize::from(area.height));
        lines
    }

    /// The range of a key and its value in the preset; for the preset, its description.
    fn facts(&self, field: Field, shared: &SharedState) -> Option<String> {
        let form = &self.form;
        if let (Field::Splits, SplitChoice::OfRun(splits)) = (field, &form.splits) {
            return splits.warning();
        }
        if field == Field::Preset {
            return Some(form.preset.description.clone());
        }
        let key = field.key()?;
        let about = key.range.about(key.name);
        let of_preset = key.value(&form.preset.config);
        Some(if form.is_changed(field) {
            let reset = key_text(Verb::Remove, &shared.keymap);
            format!("{about} · {reset} restores {of_preset}, the default of preset {}", form.preset.name)
        } else {
            format!("{about} · default of preset {}", form.preset.name)
        })
    }

    fn draw_button(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        let line = match (self.start.pending, self.obstacle()) {
            (Some(count), _) => {
                let work = if self.form.study.folds().is_some() {
                    "comparing the images, then loading the engine"
                } else {
                    "loading the engine"
                };
                let text = format!("starting {}: {work} …", counted(count, "run"));
                Line::styled(format!(" {}", fitted(&text, cells)), theme.accent())
            }
            (None, Some(obstacle)) => {
                let text = format!("cannot start yet: {}", printable(&obstacle));
                Line::styled(format!(" {}", fitted(&text, cells)), theme.dim())
            }
            (None, None) if self.start.doubt.is_some() => {
                let key = key_text(Verb::Start, &shared.keymap);
                let text = format!("! {}; {key} starts anyway", self.start.doubt.as_deref().unwrap_or_default());
                Line::styled(format!(" {}", fitted(&text, cells)), theme.warning())
            }
            (None, None) => {
                let runs = self.planned_runs();
                let key = format!(" {} ", key_text(Verb::Start, &shared.keymap));
                let text = format!(" start {} ", counted(runs, "run"));
                self.areas.button = Rect::new(area.x, area.y, (width(&key) + width(&text)) as u16, 1);
                let duration = match self.duration_text() {
                    known if known.is_empty() => known,
                    known => format!("· {known}"),
                };
                let room = usize::from(area.width).saturating_sub(width(&key) + width(&text) + 1);
                Line::from(vec![
                    Span::styled(key, theme.accent().add_modifier(Modifier::REVERSED)),
                    Span::styled(text, theme.text().add_modifier(Modifier::BOLD)),
                    Span::styled(padded(&duration, room), theme.dim()),
                ])
            }
        };
        frame.render_widget(Paragraph::new(line), area);
    }

    fn draw_estimate(&mut self, frame: &mut Frame<'_>, area: Rect, whole: bool, shared: &SharedState) {
        let theme = &shared.theme;
        let focused = self.pane == Pane::Estimate;
        let cells = usize::from(area.width.min(MAX_READABLE)).saturating_sub(4);
        let height = usize::from(area.height.saturating_sub(2));
        let lines = if whole { self.estimate_lines(cells, shared) } else { self.brief_lines(cells, height, shared) };
        let hidden = lines.len().saturating_sub(height);
        let note = match (focused, whole, hidden) {
            (true, _, 0) => format!("{} back", key_text(Verb::Back, &shared.keymap)),
            (true, ..) => format!("↑↓ more · {} back", key_text(Verb::Back, &shared.keymap)),
            (false, _, 0) => self.duration_text(),
            (false, true, _) => {
                format!("{} below: {}", counted(hidden, "line"), key_text(Verb::NextPane, &shared.keymap))
            }
            (false, false, _) => format!("{} shows all", key_text(Verb::NextPane, &shared.keymap)),
        };
        let inner = draw_pane(frame, area, theme, focused, ["Estimate", &note]);
        let inner = Rect::new(inner.x + 1, inner.y, inner.width.saturating_sub(1), inner.height);
        let first = if focused {
            // The cursor is the first visible line.
            self.reading.estimate_length = hidden + 1;
            self.reading.estimate.cursor = self.reading.estimate.cursor.min(hidden);
            self.reading.estimate.cursor
        } else {
            0
        };
        let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }
}

/// The names of a section's fields.
fn section_help(title: &str, cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    let fields =
        sections().into_iter().find(|(other, _)| *other == title).map(|(_, fields)| fields).unwrap_or_default();
    let names = fields.into_iter().map(Field::name).collect::<Vec<_>>().join(", ");
    let lines = wrapped(&names, cells).into_iter();
    lines.take(HELP).map(|line| Line::styled(format!(" {line}"), theme.dim())).collect()
}
