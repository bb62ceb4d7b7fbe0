//! The control of a run and its trainer: the menu, and the questions before a run is stopped or discarded.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::list_view::short_name;
use super::listing::{FolderKind, progress};
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::question::Question;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::title;
use crate::tui::protocol::runs::{RunsAction, RunsEffect};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::padded;
use crate::tui::widgets::pane::draw_box;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_condition::{RunCondition, Staleness};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// All items of the menu: key, action and label.
const ITEMS: [(char, RunsAction, &str); 9] = [
    ('w', RunsAction::Ask(RequestVerb::Checkpoint), "write a checkpoint now"),
    ('p', RunsAction::Ask(RequestVerb::Pause), "pause"),
    ('c', RunsAction::Ask(RequestVerb::Continue), "continue"),
    ('e', RunsAction::Ask(RequestVerb::StopAfterEpoch), "finish this epoch and stop"),
    ('s', RunsAction::Ask(RequestVerb::Stop), "stop now"),
    ('K', RunsAction::Kill, "kill the trainer"),
    ('r', RunsAction::Resume, "resume"),
    ('m', RunsAction::MarkEnded, "mark as ended"),
    ('d', RunsAction::Delete, "move to the trash"),
];

/// The items of the menu for a folder of runs.
const FOLDER_ITEMS: [(char, RunsAction, &str); 3] = [
    ('r', RunsAction::Resume, "resume the runs that ended early"),
    ('e', RunsAction::Ask(RequestVerb::StopAfterEpoch), "stop all after their epoch"),
    ('s', RunsAction::Ask(RequestVerb::Stop), "stop all now"),
];

/// The menu with the items that apply to the selected run or folder.
#[derive(Debug)]
pub(super) struct ControlMenu {
    items: Vec<(char, RunsAction, &'static str)>,
    cursor: usize,
}

/// True if an action makes sense for a run in this condition; `None` is an unknown condition.
fn applies(action: RunsAction, condition: Option<&RunCondition>) -> bool {
    let Some(condition) = condition else { return action == RunsAction::Delete };
    let has_trainer = condition.may_have_trainer();
    match action {
        RunsAction::Ask(RequestVerb::Checkpoint) => {
            has_trainer && matches!(condition.phase, RunPhase::Running | RunPhase::Paused)
        }
        RunsAction::Ask(RequestVerb::Pause) => {
            has_trainer && matches!(condition.phase, RunPhase::Running | RunPhase::Starting)
        }
        RunsAction::Ask(RequestVerb::Continue) => has_trainer && condition.phase == RunPhase::Paused,
        RunsAction::Ask(RequestVerb::StopAfterEpoch) => has_trainer && condition.phase != RunPhase::Stopping,
        RunsAction::Ask(RequestVerb::Stop) => has_trainer,
        RunsAction::Resume => {
            condition.stale.is_some() || (condition.phase.is_over() && condition.phase != RunPhase::Completed)
        }
        // The process of a queued run is training another one.
        RunsAction::Kill => has_trainer && condition.phase != RunPhase::Queued,
        RunsAction::MarkEnded => condition.stale.is_some_and(|stale| stale != Staleness::Hanging),
        RunsAction::Delete => !has_trainer,
        _ => false,
    }
}

impl RunsScreen {
    /// The reason why an action cannot be performed on the selected run.
    pub(super) fn obstacle(&self, action: RunsAction, shared: &SharedState) -> Option<String> {
        if shared.runs.rows.is_empty() {
            return Some("no run is listed".to_owned());
        }
        let is_about_a_run = matches!(
            action,
            RunsAction::Ask(_) | RunsAction::Resume | RunsAction::Kill | RunsAction::MarkEnded | RunsAction::Delete
        );
        if !is_about_a_run || self.chosen_folder(shared).is_some() {
            return None;
        }
        match self.chosen_row(shared) {
            None => Some("no run is selected".to_owned()),
            Some(row) if !applies(action, row.condition.as_ref()) => {
                Some(format!("{}: {}", title(row), condition_text(row)))
            }
            Some(_) => None,
        }
    }

    /// Opens the menu for the selected run or folder.
    pub(super) fn open_menu(&mut self, shared: &SharedState) -> Vec<Effect> {
        if let Some((_, _, rows)) = self.chosen_folder(shared) {
            let some = |action| rows.iter().any(|row| applies(action, row.condition.as_ref()));
            let items = FOLDER_ITEMS.into_iter().filter(|(_, action, _)| some(*action)).collect();
            self.menu = Some(ControlMenu { items, cursor: 0 });
        } else if let Some(row) = self.chosen_row(shared) {
            let condition = row.condition.as_ref();
            let items = ITEMS.into_iter().filter(|(_, action, _)| applies(*action, condition)).collect();
            self.menu = Some(ControlMenu { items, cursor: 0 });
        }
        Vec::new()
    }

