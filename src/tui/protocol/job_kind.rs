//! The kinds of jobs: their fields, and the commands that they make.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::jobs::{JobOrder, JobResult};
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::preset::Preset;

/// A kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum JobKind {
    Predict,
    Audit,
    Split,
    Submit,
    Phantoms,
    Demo,
}

/// The content of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Content {
    /// A path that must exist.
    Existing,
    /// A path to write to.
    New,
    /// A whole number of at least this.
    Number(u32),
    /// A whole number of at least this, or nothing.
    OptionalNumber(u32),
    /// A model file, a folder of models, a run or a group.
    Model,
    Preset,
}

/// A field of a job's form.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct JobField {
    pub(in crate::tui) name: &'static str,
    pub(in crate::tui) content: Content,
    pub(in crate::tui) hint: &'static str,
}

const fn field(name: &'static str, content: Content, hint: &'static str) -> JobField {
    JobField { name, content, hint }
}

const DATA: JobField = field("data", Content::Existing, "a data set, or a folder of images");

impl JobKind {
    pub(in crate::tui) const ALL: [Self; 6] =
        [Self::Predict, Self::Audit, Self::Split, Self::Submit, Self::Phantoms, Self::Demo];

    /// A name that begins with a verb.
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Predict => "predict images",
            Self::Audit => "audit a data set",
            Self::Split => "split a data set",
            Self::Submit => "submit training to a cluster",
            Self::Phantoms => "generate synthetic images",
            Self::Demo => "run the demo",
        }
    }

    /// What it does, in one line.
    pub(in crate::tui) const fn meaning(self) -> &'static str {
        match self {
            Self::Predict => "density classes by models; opens in Evaluate",
            Self::Audit => "problems that spoil training; changes nothing",
            Self::Split => "a table of splits or folds, by subject",
            Self::Submit => "a Slurm job array; its plan is shown first",
            Self::Phantoms => "known ground truth, not for clinical use",
            Self::Demo => "four runs on synthetic images; takes minutes",
        }
    }

    pub(in crate::tui) const fn fields(self) -> &'static [JobField] {
        const PREDICT: &[JobField] = &[
            DATA,
            field("model", Content::Model, "a model file, a folder of models, a run or a group; latest"),
            field("output", Content::New, "the folder to write predictions.csv to"),
        ];
        const SPLIT: &[JobField] = &[
            DATA,
            field("output", Content::New, "the table to write; an existing file is not replaced"),
            field("folds", Content::OptionalNumber(2), "empty for splits of 80 : 10 : 10"),
        ];
        const SUBMIT: &[JobField] =
            &[DATA, field("preset", Content::Preset, "the configuration: seed, modern or quick")];
        const PHANTOMS: &[JobField] = &[
            field("output", Content::New, "the folder to write to: new, or a phantom with the same settings"),
            field("subjects", Content::Number(1), "each has four views"),
            field("size", Content::Number(32), "pixels of a side"),
        ];
        const DEMO: &[JobField] =
            &[field("output", Content::New, "the folder to write to, which becomes a workspace of its own")];
        match self {
            Self::Predict => PREDICT,
            Self::Audit => &[DATA],
            Self::Split => SPLIT,
            Self::Submit => SUBMIT,
            Self::Phantoms => PHANTOMS,
            Self::Demo => DEMO,
        }
    }

    /// The values that a form starts with, for a data set and a workspace.
    pub(in crate::tui) fn defaults(self, data: &str, workspace: &Path) -> Vec<String> {
        let below = |name: &str| workspace.join(name).to_string_lossy().into_owned();
        let data = || data.to_owned();
        match self {
            Self::Predict => vec![data(), "latest".to_owned(), below("predictions")],
            Self::Audit => vec![data()],
            Self::Split => vec![data(), below("splits.csv"), String::new()],
            Self::Submit => vec![data(), "modern".to_owned()],
            Self::Phantoms => vec![below("datasets/phantoms"), "60".to_owned(), "256".to_owned()],
            Self::Demo => vec![below("demo")],
        }
    }

    /// The meaning of its exit status 1.
    const fn work(self) -> JobWork {
        match self {
            Self::Predict => JobWork::Predictions,
            Self::Audit => JobWork::Audit,
            Self::Split => JobWork::Split,
            Self::Submit | Self::Phantoms | Self::Demo => JobWork::Command,
        }
    }

    /// The command of a filled form.
    pub(in crate::tui) fn order(self, values: &[String], workspace: &Path) -> JobOrder {
        let value = |place: usize| values.get(place).map_or("", |value| value.trim()).to_owned();
        let path = |place: usize| PathBuf::from(value(place).trim_end_matches('/'));
        let (first, second) = (value(0), value(1));
        let (word, words, result): (&str, Vec<String>, _) = match self {
            Self::Predict => {
                let words = ["--data", &first, "--model", &second, "--out", &value(2)].map(str::to_owned).to_vec();
                ("predict", words, Some(JobResult::Predictions { folder: path(2), data: path(0) }))
            }
            Self::Audit => ("audit", vec![first.clone()], None),
            Self::Split => {
                let mut words = vec![first.clone(), "--out".to_owned(), second];
                if !value(2).is_empty() {
                    words.extend(["--folds".to_owned(), value(2)]);
                }
                ("split", words, None)
            }
            Self::Submit => {
                let words = ["train", "--data", &first, "--preset", &second].map(str::to_owned).to_vec();
                ("submit", words, None)
            }
            Self::Phantoms => {
                let words = [first.as_str(), "--subjects", &second, "--size", &value(2)].map(str::to_owned).to_vec();
                ("phantom", words, Some(JobResult::DataSet(path(0))))
            }
            Self::Demo => {
                let words = ["--plain", "--out", &first].map(str::to_owned).to_vec();
                ("demo", words, Some(JobResult::DataSet(path(0).join("phantoms"))))
            }
        };
        let mut arguments = vec![OsString::from(word)];
        arguments.extend(words.into_iter().map(OsString::from));
        // The demo makes a workspace of its own.
        if self != Self::Demo {
            arguments.extend([OsString::from("--workspace"), workspace.into()]);
        }
        let title = printable(&format!("{word} {first}"));
        let order = JobOrder { title, work: self.work(), arguments, result, rehearsed: None };
        if self == Self::Submit { rehearsal(order) } else { order }
    }

    /// The reason why a value of a field is refused, apart from what only the file system knows.
    pub(in crate::tui) fn fault(content: Content, value: &str) -> Option<String> {
        let value = value.trim();
        match content {
            Content::OptionalNumber(_) if value.is_empty() => None,
            _ if value.is_empty() => Some("must not be empty".to_owned()),
            Content::Number(least) | Content::OptionalNumber(least) => match value.parse::<u32>() {
                Ok(number) if number >= least => None,
                Ok(_) => Some(format!("must be at least {least}")),
                Err(_) => Some("must be a whole number".to_owned()),
            },
            Content::Preset => Preset::named(value).err().map(|error| error.to_string()),
            // Otherwise the command would take it for an option.
            _ if value.starts_with('-') => Some("must not begin with -".to_owned()),
            Content::Existing | Content::New | Content::Model => None,
        }
    }
}

