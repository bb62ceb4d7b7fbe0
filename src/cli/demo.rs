//! `mammoscope demo`: the whole pipeline, from synthetic images to the metrics of trained networks.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Parser as _};
use serde_json::Value;

use super::arguments::Arguments;
use super::console::{Console, Outcome};
use super::dispatch;
use super::workbench::Workbench;
use crate::terminal::query;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::condition::current_condition;
use mammoscope_runs::training_plan::remove_runs;
use mammoscope_storage::runs::run_catalog::{RunEntry, list_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The synthetic data set: the number of subjects, and the side of the images in pixels.
const SUBJECTS: &str = "240";
const SIZE: &str = "128";
const SEED: &str = "7";
const PRESET: &str = "quick";
/// The name of the runs.
const NAME: &str = "demo";
/// The commands that run only where the workbench can be opened.
const WORKBENCH_STEPS: [&str; 2] = ["attach", "follow"];
/// The linear kappa of the fused test subjects, below which something is wrong.
const MIN_KAPPA: f64 = 0.6;

/// Run the whole pipeline on synthetic images: phantoms, four training runs, metrics
///
/// Makes synthetic mammograms, trains a network for each view, and evaluates them on held-out subjects, per view,
/// breast and subject. Each step prints its command, to be tried on other data. Takes minutes on two cores. When run
/// again, it keeps the images and trains from scratch. The exit status is 1 if the fused linear kappa stays below 0.6.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope demo                       writes to workspace/demo
  mammoscope demo --plain               as plain lines, without the workbench
  mammoscope demo --out demo-results")]
pub(super) struct DemoArguments {
    /// The folder to write to, which becomes a workspace of its own
    #[arg(long, value_name = "DIR", default_value = "workspace/demo")]
    out: PathBuf,
    /// Print the progress as lines instead of opening the workbench
    #[arg(long)]
    plain: bool,
    /// Number of subjects; fewer are enough to test the demo itself
    #[arg(long, value_name = "N", default_value = SUBJECTS, hide = true)]
    subjects: String,
}

pub(super) fn run(arguments: &DemoArguments, console: &Console, workbench: &Workbench<'_>) -> anyhow::Result<Outcome> {
    let out = &arguments.out;
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && query::kind().refusal().is_none();
    let in_workbench = !arguments.plain && is_terminal;
    if in_workbench {
        // Said before minutes of work, not after.
        workbench.usable_settings()?;
    }
    let workspace = Workspace::open(Some(out))?;
    let earlier = runs_of_demos(&workspace)?;
    if let Some(run) = earlier.iter().find(|entry| has_trainer(entry)) {
        let (run, out) = (printable(&run.run.name()), printable_path(out));
        bail!(
            "{run} of an earlier demo is still being trained; `mammoscope follow {run} --workspace {out}` shows its \
            progress, `mammoscope control {run} stop --workspace {out}` stops it"
        );
    }
    remove_runs(&earlier.into_iter().map(|entry| entry.run).collect::<Vec<RunDir>>());
    console.note(
        "The images of this demo are synthetic: its metrics show that the program works, and nothing about mammograms.",
    );
    let (phantoms, evaluation) = (out.join("phantoms"), out.join("evaluation"));
    let text = OsString::from;
    let steps = [
        Step {
            title: "make synthetic mammograms with known ground truth",
            words: vec![
                text("phantom"),
                phantoms.clone().into(),
                text("--subjects"),
                text(&arguments.subjects),
                text("--size"),
                text(SIZE),
                text("--seed"),
                text(SEED),
            ],
        },
        Step {
            title: "train a network for each view",
            words: vec![
                text("train"),
                text("--data"),
                phantoms.into(),
                text("--view"),
                text("all"),
                text("--preset"),
                text(PRESET),
                text("--name"),
                text(NAME),
                text("--workspace"),
                out.into(),
                text(if in_workbench { "--detach" } else { "--follow" }),
            ],
        },
        Step {
            title: "watch them in the workbench; q leaves it, and the demo continues here",
            words: vec![text("attach"), text("--workspace"), out.into()],
        },
        Step {
            title: "follow the rest of the training",
            words: vec![text("follow"), text("latest"), text("--workspace"), out.into()],
        },
        Step {
            title: "evaluate them on the held-out subjects",
            words: vec![
                text("evaluate"),
                text("latest"),
                text("--split"),
                text("test"),
                text("--brief"),
                text("--out"),
                evaluation.clone().into(),
                text("--workspace"),
                out.into(),
            ],
        },
    ];
    let steps: Vec<&Step> = steps
        .iter()
        .filter(|step| in_workbench || !WORKBENCH_STEPS.iter().any(|command| step.words[0] == *command))
        .collect();
    for (number, step) in steps.iter().enumerate() {
        console.note(format!("\n{}/{} {}\n  $ {}", number + 1, steps.len(), step.title, step.command_line()));
        let outcome = step.run(console, workbench)?;
        if outcome != Outcome::Done {
            return Ok(outcome);
        }
    }
    let kappa = fused_kappa(&evaluation.join("evaluation.json"))?;
    let program = std::env::current_exe().unwrap_or_else(|_| "mammoscope".into());
    console.note(format!(
        "\nWritten to {}: phantoms/, runs/, evaluation/\n\
         The program is {}; docs/guide.md continues with your own images.",
        printable_path(out),
        printable_path(&program)
    ));
    verdict(kappa)?;
    Ok(Outcome::Done)
}

/// Fails if the kappa shows that something is wrong.
fn verdict(kappa: f64) -> anyhow::Result<()> {
    if kappa >= MIN_KAPPA {
        return Ok(());
    }
    bail!("linear kappa of the fused test subjects is {kappa:.3}, and should be at least {MIN_KAPPA}");
}

/// The runs of earlier demos in this workspace.
fn runs_of_demos(workspace: &Workspace) -> anyhow::Result<Vec<RunEntry>> {
    let runs = list_runs(workspace).with_context(|| format!("read {}", printable_path(&workspace.runs())))?;
    let is_ours = |entry: &RunEntry| entry.group().is_some_and(|group| group.contains(&format!("_{NAME}_")));
    Ok(runs.into_iter().filter(is_ours).collect())
}

fn has_trainer(entry: &RunEntry) -> bool {
    current_condition(&entry.run).is_ok_and(|condition| condition.stale.is_none() && !condition.phase.is_over())
}

/// The linear kappa of the subjects, with their four views fused.
fn fused_kappa(evaluation: &Path) -> anyhow::Result<f64> {
    let shown = || format!("read {}", printable_path(evaluation));
    let document: Value =
        serde_json::from_slice(&std::fs::read(evaluation).with_context(shown)?).with_context(shown)?;
    document["sets"]["total"]["kappa_linear"].as_f64().context("the test subjects have no fused linear kappa")
}

/// One command of the demo, as it would be typed.
struct Step {
    title: &'static str,
    words: Vec<OsString>,
}

impl Step {
    fn command_line(&self) -> String {
        let mut line = "mammoscope".to_owned();
        for word in &self.words {
            let word = printable_path(Path::new(word));
            line.push(' ');
            if word.contains(' ') {
                line.push('\'');
                line.push_str(&word);
                line.push('\'');
            } else {
                line.push_str(&word);
            }
        }
        line
    }

    fn run(&self, console: &Console, workbench: &Workbench<'_>) -> anyhow::Result<Outcome> {
        let program = OsString::from("mammoscope");
        let arguments = Arguments::try_parse_from(std::iter::once(&program).chain(&self.words))?;
        dispatch(arguments, console, workbench)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kappa_below_the_limit_is_a_failure() {
        for good in [0.6, 0.75, 1.0] {
            assert!(verdict(good).is_ok(), "{good}");
        }
        for bad in [0.599, 0.0, -0.2, f64::NAN] {
            let error = verdict(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:.3}")) && error.contains("at least 0.6"), "{error}");
        }
    }

    #[test]
    fn the_kappa_is_that_of_the_four_fused_views() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evaluation.json");
        let written = |text: &str| {
            std::fs::write(&path, text).unwrap();
            fused_kappa(&path).map_err(|error| format!("{error:#}"))
        };
        let sets = r#"{"sets": {"CC_R": {"kappa_linear": 0.1}, "right": {"kappa_linear": 0.2}, "total":
            {"kappa_linear": 0.75, "kappa_quadratic": 0.9}}}"#;
        assert_eq!(written(sets), Ok(0.75));
        for incomplete in
            [r#"{"sets": {"CC_R": {"kappa_linear": 0.1}}}"#, r#"{"sets": {"total": {"kappa_linear": null}}}"#]
        {
            assert!(written(incomplete).unwrap_err().contains("no fused linear kappa"), "{incomplete}");
        }
        assert!(written("{").unwrap_err().contains("evaluation.json"));
        std::fs::remove_file(&path).unwrap();
        assert!(fused_kappa(&path).is_err());
    }
}
