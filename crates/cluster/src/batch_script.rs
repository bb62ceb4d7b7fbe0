//! The batch scripts: readable bash, one for each array and one for the job after them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::job_environment::{MAX_REQUEUES_VARIABLE, TIME_LIMIT_VARIABLE};
use crate::shell_text::{UnsuitableText, option_value, path_text, pattern_value, shell_word};
use crate::submission::{SubmissionKind, SubmittedTask};
use crate::time_limit::TimeLimit;

/// What is asked of the cluster for each task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterOptions {
    pub partition: Option<String>,
    pub gres: Option<String>,
    pub time: Option<TimeLimit>,
    pub cpus: Option<u32>,
    pub mem: Option<String>,
    pub account: Option<String>,
    /// The number of tasks that may run at the same time.
    pub array_limit: Option<u32>,
    /// Further options of `sbatch`, as they stand after `#SBATCH`.
    pub extra: Vec<String>,
}

/// What all scripts of a submission have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptSettings {
    pub kind: SubmissionKind,
    /// The label of the jobs in `squeue`.
    pub name: String,
    pub workspace: PathBuf,
    /// The folder of the submission.
    pub submission: PathBuf,
    pub token: String,
    /// The words that run the program on a node.
    pub program: Vec<String>,
    /// The folder that relative paths of the command line refer to.
    pub directory: PathBuf,
    pub options: ClusterOptions,
    /// Seconds before the time limit at which a trainer is warned.
    pub signal_lead: u64,
    pub max_requeues: u32,
    /// Options of `mammoscope resume` for each task of runs.
    pub resume_options: Vec<String>,
}

impl ScriptSettings {
    /// The script of an array with these tasks; `first` is the position of the first of them in the submission.
    /// `arguments` are the command's own, for shards.
    pub fn array_script(
        &self,
        first: u32,
        tasks: &[SubmittedTask],
        shards: Option<&ShardCommand>,
    ) -> Result<String, UnsuitableText> {
        let mut script = self.head(&format!("Tasks of `mammoscope submit {}`.", self.kind), "%A_%a")?;
        let limit = self.options.array_limit.map(|limit| format!("%{limit}")).unwrap_or_default();
        line(&mut script, &format!("#SBATCH --array=0-{}{limit}", tasks.len().saturating_sub(1)));
        self.resources(&mut script)?;
        line(&mut script, "#SBATCH --requeue");
        if self.kind.trains() {
            line(&mut script, &format!("#SBATCH --signal=B:USR1@{}", self.signal_lead));
        }
        self.extra(&mut script)?;
        self.check_workspace(&mut script)?;
        match shards {
            None => self.train(&mut script, tasks),
            Some(shards) => self.shard(&mut script, first, shards)?,
        }
        Ok(script)
    }

    /// The script of the job that runs `command` once all tasks have ended.
    pub fn dependent_script(&self, command: &[String]) -> Result<String, UnsuitableText> {
        let purpose = format!("The job after the tasks of `mammoscope submit {}`.", self.kind);
        let mut script = self.head(&purpose, "%j")?;
        option(&mut script, "partition", self.options.partition.as_deref())?;
        option(&mut script, "account", self.options.account.as_deref())?;
        option(&mut script, "time", self.options.time.as_ref().map(ToString::to_string).as_deref())?;
        self.extra(&mut script)?;
        self.check_workspace(&mut script)?;
        line(&mut script, "");
        line(&mut script, &format!("exec {} --workspace \"$workspace\" {}", self.words(), words(command)));
        Ok(script)
    }

    fn head(&self, purpose: &str, log: &str) -> Result<String, UnsuitableText> {
        let mut script = String::from("#!/bin/bash\n");
        line(&mut script, &format!("# {purpose} Written by mammoscope."));
        line(&mut script, &format!("#SBATCH --job-name={}", option_value(&self.name)?));
        let logs = pattern_value(&self.submission.join("logs"))?;
        line(&mut script, &format!("#SBATCH --output={}", option_value(&format!("{logs}/{log}.txt"))?));
        line(&mut script, "#SBATCH --open-mode=append");
        line(&mut script, &format!("#SBATCH --chdir={}", option_value(&path_text(&self.directory)?)?));
        Ok(script)
    }

    fn resources(&self, script: &mut String) -> Result<(), UnsuitableText> {
        let options = &self.options;
        option(script, "partition", options.partition.as_deref())?;
        option(script, "account", options.account.as_deref())?;
        option(script, "gres", options.gres.as_deref())?;
        option(script, "time", options.time.as_ref().map(ToString::to_string).as_deref())?;
        option(script, "cpus-per-task", options.cpus.map(|cpus| cpus.to_string()).as_deref())?;
        option(script, "mem", options.mem.as_deref())
    }

