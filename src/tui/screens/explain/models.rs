//! The choice of models to explain: runs in the workspace, and folders of model files.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::ExplainScreen;
use super::sides::Side;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{ExplainEffect, ModelSource};
use crate::tui::protocol::failure::Failure;
use crate::tui::screens::evaluate::entries::{Entry, all_entries, view_of};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::path_field::{PathField, PathKey, PathPrompt};

/// A choice of models.
pub(super) struct Choice {
    pub(super) source: ModelSource,
    title: String,
    facts: String,
}

/// The field for the path of a model.
const PROMPT: PathPrompt = PathPrompt {
    title: "Open models",
    label: "model",
    hint: "a .safetensors file, or a folder with one model per view",
};

impl ExplainScreen {
    /// Opens a field for the path of a model.
    pub(super) fn ask_models(&mut self, shared: &SharedState) -> Vec<Effect> {
        let start = match &self.source {
            Some(ModelSource::Files(path)) => path.parent().unwrap_or(path),
            _ => shared.workspace.as_path(),
        };
        let field = PathField::new(PROMPT, &format!("{}/", start.to_string_lossy().trim_end_matches('/')));
        let typed = self.path_field.insert(field).text().to_owned();
        vec![Effect::Explain(ExplainEffect::Complete(typed))]
    }

    pub(super) fn after_path_key(&mut self, pressed: PathKey) -> Vec<Effect> {
        match pressed {
            PathKey::Nothing => Vec::new(),
            PathKey::Complete(typed) => vec![Effect::Explain(ExplainEffect::Complete(typed))],
            PathKey::Check(typed) => vec![Effect::Explain(ExplainEffect::CheckModels(typed))],
            PathKey::Cancelled => {
                self.path_field = None;
                Vec::new()
            }
        }
    }

    /// Uses the models of the submitted path, or leaves it in the field with the reason why not.
    pub(super) fn on_models_checked(
        &mut self,
        typed: &str,
        outcome: Result<PathBuf, Failure>,
        shared: &SharedState,
    ) -> Vec<Effect> {
        let Some(path) = self.path_field.as_mut().and_then(|field| field.on_checked(typed, outcome)) else {
            return Vec::new();
        };
        self.path_field = None;
        let mut effects = self.use_models(ModelSource::Files(path));
        effects.extend(self.request_shown(shared));
        effects.push(Effect::SaveView);
        effects
    }

    /// Searches for folders with models, once.
    pub(super) fn find_models(&mut self) -> Vec<Effect> {
        if self.folders.is_some() {
            return Vec::new();
        }
        // Prevents another search before the answer comes.
        self.folders = Some(Vec::new());
        vec![Effect::Explain(ExplainEffect::LookForModels)]
    }

    /// All choices: runs that have models, newest first, then folders.
    pub(super) fn choices(&self, shared: &SharedState) -> Vec<Choice> {
        let of_runs = all_entries(shared).into_iter().filter(|entry| has_models(entry, shared)).map(|entry| {
            let runs = entry.runs(shared);
            let views: Vec<_> = runs.iter().filter_map(view_of).map(|view| view.to_string()).collect();
            let facts = match entry.waiting_text(shared) {
                Some(waiting) => format!("{} · {waiting}", views.join(" ")),
                None => views.join(" "),
            };
            let source = ModelSource::Runs(runs.iter().map(|row| row.run.clone()).collect());
            Choice { source, title: entry.title(shared), facts }
        });
        let folder = |folder: &PathBuf| Choice {
            source: ModelSource::Files(folder.clone()),
            title: shared.shown_path(folder),
            facts: "folder of models".to_owned(),
        };
        of_runs.chain(self.folders.iter().flatten().map(folder)).collect()
    }

    /// The initial choice: the newest runs that are over, else the first choice.
    pub(super) fn first_source(&self, shared: &SharedState) -> Option<ModelSource> {
        if !shared.runs.listed {
            return None;
        }
        let over = all_entries(shared)
            .into_iter()
            .find(|entry| has_models(entry, shared) && entry.waiting_text(shared).is_none())
            .map(|entry| ModelSource::Runs(entry.runs(shared).iter().map(|row| row.run.clone()).collect()));
        over.or_else(|| self.choices(shared).into_iter().next().map(|choice| choice.source))
    }

    /// The title of the models of a side.
    pub(super) fn source_text(&self, side: Side, shared: &SharedState) -> String {
        match self.source_of(side) {
            None => "no models yet".to_owned(),
            Some(ModelSource::Files(path)) => shared.shown_path(path),
            Some(ModelSource::Runs(runs)) => {
                let is_it = |entry: &Entry| entry.runs(shared).iter().any(|row| runs.contains(&row.run));
                let found = all_entries(shared).into_iter().find(is_it);
                found.map_or_else(
                    || runs.first().map(|run| shared.shown_path(run.path())).unwrap_or_default(),
                    |entry| entry.title(shared),
                )
            }
        }
    }

    pub(super) fn draw_models(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let choices = self.choices(shared);
        let theme = &shared.theme;
        let count = format!("{} to choose from", choices.len());
        let title = match self.chooses {
            Side::Left => "Explain with the models of",
            Side::Right => "Compare with the models of",
        };
        let in_use = self.source_of(self.chooses).cloned();
        let inner = draw_pane(frame, area, theme, true, [title, &count]);
        let Some(list) = &mut self.chooser else { return };
        if choices.is_empty() {
            let text = " no run has a model yet: train one, or type the path of a model with o";
            frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), inner);
            return;
        }
        let cells = usize::from(inner.width).saturating_sub(2);
        let column = (cells / 2).min(40);
        for (row, at) in list.visible(inner, choices.len()).enumerate() {
            let Some(choice) = choices.get(at) else { continue };
            let line = Rect { y: inner.y + row as u16, height: 1, ..inner };
            let chosen = if in_use.as_ref() == Some(&choice.source) { theme.sign("✔", "*") } else { " " };
            let style = if at == list.cursor { theme.selected(true) } else { theme.text() };
            let text = Line::from(vec![
                Span::raw(format!("{chosen} {}  ", padded(&fitted(&choice.title, column), column))),
                Span::styled(fitted(&choice.facts, cells.saturating_sub(column + 4)), theme.dim()),
            ]);
            frame.render_widget(Paragraph::new(text).style(style), line);
        }
    }
}

/// True if one of the runs has finished an epoch, and so has a model.
fn has_models(entry: &Entry, shared: &SharedState) -> bool {
    entry.runs(shared).iter().any(|row| row.status.as_ref().is_some_and(|status| status.epoch > 0))
}