/// The same command with `--dry-run`, which shows the plan; it itself comes afterwards.
fn rehearsal(order: JobOrder) -> JobOrder {
    let mut arguments = order.arguments.clone();
    arguments.push("--dry-run".into());
    JobOrder {
        title: format!("{} (plan)", order.title),
        work: order.work,
        arguments,
        result: None,
        rehearsed: Some(Box::new(order)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: JobKind, values: &[&str]) -> Vec<String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let order = kind.order(&values, Path::new("/ws"));
        order.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn forms_become_commands() {
        assert_eq!(
            words(JobKind::Predict, &["/data", "latest", "/out/"]),
            ["predict", "--data", "/data", "--model", "latest", "--out", "/out/", "--workspace", "/ws"]
        );
        assert_eq!(
            words(JobKind::Phantoms, &["/p", " 8 ", "64"]),
            ["phantom", "/p", "--subjects", "8", "--size", "64", "--workspace", "/ws"]
        );
        assert_eq!(
            words(JobKind::Split, &["/data", "s.csv", "5"]),
            ["split", "/data", "--out", "s.csv", "--folds", "5", "--workspace", "/ws"]
        );
        assert_eq!(words(JobKind::Demo, &["/demo"]), ["demo", "--plain", "--out", "/demo"]);
    }

    #[test]
    fn a_submission_is_rehearsed_first() {
        let values = ["/data".to_owned(), "modern".to_owned()];
        let order = JobKind::Submit.order(&values, Path::new("/ws"));
        assert_eq!(order.arguments.last().unwrap(), "--dry-run");
        let real = order.rehearsed.unwrap();
        assert!(!real.arguments.contains(&"--dry-run".into()) && real.rehearsed.is_none(), "{real:?}");
    }

    #[test]
    fn every_form_has_a_default_for_each_field_and_refuses_nonsense() {
        for kind in JobKind::ALL {
            let defaults = kind.defaults("/data", Path::new("/ws"));
            assert_eq!(defaults.len(), kind.fields().len(), "{kind:?}");
            for (field, value) in kind.fields().iter().zip(&defaults) {
                assert_eq!(JobKind::fault(field.content, value), None, "{kind:?} {}", field.name);
            }
        }
        assert_eq!(JobKind::fault(Content::Number(1), "0").as_deref(), Some("must be at least 1"));
        assert_eq!(JobKind::fault(Content::Number(1), "many").as_deref(), Some("must be a whole number"));
        assert_eq!(JobKind::fault(Content::Existing, " ").as_deref(), Some("must not be empty"));
        assert!(JobKind::fault(Content::New, "--out").is_some());
        assert!(JobKind::fault(Content::Preset, "sed").is_some());
    }
}
