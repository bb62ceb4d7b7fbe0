//! Asks Slurm about submitted runs in the background, every few seconds and only while some are unfinished.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::tui::protocol::run_list::RunRow;
use mammoscope_cluster::submission_files::submissions;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_runs::cluster_conditions::{ClusterConditions, RunEvidence};
use mammoscope_runs::condition::{HeartbeatWatch, condition_of};
use mammoscope_storage::runs::workspace::Workspace;

/// The interval between questions.
const INTERVAL: Duration = Duration::from_secs(5);

/// Unfinished runs and their conditions according to their trainers.
type Unfinished = Vec<(String, RunCondition)>;

/// What Slurm said last about the runs of the workspace.
#[derive(Default)]
pub(super) struct ClusterWatch {
    evidence: Arc<Mutex<RunEvidence>>,
    /// Ends the thread when it is dropped.
    questions: Option<SyncSender<Unfinished>>,
}

impl ClusterWatch {
    /// The last answer; empty if Slurm was not asked or did not answer.
    pub(super) fn evidence(&self) -> RunEvidence {
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has Slurm asked about those of these runs that are unfinished, if any were submitted.
    pub(super) fn look_at<'r>(&mut self, workspace: &Workspace, rows: impl Iterator<Item = &'r RunRow>) {
        if self.questions.is_none() && !submissions(workspace).is_dir() {
            return;
        }
        let unfinished: Unfinished = rows
            .filter_map(|row| Some((row, condition_of(&row.run, row.status.as_ref()?, &HeartbeatWatch::default()))))
            .filter(|(_, condition)| {
                !matches!(condition.phase, RunPhase::Completed | RunPhase::Stopped | RunPhase::Failed)
            })
            .map(|(row, condition)| (row.run.name(), condition))
            .collect();
        let questions = self.questions.get_or_insert_with(|| ask(workspace, Arc::clone(&self.evidence)));
        // While Slurm is being asked, or was a moment ago, the question is asked again by the next poll.
        let _ = questions.try_send(unfinished);
    }
}

/// Starts the thread that asks.
fn ask(workspace: &Workspace, latest: Arc<Mutex<RunEvidence>>) -> SyncSender<Unfinished> {
    let (sender, questions) = sync_channel::<Unfinished>(0);
    let conditions = ClusterConditions::new(workspace);
    thread::spawn(move || {
        while let Ok(unfinished) = questions.recv() {
            let runs = unfinished.iter().map(|(name, condition)| (name.as_str(), condition));
            // Where Slurm does not answer, runs are shown as their trainers left them.
            let evidence = conditions.evidence(runs).unwrap_or_default();
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = evidence;
            thread::sleep(INTERVAL);
        }
    });
    sender
}
