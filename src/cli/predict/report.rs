//! The outcome for all images, and the files beside the table.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::calibrated::CalibrationNote;
use super::comparing::ComparisonNote;
use crate::cli::console::{Console, Outcome, print_result};
use crate::cli::image_notes::{ImageNotes, NotesDocument};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_protocol::VERSION;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::shards::prediction_shard::{PredictedImage, PredictedView, PredictionOutcome};
use mammoscope_storage::tables::prediction_table::{FILE_NAME, PredictionWriter, columns_file_name};

/// The file with the provenance of the table beside it.
pub(super) const NOTES_FILE: &str = "predictions.json";

/// Warns of earlier predictions that will be replaced: predicting view by view into one folder loses all but the last.
pub(super) fn warn_of_replaced(out: &Path, views: impl Iterator<Item = Option<View>>, console: &Console) {
    let predicted: Vec<Option<View>> = views.collect();
    let replaced: Vec<&str> = View::ALL
        .into_iter()
        .filter(|view| !predicted.contains(&Some(*view)))
        .filter(|view| out.join(columns_file_name(Some(*view))).exists())
        .map(View::name)
        .collect();
    if !replaced.is_empty() {
        console.warn(format!(
            "{} holds predictions of {}, which are replaced, not merged; predict all views at once, or use one --out \
            per view (evaluate accepts several)",
            printable_path(out),
            replaced.join(", ")
        ));
    }
}

/// The outcome for the images so far.
#[derive(Default)]
pub(super) struct Report {
    predicted: usize,
    /// Each image that could not be read or predicted, and why.
    failures: Vec<FileProblem>,
    left_out: usize,
    labelled: usize,
    pub(super) notes: ImageNotes,
}

/// The origin of predictions.
pub(super) struct Sources<'a> {
    pub(super) views: &'a [PredictedView],
    pub(super) grey_range: GreyRange,
    pub(super) white: u16,
    pub(super) method: MethodNotes,
}

/// How probabilities were made of what networks say; nothing for those of one network as they are.
#[derive(Default, Serialize)]
pub(super) struct MethodNotes {
    /// The networks of an ensemble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ensemble: Vec<MemberNote>,
    /// The copies of each image that each network predicted, the image itself included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) copies: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calibration: Option<CalibrationNote>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) comparisons: Vec<ComparisonNote>,
}

/// A network of an ensemble, with a model for each view.
#[derive(Serialize)]
pub(super) struct MemberNote {
    pub(super) name: String,
    pub(super) models: Vec<String>,
}

/// `predictions.json`: the provenance of the table beside it.
#[derive(Serialize)]
struct PredictionNotes<'a> {
    schema: u32,
    version: &'static str,
    models: Vec<ModelNote<'a>>,
    grey_range: GreyRange,
    white: u16,
    images: usize,
    failed: usize,
    left_out: usize,
    #[serde(flatten)]
    notes: NotesDocument,
    #[serde(flatten)]
    method: &'a MethodNotes,
}

#[derive(Serialize)]
struct ModelNote<'a> {
    view: Option<View>,
    model: &'a str,
}

impl Report {
    pub(super) fn new(left_out: usize) -> Self {
        Self { left_out, ..Self::default() }
    }

    /// Counts an image, writes its row, and returns the problem of one that failed.
    pub(super) fn add(
        &mut self,
        image: &PredictedImage,
        writer: &mut PredictionWriter,
    ) -> std::io::Result<Option<&FileProblem>> {
        if let Some(findings) = &image.findings {
            self.notes.add(Path::new(&image.file), findings);
        }
        match &image.outcome {
            PredictionOutcome::Predicted(row) => {
                self.predicted += 1;
                self.labelled += usize::from(row.label.is_some());
                writer.write(row)?;
                Ok(None)
            }
            PredictionOutcome::Failed(reason) => {
                self.failures.push(FileProblem::new(Path::new(&image.file), reason.clone()));
                Ok(self.failures.last())
            }
        }
    }

    /// Puts the files in place and reports on the images. Without any prediction that is an error, except in a shard.
    pub(super) fn finish(
        &self,
        out: &Path,
        writer: PredictionWriter,
        sources: &Sources<'_>,
        is_shard: bool,
        console: &Console,
    ) -> anyhow::Result<Outcome> {
        if self.predicted == 0 && !is_shard {
            drop(writer);
            // Only an empty folder is removed by this.
            let _ = std::fs::remove_dir(out);
            bail!("no image could be predicted, {} failed; nothing was written", self.failures.len());
        }
        let write_to = || format!("write to {}", printable_path(out));
        let notes = serde_json::to_string_pretty(&self.document(sources))? + "\n";
        write_atomically(&out.join(NOTES_FILE), notes.as_bytes()).with_context(write_to)?;
        writer.finish().with_context(write_to)?;
        self.notes.warn(console);
        let missed = match self.missed() {
            0 => String::new(),
            missed => format!("; {missed} failed or left out, as listed above"),
        };
        let table = printable_path(&out.join(FILE_NAME));
        console.note(format!("{} predicted: {table}{missed}", counted(self.predicted, "image")));
        Ok(if self.missed() > 0 { Outcome::Failed } else { Outcome::Done })
    }

    /// Names the command that reads the predictions.
    pub(super) fn note_next(&self, out: &Path, console: &Console) {
        if self.labelled > 0 {
            console.note(format!("next: mammoscope evaluate {}", printable_path(out)));
        }
    }

    /// Prints the outcome as one JSON document.
    pub(super) fn print(&self, out: &Path) -> anyhow::Result<()> {
        let document = serde_json::json!({
            "schema": 1,
            "table": out.join(FILE_NAME).to_string_lossy(),
            "predicted": self.predicted,
            "labelled": self.labelled,
            "failed": self.failures,
            "left_out": self.left_out,
        });
        print_result(&(serde_json::to_string_pretty(&document)? + "\n"))
    }

    fn missed(&self) -> usize {
        self.failures.len() + self.left_out
    }

    fn document<'a>(&self, sources: &'a Sources<'a>) -> PredictionNotes<'a> {
        PredictionNotes {
            schema: 1,
            version: VERSION,
            models: sources.views.iter().map(|view| ModelNote { view: view.view, model: &view.model }).collect(),
            grey_range: sources.grey_range,
            white: sources.white,
            images: self.predicted,
            failed: self.failures.len(),
            left_out: self.left_out,
            notes: self.notes.document(),
            method: &sources.method,
        }
    }
}
