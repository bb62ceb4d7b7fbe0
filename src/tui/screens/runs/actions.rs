//! What keys and the mouse do.

use std::path::PathBuf;

use super::note_text::wants_attention;
use super::reference::Reference;
use super::viewport::Viewport;
use super::{MAX_MARKED, RunsScreen, SMOOTHING, Typing};
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::runs::{Lower, RunsAction, RunsEffect};
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_event::CheckpointKind;
use mammoscope_domain::run::run_records::SavedCheckpoint;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The smallest range that zooming leads to.
const NEAREST: f64 = 4.0;

impl RunsScreen {
    /// Does what a key stands for.
    pub(super) fn act_here(&mut self, action: RunsAction, model: &Model) -> Vec<Effect> {
        let end = self.end();
        match action {
            RunsAction::Up => return self.press_list(Key::Up, model),
            RunsAction::Down => return self.press_list(Key::Down, model),
            RunsAction::PageUp => return self.press_list(Key::PageUp, model),
            RunsAction::PageDown => return self.press_list(Key::PageDown, model),
            RunsAction::First => return self.press_list(Key::Home, model),
            RunsAction::Last => return self.press_list(Key::End, model),
            RunsAction::Control => return self.open_menu(model),
            RunsAction::Ask(verb) => return self.ask(verb, model),
            RunsAction::Resume => return self.resume(model),
            RunsAction::Kill => return self.kill(model),
            RunsAction::MarkEnded => return self.mark_ended(model),
            RunsAction::Delete => return self.delete(model),
            RunsAction::OpenEvaluation => return self.open_evaluation(model),
            RunsAction::Mark => return self.mark(model),
            RunsAction::NextEvent => return self.next_event(),
            RunsAction::Back => return self.step_back(model),
            RunsAction::Reference => return self.ask_for_reference(),
            RunsAction::Filter => self.typing = Some(Typing::Filter),
            RunsAction::Smoother => self.view.smoothing = (self.view.smoothing + 1).min(SMOOTHING.len() - 1),
            RunsAction::Rougher => self.view.smoothing = self.view.smoothing.saturating_sub(1),
            RunsAction::LogScale => self.view.log = !self.view.log,
            RunsAction::Axis => self.turn_axis(),
            RunsAction::ZoomIn => {
                let least = end * NEAREST / self.longest().max(NEAREST);
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
                self.scrolled = 0;
                self.view.lower = Some(match self.areas.shown_lower {
                    Some(Lower::Events) => Lower::Log,
                    Some(Lower::Log) => Lower::Nothing,
                    _ => Lower::Events,
                });
            }
        }
        Vec::new()
    }

    fn press_list(&mut self, key: Key, model: &Model) -> Vec<Effect> {
        let mut list = self.list;
        list.press(key, self.shown.len());
        self.choose(list.cursor, model);
        self.follow()
    }

    fn open_evaluation(&self, model: &Model) -> Vec<Effect> {
        let Some(row) = self.chosen_row(model) else { return Vec::new() };
        let evaluated = |run: &RunDir| {
            let state = self.curves.get(run).and_then(|curves| curves.state.as_ref());
            state.is_some_and(|state| !state.evaluations.is_empty())
        };
        if evaluated(&row.run) {
            let mut effects = vec![Effect::Navigate(Destination::Evaluation(row.run.clone()))];
            effects.extend(self.nearest_checkpoint(&row.run).map(Effect::done));
            return effects;
        }
        vec![Effect::failed(format!(
            "{} has no evaluation yet: it is made when the training is over",
            super::control::title(row)
        ))]
    }

