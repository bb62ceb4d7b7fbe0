//! The screen Runs' response to actions, keys and the mouse.

use std::path::PathBuf;

use super::note_text::{needs_attention, note_text};
use super::reference::Reference;
use super::viewport::Viewport;
use super::{MAX_MARKED, RunsScreen, SMOOTHING, Typing};
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::runs::{Lower, RunNote, RunsAction, RunsEffect};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The smallest number of reports to which zooming leads.
const MIN_VISIBLE_REPORTS: f64 = 4.0;

impl RunsScreen {
    pub(super) fn update(&mut self, action: RunsAction, shared: &SharedState) -> Vec<Effect> {
        let end = self.end();
        match action {
            RunsAction::Control => return self.open_menu(shared),
            RunsAction::Ask(verb) => return self.request(verb, shared),
            RunsAction::Resume => return self.resume(shared),
            RunsAction::Kill => return self.kill(shared),
            RunsAction::MarkEnded => return self.mark_ended(shared),
            RunsAction::Delete => return self.delete(shared),
            RunsAction::OpenEvaluation if self.chosen_study(shared).is_some() => {
                self.toggle_study(shared);
                return self.follow();
            }
            RunsAction::OpenEvaluation => return self.open_evaluation(shared),
            RunsAction::Mark => return self.mark(shared),
            RunsAction::NextEvent => return self.next_event(),
            RunsAction::Back => return self.step_back(shared),
            RunsAction::Reference => return self.toggle_reference(),
            RunsAction::Filter => self.typing = Some(Typing::Filter),
            RunsAction::Smoother => self.view.smoothing = (self.view.smoothing + 1).min(SMOOTHING.len() - 1),
            RunsAction::Rougher => self.view.smoothing = self.view.smoothing.saturating_sub(1),
            RunsAction::LogScale => self.view.log = !self.view.log,
            RunsAction::Axis => self.next_axis(),
            RunsAction::ZoomIn => {
                let least = end * MIN_VISIBLE_REPORTS / self.longest().max(MIN_VISIBLE_REPORTS);
                self.view.viewport = self.view.viewport.zoomed_in(self.cursor, end, least);
            }
            RunsAction::ZoomOut => self.view.viewport = self.view.viewport.zoomed_out(self.cursor, end),
            RunsAction::PanLeft => self.view.viewport = self.view.viewport.panned(-1.0, end),
            RunsAction::PanRight => self.view.viewport = self.view.viewport.panned(1.0, end),
            RunsAction::Tail => self.view.viewport = self.view.viewport.at_the_tail(self.end_of_runs()),
            RunsAction::Reset => self.view.viewport = Viewport::Whole,
            RunsAction::CursorLeft => self.move_cursor(-1),
            RunsAction::CursorRight => self.move_cursor(1),
            RunsAction::Lower => {
                self.lower.scrolled = 0;
                self.view.lower = Some(match self.areas.shown_lower {
                    Some(Lower::Events) => Lower::Log,
                    Some(Lower::Log) => Lower::Nothing,
                    _ => Lower::Events,
                });
            }
        }
        Vec::new()
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
            super::control::title(row)
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
        let Some(run) = self.chosen_row(shared).map(|row| row.run.clone()) else { return Vec::new() };
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
        if self.cursor.take().is_some() || self.lower.note.take().is_some() {
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

    /// The largest number of reports of a run on screen.
    fn longest(&self) -> f64 {
        let axis = self.view.axis;
        self.followed.curves.values().map(|curves| curves.places.on(axis).len()).max().unwrap_or(0) as f64
    }

    /// Switches the horizontal axis; the cursor stays on its step, and the whole range becomes visible.
    fn next_axis(&mut self) {
        let axis = self.view.axis;
        let next = axis.next();
        let chosen = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
        self.cursor = self.cursor.zip(chosen).and_then(|(cursor, curves)| {
            let at = curves.nearest(axis, cursor)?;
            Some(curves.places.on(next)[at])
        });
        self.view.axis = next;
        self.view.viewport = Viewport::Whole;
    }

    /// Moves the cursor by a cell, or to the next report if that is farther away.
    fn move_cursor(&mut self, direction: isize) {
        let axis = self.view.axis;
        let (from, to) = self.range();
        let end = self.end();
        let Some(curves) = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run)) else { return };
        let places = curves.places.on(axis);
        if places.is_empty() {
            return;
        }
        let cells = self.areas.plots.first().map_or(60, |plot| plot.width.max(1));
        let place = match self.cursor {
            None => to.min(curves.end(axis)),
            Some(cursor) => {
                let wanted = cursor + (to - from) / f64::from(cells) * direction as f64;
                let before = curves.nearest(axis, cursor);
                let mut at = curves.nearest(axis, wanted).unwrap_or(0);
                if before == Some(at) {
                    at = at.saturating_add_signed(direction).min(places.len() - 1);
                }
                places[at]
            }
        };
        self.cursor = Some(place);
        self.view.viewport = self.view.viewport.showing(place, end);
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
            return vec![Effect::neutral("no events of this run need attention")];
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
        vec![Effect::neutral(format!("step {}: {}", curves.notes[found].step, printable(&text)))]
    }

    pub(super) fn on_mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if self.menu.is_some() {
            return self.mouse_in_menu(mouse, shared);
        }
        let position = (mouse.column, mouse.row).into();
        if self.picker.list.is_under(mouse) {
            return match mouse.kind {
                MouseKind::WheelUp => self.move_in_list(ListMotion::Up, shared),
                MouseKind::WheelDown => self.move_in_list(ListMotion::Down, shared),
                MouseKind::Press => match self.picker.list.row_at(mouse, self.picker.shown.len()) {
                    Some(row) if row == self.picker.list.cursor => self.update(RunsAction::OpenEvaluation, shared),
                    Some(row) => {
                        self.choose(row, shared);
                        self.follow()
                    }
                    None => Vec::new(),
                },
                MouseKind::Drag | MouseKind::Release => Vec::new(),
            };
        }
        if let Some(plot) = self.areas.plots.iter().find(|plot| plot.contains(position)) {
            let (from, to) = self.range();
            let share = f64::from(mouse.column - plot.x) / f64::from(plot.width.max(2) - 1);
            let place = from + (to - from) * share;
            match mouse.kind {
                MouseKind::Press | MouseKind::Drag => self.cursor = Some(place),
                MouseKind::WheelUp | MouseKind::WheelDown => {
                    let end = self.end();
                    self.view.viewport = if mouse.kind == MouseKind::WheelUp {
                        let least = end * MIN_VISIBLE_REPORTS / self.longest().max(MIN_VISIBLE_REPORTS);
                        self.view.viewport.zoomed_in(Some(place), end, least)
                    } else {
                        self.view.viewport.zoomed_out(Some(place), end)
                    };
                }
                MouseKind::Release => {}
            }
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
