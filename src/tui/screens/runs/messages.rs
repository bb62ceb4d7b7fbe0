//! Messages to the screen Runs, and the rows and runs that follow from them.

use super::columns::Column;
use super::list_view::short_name;
use super::listing::{FolderKind, ListLine, ListOrder, folder_id, lines, representative};
use super::reference::Reference;
use super::viewport::Viewport;
use super::{LowerPosition, RunsScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::{RunsEffect, RunsMessage};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::control::RequestOutcome;
use mammoscope_storage::runs::run_dir::RunDir;

impl RunsScreen {
    /// Handles a message of the service.
    pub(in crate::tui) fn on_message(&mut self, message: RunsMessage, shared: &mut SharedState) -> Vec<Effect> {
        match message {
            RunsMessage::Newest(rows) => {
                shared.runs.rows = rows;
                let mut effects = self.find_awaited(shared);
                self.refresh_list(shared);
                effects.extend(self.follow());
                effects
            }
            RunsMessage::Listed(listed) => {
                shared.runs.listed = true;
                let mut effects = Vec::new();
                match listed {
                    Ok(rows) => (shared.runs.rows, shared.runs.problem) = (rows, None),
                    Err(problem) => {
                        effects
                            .push(Effect::failed(format!("the runs cannot be listed: {}", printable(problem.text()))));
                        shared.runs.problem = Some(problem);
                    }
                }
                effects.extend(self.find_awaited(shared));
                self.refresh_list(shared);
                effects.extend(self.follow());
                effects
            }
            RunsMessage::Changed(rows) => {
                for row in rows {
                    if let Some(position) = shared.runs.position(&row.run) {
                        shared.runs.rows[position] = row;
                    }
                }
                // A folder shows another run when the one on screen has ended, and values change the order.
                let is_sorted = self.view.sort != Column::Created;
                if is_sorted || !self.picker.filter.text().is_empty() || self.view.folder.is_some() {
                    self.refresh_list(shared);
                }
                self.follow()
            }
            RunsMessage::Followed { run, update } => {
                // The run may have been deselected in the meantime.
                if self.followed.runs.contains(&run) {
                    self.followed.curves.entry(run).or_default().apply(*update);
                }
                Vec::new()
            }
            RunsMessage::Exported { outcome } => vec![match outcome {
                Ok(place) => Effect::done(format!("written to {}", printable_path(&place))),
                Err(problem) => Effect::failed(printable(problem.text())),
            }],
            RunsMessage::Sketched { run, sketch } => {
                self.sketches.keep(run, sketch);
                Vec::new()
            }
            RunsMessage::Answered { run, verb, answer } => self.on_answer(&run, verb, answer),
            RunsMessage::Resumed { run, outcome } => {
                self.requests.resumes.retain(|other| *other != run);
                let name = printable(&run.name());
                vec![match outcome {
                    Ok(()) => Effect::done(format!("{name}: training resumed")),
                    Err(problem) => Effect::failed(format!("{name}: {}", printable(problem.text()))),
                }]
            }
            RunsMessage::StudyResumed { study, outcome } => vec![match outcome {
                Ok(done) => Effect::done(format!("{}: {done}", printable(short_name(&study)))),
                Err(problem) => {
                    Effect::failed(format!("{}: {}", printable(short_name(&study)), printable(problem.text())))
                }
            }],
            RunsMessage::Forced { run, outcome } => {
                let name = printable(&run.name());
                vec![match outcome {
                    Ok(done) => Effect::done(format!("{name}: {done}")),
                    Err(problem) => Effect::failed(format!("{name}: {}", printable(problem.text()))),
                }]
            }
            RunsMessage::Labelled { run, outcome } => self.on_labelled(&run, outcome, shared),
            RunsMessage::Trashed { run, outcome } => vec![match outcome {
                Ok(place) => {
                    self.marked.retain(|other| *other != run);
                    Effect::done(format!("moved to {}", printable_path(&place)))
                }
                Err(problem) => Effect::failed(format!("{}: {}", printable(&run.name()), printable(problem.text()))),
            }],
            RunsMessage::Reference { folder, outcome } => match outcome {
                Ok(history) => {
                    let notice = Effect::done(format!(
                        "{} epochs of {} are shown under the curves",
                        history.epochs(),
                        printable_path(&folder)
                    ));
                    self.reference = Some(Reference::new(folder, &history));
                    vec![notice]
                }
                Err(problem) => vec![Effect::failed(printable(problem.text()))],
            },
        }
    }

    /// Shows the new name, tags and note of a run.
    fn on_labelled(
        &mut self,
        run: &RunDir,
        outcome: Result<RunLabels, Failure>,
        shared: &mut SharedState,
    ) -> Vec<Effect> {
        match outcome {
            Ok(labels) => {
                if let Some(at) = shared.runs.position(run) {
                    shared.runs.rows[at].labels = (!labels.is_empty()).then(|| labels.into());
                }
                self.refresh_list(shared);
                vec![Effect::done(format!("name and tags of {} saved", printable(&run.name())))]
            }
            Err(problem) => vec![Effect::failed(printable(problem.text()))],
        }
    }

    /// Takes note of a request to a trainer.
    pub(in crate::tui) fn on_request(&mut self, run: &RunDir, verb: RequestVerb) {
        self.requests.verbs.push((run.clone(), verb));
    }

    fn on_answer(&mut self, run: &RunDir, verb: RequestVerb, answer: Result<RequestOutcome, Failure>) -> Vec<Effect> {
        if let Some(position) =
            self.requests.verbs.iter().position(|(other, requested)| other == run && *requested == verb)
        {
            self.requests.verbs.remove(position);
        }
        let name = printable(&run.name());
        vec![match answer {
            Ok(RequestOutcome::Written(text)) => Effect::done(format!("{name}: {verb} requested{text}")),
            Ok(RequestOutcome::NoTrainer(condition)) => {
                Effect::failed(format!("{name}: no trainer is running: {condition}"))
            }
            Ok(RequestOutcome::TrainerEnded(condition)) => Effect::failed(format!(
                "{name}: the trainer ended before it saw the request; {verb} was withdrawn: {condition}"
            )),
            Ok(RequestOutcome::Interrupted) => return Vec::new(),
            Err(problem) => Effect::failed(format!("{name}: {}", printable(problem.text()))),
        }]
    }

    /// Applies filter and order to the list; the cursor stays on the selected run or folder.
    pub(super) fn refresh_list(&mut self, shared: &SharedState) {
        let words = self.filter_words();
        let rows = &shared.runs.rows;
        let shows = |row: &RunRow| words.is_empty() || matches_filter(row, &words);
        let order = ListOrder {
            opened: &self.view.opened,
            folded: &self.view.folded,
            opens_all: !words.is_empty(),
            sort: self.view.sort,
            reversed: self.view.reversed,
        };
        self.picker.shown = lines(rows, &order, shows);
        let shown = &self.picker.shown;
        let folder = self.view.folder.as_ref();
        let is_folder = |line: &ListLine| matches!(line, ListLine::Folder { id, .. } if Some(id) == folder);
        let place = if let Some(place) = shown.iter().position(is_folder) {
            Some(place)
        } else {
            let is_chosen = |row: usize| Some(&rows[row].run) == self.chosen.as_ref();
            shown.iter().position(|line| line.row().is_some_and(is_chosen))
        };
        match place {
            Some(place) => self.choose(place, shared),
            // It is not listed yet and stays selected.
            None if self.chosen.is_some() && (!shared.runs.listed || self.awaited.is_some()) => {}
            None => self.choose(self.picker.list.cursor, shared),
        }
    }

    /// Opens or closes the selected folder.
    pub(super) fn toggle_folder(&mut self, shared: &SharedState) {
        let Some((kind, id)) = self.chosen_folder(shared).map(|(kind, id, _)| (kind, id.to_owned())) else { return };
        let toggled = match kind {
            FolderKind::Group => &mut self.view.folded,
            FolderKind::Study => &mut self.view.opened,
        };
        if !toggled.remove(&id) {
            toggled.insert(id);
        }
        self.refresh_list(shared);
    }

    /// Shows the awaited run if it is listed by now, clearing a filter that hides it. A run of another workspace is
    /// reported.
    pub(super) fn find_awaited(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(run) = self.awaited.clone() else { return Vec::new() };
        if run.path().parent() != Some(&*shared.workspace.join("runs")) {
            self.awaited = None;
            let (name, workspace) = (printable(&run.name()), printable_path(&shared.workspace));
            return vec![Effect::failed(format!("{name} is not a run of the workspace {workspace}"))];
        }
        if let Some(position) = shared.runs.position(&run) {
            self.awaited = None;
            let words = self.filter_words();
            let row = &shared.runs.rows[position];
            if !matches_filter(row, &words) {
                self.picker.filter = TextField::default();
            }
            if let Some(id) = folder_id(row) {
                self.view.folded.remove(id);
                self.view.opened.insert(id.to_owned());
            }
        }
        Vec::new()
    }

    fn filter_words(&self) -> Vec<String> {
        self.picker.filter.text().to_lowercase().split_whitespace().map(str::to_owned).collect()
    }

    /// Selects the run or the folder in a line of the list. Of a folder, the curves of one run are shown.
    pub(super) fn choose(&mut self, line: usize, shared: &SharedState) {
        self.picker.list.cursor = line.min(self.picker.shown.len().saturating_sub(1));
        let rows = &shared.runs.rows;
        let (folder, row) = match self.picker.shown.get(self.picker.list.cursor) {
            Some(ListLine::Folder { id, rows: of_folder, .. }) => (Some(id.clone()), representative(rows, of_folder)),
            Some(ListLine::Run { row, .. }) => (None, Some(*row)),
            None => (None, None),
        };
        let run = row.and_then(|row| rows.get(row)).map(|row| row.run.clone());
        self.view.folder = folder;
        self.awaited = None;
        if run != self.chosen {
            // A range belongs to the run that it was chosen for, unless several are compared.
            let is_compared = run.as_ref().is_some_and(|run| self.marked.contains(run)) && self.chosen.is_some();
            if !is_compared && !matches!(self.view.viewport, Viewport::Tail { .. }) {
                (self.view.viewport, self.cursor) = (Viewport::Whole, None);
            }
            self.chosen = run;
            self.lower = LowerPosition::default();
        }
    }

    /// Follows exactly the runs that are drawn.
    pub(super) fn follow(&mut self) -> Vec<Effect> {
        let runs = self.drawn_runs();
        if runs == self.followed.runs {
            return Vec::new();
        }
        self.followed.curves.retain(|run, _| runs.contains(run));
        self.followed.runs.clone_from(&runs);
        vec![Effect::Runs(RunsEffect::Follow(runs))]
    }
}

/// True if a row contains all words.
fn matches_filter(row: &RunRow, words: &[String]) -> bool {
    let mut text = row.run.name().to_lowercase();
    if let Some(condition) = &row.condition {
        text = text + " " + condition.name() + " " + condition.reason.as_deref().unwrap_or_default();
    }
    if let Some(spec) = &row.spec {
        text = text + " " + &spec.view.to_string().to_lowercase() + " " + &spec.preset.to_lowercase();
        if let Some(member) = &spec.study {
            text = text + " " + &member.id.to_lowercase() + " " + &member.values_text();
        }
    }
    if let Some(labels) = &row.labels {
        let name = labels.name.as_deref().unwrap_or_default();
        text = text + " " + &name.to_lowercase() + " " + &labels.tags_text().to_lowercase();
        text = text + " " + &labels.note.to_lowercase();
    }
    words.iter().all(|word| text.contains(word))
}
