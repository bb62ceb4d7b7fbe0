//! What the services tell, and which rows and runs follow from it.

use super::{Reference, RunsEffect, RunsMessage, RunsScreen};
use crate::client::run_control::Answer;
use crate::domain::metric_series::MetricSeries;
use crate::domain::printable::{printable, printable_path};
use crate::domain::run_event::RequestVerb;
use crate::storage::history_files::ReferenceHistory;
use crate::storage::run_dir::RunDir;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::run_board::RunRow;

impl RunsScreen {
    /// Takes news.
    pub(in crate::tui) fn hear(&mut self, message: RunsMessage, model: &mut Model) -> Vec<Effect> {
        match message {
            RunsMessage::Listed(listed) => {
                model.runs.listed = true;
                match listed {
                    Ok(rows) => (model.runs.rows, model.runs.problem) = (rows, None),
                    Err(problem) => model.runs.problem = Some(problem),
                }
                self.refresh_list(model);
                self.follow()
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
            RunsMessage::Answered { run, verb, answer } => self.hear_answer(&run, verb, answer),
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
                    self.reference = Some(Reference { folder, series: series_of(&history) });
                    vec![notice]
                }
                Err(problem) => vec![Effect::failed(printable(&problem))],
            },
        }
    }

    fn hear_answer(&mut self, run: &RunDir, verb: RequestVerb, answer: Result<Answer, String>) -> Vec<Effect> {
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
        let words: Vec<String> = self.filter.text().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let rows = &model.runs.rows;
        self.shown = (0..rows.len()).filter(|at| words.is_empty() || passes(&rows[*at], &words)).collect();
        let place = |run: &RunDir| self.shown.iter().position(|at| rows[*at].run == *run);
        match self.chosen.as_ref().map(place) {
            Some(Some(place)) => self.list.cursor = place,
            // Not listed yet: it stays chosen.
            Some(None) if !model.runs.listed => {}
            _ => self.choose(self.list.cursor, model),
        }
    }

    /// Chooses the run in a row of the list.
    pub(super) fn choose(&mut self, row: usize, model: &Model) {
        self.list.cursor = row.min(self.shown.len().saturating_sub(1));
        let run = self.chosen_row(model).map(|row| row.run.clone());
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

fn series_of(history: &ReferenceHistory) -> [MetricSeries; 4] {
    [&history.loss_train, &history.acc_train, &history.loss_val, &history.acc_val].map(|values| {
        let mut series = MetricSeries::default();
        for value in values {
            series.push(*value as f32);
        }
        series
    })
}
