//! What the services tell, and which rows and runs follow from it.

use super::RunsScreen;
use super::reference::Reference;
use crate::tui::model::Model;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::{RunsEffect, RunsMessage};
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::control::Answer;
use mammoscope_storage::runs::run_dir::RunDir;

impl RunsScreen {
    /// Takes news.
    pub(in crate::tui) fn on_message(&mut self, message: RunsMessage, model: &mut Model) -> Vec<Effect> {
        match message {
            RunsMessage::Newest(rows) => {
                model.runs.rows = rows;
                let mut effects = self.look_out(model);
                self.refresh_list(model);
                effects.extend(self.follow());
                effects
            }
            RunsMessage::Listed(listed) => {
                model.runs.listed = true;
                let mut effects = Vec::new();
                match listed {
                    Ok(rows) => (model.runs.rows, model.runs.problem) = (rows, None),
                    Err(problem) => {
                        effects.push(Effect::failed(format!("the runs cannot be listed: {}", printable(&problem))));
                        model.runs.problem = Some(problem);
                    }
                }
                effects.extend(self.look_out(model));
                self.refresh_list(model);
                effects.extend(self.follow());
                effects
            }
            RunsMessage::Changed(rows) => {
                for row in rows {
                    if let Some(position) = model.runs.position(&row.run) {
                        model.runs.rows[position] = row;
                    }
                }
                if !self.filter.text().is_empty() {
                    self.refresh_list(model);
                }
                self.follow()
            }
            RunsMessage::Followed { run, news } => {
                // Of a run that was left meanwhile nobody wants to know.
                if self.followed.contains(&run) {
                    self.curves.entry(run).or_default().take(*news);
                }
                Vec::new()
            }
            RunsMessage::Answered { run, verb, answer } => self.on_answer(&run, verb, answer),
            RunsMessage::Resumed { run, outcome } => {
                self.resuming.retain(|other| *other != run);
                let name = printable(&run.name());
                vec![match outcome {
                    Ok(()) => Effect::done(format!("{name}: a trainer is at work again")),
                    Err(problem) => Effect::failed(format!("{name}: {}", printable(&problem))),
                }]
            }
            RunsMessage::Forced { run, outcome } => {
                let name = printable(&run.name());
                vec![match outcome {
                    Ok(done) => Effect::done(format!("{name}: {done}")),
                    Err(problem) => Effect::failed(format!("{name}: {}", printable(&problem))),
                }]
            }
            RunsMessage::Trashed { run, outcome } => vec![match outcome {
                Ok(place) => {
                    self.marked.retain(|other| *other != run);
                    Effect::done(format!("moved to {}", printable_path(&place)))
                }
                Err(problem) => Effect::failed(format!("{}: {}", printable(&run.name()), printable(&problem))),
            }],
            RunsMessage::Reference { folder, outcome } => match outcome {
                Ok(history) => {
                    let notice = Effect::done(format!(
                        "{} epochs of {} lie under the curves",
                        history.epochs(),
                        printable_path(&folder)
                    ));
                    self.reference = Some(Reference::new(folder, &history));
                    vec![notice]
                }
                Err(problem) => vec![Effect::failed(printable(&problem))],
            },
        }
    }

    /// A trainer is being asked.
    pub(in crate::tui) fn on_asked(&mut self, run: &RunDir, verb: RequestVerb) {
        self.asked.push((run.clone(), verb));
    }

    fn on_answer(&mut self, run: &RunDir, verb: RequestVerb, answer: Result<Answer, String>) -> Vec<Effect> {
        if let Some(position) = self.asked.iter().position(|(other, asked)| other == run && *asked == verb) {
            self.asked.remove(position);
        }
        let name = printable(&run.name());
        vec![match answer {
            Ok(Answer::Asked(text)) => Effect::done(format!("{name}: {verb} asked{text}")),
            Ok(Answer::NoTrainer(condition)) => Effect::failed(format!("{name}: no trainer is at work: {condition}")),
            Ok(Answer::EndedUnheard(condition)) => {
                Effect::failed(format!("{name}: the trainer left before it heard; {verb} is withdrawn: {condition}"))
            }
            Ok(Answer::Interrupted) => return Vec::new(),
            Err(problem) => Effect::failed(format!("{name}: {}", printable(&problem))),
        }]
    }

    /// Which rows are shown, and on which the cursor stands: on the chosen run wherever it is now.
    pub(super) fn refresh_list(&mut self, model: &Model) {
        let words = self.filter_words();
        let rows = &model.runs.rows;
        self.shown = (0..rows.len()).filter(|at| words.is_empty() || passes(&rows[*at], &words)).collect();
        let place = |run: &RunDir| self.shown.iter().position(|at| rows[*at].run == *run);
        match self.chosen.as_ref().map(place) {
            Some(Some(place)) => self.list.cursor = place,
            // Not listed yet: it stays chosen.
            Some(None) if !model.runs.listed => {}
            Some(None) if self.awaited.is_some() => {}
            _ => self.choose(self.list.cursor, model),
        }
    }

    /// Shows the awaited run as soon as it is listed, whatever the filter says; one that never will be is left, and told.
    pub(super) fn look_out(&mut self, model: &Model) -> Vec<Effect> {
        let Some(run) = self.awaited.clone() else { return Vec::new() };
        if run.path().parent() != Some(&*model.workspace.join("runs")) {
            self.awaited = None;
            let (name, workspace) = (printable(&run.name()), printable_path(&model.workspace));
            return vec![Effect::failed(format!("{name} is no run of the workspace {workspace}"))];
        }
        if let Some(position) = model.runs.position(&run) {
            self.awaited = None;
            let words = self.filter_words();
            if !passes(&model.runs.rows[position], &words) {
                self.filter = TextField::default();
            }
        }
        Vec::new()
    }

    fn filter_words(&self) -> Vec<String> {
        self.filter.text().to_lowercase().split_whitespace().map(str::to_owned).collect()
    }

    /// Chooses the run in a row of the list.
    pub(super) fn choose(&mut self, row: usize, model: &Model) {
        self.list.cursor = row.min(self.shown.len().saturating_sub(1));
        let run = self.row_at_cursor(model).map(|row| row.run.clone());
        self.awaited = None;
        if run != self.chosen {
            self.chosen = run;
            (self.note, self.scrolled) = (None, 0);
        }
    }

    /// Follows the runs that are drawn, and no others.
    pub(super) fn follow(&mut self) -> Vec<Effect> {
        let runs = self.drawn_runs();
        if runs == self.followed {
            return Vec::new();
        }
        self.curves.retain(|run, _| runs.contains(run));
        self.followed.clone_from(&runs);
        vec![Effect::Runs(RunsEffect::Follow(runs))]
    }
}

/// Whether a row has all the words.
fn passes(row: &RunRow, words: &[String]) -> bool {
    let mut text = row.run.name().to_lowercase();
    if let Some(condition) = &row.condition {
        text = text + " " + condition.name() + " " + condition.reason.as_deref().unwrap_or_default();
    }
    if let Some(spec) = &row.spec {
        text = text + " " + &spec.view.to_string().to_lowercase() + " " + &spec.preset.to_lowercase();
    }
    words.iter().all(|word| text.contains(word))
}
