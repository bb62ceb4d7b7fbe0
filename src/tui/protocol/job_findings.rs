//! The findings of jobs: commands that did their work and end with exit status 1 because of what they found.

use serde::{Deserialize, Serialize};

use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;

/// The work of a job, which decides what its exit status 1 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum JobWork {
    /// A command that fails with it.
    Command,
    /// An audit that lists errors of the data set ends with it as well.
    Audit,
    /// Predictions without some of the images end with it as well.
    Predictions,
    /// A table of splits that was drawn without comparing some of the images ends with it as well.
    Split,
    /// Preprocessing, which is no process: it runs on threads of the workbench.
    Preparation,
}

impl JobWork {
    /// What a command with exit status 1 found, by its output; `None` if it failed.
    pub(in crate::tui) fn findings<'a>(self, mut lines: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
        if lines.clone().any(|line| line.starts_with("error:")) {
            return None;
        }
        match self {
            Self::Command | Self::Preparation => None,
            Self::Audit => lines.find_map(audit_findings),
            Self::Predictions => lines.find_map(missed_images),
            Self::Split => {
                let is_written = lines.clone().any(|line| line.starts_with("wrote "));
                let images = lines.filter(|line| line.ends_with("; not compared with the others")).count();
                is_written.then(|| format!("{} unreadable and not compared", counted(images, "image")))
            }
        }
    }
}

/// `DIR: 60 images of 15 subjects, 3 errors, 11 warnings` as `14 findings: 3 errors, 11 warnings`.
fn audit_findings(line: &str) -> Option<String> {
    let (rest, warnings) = line.rsplit_once(", ")?;
    let (_, errors) = rest.rsplit_once(", ")?;
    let number = |text: &str, noun: &str| {
        let (number, unit) = text.split_once(' ')?;
        unit.strip_prefix(noun).filter(|plural| matches!(*plural, "" | "s"))?;
        number.replace(',', "").parse::<usize>().ok()
    };
    let findings = number(errors, "error")? + number(warnings, "warning")?;
    let plural = if findings == 1 { "" } else { "s" };
    Some(format!("{} finding{plural}: {errors}, {warnings}", grouped(findings)))
}

/// `58 images predicted: FILE; 2 failed or left out, as listed above` as `2 images without a prediction`.
fn missed_images(line: &str) -> Option<String> {
    let (_, after) = line.split_once(" predicted: ")?;
    let missed = after.strip_suffix(" failed or left out, as listed above")?.rsplit_once("; ")?.1;
    Some(format!("{} without a prediction", counted(missed.parse().ok()?, "image")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(work: JobWork, lines: &[&str]) -> Option<String> {
        work.findings(lines.iter().copied())
    }

    #[test]
    fn an_audit_counts_its_findings() {
        let lines = ["/data/a, b: 1,240 images of 310 subjects, 3 errors, 1,011 warnings", "", "error unreadable"];
        let text = "1,014 findings: 3 errors, 1,011 warnings";
        assert_eq!(found(JobWork::Audit, &lines).as_deref(), Some(text));
        let one = ["/data: 1 image of 1 subject, 1 error, 0 warnings"];
        assert_eq!(found(JobWork::Audit, &one).as_deref(), Some("1 finding: 1 error, 0 warnings"));
    }

    #[test]
    fn predictions_and_splits_say_what_is_missing() {
        let lines =
            ["warning: a.png: truncated", "58 images predicted: /out/a; b.csv; 2 failed or left out, as listed above"];
        assert_eq!(found(JobWork::Predictions, &lines).as_deref(), Some("2 images without a prediction"));
        let lines = ["warning: a.png: truncated; not compared with the others", "wrote /out/splits.csv"];
        assert_eq!(found(JobWork::Split, &lines).as_deref(), Some("1 image unreadable and not compared"));
    }

    #[test]
    fn a_fault_is_not_a_finding() {
        assert_eq!(found(JobWork::Audit, &["error: /gone: No such file or directory"]), None);
        assert_eq!(found(JobWork::Audit, &[]), None, "its output says nothing");
        let lines =
            ["58 images predicted: /out/p.csv; 2 failed or left out, as listed above", "error: the disk is full"];
        assert_eq!(found(JobWork::Predictions, &lines), None);
        assert_eq!(found(JobWork::Split, &["warning: a.png: truncated; not compared with the others"]), None);
        assert_eq!(found(JobWork::Command, &["x: 3 errors, 1 warning"]), None);
    }
}
