//! The transaction of a submission: everything is in place, or nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{Local, Utc};

use super::advice::with_advice;
use super::cluster_arguments::ClusterArguments;
use crate::cli::console::{Console, Outcome, print_result};
use mammoscope_cluster::batch_script::{ScriptSettings, ShardCommand};
use mammoscope_cluster::cluster_view::{ClusterView, JobEvidence};
use mammoscope_cluster::controller::{cancel, max_array_tasks, release, submit_held};
use mammoscope_cluster::slurm_program::{SlurmError, SlurmProgram};
use mammoscope_cluster::submission::{
    SUBMISSION_SCHEMA, Submission, SubmissionKind, SubmittedArray, SubmittedTask, array_ranges,
};
use mammoscope_cluster::submission_files::{SubmissionDir, list_submissions};
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::runs::workspace::Workspace;

/// Slurm's default of the tasks of an array, for a dry run where there is no Slurm.
const USUAL_ARRAY_TASKS: u32 = 1001;

/// The work to submit.
pub(super) struct Work {
    pub(super) kind: SubmissionKind,
    /// The end of the submission's id, and the label of the jobs.
    pub(super) label: String,
    pub(super) tasks: Vec<SubmittedTask>,
    /// The command of each task, if the tasks are shards.
    pub(super) shards: Option<ShardCommand>,
    /// Options of `mammoscope resume` for each task, if the tasks are runs.
    pub(super) resume_options: Vec<String>,
    /// The command of the job after them.
    pub(super) dependent: DependentCommand,
    /// The folder that relative paths refer to.
    pub(super) directory: PathBuf,
    pub(super) fingerprint: String,
}

/// The command of the job after all tasks.
pub(super) enum DependentCommand {
    /// Evaluates this group or study into the submission's folder.
    Evaluate(String),
    /// A command that merges shards.
    Merge(Vec<String>),
    None,
}

/// Refuses a submission before anything is planned: Slurm's client must be here.
pub(super) fn require_slurm(cluster: &ClusterArguments) -> anyhow::Result<()> {
    if !cluster.dry_run && !SlurmProgram::Sbatch.is_installed() {
        return Err(SlurmError::Missing(SlurmProgram::Sbatch).into());
    }
    Ok(())
}

/// Refuses work that was submitted before and is pending or running.
pub(super) fn refuse_repetition(
    workspace: &Workspace,
    fingerprint: &str,
    cluster: &ClusterArguments,
    console: &Console,
) -> anyhow::Result<()> {
    if cluster.again || cluster.dry_run {
        return Ok(());
    }
    let (submissions, unreadable) = list_submissions(workspace);
    for error in unreadable {
        console.warn(error);
    }
    let view = ClusterView::new(workspace);
    for submission in submissions.iter().filter(|submission| submission.fingerprint == fingerprint) {
        let mut tasks: Vec<TaskId> = submission.ids().map(|(task, _)| task).collect();
        tasks.extend(submission.dependent.map(TaskId::job));
        let evidence = view.evidence(&tasks)?;
        let live = tasks.iter().filter(|task| evidence.get(task).is_some_and(JobEvidence::is_live)).count();
        if live > 0 {
            bail!(
                "the same work was submitted as {} on {} and {} pending or running; --again submits it all the same",
                printable(&submission.id),
                submission.created.with_timezone(&Local).format("%Y-%m-%d at %H:%M"),
                if live == 1 { "1 job of it is".to_owned() } else { format!("{live} jobs of it are") },
            );
        }
    }
    Ok(())
}

/// Prints the scripts of some work. `id` takes the place of the submission's.
pub(super) fn print_scripts(work: &Work, workspace: &Workspace, cluster: &ClusterArguments) -> anyhow::Result<()> {
    let most = match max_array_tasks() {
        Ok(most) => most.unwrap_or(USUAL_ARRAY_TASKS),
        Err(SlurmError::Missing(_)) => USUAL_ARRAY_TASKS,
        Err(error) => return Err(error.into()),
    };
    let folder = mammoscope_cluster::submission_files::submissions(workspace).join("dry-run");
    let scripts = Scripts::new(work, workspace, cluster, &folder, "0", most)?;
    let mut text = String::new();
    for (_, _, script) in &scripts.arrays {
        text.push_str(script);
        text.push('\n');
    }
    text.push_str(scripts.dependent.as_deref().unwrap_or_default());
    print_result(&text)
}

