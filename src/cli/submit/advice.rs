//! What to do when Slurm refuses a job.

use mammoscope_cluster::partitions::partitions;
use mammoscope_cluster::slurm_program::SlurmError;

/// Slurm's own line, with advice where there is any.
pub(super) fn with_advice(error: SlurmError) -> anyhow::Error {
    let advice = match &error {
        SlurmError::Failed { message, .. } => advice_for(&message.to_ascii_lowercase(), partition_names),
        _ => None,
    };
    match advice {
        Some(advice) => anyhow::anyhow!("{error}; {advice}"),
        None => error.into(),
    }
}

fn partition_names() -> Option<String> {
    let names: Vec<String> = partitions().ok()?.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn advice_for(message: &str, partition_names: impl FnOnce() -> Option<String>) -> Option<String> {
    let known = [
        ("gres", "`sinfo -o '%P %G'` lists the resources of each partition"),
        ("time limit", "`sinfo -o '%P %l'` lists the longest time of each partition"),
        ("account", "--account chooses another; `sacctmgr show associations user=$USER` lists yours"),
        ("memory", "ask for less with --mem; `sinfo -o '%P %m'` lists the memory of nodes"),
        ("cpu", "ask for fewer with --cpus; `sinfo -o '%P %c'` lists the CPUs of nodes"),
        ("qosmaxsubmit", "submit fewer runs at a time, or ask the administrator for a higher limit"),
        ("assocmaxsubmit", "submit fewer runs at a time, or ask the administrator for a higher limit"),
    ];
    if message.contains("partition") {
        return partition_names().map(|names| format!("partitions: {names}"));
    }
    known.iter().find(|(part, _)| message.contains(part)).map(|(_, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_partition_is_answered_with_those_that_exist() {
        let advice =
            |message: &str| advice_for(&message.to_ascii_lowercase(), || Some("debug (default), gpu".to_owned()));
        let partition = advice("Batch job submission failed: Invalid partition name specified");
        assert_eq!(partition.as_deref(), Some("partitions: debug (default), gpu"));
        let gres = advice("Batch job submission failed: Invalid generic resource (gres) specification");
        assert!(gres.unwrap().contains("%G"));
        assert_eq!(advice("Unable to contact slurm controller"), None);
    }
}
