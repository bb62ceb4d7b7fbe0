//! The options of `mammoscope submit` that describe jobs.

use clap::Args;

use crate::cli::console::WrongUse;
use mammoscope_cluster::batch_script::ClusterOptions;
use mammoscope_cluster::time_limit::TimeLimit;

/// Options of `sbatch` that the scripts set themselves, and that `--sbatch-arg` must not change.
const RESERVED: [&str; 14] = [
    "--array",
    "-a",
    "--chdir",
    "-D",
    "--clusters",
    "-M",
    "--dependency",
    "-d",
    "--output",
    "-o",
    "--parsable",
    "--signal",
    "--wrap",
    "--no-requeue",
];

/// The options that describe the jobs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub(super) struct ClusterArguments {
    /// The partition of the jobs [default: the cluster's]
    #[arg(long, value_name = "P")]
    partition: Option<String>,
    /// The resources of each task, such as gpu:1
    #[arg(long, value_name = "G")]
    gres: Option<String>,
    /// The time limit of each task, such as 04:00:00; before it, a trainer writes a checkpoint and requeues its task
    #[arg(long, value_name = "T")]
    time: Option<TimeLimit>,
    /// CPUs of each task; they are the threads of a run that sets no number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cpus: Option<u32>,
    /// Memory of each task, such as 16G
    #[arg(long, value_name = "M")]
    mem: Option<String>,
    /// The number of tasks that run at the same time [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    array_limit: Option<u32>,
    /// The account that is charged
    #[arg(long, value_name = "A")]
    account: Option<String>,
    /// Another option of sbatch, such as --qos=long; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(super) sbatch_arg: Vec<String>,
    /// Seconds before the time limit at which a trainer begins to end its work
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub(super) signal_lead: u64,
    /// The number of times that a trainer may requeue its task
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) requeues: u32,
    /// The words that run mammoscope on a node, such as `apptainer exec --nv mammoscope.sif mammoscope` [default: this
    /// program]
    #[arg(long, value_name = "WORDS")]
    program: Option<String>,
    /// Submit even if the same work is pending or running
    #[arg(long)]
    pub(super) again: bool,
    /// Print the scripts and submit nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl ClusterArguments {
    /// The options for the scripts, checked; `with_signal` if trainers are to be warned before the time limit.
    pub(super) fn options(&self, with_signal: bool) -> anyhow::Result<ClusterOptions> {
        if let Some(limit) = self.time.as_ref()
            && let Some(seconds) = limit.seconds()
            && with_signal
            && seconds <= self.signal_lead
        {
            let lead = self.signal_lead;
            return Err(WrongUse(format!(
                "--time {limit} is not longer than the {lead} s before its end at which a trainer stops (--signal-lead)"
            ))
            .into());
        }
        for option in &self.sbatch_arg {
            if !option.starts_with('-') {
                return Err(
                    WrongUse(format!("--sbatch-arg '{option}' is not an option of sbatch: it has no dash")).into()
                );
            }
            let name = option.split(['=', ' ']).next().unwrap_or_default();
            if RESERVED.contains(&name) {
                return Err(WrongUse(format!("--sbatch-arg {name}: the scripts set this option themselves")).into());
            }
        }
        Ok(ClusterOptions {
            partition: self.partition.clone(),
            gres: self.gres.clone(),
            time: self.time.clone(),
            cpus: self.cpus,
            mem: self.mem.clone(),
            account: self.account.clone(),
            array_limit: self.array_limit,
            extra: self.sbatch_arg.clone(),
        })
    }

    /// True if each task gets a GPU.
    pub(super) fn asks_for_gpu(&self) -> bool {
        let is_gpu = |text: &str| text.split([',', '=', ':']).any(|word| word == "gpu");
        self.gres.as_deref().is_some_and(is_gpu)
            || self.sbatch_arg.iter().any(|option| {
                ["--gpus", "-G"].iter().any(|name| option.starts_with(name))
                    || option.strip_prefix("--gres").is_some_and(is_gpu)
            })
    }

    /// The words that run the program on a node.
    pub(super) fn program(&self) -> anyhow::Result<Vec<String>> {
        if let Some(words) = &self.program {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() {
                return Err(WrongUse("--program names no program".to_owned()).into());
            }
            return Ok(words);
        }
        let program = std::env::current_exe()?;
        Ok(vec![mammoscope_cluster::shell_text::path_text(&program)?])
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        cluster: ClusterArguments,
    }

    fn parsed(words: &[&str]) -> ClusterArguments {
        Line::parse_from(["submit"].iter().chain(words)).cluster
    }

    #[test]
    fn a_limit_within_the_lead_is_refused() {
        let error = |words: &[&str]| parsed(words).options(true).unwrap_err().to_string();
        assert!(error(&["--time", "2"]).contains("--time 2 is not longer than the 120 s"));
        assert!(parsed(&["--time", "2"]).options(false).is_ok());
        assert!(parsed(&["--time", "2", "--signal-lead", "60"]).options(true).is_ok());
        assert!(error(&["--sbatch-arg", "--array=1-5"]).contains("--array: the scripts set"));
        assert!(error(&["--sbatch-arg", "qos=long"]).contains("no dash"));
    }

    #[test]
    fn a_gpu_is_recognised_however_it_is_asked_for() {
        assert!(parsed(&["--gres", "gpu:a100:1"]).asks_for_gpu());
        assert!(parsed(&["--sbatch-arg", "--gpus=1"]).asks_for_gpu());
        assert!(!parsed(&["--gres", "lscratch:10"]).asks_for_gpu());
    }
}
