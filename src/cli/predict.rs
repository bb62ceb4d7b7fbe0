//! `mammoscope predict`: class probabilities of images.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;

use super::chosen_images::{ChosenImages, ImageChoice, ImagesOfView};
use super::console::{Console, Interrupted, Outcome, print_result};
use super::data_arguments::DataArguments;
use super::image_notes::{ImageNotes, NotesDocument};
use super::interruption::Interruption;
use super::model_choice::open_models;
use super::prediction_progress::PredictionProgress;
use mammoscope_dataset::grey_check::GreyFacts;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineError, EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::{ImageJobError, PredictionEvent, run_image_job};
use mammoscope_engine_protocol::VERSION;
use mammoscope_engine_protocol::command::{JobId, PredictWork};
use mammoscope_engine_protocol::event::PredictedSample;
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::tables::prediction_table::{FILE_NAME, PredictionWriter, columns_file_name};

/// Predict the density class of images with trained models
///
/// Writes `predictions.csv` (one line per image, with the probabilities of A to D) and, beside it,
/// `predictions_<VIEW>.txt`, the reference's four columns in the same order. Earlier predictions in the folder are
/// replaced. Images that cannot be read are listed and left out; the exit status is then 1. `mammoscope evaluate DIR`
/// reads the result.
///
/// In data without split folders, --split uses the splits that each model was trained with, from its run's manifest or
/// its metadata.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope predict --model models/ --data testset --out predictions
  mammoscope predict --model models/ --data TestSet --view CC_R --out right
  mammoscope predict --model cc_r.safetensors --data 124_1_A_CC_R.png --out one
  The four models of the newest group, on its held-out test images:
    mammoscope predict --model latest --data DIR --split test --out test")]
