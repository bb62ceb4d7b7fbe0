//! A cluster, a small data set and a workspace.

use std::path::PathBuf;
use std::process::{Command, Output};

use mammoscope_cluster::submission::Submission;
use mammoscope_cluster::submission_files::list_submissions;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_test_support::slurm_cluster::SlurmCluster;
use mammoscope_test_support::trainer_fixture::{TrainerFixture, WatchedRun};
use mammoscope_test_support::{stderr_of, wait_for};

/// The settings of all runs here.
const SETTINGS: &str = "size=64,width=0.25,batch_size=4,threads=1,precision=f32";

pub(crate) struct ClusterFixture {
    pub(crate) cluster: SlurmCluster,
    pub(crate) trainer: TrainerFixture,
}

impl ClusterFixture {
    /// Starts a cluster with further lines for `slurm.conf`; `None` where that is not possible.
    pub(crate) fn start(subjects: u32, lines: &str) -> Option<Self> {
        Some(Self { cluster: SlurmCluster::start(lines)?, trainer: TrainerFixture::new(subjects) })
    }

    /// `mammoscope` with this workspace, in this cluster.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.trainer.command(arguments);
        self.cluster.enter(&mut command);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The stdout of a command that must succeed.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_of(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The arguments of `train` and of `submit train`.
    pub(crate) fn train_arguments(&self, command: &[&str], views: &str, settings: &str, more: &[&str]) -> Vec<String> {
        let data = self.trainer.data();
        let set = format!("{SETTINGS},{settings}");
        let own = ["--data", data.to_str().unwrap(), "--view", views, "--preset", "seed", "--set", &set];
        [command, &own, more].concat().into_iter().map(str::to_owned).collect()
    }

    /// `submit train` for these views.
    pub(crate) fn submit_train(&self, views: &str, settings: &str, more: &[&str]) -> Output {
        let arguments = self.train_arguments(&["submit", "train"], views, settings, more);
        self.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A submission that must succeed, and its runs.
    pub(crate) fn submitted(&self, views: &str, settings: &str, more: &[&str]) -> (Submission, Vec<WatchedRun>) {
        let output = self.submit_train(views, settings, more);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let id = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let submission = self.submissions().into_iter().find(|submission| submission.id == id).unwrap();
        let runs = self.trainer.runs();
        let runs = submission.ids().map(|(_, task)| {
            let found = runs.iter().find(|run| run.dir.name() == task.to_string()).unwrap();
            WatchedRun::new(found.dir.clone())
        });
        let runs = runs.collect();
        (submission, runs)
    }

    pub(crate) fn submissions(&self) -> Vec<Submission> {
        let (submissions, unreadable) = list_submissions(&self.opened_workspace());
        assert!(unreadable.is_empty(), "{unreadable:?}");
        submissions
    }

    pub(crate) fn opened_workspace(&self) -> Workspace {
        Workspace::open(Some(&self.trainer.workspace())).unwrap()
    }

    /// A file of a submission.
    pub(crate) fn file(&self, submission: &Submission, name: &str) -> PathBuf {
        self.trainer.workspace().join("submissions").join(&submission.id).join(name)
    }

    /// Waits until `mammoscope runs` shows a text, and returns its line.
    pub(crate) fn wait_shown(&self, text: &str) -> String {
        wait_for(&format!("'{text}' in the list of runs"), || {
            let runs = self.output(&["runs"]);
            runs.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }
}