/// Submits work. `prepare` is called once the jobs have their ids and before any can start; if it or Slurm fails, the jobs
/// are cancelled and the records removed.
pub(super) fn submit(
    work: &Work,
    workspace: &Workspace,
    cluster: &ClusterArguments,
    prepare: impl FnOnce(&Submission) -> anyhow::Result<()>,
) -> anyhow::Result<Submission> {
    let most = max_array_tasks().map_err(with_advice)?.unwrap_or(USUAL_ARRAY_TASKS);
    let created = Utc::now();
    let folder = SubmissionDir::create(workspace, created, &work.label)
        .with_context(|| format!("write to {}", printable_path(workspace.path())))?;
    let mut unfinished = Unfinished { folder: folder.clone(), jobs: Vec::new(), is_done: false };
    let token = folder.token().with_context(|| format!("read {}", printable_path(&folder.token_file())))?;
    let scripts = Scripts::new(work, workspace, cluster, folder.path(), &token, most)?;
    let mut arrays = Vec::new();
    for (number, (first, tasks, script)) in (1..).zip(&scripts.arrays) {
        let job = unfinished.submit(&folder.array_script(number), script, &[])?;
        arrays.push(SubmittedArray { job, first: *first, tasks: *tasks });
    }
    let after: Vec<u64> = arrays.iter().map(|array| array.job).collect();
    let dependent = match &scripts.dependent {
        Some(script) => Some(unfinished.submit(&folder.dependent_script(), script, &after)?),
        None => None,
    };
    let submission = Submission {
        schema: SUBMISSION_SCHEMA,
        id: folder.id(),
        created,
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        kind: work.kind,
        fingerprint: work.fingerprint.clone(),
        arrays,
        dependent,
        tasks: work.tasks.clone(),
        max_requeues: if work.kind.trains() { cluster.requeues } else { 0 },
    };
    folder.write(&submission).with_context(|| format!("write {}", printable_path(&folder.record())))?;
    prepare(&submission)?;
    release(&submission.jobs()).map_err(with_advice)?;
    unfinished.is_done = true;
    ClusterView::new(workspace).forget();
    Ok(submission)
}

/// Reports a submission: its id on stdout.
pub(super) fn report(submission: &Submission, console: &Console) -> anyhow::Result<Outcome> {
    let arrays: Vec<String> = submission.arrays.iter().map(|array| array.job.to_string()).collect();
    let after = submission.dependent.map(|job| format!(", then job {job}")).unwrap_or_default();
    console.note(format_args!(
        "{} submitted to Slurm as job {}{after}; `mammoscope runs` shows the states of runs",
        counted(submission.tasks.len(), "task"),
        arrays.join(", ")
    ));
    print_result(&format!("{}\n", submission.id))?;
    Ok(Outcome::Done)
}

/// The scripts of a submission.
struct Scripts {
    /// The position of the first task, the number of tasks, and the text of each array's script.
    arrays: Vec<(u32, u32, String)>,
    dependent: Option<String>,
}

impl Scripts {
    fn new(
        work: &Work,
        workspace: &Workspace,
        cluster: &ClusterArguments,
        folder: &Path,
        token: &str,
        most: u32,
    ) -> anyhow::Result<Self> {
        let settings = ScriptSettings {
            kind: work.kind,
            name: format!("mammoscope-{}", work.label),
            workspace: workspace.path().to_owned(),
            submission: folder.to_owned(),
            token: token.to_owned(),
            program: cluster.program()?,
            directory: work.directory.clone(),
            options: cluster.options(work.kind.trains())?,
            signal_lead: cluster.signal_lead,
            max_requeues: cluster.requeues,
            resume_options: work.resume_options.clone(),
        };
        let count = u32::try_from(work.tasks.len()).context("too many tasks")?;
        let mut arrays = Vec::new();
        for (first, tasks) in array_ranges(count, most) {
            let of_array = &work.tasks[first as usize..(first + tasks) as usize];
            arrays.push((first, tasks, settings.array_script(first, of_array, work.shards.as_ref())?));
        }
        let dependent = match &work.dependent {
            DependentCommand::Evaluate(id) => {
                let out = mammoscope_cluster::shell_text::path_text(&folder.join("evaluation"))?;
                let words = ["evaluate", id, "--out", &out].map(str::to_owned);
                Some(settings.dependent_script(&words)?)
            }
            DependentCommand::Merge(words) => Some(settings.dependent_script(words)?),
            DependentCommand::None => None,
        };
        Ok(Self { arrays, dependent })
    }
}

/// The jobs and the records of a submission, which are cancelled and removed on drop unless it is done.
struct Unfinished {
    folder: SubmissionDir,
    jobs: Vec<u64>,
    is_done: bool,
}

impl Unfinished {
    fn submit(&mut self, path: &Path, script: &str, after: &[u64]) -> anyhow::Result<u64> {
        write_atomically(path, script.as_bytes()).with_context(|| format!("write {}", printable_path(path)))?;
        let job = submit_held(path, after).map_err(with_advice)?;
        self.jobs.push(job);
        Ok(job)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let jobs: Vec<TaskId> = self.jobs.iter().copied().map(TaskId::job).collect();
        if !jobs.is_empty() && cancel(&jobs).is_err() {
            // They are held, so that they never start; their scripts stay, for the user to see what they are.
            return;
        }
        let _ = fs::remove_file(self.folder.record());
        self.folder.remove();
    }
}
