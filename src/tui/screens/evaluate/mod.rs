//! The screen Evaluate: confusion matrices to walk through, figures with intervals, and comparisons.

mod actions;
mod cases_view;
pub(in crate::tui) mod entries;
mod keys;
mod list_view;
mod opened;
#[cfg(test)]
pub(in crate::tui) mod tests;
mod view;

use actions::warning;
use entries::{KeptSplits, evaluated_entries};
use opened::{ComparedOne, Opened};
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::evaluate::{EvaluateAction, EvaluateMessage};
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::confusion_matrix::Normalisation;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::subject::split::Split;

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct EvaluateView {
    /// What was open.
    opened: Option<String>,
    normalisation: Normalisation,
    split: Option<Split>,
}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct EvaluateScreen {
    normalisation: Normalisation,
    /// The split that was asked for last.
    split: Option<Split>,
    /// What is to be opened as soon as the runs are known.
    restore: Option<String>,
    kept: KeptSplits,
    looked: bool,
    /// The runs, and those that are over, when it was looked at them last.
    seen: Option<(usize, usize)>,
    list: ScrollList,
    opened: Option<Opened>,
    /// The list of what to compare with, while one chooses.
    chooser: Option<ScrollList>,
    /// The number of the last request of each kind; answers to others come too late.
    open_request: u64,
    compare_request: u64,
}

impl EvaluateScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(view: EvaluateView) -> Self {
        let EvaluateView { opened, normalisation, split } = view;
        Self { normalisation, split, restore: opened, ..Self::default() }
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> EvaluateView {
        let opened = self.opened.as_ref().map(|opened| opened.key.clone()).or_else(|| self.restore.clone());
        EvaluateView { opened, normalisation: self.normalisation, split: self.split }
    }

    /// Takes news.
    pub(in crate::tui) fn on_message(&mut self, message: EvaluateMessage, model: &Model) -> Vec<Effect> {
        match message {
            EvaluateMessage::Looked { kept } => {
                (self.kept, self.looked) = (kept, true);
                return self.follow_files();
            }
            EvaluateMessage::Opened { request, opened } if request == self.open_request => {
                let tables = self.opened.as_ref().map_or(0, |opened| self.tables_of(&opened.runs));
                if let Some(shown) = &mut self.opened {
                    shown.tables = tables;
                    shown.take(opened);
                }
                return self.compare_again(model);
            }
            EvaluateMessage::Resampled { request, evaluated } if request == self.open_request => {
                let sets = self.opened.iter_mut().filter_map(|opened| opened.sets.as_mut()).flat_map(|s| &mut s.sets);
                for set in sets.filter(|set| set.evaluated.set.name == evaluated.set.name) {
                    set.evaluated.evaluation = evaluated.evaluation.clone();
                    set.evaluated.baseline = evaluated.baseline;
                    set.resampled = true;
                }
            }
            EvaluateMessage::Compared { request, name, compared, resampled } if request == self.compare_request => {
                if let Some(with) = self.opened.as_mut().and_then(|opened| opened.comparison.as_mut()) {
                    with.sets.retain(|set| set.name != name);
                    with.sets.push(ComparedOne { name, compared, resampled });
                }
            }
            // Of something that is no longer looked at.
            _ => {}
        }
        Vec::new()
    }
}

impl Screen for EvaluateScreen {
    fn bindings(&self, model: &Model) -> &'static [Binding] {
        match (&self.chooser, &self.opened) {
            (Some(_), _) => keys::CHOOSER,
            (None, Some(opened)) if opened.in_cases => keys::CASES,
            (None, Some(opened)) if opened.set().is_none() => keys::WAITING,
            (None, Some(_)) => keys::MATRIX,
            (None, None) if evaluated_entries(model, &self.kept).is_empty() => keys::EMPTY,
            (None, None) => keys::LIST,
        }
    }

    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect> {
        let Action::Evaluate(action) = action else { return Vec::new() };
        let far = isize::MAX / 2;
        match action {
            EvaluateAction::Open => return self.enter_or_open(model),
            EvaluateAction::FullScreen => {
                let images = self.opened.as_ref().filter(|opened| opened.in_cases).and_then(Opened::image_list);
                return images.map(|images| Effect::Navigate(Destination::Viewer(images))).into_iter().collect();
            }
            EvaluateAction::Back => return self.back(),
            EvaluateAction::Up => self.go(-1, 0, model),
            EvaluateAction::Down => self.go(1, 0, model),
            EvaluateAction::Left => self.go(0, -1, model),
            EvaluateAction::Right => self.go(0, 1, model),
            EvaluateAction::PageUp => self.go(-10, 0, model),
            EvaluateAction::PageDown => self.go(10, 0, model),
            EvaluateAction::Home => self.go(-far, 0, model),
            EvaluateAction::End => self.go(far, 0, model),
            EvaluateAction::NextSet | EvaluateAction::PreviousSet => {
                if let Some(opened) = &mut self.opened {
                    opened.turn(if action == EvaluateAction::NextSet { 1 } else { -1 });
                }
            }
            EvaluateAction::Counts => {
                self.normalisation = self.normalisation.next();
                return vec![Effect::SaveView];
            }
            EvaluateAction::Split => return self.other_split(),
            EvaluateAction::Compare => {
                if self.others(model).is_empty() {
                    return vec![warning("no other training keeps predictions yet")];
                }
                self.chooser = Some(ScrollList::default());
            }
            EvaluateAction::ShowRun => {
                return self.run_meant(model).map(|run| Effect::Navigate(Destination::Run(run))).into_iter().collect();
            }
            EvaluateAction::ReadAgain => {
                let mut effects = self.look(model);
                effects.extend(self.read());
                return effects;
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelUp => self.go(-1, 0, model),
            MouseKind::WheelDown => self.go(1, 0, model),
            MouseKind::Press => return self.click(mouse, model),
            MouseKind::Drag | MouseKind::Release => {}
        }
        Vec::new()
    }

    fn enter(&mut self, model: &Model) -> Vec<Effect> {
        let mut effects = self.restore(model);
        if model.runs.listed {
            effects.extend(self.look(model));
        }
        effects
    }

    fn tick(&mut self, model: &Model) -> Vec<Effect> {
        let mut effects = self.restore(model);
        effects.extend(self.look_if_changed(model));
        effects
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        if let Some(mut list) = self.chooser {
            let entries = self.others(model);
            let title = self.opened.as_ref().map(|opened| format!("Compare {} with", opened.title)).unwrap_or_default();
            list_view::draw_entries(frame, area, &title, &entries, &self.kept, &mut list, model);
            self.chooser = Some(list);
            return;
        }
        if self.opened.is_none() {
            self.draw_list(frame, area, model);
            return;
        }
        self.draw_opened(frame, area, model);
    }
}