    /// Which of the best checkpoints lies nearest to the cursor, and of which the evaluation is: only that of the best
    /// epoch of all is kept.
    fn nearest_checkpoint(&self, run: &RunDir) -> Option<String> {
        let (cursor, curves) = (self.cursor?, self.curves.get(run)?);
        let state = curves.state.as_ref()?;
        let best = state.best.as_ref()?;
        let distance = |saved: &SavedCheckpoint| (curves.place_of(saved.step, self.view.axis) - cursor).abs();
        let nearest = state
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
            format!("nearest to the cursor: epoch {}{value}; evaluated is the best: {evaluation}", nearest.epoch)
        })
    }

    fn mark(&mut self, model: &Model) -> Vec<Effect> {
        let Some(run) = self.chosen_row(model).map(|row| row.run.clone()) else { return Vec::new() };
        match self.marked.iter().position(|other| *other == run) {
            Some(position) => {
                self.marked.remove(position);
            }
            None if self.marked.len() >= MAX_MARKED => {
                return vec![Effect::failed(format!("no more than {MAX_MARKED} runs lie over each other"))];
            }
            None => self.marked.push(run),
        }
        self.follow()
    }

    /// One step back: the cursor, then the marks, then the filter.
    fn step_back(&mut self, model: &Model) -> Vec<Effect> {
        if self.cursor.take().is_some() || self.note.take().is_some() {
            self.note = None;
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.filter.text().is_empty() {
            self.filter = TextField::default();
            self.refresh_list(model);
        }
        self.follow()
    }

    fn ask_for_reference(&mut self) -> Vec<Effect> {
        if let Some(Reference { folder, .. }) = self.reference.take() {
            self.folder = TextField::new(folder.to_string_lossy());
            return vec![Effect::done("the reference is put away; the same key lays one under the curves again")];
        }
        self.typing = Some(Typing::ReferenceFolder);
        Vec::new()
    }

    /// Takes a key while something is typed.
    pub(super) fn press_typing(&mut self, typing: Typing, key: Key, model: &Model) -> Vec<Effect> {
        match (typing, key) {
            (Typing::Filter, Key::Enter) | (_, Key::Escape) => self.typing = None,
            (Typing::Filter, Key::Up | Key::Down | Key::PageUp | Key::PageDown) => return self.press_list(key, model),
            (Typing::Filter, key) => {
                self.filter.press(key);
                self.refresh_list(model);
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

    /// The most reports of a run on screen.
    fn longest(&self) -> f64 {
        let axis = self.view.axis;
        self.curves.values().map(|curves| curves.places.on(axis).len()).max().unwrap_or(0) as f64
    }

    /// Counts something else on the horizontal axis; the cursor stays on its step, the range becomes the whole.
    fn turn_axis(&mut self) {
        let axis = self.view.axis;
        let next = axis.next();
        let chosen = self.chosen.as_ref().and_then(|run| self.curves.get(run));
        self.cursor = self.cursor.zip(chosen).and_then(|(cursor, curves)| {
            let at = curves.nearest(axis, cursor)?;
            Some(curves.places.on(next)[at])
        });
        self.view.axis = next;
        self.view.viewport = Viewport::Whole;
    }

    /// Moves the cursor by a cell, or to the next report where those lie farther apart.
    fn move_cursor(&mut self, direction: isize) {
        let axis = self.view.axis;
        let (from, to) = self.range();
        let end = self.end();
        let Some(curves) = self.chosen.as_ref().and_then(|run| self.curves.get(run)) else { return };
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

    /// Goes to the next event that wants attention, behind the last of them to the first.
    fn next_event(&mut self) -> Vec<Effect> {
        let end = self.end();
        let Some(curves) = self.chosen.as_ref().and_then(|run| self.curves.get(run)) else { return Vec::new() };
        let wanted =
            |(at, note): (usize, &crate::tui::protocol::runs::RunNote)| wants_attention(&note.kind).then_some(at);
        let from = self.note.map_or(0, |note| note + 1);
        let behind = curves.notes.iter().enumerate().skip(from).find_map(wanted);
        let Some(found) = behind.or_else(|| curves.notes.iter().enumerate().find_map(wanted)) else {
            return vec![Effect::done("nothing happened in this run that wants attention")];
        };
        let place = curves.place_of(curves.notes[found].step, self.view.axis);
        self.note = Some(found);
        self.scrolled = 0;
        self.cursor = Some(place);
        self.view.viewport = self.view.viewport.showing(place, end);
        if self.areas.shown_lower == Some(Lower::Log) {
            self.view.lower = Some(Lower::Events);
        }
        let text = super::note_text::note_text(&curves.notes[found].kind);
        vec![Effect::done(format!("step {}: {}", curves.notes[found].step, printable(&text)))]
    }

    /// Takes the mouse.
    pub(super) fn point(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        if self.menu.is_some() {
            return self.point_at_menu(mouse, model);
        }
        let position = (mouse.column, mouse.row).into();
        if self.list.is_under(mouse) {
            return match mouse.kind {
                MouseKind::WheelUp => self.press_list(Key::Up, model),
                MouseKind::WheelDown => self.press_list(Key::Down, model),
                MouseKind::Press => match self.list.row_at(mouse, self.shown.len()) {
                    Some(row) if row == self.list.cursor => self.open_evaluation(model),
                    Some(row) => {
                        self.choose(row, model);
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
                        let least = end * NEAREST / self.longest().max(NEAREST);
                        self.view.viewport.zoomed_in(Some(place), end, least)
                    } else {
                        self.view.viewport.zoomed_out(Some(place), end)
                    };
                }
                MouseKind::Release => {}
            }
        } else if self.areas.lower.contains(position) {
            match mouse.kind {
                MouseKind::WheelUp => self.scrolled += 1,
                MouseKind::WheelDown => self.scrolled = self.scrolled.saturating_sub(1),
                _ => {}
            }
        }
        Vec::new()
    }
}
