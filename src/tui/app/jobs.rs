//! Jobs of the workbench: their list, their messages and their results.

use std::path::PathBuf;

use super::App;
use crate::tui::popups::Popup;
use crate::tui::popups::confirm::ConfirmPopup;
use crate::tui::popups::jobs::JobsPopup;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::job_kind::JobKind;
use crate::tui::protocol::jobs::{Job, JobEffect, JobEnd, JobId, JobMessage, JobOrder, JobResult, JobState, going_on};
use crate::tui::protocol::question::Question;
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_cluster::shell_text::shell_word;
use mammoscope_domain::text::counted::counted_as;

impl App {
    /// Handles a message of the service of jobs.
    pub(super) fn on_job_message(&mut self, message: JobMessage) -> Vec<Effect> {
        if let JobMessage::LookedAt(facts) = message {
            for popup in &mut self.popups {
                if let Popup::Jobs(jobs) = popup {
                    jobs.take_facts(facts.clone());
                }
            }
            return Vec::new();
        }
        if let JobMessage::Found(found) = message {
            let folder = found.folder.clone();
            let id = self.shared.jobs.add_found(*found);
            self.refresh_jobs();
            return id.map(|id| Effect::Job(JobEffect::Follow { id, folder })).into_iter().collect();
        }
        if let JobMessage::NotAsked { id, failure } = &message {
            let title = self.shared.jobs.get(*id).map_or("job", |job| &job.order.title);
            let notice = Effect::failed(format!("{title} cannot be asked to stop: {}", failure.text()));
            self.shared.jobs.take(message, self.shared.now);
            self.refresh_jobs();
            return vec![notice];
        }
        let notice = self.shared.jobs.take(message, self.shared.now).map(end_notice);
        self.refresh_jobs();
        notice.into_iter().collect()
    }

    /// Performs an effect on jobs; returns the effects that follow.
    pub(super) fn perform_job(&mut self, effect: JobEffect) -> Vec<Effect> {
        match effect {
            JobEffect::Start(order) => self.start_job(order),
            JobEffect::Stop(id) if self.is_preparation(id) => self.screens.datasets.stop_preparation(),
            JobEffect::Stop(id) => {
                self.shared.jobs.stop(id, self.shared.now);
                self.refresh_jobs();
                vec![Effect::Job(JobEffect::Terminate(id))]
            }
            JobEffect::Open(id) => self.open_job(id),
            JobEffect::Copy { id, line } => self.copy_of_job(id, line).map(Effect::Copy).into_iter().collect(),
            effect => vec![Effect::Job(effect)],
        }
    }

    fn is_preparation(&self, id: JobId) -> bool {
        self.shared.jobs.get(id).is_some_and(|job| job.order.work == JobWork::Preparation)
    }

    fn start_job(&mut self, order: JobOrder) -> Vec<Effect> {
        let started = self.shared.now;
        let id = self.shared.jobs.add(order.clone(), started);
        self.refresh_jobs();
        vec![Effect::Job(JobEffect::Spawn { id, order, started })]
    }

    fn open_job(&mut self, id: JobId) -> Vec<Effect> {
        let Some(job) = self.shared.jobs.get(id) else { return Vec::new() };
        let is_planned = matches!(job.state, JobState::Ended { end: JobEnd::Done, .. });
        match (job.result().cloned(), &job.order.rehearsed) {
            (Some(JobResult::Predictions { folder, data }), _) => {
                self.go_to(Destination::Predictions { folder, data: Some(data) })
            }
            (Some(JobResult::DataSet(root)), _) => self.go_to(Destination::DataSet(root)),
            (None, Some(order)) if is_planned => {
                let order = (**order).clone();
                let effects = self.start_job(order);
                self.show_jobs_list();
                effects
            }
            (None, Some(_)) => vec![Effect::failed("the plan failed: nothing to submit")],
            (None, None) => Vec::new(),
        }
    }

    /// A line of a job's output, or the command that it runs.
    fn copy_of_job(&self, id: JobId, line: Option<usize>) -> Option<String> {
        let job = self.shared.jobs.get(id)?;
        let Some(line) = line else {
            let words = job.order.arguments.iter().map(|word| shell_word(&word.to_string_lossy()));
            let words: Vec<String> = words.collect();
            let is_command = !words.is_empty();
            return Some(if is_command { format!("mammoscope {}", words.join(" ")) } else { job.order.title.clone() });
        };
        Some(job.lines.get(line)?.trim_end().to_owned())
    }

