//! Measures our own programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pipeline::train_from_files;
use super::table::median;
use super::{BATCH, Conditions, Figure, Work};
use crate::checkout::Checkout;

/// The release binaries.
#[derive(Debug)]
pub(super) struct Ours {
    program: PathBuf,
    engine: PathBuf,
    engine_bench: PathBuf,
    precisions: Vec<&'static str>,
}

/// The part of `mammoscope-engine probe`'s output that is needed.
#[derive(Debug, Deserialize)]
struct Probe {
    cpu_bf16: bool,
}

/// The output of `mammoscope-engine-bench forward --json` and `gradcam --json`.
#[derive(Debug, Deserialize)]
struct ForwardReport {
    results: Vec<ForwardResult>,
}

#[derive(Debug, Deserialize)]
struct ForwardResult {
    size: u32,
    batch: u32,
    precision: String,
    img_per_s: f64,
}

/// The output of `mammoscope-engine-bench ten-steps`.
#[derive(Debug, Deserialize)]
struct StepsReport {
    run: Steps,
}

#[derive(Debug, Deserialize)]
struct Steps {
    seconds: Vec<f64>,
    host_peak_bytes: Option<u64>,
}

impl Ours {
    /// Finds the binaries of the release build and the precisions that this machine supports.
    pub(super) fn find(checkout: &Checkout) -> anyhow::Result<Self> {
        let binary = |name: &str| checkout.release_binary(name);
        let [program, engine] = ["mammoscope", "mammoscope-engine"].map(binary);
        let engine_bench = binary("mammoscope-engine-bench");
        let mut ours = Self { program, engine, engine_bench, precisions: vec!["f32"] };
        let probe: Probe = ask(&ours.engine, &["probe"], "1")?;
        if probe.cpu_bf16 {
            ours.precisions.push("bf16");
        } else {
            eprintln!("skipped: bf16 (this CPU has no instructions for it)");
        }
        Ok(ours)
    }

    /// Measures all cases of a kind of work once.
    pub(super) fn measure(&self, work: Work, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        match work {
            Work::Forward => self.forward(conditions),
            Work::GradCam => self.gradcam(conditions),
            Work::Train => self.train_steps(conditions),
            Work::Pipeline => self.pipeline(conditions),
            // Measured together with the pipeline and with Grad-CAM.
            Work::FirstEpoch | Work::GradCamByHand => Ok(Vec::new()),
        }
    }

    fn forward(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let sizes = conditions.sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let batches = format!("{BATCH},1");
        let arguments = ["forward", "--json", "--sizes", &sizes, "--batches", &batches];
        let report: ForwardReport = ask(&self.engine_bench, &arguments, &conditions.threads)?;
        let figure = |ForwardResult { size, batch, precision, img_per_s }| Figure {
            work: Work::Forward,
            size,
            batch,
            variant: precision,
            img_per_s,
            peak_bytes: None,
        };
        Ok(report.results.into_iter().map(figure).collect())
    }

    /// Reports the same figures for both of the peer's implementations.
    fn gradcam(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let report: ForwardReport =
            ask(&self.engine_bench, &["gradcam", "--json", "--batches", "1"], &conditions.threads)?;
        let figures = report.results.into_iter().flat_map(|ForwardResult { size, batch, precision, img_per_s }| {
            [Work::GradCam, Work::GradCamByHand].map(|work| Figure {
                work,
                size,
                batch,
                variant: precision.clone(),
                img_per_s,
                peak_bytes: None,
            })
        });
        Ok(figures.collect())
    }

    /// Measures each case in a process of its own, so that the peak memory is that of the case.
    fn train_steps(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        const WARM_UP: usize = 2;
        let mut figures = Vec::new();
        for &size in &conditions.sizes {
            // Like the peer's script: five steps at large sizes, four times as many at small ones.
            let steps = WARM_UP + if size > 300 { 5 } else { 20 };
            for precision in &self.precisions {
                let mut arguments = ["ten-steps", "--device", "cpu", "--precision", precision].to_vec();
                let (steps, size_text, batch) = (steps.to_string(), size.to_string(), BATCH.to_string());
                arguments.extend(["--steps", &steps, "--size", &size_text, "--batch", &batch]);
                let StepsReport { run } = ask(&self.engine_bench, &arguments, &conditions.threads)?;
                figures.push(Figure {
                    work: Work::Train,
                    size,
                    batch: BATCH,
                    variant: (*precision).to_owned(),
                    img_per_s: f64::from(BATCH) / median(run.seconds[WARM_UP..].to_vec()),
                    peak_bytes: run.host_peak_bytes,
                });
            }
        }
        Ok(figures)
    }

    fn pipeline(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for &size in &conditions.sizes {
            for precision in &self.precisions {
                let rates = train_from_files(&self.program, conditions, size, precision)?;
                for (work, img_per_s) in [(Work::Pipeline, rates.later_epochs), (Work::FirstEpoch, rates.first_epoch)] {
                    let variant = (*precision).to_owned();
                    figures.push(Figure { work, size, batch: BATCH, variant, img_per_s, peak_bytes: None });
                }
            }
        }
        Ok(figures)
    }
}

/// Runs a program and parses the JSON document that it prints.
fn ask<T: DeserializeOwned>(program: &Path, arguments: &[&str], threads: &str) -> anyhow::Result<T> {
    let command_line = format!("{} {}", program.display(), arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .env("OMP_NUM_THREADS", threads)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    if !output.status.success() {
        bail!("{command_line} failed ({})", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("read the output of {command_line}"))
}
