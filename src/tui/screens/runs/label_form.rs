//! The form for the name, the tags and the note of a run.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use crate::terminal::input::Key;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::run_names::title;
use crate::tui::protocol::runs::RunsEffect;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted_path, padded};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_labels::{LabelError, RunLabels};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

const FIELDS: [&str; 3] = ["name", "tags", "note"];
const SIZE: (u16, u16) = (72, 7);

/// The form.
#[derive(Debug)]
pub(super) struct LabelForm {
    run: RunDir,
    /// The title of the run, safe to print.
    title: String,
    /// Name, tags and note.
    fields: [TextField; 3],
    focus: usize,
    /// Why the labels are not accepted.
    error: Option<LabelError>,
}

impl LabelForm {
    /// Inserts pasted text.
    pub(super) fn paste(&mut self, text: &str) {
        self.fields[self.focus].paste(text);
    }

    fn labels(&self) -> Result<RunLabels, LabelError> {
        let mut labels = RunLabels::default();
        labels.rename(self.fields[0].text())?;
        labels.set_tags(self.fields[1].text())?;
        labels.set_note(self.fields[2].text())?;
        Ok(labels)
    }
}

impl RunsScreen {
    /// Opens the form for the selected run.
    pub(super) fn open_label_form(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else {
            return vec![Effect::failed("only a run can be renamed; open the group or study and choose one")];
        };
        let labels = row.labels.as_deref().cloned().unwrap_or_default();
        let name = labels.name.clone().unwrap_or_default();
        let fields = [name, labels.tags_text(), labels.note].map(TextField::new);
        self.label_form = Some(LabelForm { run: row.run.clone(), title: title(row), fields, focus: 0, error: None });
        Vec::new()
    }

    /// Handles a key while the form is open.
    pub(super) fn press_label_form(&mut self, key: Key) -> Vec<Effect> {
        let Some(form) = &mut self.label_form else { return Vec::new() };
        match key {
            Key::Escape => self.label_form = None,
            Key::Tab | Key::Down => form.focus = (form.focus + 1) % FIELDS.len(),
            Key::BackTab | Key::Up => form.focus = (form.focus + FIELDS.len() - 1) % FIELDS.len(),
            Key::Enter => match form.labels() {
                Ok(labels) => {
                    let run = form.run.clone();
                    self.label_form = None;
                    return vec![Effect::Runs(RunsEffect::Label { run, labels })];
                }
                Err(error) => form.error = Some(error),
            },
            key => {
                form.fields[form.focus].press(key);
                form.error = None;
            }
        }
        Vec::new()
    }

    /// Draws the form over the screen.
    pub(super) fn draw_label_form(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let Some(form) = &self.label_form else { return };
        let theme = &shared.theme;
        let titles = [format!("Name and tags of {}", form.title), "Enter save · Tab next · Esc cancel".to_owned()];
        let inner = draw_box(frame, area, SIZE, shared, [&titles[0], &titles[1]]);
        let cells = usize::from(inner.width).saturating_sub(8);
        let mut lines: Vec<Line<'_>> = FIELDS
            .iter()
            .zip(&form.fields)
            .enumerate()
            .map(|(at, (name, field))| {
                let focused = at == form.focus;
                let style = if focused { theme.accent() } else { theme.dim() };
                let mut spans = vec![Span::styled(format!(" {} ", padded(name, 5)), style)];
                spans.extend(field.spans(cells, focused, theme));
                Line::from(spans)
            })
            .collect();
        lines.push(match &form.error {
            Some(error) => Line::styled(format!(" {}", printable(&error.to_string())), theme.bad()),
            None if form.focus == 1 => Line::styled(" words separated by blanks or commas", theme.dim()),
            None => Line::default(),
        });
        let file = shared.shown_path(&form.run.labels());
        let file = fitted_path(&file, usize::from(inner.width).saturating_sub(10));
        lines.push(Line::styled(format!(" kept in {file}"), theme.dim()));
        frame.render_widget(Paragraph::new(lines), inner);
    }
}
