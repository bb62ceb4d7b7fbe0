//! Measuring our own programs.

use std::path::PathBuf;
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
    precisions: Vec<&'static str>,
}

/// What `mammoscope-engine probe` prints, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Probe {
    cpu_bf16: bool,
}

/// What `mammoscope-engine bench forward --json` prints, and `bench gradcam --json`.
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

/// What `mammoscope-engine bench ten-steps` prints.
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
    /// The binaries of the release build, and the precisions in which this computer can measure them.
    pub(super) fn find(checkout: &Checkout) -> anyhow::Result<Self> {
        let [program, engine] = ["mammoscope", "mammoscope-engine"].map(|name| checkout.release_binary(name));
        let mut ours = Self { program, engine, precisions: vec!["f32"] };
        let probe: Probe = ours.ask_engine(&["probe"], "1")?;
        if probe.cpu_bf16 {
            ours.precisions.push("bf16");
        } else {
            eprintln!("skipped: bf16, for which this CPU has no instructions");
        }
        Ok(ours)
    }

    /// All figures of a kind of work, once.
    pub(super) fn measure(&self, work: Work, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        match work {
            Work::Forward => self.forward(conditions),
            Work::GradCam => self.gradcam(conditions),
            Work::Train => self.train_steps(conditions),
            Work::Pipeline => self.pipeline(conditions),
            // Measured with the whole.
            Work::FirstEpoch | Work::GradCamByHand => Ok(Vec::new()),
        }
    }

    fn forward(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let sizes = conditions.sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let batches = format!("{BATCH},1");
        let arguments = ["bench", "forward", "--json", "--sizes", &sizes, "--batches", &batches];
        let report: ForwardReport = self.ask_engine(&arguments, &conditions.threads)?;
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

    /// The same figures beside both of the peer's ways.
    fn gradcam(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let report: ForwardReport =
            self.ask_engine(&["bench", "gradcam", "--json", "--batches", "1"], &conditions.threads)?;
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

    /// Each case in a process of its own, whose memory is that of the case.
    fn train_steps(&self, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        const WARM_UP: usize = 2;
        let mut figures = Vec::new();
        for &size in &conditions.sizes {
            // As the peer's script: five steps at large sizes, four times as many at small ones.
            let steps = WARM_UP + if size > 300 { 5 } else { 20 };
            for precision in &self.precisions {
                let mut arguments = ["bench", "ten-steps", "--device", "cpu", "--precision", precision].to_vec();
                let (steps, size_text, batch) = (steps.to_string(), size.to_string(), BATCH.to_string());
                arguments.extend(["--steps", &steps, "--size", &size_text, "--batch", &batch]);
                let StepsReport { run } = self.ask_engine(&arguments, &conditions.threads)?;
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

    /// The JSON document that the engine prints.
    fn ask_engine<T: DeserializeOwned>(&self, arguments: &[&str], threads: &str) -> anyhow::Result<T> {
        let what = format!("mammoscope-engine {}", arguments.join(" "));
        let output = Command::new(&self.engine)
            .args(arguments)
            .env("OMP_NUM_THREADS", threads)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start {}", self.engine.display()))?;
        if !output.status.success() {
            bail!("{what} failed ({})", output.status);
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("read what {what} printed"))
    }
}