    fn extra(&self, script: &mut String) -> Result<(), UnsuitableText> {
        for extra in &self.options.extra {
            // Quotes are the user's own here; only a second line must not begin.
            if extra.chars().any(char::is_control) {
                return Err(UnsuitableText::Character { text: extra.clone(), what: "a control character" });
            }
            line(script, &format!("#SBATCH {extra}"));
        }
        Ok(())
    }

    /// Ends the job with one line if the node does not have the same workspace.
    fn check_workspace(&self, script: &mut String) -> Result<(), UnsuitableText> {
        let relative = self.submission.strip_prefix(&self.workspace).unwrap_or(&self.submission);
        line(script, "");
        line(script, &format!("workspace={}", shell_word(&path_text(&self.workspace)?)));
        let token = Path::new("$workspace").join(relative).join("token");
        line(script, &format!("token={}", shell_word(&self.token)));
        line(script, &format!("if [ \"$(cat \"{}\" 2>/dev/null)\" != \"$token\" ]; then", path_text(&token)?));
        let message = "mammoscope: $(hostname) does not have the workspace $workspace that this job was submitted from: \
                       is it on a shared file system?";
        line(script, &format!("    echo \"{message}\" >&2"));
        line(script, "    exit 1");
        line(script, "fi");
        Ok(())
    }

    fn train(&self, script: &mut String, tasks: &[SubmittedTask]) {
        line(script, "");
        line(script, "# One run for each task of the array.");
        line(script, "runs=(");
        for task in tasks {
            line(script, &format!("    {}", shell_word(&task.to_string())));
        }
        line(script, ")");
        line(script, "run=${runs[$SLURM_ARRAY_TASK_ID]:?the array has no such task}");
        line(script, "");
        line(
            script,
            "# Before the time limit, the trainer writes a checkpoint and requeues its task, so many times at most.",
        );
        line(script, &format!("export {MAX_REQUEUES_VARIABLE}={}", self.max_requeues));
        if let Some(seconds) = self.options.time.as_ref().and_then(TimeLimit::seconds) {
            line(script, &format!("export {TIME_LIMIT_VARIABLE}={seconds}"));
        }
        line(script, "# The CPUs of the job are the threads of a run that sets no number itself.");
        line(script, "if [ -n \"${SLURM_CPUS_PER_TASK:-}\" ]; then");
        line(script, "    export OMP_NUM_THREADS=\"${OMP_NUM_THREADS:-$SLURM_CPUS_PER_TASK}\"");
        line(script, "fi");
        line(script, "");
        line(script, "# The trainer takes the place of this shell, so that Slurm's signals reach it.");
        line(
            script,
            &format!(
                "exec {} --workspace \"$workspace\" resume \"$run\" --foreground{}",
                self.words(),
                self.resume_options()
            ),
        );
    }

    fn shard(&self, script: &mut String, first: u32, shards: &ShardCommand) -> Result<(), UnsuitableText> {
        line(script, "");
        line(script, "# One shard of the images for each task of the array.");
        line(script, &format!("shard=$((SLURM_ARRAY_TASK_ID + {}))", first + 1));
        line(script, &format!("out={}", shell_word(&path_text(&shards.folder)?)));
        line(script, "mkdir -p \"$out\"");
        let arguments: Vec<String> = shards
            .arguments
            .iter()
            .map(|word| if word == ShardCommand::OUT { "\"$out/$shard\"".to_owned() } else { shell_word(word) })
            .collect();
        let command = [self.kind.name().to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ");
        line(
            script,
            &format!("exec {} --workspace \"$workspace\" {command} --shard \"$shard/{}\"", self.words(), shards.count),
        );
        Ok(())
    }

    fn words(&self) -> String {
        words(&self.program)
    }

    fn resume_options(&self) -> String {
        if self.resume_options.is_empty() { String::new() } else { format!(" {}", words(&self.resume_options)) }
    }
}

/// A command that is divided into shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardCommand {
    /// The command's arguments, with [`ShardCommand::OUT`] in place of the folder to write to.
    pub arguments: Vec<String>,
    /// The folder with a folder of results for each shard.
    pub folder: PathBuf,
    /// The number of shards.
    pub count: u32,
}

impl ShardCommand {
    /// Stands for a shard's own folder among the arguments. No argument contains NUL.
    pub const OUT: &'static str = "\0out";
}

