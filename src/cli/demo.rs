//! `mammoscope demo`: the main path on what a checkout holds.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Parser as _};

use super::arguments::Arguments;
use super::console::{Console, Outcome};
use super::dispatch;
use crate::domain::printable::printable_path;

/// A Keras model of the reference's architecture, an eighth as wide, with random weights.
const KERAS_MODEL: &str = "tests/fixtures/small_w8_keras224names.h5";
const TEST_SET: &str = "testset";

/// Go through the main path on what a checkout holds: import, predict, evaluate
///
/// Imports a small Keras model, predicts the synthetic images of `testset/`, fuses the views of each subject, and
/// prints the figures of merit. Each step shows the command that does it, to be tried on other data.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope demo                       in a checkout; writes to workspace/demo
  mammoscope demo --out demo-results")]
pub(super) struct DemoArguments {
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = "workspace/demo")]
    out: PathBuf,
}

pub(super) fn run(arguments: &DemoArguments, console: &Console) -> anyhow::Result<Outcome> {
    for needed in [KERAS_MODEL, TEST_SET] {
        if !Path::new(needed).exists() {
            bail!("{needed} is not here: run the demo in a checkout of mammoscope");
        }
    }
    let out = &arguments.out;
    std::fs::create_dir_all(out)?;
    let in_out = |name: &str| out.join(name).into_os_string();
    let (model, predictions, evaluation) = (in_out("model.safetensors"), in_out("predictions"), in_out("evaluation"));
    let steps = [
        Step {
            title: "take over a Keras model",
            words: vec!["import".into(), KERAS_MODEL.into(), "--out".into(), model.clone()],
        },
        Step {
            title: "predict the test set",
            words: vec![
                "predict".into(),
                "--model".into(),
                model,
                "--data".into(),
                TEST_SET.into(),
                "--out".into(),
                predictions.clone(),
            ],
        },
        Step {
            title: "fuse the views of each subject, and evaluate",
            words: vec!["evaluate".into(), predictions, "--brief".into(), "--out".into(), evaluation],
        },
    ];
    console.remark(
        "The model of this demo has random weights and the images are synthetic: its figures are those of guessing, and \
         say nothing about mammograms.",
    );
    for (number, step) in steps.iter().enumerate() {
        console.remark(format!("\n{}/{} {}\n  $ {}", number + 1, steps.len(), step.title, step.command_line()));
        let outcome = step.run(console)?;
        if outcome != Outcome::Done {
            return Ok(outcome);
        }
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "mammoscope".into());
    console.remark(format!(
        "\nWritten to {}: model.safetensors, predictions/, evaluation/\nThe program is {}; docs/guide.md goes on with a \
         model and images of your own.",
        printable_path(out),
        printable_path(&program)
    ));
    Ok(Outcome::Done)
}

/// One command of the demo, given as it would be typed.
struct Step {
    title: &'static str,
    words: Vec<std::ffi::OsString>,
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

    fn run(&self, console: &Console) -> anyhow::Result<Outcome> {
        let program = std::ffi::OsString::from("mammoscope");
        let arguments = Arguments::try_parse_from(std::iter::once(&program).chain(&self.words))?;
        dispatch(arguments, console)
    }
}
