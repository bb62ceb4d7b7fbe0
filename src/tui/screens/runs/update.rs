//! The screen Runs' response to actions, keys and the mouse.

use std::path::PathBuf;

use super::chooser::{Choice, Chooser};
use super::note_text::{needs_attention, note_text};
use super::pager::Pager;
use super::reference::Reference;
use super::{Focus, MAX_MARKED, RunsScreen, Typing};
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::runs::{Lower, RunNote, RunsAction, RunsEffect};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

impl RunsScreen {
    pub(super) fn update(&mut self, action: RunsAction, shared: &SharedState) -> Vec<Effect> {
        if self.pager.is_some() && !matches!(action, RunsAction::Control | RunsAction::Ask(_)) {
            return self.update_pager(action, shared);
        }
        match action {
            RunsAction::Control => return self.open_menu(shared),
            RunsAction::Ask(verb) => return self.request(verb, shared),
            RunsAction::Resume => return self.resume(shared),
            RunsAction::Kill => return self.kill(shared),
            RunsAction::MarkEnded => return self.mark_ended(shared),
            RunsAction::Delete => return self.delete(shared),
            RunsAction::Fold => {
                self.toggle_folder(shared);
                return self.follow();
            }
            RunsAction::OpenEvaluation => return self.open_evaluation(shared),
            RunsAction::Mark => return self.mark(shared),
            RunsAction::NextEvent => return self.next_event(),
            RunsAction::Back => return self.step_back(shared),
            RunsAction::Reference => return self.toggle_reference(),
            RunsAction::Filter => self.typing = Some(Typing::Filter),
            RunsAction::Lower => self.show_info(true),
            RunsAction::PreviousLower => self.show_info(false),
            RunsAction::Label => return self.open_label_form(shared),
            RunsAction::Maximise if self.focus == Focus::Info && self.view.lower != Some(Lower::Nothing) => {
                let content = self.view.lower.unwrap_or(Lower::Events);
                self.areas.shown_lower = Some(content);
                self.pager = Some(Pager::of(content));
            }
            RunsAction::Maximise => self.alone = !self.alone,
            RunsAction::Metrics => self.chooser = Some(Chooser::new(Choice::Metrics)),
            RunsAction::Columns => self.chooser = Some(Chooser::new(Choice::Columns)),
            RunsAction::Copy => {
                return self.copied(shared).map(Effect::Copy).into_iter().collect();
            }
            RunsAction::Export => return self.export(shared),
            RunsAction::Clone => return self.train_again(shared),
            RunsAction::NextSort => {
                self.view.sort = self.view.sort.next_sort();
                self.view.reversed = false;
                self.refresh_list(shared);
                return self.follow();
            }
            RunsAction::ReverseSort => {
                self.view.reversed = !self.view.reversed;
                self.refresh_list(shared);
                return self.follow();
            }
            action => self.update_charts(action),
        }
        Vec::new()
    }

    /// The path of the run under the cursor, or the id of the group or study, which commands take for its runs.
    fn copied(&self, shared: &SharedState) -> Option<String> {
        let path = self.chosen_row(shared).map(|row| row.run.path().to_string_lossy().into_owned());
        path.or_else(|| self.chosen_folder(shared).map(|(_, id, _)| id.to_owned()))
    }

    /// Shows the next or the previous content of the information pane.
    fn show_info(&mut self, forwards: bool) {
        let content = self.areas.shown_lower.unwrap_or(Lower::Nothing).next(forwards);
        // Another key may follow before the next drawing.
        (self.view.lower, self.areas.shown_lower) = (Some(content), Some(content));
        self.lower.scrolled = 0;
        self.focus = Focus::Info;
    }

    pub(super) fn move_in_list(&mut self, motion: ListMotion, shared: &SharedState) -> Vec<Effect> {
        let mut list = self.picker.list;
        list.move_by(motion, self.picker.shown.len());
        self.choose(list.cursor, shared);
        self.follow()
    }

    fn open_evaluation(&self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else { return Vec::new() };
        let evaluated = |run: &RunDir| {
            let summary = self.followed.curves.get(run).and_then(|curves| curves.summary.as_ref());
            summary.is_some_and(|summary| !summary.evaluations.is_empty())
        };
        if evaluated(&row.run) {
            let mut effects = vec![Effect::Navigate(Destination::Evaluation(row.run.clone()))];
            effects.extend(self.nearest_checkpoint(&row.run).map(Effect::neutral));
            return effects;
        }
        vec![Effect::failed(format!(
            "{} has no evaluation yet: it is made when training ends",
            crate::tui::protocol::run_names::title(row)
        ))]
    }

    /// A note about the best checkpoint nearest to the cursor, since the evaluation is of the best epoch of all.
    fn nearest_checkpoint(&self, run: &RunDir) -> Option<String> {
        let (cursor, curves) = (self.cursor?, self.followed.curves.get(run)?);
        let summary = curves.summary.as_ref()?;
        let best = summary.best.as_ref()?;
        let distance = |saved: &SavedCheckpoint| (curves.place_of(saved.step, self.view.axis) - cursor).abs();
        let nearest = summary
            .checkpoints
            .iter()
            .filter(|saved| saved.kind == CheckpointKind::Best)
            .min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
        let metric = best.metric.replace('_', " ");
        let value = nearest.value.map_or_else(String::new, |value| format!(", {metric} {value:.3}"));
        let evaluation = format!("epoch {}, {metric} {:.3}", best.epoch, best.value);
        Some(if nearest.epoch == best.epoch {
            format!("the checkpoint nearest to the cursor is the best: {evaluation}")
        } else {
            format!(
                "nearest to the cursor: epoch {}{value}; the evaluation is that of the best: {evaluation}",
                nearest.epoch
            )
        })
    }

