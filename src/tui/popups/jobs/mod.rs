//! The popup of jobs: their list, the output of one, the choice of another, and its form.

mod form;
mod views;

use std::path::PathBuf;

use form::{Filled, JobForm};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::Action;
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::job_kind::JobKind;
use crate::tui::protocol::jobs::{JobEffect, JobId, PathFacts};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::preparation::PreparationAction;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;

/// The choice that Datasets performs itself, with a form of its own.
const PREPARE: Action = Action::Datasets(DatasetsAction::Preparation(PreparationAction::Open));
/// The number of choices: preparing images, then the kinds of jobs.
const CHOICES: usize = 1 + JobKind::ALL.len();

/// What the popup shows.
#[derive(Debug)]
enum Page {
    List,
    /// The output of a job.
    Output {
        id: JobId,
        list: ScrollList,
        follows: bool,
    },
    /// The choice of a kind of job.
    Choice(ScrollList),
    Form(Box<JobForm>),
}

/// A job as it was last drawn.
#[derive(Clone, Copy, Debug)]
struct Shown {
    id: JobId,
    is_active: bool,
    has_result: bool,
    is_rehearsal: bool,
    /// The number of lines of its output.
    lines: usize,
}

/// The popup of jobs.
#[derive(Debug)]
pub(in crate::tui) struct JobsPopup {
    page: Page,
    list: ScrollList,
    /// The data set that forms start with; empty if none is open.
    data: String,
    workspace: PathBuf,
    /// The jobs as they were last drawn, the newest first.
    shown: Vec<Shown>,
    /// True if the list was asked for while there were no jobs, until a key is pressed: those of an earlier session may be
    /// found a moment later.
    awaits_jobs: bool,
}

impl JobsPopup {
    /// The list of jobs, or the choice of one if there are none yet.
    pub(in crate::tui) fn list(data: String, shared: &SharedState) -> Self {
        let is_empty = shared.jobs.iter().len() == 0;
        let page = if is_empty { Page::Choice(ScrollList::default()) } else { Page::List };
        Self { awaits_jobs: is_empty, ..Self::at(page, data, shared) }
    }

    /// The choice of a job for a data set.
    pub(in crate::tui) fn choice(data: String, shared: &SharedState) -> Self {
        Self::at(Page::Choice(ScrollList::default()), data, shared)
    }

    /// The form of a kind of job.
    pub(in crate::tui) fn form(kind: JobKind, data: String, shared: &SharedState) -> (Self, Vec<Effect>) {
        let mut popup = Self::choice(data, shared);
        let effects = popup.open_form(kind);
        (popup, effects)
    }

    fn at(page: Page, data: String, shared: &SharedState) -> Self {
        let (workspace, list) = (shared.workspace.clone(), ScrollList::default());
        let mut popup = Self { page, list, data, workspace, shown: Vec::new(), awaits_jobs: false };
        popup.refresh(shared);
        popup
    }

    fn open_form(&mut self, kind: JobKind) -> Vec<Effect> {
        let (form, effects) = JobForm::new(kind, &self.data, self.workspace.clone());
        self.page = Page::Form(Box::new(form));
        effects
    }

    /// Takes what is known of a typed path.
    pub(in crate::tui) fn take_facts(&mut self, facts: PathFacts) {
        if let Page::Form(form) = &mut self.page {
            form.take_facts(facts);
        }
    }

    /// Notes the jobs as they are now.
    pub(in crate::tui) fn refresh(&mut self, shared: &SharedState) {
        self.shown = shared
            .jobs
            .iter()
            .map(|job| Shown {
                id: job.id,
                is_active: job.is_active(),
                has_result: job.result().is_some(),
                is_rehearsal: job.order.rehearsed.is_some() && !job.is_active(),
                lines: job.lines.len(),
            })
            .collect();
        if self.awaits_jobs && !self.shown.is_empty() {
            (self.page, self.awaits_jobs) = (Page::List, false);
        }
    }

    /// The job under the cursor, or the one whose output is shown.
    fn selected(&self) -> Option<Shown> {
        match &self.page {
            Page::Output { id, .. } => self.shown.iter().find(|job| job.id == *id).copied(),
            _ => self.shown.get(self.list.cursor).copied(),
        }
    }