pub(super) struct PredictArguments {
    /// A model file, a folder with one model per view, or a run or group (its best checkpoints)
    #[arg(long, value_name = "M")]
    pub(super) model: PathBuf,
    /// An image, a folder of images, or a tree `<VIEW>/[split/]<CLASS>/*`
    #[arg(long, value_name = "PATH")]
    pub(super) data: PathBuf,
    /// Views to predict, separated by commas, or all
    #[arg(long, value_name = "V,…", default_value = "all")]
    pub(super) view: ViewSelection,
    /// The split to predict: train, validation, test or all
    #[arg(long, value_name = "SPLIT", default_value = "all")]
    pub(super) split: SplitSelection,
    #[command(flatten)]
    pub(super) data_options: DataArguments,
    /// The folder to write to; created if missing
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// The device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: DeviceChoice,
    /// f32, f32-strict (no TF32 on a GPU), bf16 (about twice as fast on hardware that supports it) or auto
    #[arg(long, value_name = "PRECISION", default_value = "f32")]
    pub(super) precision: Precision,
    /// Images per batch [default: 4 on a CPU, 32 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) batch_size: Option<u16>,
    /// CPU threads, for computation and decoding [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Print one JSON document with the outcome for the images
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(
    arguments: &PredictArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let models = open_models(&arguments.model, workspace, console).context("--model")?;
    let choice = ImageChoice {
        models: &models,
        data: &arguments.data,
        data_options: &arguments.data_options,
        view: &arguments.view,
        split: arguments.split,
    };
    let ChosenImages { groups, left_out, grey } = choice.choose(console)?;
    let mut tally = Tally { left_out, ..Tally::default() };
    warn_of_replaced(arguments, &groups, console);
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    let mut engine =
        match EngineProcess::start(&locate_engine()?.path, Timeouts::default(), Cancellation::new(&interrupted)) {
            Err(EngineError::Interrupted) => return Err(Interrupted.into()),
            started => started?,
        };
    let mut writer = PredictionWriter::create(&arguments.out)
        .with_context(|| format!("write to {}", printable_path(&arguments.out)))?;
    for (number, group) in groups.iter().enumerate() {
        let job = GroupJob { arguments, console, group, id: JobId(number as u64) };
        job.run(&mut engine, Cancellation::new(&interrupted), &mut writer, &mut tally)?;
    }
    if tally.predicted == 0 {
        drop(writer);
        // Only an empty folder is removed by this.
        let _ = std::fs::remove_dir(&arguments.out);
        bail!("no image could be predicted, {} failed; nothing was written", tally.failed());
    }
    let write_to = || format!("write to {}", printable_path(&arguments.out));
    write_notes(&arguments.out, &PredictionNotes::of(arguments, &groups, &grey, &tally)).with_context(write_to)?;
    writer.finish().with_context(write_to)?;
    tally.notes.warn(console);
    tally.summarise(arguments, console);
    if arguments.json {
        print_result(&tally.to_json(arguments)?)?;
    }
    Ok(if tally.failed() + tally.left_out > 0 { Outcome::Failed } else { Outcome::Done })
}

/// Warns of earlier predictions that will be replaced: predicting view by view into one folder loses all but the last.
fn warn_of_replaced(arguments: &PredictArguments, groups: &[ImagesOfView<'_>], console: &Console) {
    let replaced: Vec<&str> = View::ALL
        .into_iter()
        .filter(|view| groups.iter().all(|group| group.view != Some(*view)))
        .filter(|view| arguments.out.join(columns_file_name(Some(*view))).exists())
        .map(View::name)
        .collect();
    if !replaced.is_empty() {
        console.warn(format!(
            "{} holds predictions of {}, which are replaced, not merged; predict all views at once, or use one --out \
            per view (evaluate accepts several)",
            printable_path(&arguments.out),
            replaced.join(", ")
        ));
    }
}

/// The outcome for the images so far.
#[derive(Default)]
struct Tally {
    predicted: usize,
    /// Each image that could not be read or predicted, and why.
    failures: Vec<FileProblem>,
    left_out: usize,
    labelled: usize,
    notes: ImageNotes,
}

/// `predictions.json`: the provenance of the table beside it.
#[derive(Serialize)]
struct PredictionNotes {
    schema: u32,
    version: &'static str,
    models: Vec<ModelNote>,
    grey_range: GreyRange,
    white: u16,
    images: usize,
    failed: usize,
    left_out: usize,
    #[serde(flatten)]
    notes: NotesDocument,
}

#[derive(Serialize)]
struct ModelNote {
    view: Option<View>,
    model: String,
}

impl PredictionNotes {
    fn of(arguments: &PredictArguments, groups: &[ImagesOfView<'_>], grey: &GreyFacts, tally: &Tally) -> Self {
        let model = |group: &ImagesOfView<'_>| ModelNote {
            view: group.view,
            model: group.model.path.to_string_lossy().into_owned(),
        };
        Self {
            schema: 1,
            version: VERSION,
            models: groups.iter().map(model).collect(),
            grey_range: arguments.data_options.grey.range(),
            white: grey.white,
            images: tally.predicted,
            failed: tally.failed(),
            left_out: tally.left_out,
            notes: tally.notes.document(),
        }
    }
}

fn write_notes(folder: &Path, notes: &PredictionNotes) -> std::io::Result<()> {
    write_atomically(&folder.join("predictions.json"), (serde_json::to_string_pretty(notes)? + "\n").as_bytes())
}

impl Tally {
    fn failed(&self) -> usize {
        self.failures.len()
    }

    fn to_json(&self, arguments: &PredictArguments) -> anyhow::Result<String> {
        let document = serde_json::json!({
            "schema": 1,
            "table": arguments.out.join(FILE_NAME).to_string_lossy(),
            "predicted": self.predicted,
            "labelled": self.labelled,
            "failed": self.failures,
            "left_out": self.left_out,
        });
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    fn summarise(&self, arguments: &PredictArguments, console: &Console) {
        let table = printable_path(&arguments.out.join(FILE_NAME));
        let missed = match self.failed() + self.left_out {
            0 => String::new(),
            missed => format!("; {missed} failed or left out, as listed above"),
        };
        console.note(format!("{} predicted: {table}{missed}", counted(self.predicted, "image")));
        if self.labelled > 0 {
            console.note(format!("next: mammoscope evaluate {}", printable_path(&arguments.out)));
        }
    }
}

struct GroupJob<'a> {
    arguments: &'a PredictArguments,
    console: &'a Console,
    group: &'a ImagesOfView<'a>,
    id: JobId,
}

impl GroupJob<'_> {
    fn run(
        &self,
        engine: &mut EngineProcess,
        cancellation: Cancellation<'_>,
        writer: &mut PredictionWriter,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let progress = PredictionProgress::new(self.console, self.name(), self.group.samples.len());
        let mut found = Vec::new();
        let result = run_image_job(engine, self.id, self.work(), cancellation, &mut |event| {
            progress.on_message(&event);
            if let PredictionEvent::Image { index, result } = event {
                let result = result.map(|PredictedSample { logits, findings }| {
                    if let Some(sample) = self.group.samples.get(index) {
                        tally.notes.add(&sample.path, &findings);
                    }
                    found.push(findings);
                    logits
                });
                self.take(index, result, writer, tally, &progress)?;
            }
            Ok(())
        });
        progress.finish();
        tally.notes.compare(self.group.model, found.iter());
        match result {
            Ok(()) => Ok(()),
            Err(ImageJobError::Interrupted) => Err(Interrupted.into()),
            Err(ImageJobError::Consumer(error)) => Err(error),
            Err(error) => Err(error).with_context(|| format!("predict {}", self.name())),
        }
    }

    fn work(&self) -> PredictWork {
        PredictWork {
            model: WirePath::from(self.group.model.path.as_path()),
            samples: self.group.samples.iter().map(|sample| WirePath::from(sample.path.as_path())).collect(),
            batch_size: self.arguments.batch_size.map(usize::from),
            device: self.arguments.device,
            precision: self.arguments.precision,
            threads: self.arguments.threads.map(usize::from),
            grey_range: self.arguments.data_options.grey.range(),
        }
    }

    fn take(
        &self,
        index: usize,
        result: Result<[f32; DensityClass::COUNT], String>,
        writer: &mut PredictionWriter,
        tally: &mut Tally,
        progress: &PredictionProgress<'_>,
    ) -> anyhow::Result<()> {
        let sample = self.group.samples.get(index).context("the engine answered for an image that it was not given")?;
        let probabilities =
            result.and_then(|logits| Probabilities::from_logits(logits).map_err(|error| error.to_string()));
        let probabilities = match probabilities {
            Ok(probabilities) => probabilities,
            Err(reason) => {
                let problem = FileProblem::new(&sample.path, reason);
                progress.warn(&problem.to_string());
                tally.failures.push(problem);
                return Ok(());
            }
        };
        tally.predicted += 1;
        tally.labelled += usize::from(sample.label.is_some());
        let row = PredictionRow {
            file: sample.path.to_string_lossy().into_owned(),
            subject: sample.subject.clone(),
            exam: sample.exam.clone(),
            view: sample.view,
            label: sample.label,
            predicted: probabilities.most_probable(),
            probabilities,
        };
        writer.write(&row).with_context(|| format!("write to {}", printable_path(&self.arguments.out)))
    }

    fn name(&self) -> &'static str {
        self.group.name()
    }
}