fn words(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

fn line(script: &mut String, text: &str) {
    let _ = writeln!(script, "{text}");
}

fn option(script: &mut String, name: &str, value: Option<&str>) -> Result<(), UnsuitableText> {
    if let Some(value) = value {
        line(script, &format!("#SBATCH --{name}={}", option_value(value)?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn settings(workspace: &Path, kind: SubmissionKind) -> ScriptSettings {
        ScriptSettings {
            kind,
            name: "mammoscope-quick".to_owned(),
            workspace: workspace.to_owned(),
            submission: workspace.join("submissions/s1"),
            token: "0123".to_owned(),
            program: ["echo", "it's mammoscope"].map(str::to_owned).to_vec(),
            directory: workspace.to_owned(),
            options: ClusterOptions {
                partition: Some("gpu".to_owned()),
                gres: Some("gpu:1".to_owned()),
                time: Some("04:00:00".parse().unwrap()),
                cpus: Some(4),
                array_limit: Some(2),
                extra: vec!["--qos=long".to_owned()],
                ..ClusterOptions::default()
            },
            signal_lead: 120,
            max_requeues: 50,
            resume_options: Vec::new(),
        }
    }

    fn tasks() -> Vec<SubmittedTask> {
        ["a_CC_R_quick", "b_CC_L_quick"].map(|name| SubmittedTask::Run(name.to_owned())).to_vec()
    }

    /// Runs a script in bash as the task with this number; returns its outputs.
    fn run(script: &str, task: &str) -> (String, String) {
        let output = Command::new("bash")
            .args(["-c", script])
            .env("SLURM_ARRAY_TASK_ID", task)
            .env("SLURM_CPUS_PER_TASK", "4")
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_task_finds_its_run_and_becomes_its_trainer() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("two words");
        let settings = settings(&workspace, SubmissionKind::Train);
        let script = settings.array_script(0, &tasks(), None).unwrap();
        for expected in [
            "#SBATCH --array=0-1%2\n",
            "#SBATCH --signal=B:USR1@120\n",
            "#SBATCH --gres=gpu:1\n",
            "#SBATCH --requeue\n",
            "#SBATCH --qos=long\n",
            "export MAMMOSCOPE_TIME_LIMIT=14400\n",
        ] {
            assert!(script.contains(expected), "{expected} in\n{script}");
        }
        assert!(script.contains("--output=\"") && script.contains("two words/submissions/s1/logs/%A_%a.txt\"\n"));
        let (output, errors) = run(&script, "1");
        assert_eq!(output, "");
        assert!(errors.contains("is it on a shared file system?") && errors.lines().count() == 1, "{errors}");

        std::fs::create_dir_all(workspace.join("submissions/s1")).unwrap();
        std::fs::write(workspace.join("submissions/s1/token"), "0123\n").unwrap();
        let (output, errors) = run(&script, "1");
        let expected =
            format!("it's mammoscope --workspace {} resume b_CC_L_quick --foreground\n", workspace.display());
        assert_eq!((output, errors), (expected, String::new()));
        assert!(run(&script, "7").1.contains("the array has no such task"));
    }

    #[test]
    fn a_shard_writes_to_a_folder_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), SubmissionKind::Predict);
        std::fs::create_dir_all(folder.path().join("submissions/s1")).unwrap();
        std::fs::write(folder.path().join("submissions/s1/token"), "0123").unwrap();
        let arguments = ["--data", "a b", "--out", ShardCommand::OUT].map(str::to_owned).to_vec();
        let shards = ShardCommand { arguments, folder: folder.path().join("out.shards"), count: 8 };
        let script = settings.array_script(2, &[SubmittedTask::Shard(3)], Some(&shards)).unwrap();
        assert!(!script.contains("--signal"), "{script}");
        let (output, errors) = run(&script, "0");
        let path = folder.path().display();
        let expected =
            format!("it's mammoscope --workspace {path} predict --data a b --out {path}/out.shards/3 --shard 3/8\n");
        assert_eq!((output, errors), (expected, String::new()));
    }

    #[test]
    fn the_dependent_job_needs_no_gpu() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), SubmissionKind::Train);
        let command = ["evaluate", "group", "--out", "/w/evaluation of it"].map(str::to_owned);
        let script = settings.dependent_script(&command).unwrap();
        assert!(script.contains("#SBATCH --partition=gpu\n") && !script.contains("gres"), "{script}");
        assert!(script.ends_with("evaluate group --out '/w/evaluation of it'\n"), "{script}");
    }

    #[test]
    fn text_that_would_change_a_script_is_refused() {
        let mut settings = settings(Path::new("/w"), SubmissionKind::Train);
        settings.options.partition = Some("gpu\n#SBATCH --wrap=x".to_owned());
        let error = settings.array_script(0, &tasks(), None).unwrap_err().to_string();
        assert!(error.contains("cannot stand in a line of a batch script"), "{error}");
    }
}
