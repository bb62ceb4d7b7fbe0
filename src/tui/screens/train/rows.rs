//! The drawing of the form's rows.

use std::path::Path;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::TrainScreen;
use super::estimate::DataState;
use super::fields::{Field, sections};
use super::study::STUDY;
use crate::terminal::input::Mouse;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, fitted_path, padded, padded_start, width};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// Cells before a value: cursor, mark of a change, name.
pub(super) const VALUE_AT: u16 = 22;
/// Cells of a key's value and of its unit.
const VALUE: usize = 16;
const UNIT: usize = 8;
/// Cells of a view's check box.
const VIEW: u16 = 10;

/// Areas of the last drawing, for the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    /// The start button.
    pub(super) button: Rect,
    /// The first column of the views' check boxes.
    pub(super) views: u16,
}

impl Areas {
    /// The index of the view whose check box is under the mouse, given that the row is the right one.
    pub(super) fn view_at(&self, mouse: Mouse) -> Option<usize> {
        let view = usize::from(mouse.column.checked_sub(self.views)? / VIEW);
        (view < View::ALL.len()).then_some(view)
    }
}

impl TrainScreen {
    /// The heading of a section with the numbers of its fields and of those that are changed.
    pub(super) fn section_line(
        &self,
        title: &'static str,
        selected: bool,
        cells: usize,
        theme: &Theme,
    ) -> Line<'static> {
        let fields = sections().into_iter().find(|(other, _)| *other == title).map(|(_, fields)| fields);
        let fields = fields.unwrap_or_default();
        let changed = fields.iter().filter(|field| self.form.is_changed(**field)).count();
        let sign = if self.open.contains(title) { theme.sign("▾", "v") } else { theme.sign("▸", ">") };
        let style = if selected { theme.accent() } else { theme.dim().add_modifier(Modifier::BOLD) };
        let heading = |cells: usize| Span::styled(format!(" {sign} {}", padded(title, cells)), style);
        let views = self.data.state.known().map_or_else(|| self.form.checked_views(), |data| data.views.len());
        if let Some(study) = self.form.study_text(views).filter(|_| title == STUDY) {
            let heading = heading(width(title) + 1);
            let room = cells.saturating_sub(heading.width() + 1);
            return Line::from(vec![heading, Span::styled(fitted(&format!(" {study}"), room), theme.accent())]);
        }
        let mut spans = vec![heading(usize::from(VALUE_AT) + VALUE - 5)];
        spans.push(Span::styled(format!(" {}", counted(fields.len(), "setting")), theme.dim()));
        if changed > 0 {
            spans.push(Span::styled(format!(", {changed} changed"), theme.accent()));
        }
        Line::from(spans)
    }

    /// The line of a field in `cells` cells.
    pub(super) fn field_line(&self, field: Field, selected: bool, cells: usize, shared: &SharedState) -> Line<'static> {
        let theme = &shared.theme;
        let changed = self.form.is_changed(field);
        let mark = if changed { theme.sign("●", "*") } else { " " };
        let pointer = if selected { theme.sign("▸", ">") } else { " " };
        let mut spans = vec![
            Span::styled(pointer, theme.accent()),
            Span::styled(mark, theme.accent()),
            Span::raw(" "),
            Span::raw(padded(field.name(), usize::from(VALUE_AT) - 3)),
        ];
        let room = cells.saturating_sub(usize::from(VALUE_AT));
        let editing = self.editing.as_ref().filter(|editing| editing.field == field);
        match (field, editing) {
            (Field::Key(_), _) => spans.extend(self.key_spans(field, selected, room, theme)),
            (_, Some(editing)) => {
                let wrong = self.form.check_text(field, editing.typed.text()).is_err();
                spans.extend(typed(editing.typed.spans(room, true, theme), wrong, theme));
            }
            (Field::Views, None) => spans.extend(self.view_spans(selected, theme)),
            (Field::Bits, None) => {
                spans.extend(self.aligned_spans(field, "bits", "auto, 8, 10, 12, 14, 16, white N", room, theme));
            }
            (Field::Folds, None) => spans.extend(self.aligned_spans(field, "folds", "none, or 2 or more", room, theme)),
            (Field::Seeds, None) => {
                spans.extend(self.aligned_spans(field, "seeds", "one, or up to 1,000", room, theme));
            }
            (Field::Jobs, None) => spans.extend(self.aligned_spans(field, "runs", "auto, or 1 or more", room, theme)),
            (Field::Sweep, None) if self.form.study.sweep.is_empty() => {
                let hint = "none, or for example learning_rate=0.003,0.01 batch_size=4,8";
                spans.push(Span::styled(fitted(hint, room), theme.dim()));
            }
            (Field::Sweep, None) => {
                spans.push(Span::styled(fitted(&printable(&self.form.study.sweep), room), theme.accent()));
            }
            (Field::Splits, None) if self.form.study.folds().is_some() => {
                spans.push(Span::styled(fitted("replaced by folds, in the section study", room), theme.dim()));
            }
            (Field::Data, None) => spans.extend(self.data_spans(room, shared)),
            (Field::Preset, None) => spans.extend(self.preset_spans(room, theme)),
            (Field::Name, None) if self.form.name.is_empty() => {
                spans.push(Span::styled(fitted(&self.form.preset.name, room), theme.dim()));
            }
            (_, None) => {
                let text = printable(&self.form.text(field));
                let text = if selected && field.is_choice() { chosen(&text, theme) } else { text };
                spans.push(Span::raw(fitted(&text, room)));
            }
        }
        Line::from(spans)
    }

    /// A typed value with its unit and its range, aligned with the keys.
    fn aligned_spans(&self, field: Field, unit: &str, range: &str, room: usize, theme: &Theme) -> [Span<'static>; 2] {
        let style = if self.form.is_changed(field) { theme.accent() } else { theme.text() };
        let range = fitted(range, room.saturating_sub(VALUE + UNIT + 2));
        let value = padded_start(&printable(&self.form.text(field)), VALUE);
        [Span::styled(value, style), Span::styled(format!(" {} {range}", padded(unit, UNIT)), theme.dim())]
    }

    #[expect(clippy::single_match_else, reason = "both cases are equally important")]
    fn key_spans(&self, field: Field, selected: bool, room: usize, theme: &Theme) -> Vec<Span<'static>> {
        let Some(key) = field.key() else { return Vec::new() };
        let editing = self.editing.as_ref().filter(|editing| editing.field == field);
        let mut spans = Vec::new();
        match editing {
            Some(editing) => {
                let wrong = self.form.check_text(field, editing.typed.text()).is_err();
                let shown = typed(editing.typed.spans(VALUE - 1, true, theme), wrong, theme);
                let used: usize = shown.iter().map(Span::width).sum();
                spans.push(Span::raw(" ".repeat(VALUE.saturating_sub(used))));
                spans.extend(shown);
            }
            None => {
                let text = self.form.text(field);
                let text = if selected && field.is_choice() { chosen(&text, theme) } else { text };
                let style = if self.form.is_changed(field) { theme.accent() } else { theme.text() };
                spans.push(Span::styled(padded_start(&text, VALUE), style));
            }
        }
        let unit = if self.form.text(field) == "1" { singular(key.unit) } else { key.unit };
        let unit = format!(" {}", padded(unit, UNIT));
        // The largest seed, which no column has room for.
        let range = format!(" {}", key.range.about("x").replace("9007199254740992", "2^53"));
        let range = fitted(&range, room.saturating_sub(VALUE + width(&unit)));
        spans.push(Span::styled(unit, theme.dim()));
        spans.push(Span::styled(range, theme.dim()));
        spans
    }

    fn view_spans(&self, selected: bool, theme: &Theme) -> Vec<Span<'static>> {
        let boxes = View::ALL.into_iter().zip(self.form.views).enumerate();
        let draw = |(place, (view, on)): (usize, (View, bool))| {
            let text = format!("[{}] {}", if on { "x" } else { " " }, view.name());
            let gap = " ".repeat(usize::from(VIEW).saturating_sub(width(&text)));
            let style = if selected && place == self.view_cursor {
                theme.accent().add_modifier(Modifier::UNDERLINED)
            } else if on {
                theme.text()
            } else {
                theme.dim()
            };
            [Span::styled(text, style), Span::raw(gap)]
        };
        boxes.flat_map(draw).collect()
    }

    fn data_spans(&self, room: usize, shared: &SharedState) -> Vec<Span<'static>> {
        let theme = &shared.theme;
        let (note, style) = match &self.data.state {
            DataState::Unknown => (String::new(), theme.dim()),
            DataState::Reading => ("reading …".to_owned(), theme.dim()),
            DataState::Failed(_) => (theme.sign("✖ cannot be used", "x cannot be used").to_owned(), theme.bad()),
            DataState::Known(data) => {
                (format!("{} {}", theme.sign("✔", "ok"), counted(data.views.len(), "view")), theme.good())
            }
        };
        if self.form.data.is_empty() {
            let text = "no data set yet; press Enter to type its folder";
            return vec![Span::styled(fitted(text, room), theme.dim())];
        }
        let path = room.saturating_sub(width(&note) + 2);
        let shown = padded(&fitted_path(&shared.shown_path(Path::new(&self.form.data)), path), path);
        vec![Span::raw(shown), Span::raw(" "), Span::styled(fitted(&note, room), style)]
    }

    fn preset_spans(&self, room: usize, theme: &Theme) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        for (name, _) in mammoscope_domain::training::preset::Preset::ALL {
            let on = name == self.form.preset.name;
            let text = if on { chosen(name, theme) } else { format!("  {name}  ") };
            spans.push(Span::styled(text, if on { theme.accent() } else { theme.dim() }));
        }
        let changes = self.form.changes().len();
        if changes > 0 {
            let used: usize = spans.iter().map(Span::width).sum();
            let text = format!("  {changes} changed");
            spans.push(Span::styled(fitted(&text, room.saturating_sub(used)), theme.accent()));
        }
        spans
    }
}

/// A choice between arrows, which indicate that there are others.
fn chosen(text: &str, theme: &Theme) -> String {
    format!("{} {text} {}", theme.sign("‹", "<"), theme.sign("›", ">"))
}

/// The spans of a typed value, in the colour of failure if it is invalid.
fn typed(spans: Vec<Span<'static>>, wrong: bool, theme: &Theme) -> Vec<Span<'static>> {
    let style = if wrong { theme.bad() } else { Style::new().add_modifier(Modifier::UNDERLINED) };
    spans.into_iter().map(|span| span.patch_style(style)).collect()
}
/// A unit for the value 1: `epoch` for `epochs`, `batch` for `batches`.
fn singular(unit: &str) -> &str {
    unit.strip_suffix("ches").map_or_else(|| unit.strip_suffix('s').unwrap_or(unit), |stem| &unit[..stem.len() + 2])
}