    /// Handles a key while the menu is open.
    pub(super) fn press_menu(&mut self, key: Key, shared: &SharedState) -> Vec<Effect> {
        let Some(menu) = &mut self.menu else { return Vec::new() };
        let last = menu.items.len().saturating_sub(1);
        let wanted = match key {
            Key::Escape | Key::Char('q' | 'x') => {
                self.menu = None;
                return Vec::new();
            }
            Key::Up | Key::Char('k') => {
                menu.cursor = menu.cursor.saturating_sub(1);
                return Vec::new();
            }
            Key::Down | Key::Char('j') => {
                menu.cursor = (menu.cursor + 1).min(last);
                return Vec::new();
            }
            Key::Enter => menu.items.get(menu.cursor),
            key => menu.items.iter().find(|(letter, ..)| key == Key::Char(*letter)),
        };
        match wanted.map(|(_, action, _)| *action) {
            Some(action) => {
                self.menu = None;
                self.update(action, shared)
            }
            None => Vec::new(),
        }
    }

    /// Handles the mouse while the menu is open: a click on an item performs it, a click elsewhere closes the menu.
    pub(super) fn mouse_in_menu(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        let place = self.areas.menu;
        match mouse.kind {
            MouseKind::WheelUp => return self.press_menu(Key::Up, shared),
            MouseKind::WheelDown => return self.press_menu(Key::Down, shared),
            MouseKind::Press if place.contains((mouse.column, mouse.row).into()) => {
                if let Some(menu) = &mut self.menu
                    && usize::from(mouse.row - place.y) < menu.items.len()
                {
                    menu.cursor = usize::from(mouse.row - place.y);
                    return self.press_menu(Key::Enter, shared);
                }
            }
            MouseKind::Press => self.menu = None,
            MouseKind::Drag | MouseKind::Release => {}
        }
        Vec::new()
    }

    /// Sends a request to the trainer of the selected run, or those of the selected folder; to stop needs confirmation.
    pub(super) fn request(&mut self, verb: RequestVerb, shared: &SharedState) -> Vec<Effect> {
        if let Some((kind, id, rows)) = self.chosen_folder(shared) {
            return request_of_folder(kind, id, &rows, verb);
        }
        let Some(row) = self.chosen_row(shared) else { return no_selection() };
        if !applies(RunsAction::Ask(verb), row.condition.as_ref()) {
            return vec![Effect::failed(format!("{}: cannot {verb}; {}", title(row), condition_text(row)))];
        }
        let run = row.run.clone();
        let effect = Effect::Runs(RunsEffect::Ask { run, verb });
        if verb == RequestVerb::Stop {
            return vec![Effect::Ask(Question {
                title: format!("Stop {}?", title(row)),
                text: "It finishes its step and writes a checkpoint, from which it can be resumed exactly.".to_owned(),
                yes: "stop",
                effects: vec![effect],
            })];
        }
        vec![effect]
    }

    /// Resumes the selected run, or those of the selected folder.
    pub(super) fn resume(&mut self, shared: &SharedState) -> Vec<Effect> {
        if let Some((_, id, rows)) = self.chosen_folder(shared) {
            return resume_folder(id, &rows);
        }
        let Some(row) = self.chosen_row(shared) else { return no_selection() };
        if !applies(RunsAction::Resume, row.condition.as_ref()) {
            return vec![Effect::failed(format!("{}: nothing to resume; {}", title(row), condition_text(row)))];
        }
        if self.requests.resumes.contains(&row.run) {
            return Vec::new();
        }
        self.requests.resumes.push(row.run.clone());
        vec![Effect::Runs(RunsEffect::Resume(row.run.clone()))]
    }

    /// Kills the trainer of the selected run, after confirmation.
    pub(super) fn kill(&self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else { return no_selection() };
        if !applies(RunsAction::Kill, row.condition.as_ref()) {
            return vec![Effect::failed(format!("{}: no trainer to kill; {}", title(row), condition_text(row)))];
        }
        vec![Effect::Ask(Question {
            title: format!("Kill the trainer of {}?", title(row)),
            text: "It ends at once and writes nothing: progress since its last checkpoint is lost, and runs that \
                   wait for the same trainer do not start. They and this one can be resumed."
                .to_owned(),
            yes: "kill",
            effects: vec![Effect::Runs(RunsEffect::Kill(row.run.clone()))],
        })]
    }