    fn mark(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(run) = self.chosen_row(shared).map(|row| row.run.clone()) else {
            let is_empty = self.picker.shown.is_empty();
            let text = if is_empty { "no run is listed" } else { "only runs can be marked; open the group or study" };
            return vec![Effect::failed(text)];
        };
        match self.marked.iter().position(|other| *other == run) {
            Some(position) => {
                self.marked.remove(position);
            }
            None if self.marked.len() >= MAX_MARKED => {
                return vec![Effect::failed(format!("at most {MAX_MARKED} runs can be marked"))];
            }
            None => self.marked.push(run),
        }
        self.follow()
    }

    /// Goes one step back: clears the cursor, then the marks, then the filter.
    fn step_back(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.alone {
            self.alone = false;
        } else if self.cursor.take().is_some() || self.lower.note.take().is_some() {
            self.lower.note = None;
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.picker.filter.text().is_empty() {
            self.picker.filter = TextField::default();
            self.refresh_list(shared);
        }
        self.follow()
    }

    fn toggle_reference(&mut self) -> Vec<Effect> {
        if let Some(Reference { folder, .. }) = self.reference.take() {
            self.folder = TextField::new(folder.to_string_lossy());
            return vec![Effect::neutral("the reference is hidden; the same key shows one again")];
        }
        self.typing = Some(Typing::ReferenceFolder);
        Vec::new()
    }

    /// Handles a key while text is being typed.
    pub(super) fn press_typing(&mut self, typing: Typing, key: Key, shared: &SharedState) -> Vec<Effect> {
        if let (Typing::Filter, Some(motion)) = (typing, ListMotion::while_typing(key)) {
            return self.move_in_list(motion, shared);
        }
        match (typing, key) {
            (Typing::Filter, Key::Enter) | (_, Key::Escape) => self.typing = None,
            (Typing::Filter, key) => {
                self.picker.filter.press(key);
                self.refresh_list(shared);
                return self.follow();
            }
            (Typing::ReferenceFolder, Key::Enter) => {
                self.typing = None;
                let folder = self.folder.text().trim();
                if !folder.is_empty() {
                    return vec![Effect::Runs(RunsEffect::ReadReference(PathBuf::from(folder)))];
                }
            }
            (Typing::ReferenceFolder, key) => {
                self.folder.press(key);
            }
        }
        Vec::new()
    }

    /// Goes to the next note that needs attention, after the last one to the first.
    fn next_event(&mut self) -> Vec<Effect> {
        let end = self.end();
        let Some(curves) = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run)) else {
            return Vec::new();
        };
        let wanted = |(at, note): (usize, &RunNote)| needs_attention(&note.kind).then_some(at);
        let from = self.lower.note.map_or(0, |note| note + 1);
        let after = curves.notes.iter().enumerate().skip(from).find_map(wanted);
        let Some(found) = after.or_else(|| curves.notes.iter().enumerate().find_map(wanted)) else {
            return vec![Effect::neutral("no warnings in this run")];
        };
        let place = curves.place_of(curves.notes[found].step, self.view.axis);
        self.lower.note = Some(found);
        self.lower.scrolled = 0;
        self.cursor = Some(place);
        self.view.viewport = self.view.viewport.showing(place, end);
        if self.areas.shown_lower == Some(Lower::Log) {
            self.view.lower = Some(Lower::Events);
        }
        let text = note_text(&curves.notes[found].kind);
        let place = format!("step {}", curves.notes[found].step);
        let is_named = text.contains(&format!("at {place}"));
        let text = if is_named { printable(&text) } else { format!("{place}: {}", printable(&text)) };
        vec![Effect::warning(text)]
    }

    pub(super) fn on_mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if self.menu.is_some() {
            return self.mouse_in_menu(mouse, shared);
        }
        if self.chooser.is_some() {
            return self.mouse_in_chooser(mouse);
        }
        if self.pager.is_some() {
            self.mouse_in_pager(mouse, shared);
            return Vec::new();
        }
        let position = (mouse.column, mouse.row).into();
        if self.picker.list.is_under(mouse) {
            return match mouse.kind {
                MouseKind::WheelUp => self.move_in_list(ListMotion::Up, shared),
                MouseKind::WheelDown => self.move_in_list(ListMotion::Down, shared),
                MouseKind::Press => match self.picker.list.row_at(mouse, self.picker.shown.len()) {
                    Some(row) if row == self.picker.list.cursor => {
                        let is_folder = self.chosen_folder(shared).is_some();
                        self.update(if is_folder { RunsAction::Fold } else { RunsAction::OpenEvaluation }, shared)
                    }
                    Some(row) => {
                        self.choose(row, shared);
                        self.follow()
                    }
                    None => Vec::new(),
                },
                MouseKind::Drag | MouseKind::Release => Vec::new(),
            };
        }
        if let Some(plot) = self.areas.plots.iter().copied().find(|plot| plot.area.contains(position)) {
            self.mouse_in_chart(mouse, &plot);
            self.focus = Focus::Charts;
        } else if self.areas.lower.contains(position) {
            match mouse.kind {
                MouseKind::WheelUp => self.lower.scrolled += 1,
                MouseKind::WheelDown => self.lower.scrolled = self.lower.scrolled.saturating_sub(1),
                _ => {}
            }
        }
        Vec::new()
    }
}
