//! Preprocessing in the list of jobs. Datasets has its form and its progress; the list follows the same effects and
//! messages.

use super::App;
use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::jobs::{Job, JobEnd, JobOrder, JobResult, JobState};
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::preparation::{PreparationEffect, PreparationMessage, PreparationOutcome};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

impl App {
    /// Lists preprocessing that is about to start, and notes that it was asked to stop.
    pub(super) fn list_preparation(&mut self, effect: &Effect) {
        let Effect::Datasets(DatasetsEffect::Preparation(effect)) = effect else { return };
        let (jobs, now) = (&mut self.shared.jobs, self.shared.now);
        match effect {
            PreparationEffect::Start { input, .. } => {
                let title = printable(&format!("preprocess {input}"));
                let work = JobWork::Preparation;
                jobs.add(JobOrder { title, work, arguments: Vec::new(), result: None, rehearsed: None }, now);
                if let Some(job) = jobs.preparation() {
                    job.state = JobState::Running { pid: None };
                }
            }
            PreparationEffect::Stop => {
                if let Some(id) = jobs.preparation().map(|job| job.id) {
                    jobs.stop(id, now);
                }
            }
        }
        self.refresh_jobs();
    }

    /// Takes what a message says about the listed preprocessing.
    pub(super) fn follow_preparation(&mut self, message: &UiMessage) {
        let UiMessage::Datasets(DatasetsMessage::Preparation(message)) = message else { return };
        let (jobs, now) = (&mut self.shared.jobs, self.shared.now);
        let Some(job) = jobs.preparation() else { return };
        match message {
            // Its form is shown again, with the reason.
            PreparationMessage::NotStarted { .. } => jobs.withdraw_preparation(),
            PreparationMessage::Progress(progress) => job.progress = progress.job_text(),
            PreparationMessage::Refused { name, reason } => job.add_line(format!("warning: {name}: {reason}")),
            PreparationMessage::Ended { output, outcome, .. } => {
                if outcome.as_ref().is_ok_and(PreparationOutcome::has_images) {
                    job.order.result = Some(JobResult::DataSet(output.clone()));
                }
                let end = end_of(job, outcome);
                job.state = JobState::Ended { at: now, end };
            }
        }
        self.refresh_jobs();
    }
}

/// The end of preprocessing; its notes and its summary become lines of the job.
fn end_of(job: &mut Job, outcome: &Result<PreparationOutcome, Failure>) -> JobEnd {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => {
            let reason = printable(failure.text());
            job.add_line(format!("error: {reason}"));
            return JobEnd::Failed(reason);
        }
    };
    for note in &outcome.notes {
        job.add_line(printable(note));
    }
    job.add_line(outcome.summary_text());
    match &outcome.summary {
        summary if summary.cancelled => JobEnd::Stopped("start it again to continue".to_owned()),
        summary if summary.refused > 0 => JobEnd::Findings(format!("{} refused", counted(summary.refused, "file"))),
        _ => JobEnd::Done,
    }
}