    pub(in crate::tui) fn press(&mut self, key: Key) -> PopupOutcome {
        self.awaits_jobs = false;
        match &mut self.page {
            Page::Form(form) => match form.press(key) {
                Filled::Continues(effects) => return PopupOutcome::Stay(effects),
                Filled::Cancelled => self.page = Page::Choice(ScrollList::default()),
                Filled::Start(order) => {
                    self.page = Page::List;
                    self.list = ScrollList::default();
                    return PopupOutcome::Stay(vec![Effect::Job(JobEffect::Start(order))]);
                }
            },
            Page::Choice(list) => {
                if let Some(motion) = motion_of(key) {
                    list.move_by(motion, CHOICES);
                } else if key == Key::Enter {
                    return match list.cursor.checked_sub(1).and_then(|place| JobKind::ALL.get(place)) {
                        Some(kind) => PopupOutcome::Stay(self.open_form(*kind)),
                        None => PopupOutcome::Act(PREPARE),
                    };
                } else if matches!(key, Key::Escape | Key::Char('q')) {
                    if self.shown.is_empty() {
                        return PopupOutcome::Close(Vec::new());
                    }
                    self.page = Page::List;
                } else if key == Key::Char('J') {
                    self.page = Page::List;
                }
            }
            Page::List | Page::Output { .. } => return self.press_in_list(key),
        }
        PopupOutcome::Stay(Vec::new())
    }

    fn press_in_list(&mut self, key: Key) -> PopupOutcome {
        let selected = self.selected();
        let is_output = matches!(self.page, Page::Output { .. });
        if let Some(motion) = motion_of(key) {
            self.move_by(motion);
            return PopupOutcome::Stay(Vec::new());
        }
        match (key, selected) {
            (Key::Escape | Key::Left, _) if is_output => self.page = Page::List,
            (Key::Escape | Key::Char('J' | 'q'), _) => return PopupOutcome::Close(Vec::new()),
            (Key::Char('p'), _) => self.page = Page::Choice(ScrollList::default()),
            (Key::Char('x'), Some(job)) if job.is_active => {
                return PopupOutcome::Stay(vec![Effect::Job(JobEffect::Stop(job.id))]);
            }
            (Key::Char('y'), Some(job)) => {
                let line = if let Page::Output { list, .. } = &self.page { Some(list.cursor) } else { None };
                return PopupOutcome::Stay(vec![Effect::Job(JobEffect::Copy { id: job.id, line })]);
            }
            (Key::Char('F'), _) => {
                if let Page::Output { follows, .. } = &mut self.page {
                    *follows = true;
                }
            }
            // A result is opened, else the output is shown; the rehearsed command starts from the output of its plan.
            (Key::Enter, Some(job)) if job.has_result || (is_output && job.is_rehearsal) => {
                return PopupOutcome::Stay(vec![Effect::Job(JobEffect::Open(job.id))]);
            }
            (Key::Enter | Key::Char('i'), Some(job)) if !is_output => {
                self.page = Page::Output { id: job.id, list: ScrollList::default(), follows: true };
            }
            _ => return PopupOutcome::Unbound,
        }
        PopupOutcome::Stay(Vec::new())
    }

    fn move_by(&mut self, motion: ListMotion) {
        let lines = self.selected().map_or(0, |job| job.lines);
        match &mut self.page {
            Page::Output { list, follows, .. } => {
                list.move_by(motion, lines);
                *follows = list.cursor + 1 >= lines;
            }
            _ => self.list.move_by(motion, self.shown.len()),
        }
    }

    pub(in crate::tui) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        let length = match &self.page {
            Page::Choice(_) => CHOICES,
            _ => self.shown.len(),
        };
        match mouse.kind {
            MouseKind::WheelDown => return self.press(Key::Down),
            MouseKind::WheelUp => return self.press(Key::Up),
            MouseKind::Press => {
                let list = match &mut self.page {
                    Page::Choice(list) => list,
                    Page::List => &mut self.list,
                    Page::Output { .. } | Page::Form(_) => return PopupOutcome::Stay(Vec::new()),
                };
                if let Some(row) = list.row_at(mouse, length) {
                    let again = list.cursor == row;
                    list.cursor = row;
                    if again {
                        return self.press(Key::Enter);
                    }
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
        PopupOutcome::Stay(Vec::new())
    }

    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.refresh(shared);
        let selected = self.selected();
        match &mut self.page {
            Page::List => views::draw_list(frame, area, &mut self.list, shared),
            Page::Choice(list) => views::draw_choice(frame, area, list, shared),
            Page::Form(form) => form.draw(frame, area, shared),
            Page::Output { list, follows, .. } => {
                let Some(job) = selected.and_then(|shown| shared.jobs.get(shown.id)) else { return };
                if *follows {
                    list.cursor = job.lines.len().saturating_sub(1);
                }
                views::draw_output(frame, area, job, list, shared);
            }
        }
    }
}

/// The motion of a key in a list.
fn motion_of(key: Key) -> Option<ListMotion> {
    match key {
        Key::Char('k') => Some(ListMotion::Up),
        Key::Char('j') => Some(ListMotion::Down),
        Key::Home | Key::Char('g') => Some(ListMotion::First),
        Key::End | Key::Char('G') => Some(ListMotion::Last),
        key => ListMotion::while_typing(key),
    }
}

#[cfg(test)]
mod tests;