    /// Records that the selected run, which has lost its trainer, has ended.
    pub(super) fn mark_ended(&self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else { return no_selection() };
        if !applies(RunsAction::MarkEnded, row.condition.as_ref()) {
            return vec![Effect::failed(format!("{}: nothing to mark; {}", title(row), condition_text(row)))];
        }
        vec![Effect::Runs(RunsEffect::MarkEnded(row.run.clone()))]
    }

    /// Moves the selected run to the trash, after confirmation.
    pub(super) fn delete(&self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else { return no_selection() };
        if !applies(RunsAction::Delete, row.condition.as_ref()) {
            return vec![Effect::failed(format!("{}: stop it first; {}", title(row), condition_text(row)))];
        }
        vec![Effect::Ask(Question {
            title: format!("Move {} to the trash?", title(row)),
            text: format!(
                "{} moves to the folder trash in the workspace, with its checkpoints and metrics.",
                printable(&row.run.name())
            ),
            yes: "move it to the trash",
            effects: vec![Effect::Runs(RunsEffect::Trash(row.run.clone()))],
        })]
    }

    /// Draws the menu over the screen.
    pub(super) fn draw_menu(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let title = match (self.chosen_folder(shared), self.chosen_row(shared)) {
            (Some((kind, id, _)), _) => format!("{} {}", kind.name(), printable(short_name(id))),
            (None, Some(row)) => title(row),
            (None, None) => return,
        };
        let Some(menu) = &self.menu else { return };
        let theme = &shared.theme;
        let height = menu.items.len().max(1) as u16 + 2;
        let inner = draw_box(frame, area, (54, height), shared, [&title, "Esc back"]);
        self.areas.menu = inner;
        let lines: Vec<Line<'_>> = menu
            .items
            .iter()
            .enumerate()
            .map(|(at, (key, _, name))| {
                let style = if at == menu.cursor { theme.selected(true) } else { Style::new() };
                let rest = usize::from(inner.width).saturating_sub(4);
                Line::from(vec![
                    Span::styled(format!(" {key}  "), theme.accent().patch(style)),
                    Span::styled(padded(name, rest), style),
                ])
            })
            .collect();
        let lines =
            if lines.is_empty() { vec![Line::styled(" nothing can be done with it now", theme.dim())] } else { lines };
        frame.render_widget(Paragraph::new(lines), inner);
    }
}

/// Sends a request to every trainer of a folder, after confirmation.
fn request_of_folder(kind: FolderKind, id: &str, rows: &[&RunRow], verb: RequestVerb) -> Vec<Effect> {
    let action = RunsAction::Ask(verb);
    let name = printable(short_name(id));
    let runs = rows.iter().filter(|row| applies(action, row.condition.as_ref())).map(|row| row.run.clone());
    let effects: Vec<Effect> = runs.map(|run| Effect::Runs(RunsEffect::Ask { run, verb })).collect();
    if effects.is_empty() {
        return vec![Effect::failed(format!("{name}: no run of the {} to {verb}", kind.name()))];
    }
    let count = counted(effects.len(), "run");
    vec![Effect::Ask(Question {
        title: format!("{verb} {count} of the {} {name}?", kind.name()),
        text: "Each writes a checkpoint, from which it can be resumed exactly; runs that wait do not start.".to_owned(),
        yes: "do it",
        effects,
    })]
}

/// Resumes the runs of a folder that have ended without being completed.
fn resume_folder(id: &str, rows: &[&RunRow]) -> Vec<Effect> {
    let resumable = rows.iter().filter(|row| applies(RunsAction::Resume, row.condition.as_ref()));
    let runs: Vec<RunDir> = resumable.map(|row| row.run.clone()).collect();
    if runs.is_empty() {
        let name = printable(short_name(id));
        return vec![Effect::failed(format!("{name}: nothing to resume; {}", progress(rows.iter().copied())))];
    }
    vec![Effect::Runs(RunsEffect::ResumeStudy { study: id.to_owned(), runs })]
}

fn no_selection() -> Vec<Effect> {
    vec![Effect::failed("no run is selected")]
}

fn condition_text(row: &RunRow) -> String {
    match (&row.condition, &row.problem) {
        (Some(condition), _) => format!("it is {condition}"),
        (None, Some(problem)) => printable(problem),
        (None, None) => "its state is unknown".to_owned(),
    }
}