    /// Lets an open list know of the jobs as they are now.
    pub(super) fn refresh_jobs(&mut self) {
        for popup in &mut self.popups {
            if let Popup::Jobs(jobs) = popup {
                jobs.refresh(&self.shared);
            }
        }
    }

    fn show_jobs_list(&mut self) {
        let popup = JobsPopup::list(self.data_for_jobs(), &self.shared);
        self.popups.retain(|popup| !matches!(popup, Popup::Jobs(_)));
        self.popups.push(Popup::Jobs(Box::new(popup)));
    }

    /// Opens the list of jobs.
    pub(super) fn open_jobs(&mut self) -> Vec<Effect> {
        self.show_jobs_list();
        Vec::new()
    }

    /// Opens the choice of a job for a data set.
    pub(super) fn choose_job(&mut self, data: Option<String>) -> Vec<Effect> {
        let data = data.unwrap_or_else(|| self.data_for_jobs());
        self.popups.push(Popup::Jobs(Box::new(JobsPopup::choice(data, &self.shared))));
        Vec::new()
    }

    /// Opens the form of a kind of job.
    pub(super) fn fill_job(&mut self, kind: JobKind) -> Vec<Effect> {
        let (popup, effects) = JobsPopup::form(kind, self.data_for_jobs(), &self.shared);
        self.popups.push(Popup::Jobs(Box::new(popup)));
        effects
    }

    /// The data set that forms start with.
    fn data_for_jobs(&self) -> String {
        self.screens.train.data().to_owned()
    }

    /// Quits, after a question if images are being preprocessed, which ends with the workbench, or if runs are just being
    /// started.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let (ending, starting) = (self.shared.jobs.farewell(), self.screens.train.starting());
        let is_asked = self.popups.iter().any(|popup| matches!(popup, Popup::Confirm(_)));
        if (ending.is_empty() && starting.is_none()) || is_asked {
            return vec![Effect::Quit];
        }
        let (title, yes) = if ending.is_empty() {
            ("Quit before training has started?", "quit")
        } else {
            ("Stop preprocessing and quit?", "stop and quit")
        };
        let mut parts = Vec::new();
        if !ending.is_empty() {
            parts.push(ending + ".");
        }
        if let Some(runs) = starting {
            let runs = counted_as(runs, "run is still being started and", "runs are still being started and");
            parts.push(format!("{runs} may be lost."));
        }
        if let Some((text, are_several)) = going_on(self.shared.runs.active().count(), self.shared.jobs.lasting()) {
            let verb = if are_several { "continue" } else { "continues" };
            parts.push(format!("{text} {verb} without the workbench."));
        }
        let question = Question { title: title.to_owned(), text: parts.join(" "), yes, effects: vec![Effect::Quit] };
        self.popups.push(Popup::Confirm(ConfirmPopup::new(question)));
        Vec::new()
    }

    /// Opens a folder of predictions in Evaluate.
    pub(super) fn open_predictions(&mut self, folder: PathBuf, data: Option<PathBuf>) -> Vec<Effect> {
        let mut effects = self.show(ScreenId::Evaluate);
        effects.extend(self.screens.evaluate.open_folder(folder, data, &self.shared));
        effects
    }
}

/// The notice of a job's end.
fn end_notice(job: &Job) -> Effect {
    let JobState::Ended { end, .. } = &job.state else { return Effect::done(job.order.title.clone()) };
    let title = &job.order.title;
    match end {
        JobEnd::Done if job.result().is_some() => Effect::done(format!("{title}: done; J lists it, Enter opens it")),
        JobEnd::Done => Effect::done(format!("{title}: done; J shows its output")),
        JobEnd::Findings(text) => Effect::warning(format!("{title}: finished · {text}; J lists it")),
        JobEnd::Failed(text) => {
            let reason = job.lines.back().filter(|line| line.starts_with("error")).unwrap_or(text);
            Effect::failed(format!("{title}: {reason}"))
        }
        JobEnd::Stopped(text) => Effect::warning(format!("{title}: stopped, {text}")),
    }
}
