//! The predictions of an image by several networks, or of several copies of it, and their mean.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};

use super::members::Members;
use crate::cli::chosen_images::ImagesOfView;
use mammoscope_domain::image::image_seed::view_seed;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_protocol::command::AugmentedCopy;
use mammoscope_storage::models::model_set::ModelEntry;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::shards::prediction_shard::{PredictedImage, PredictionOutcome};

/// The most copies of an image: their mean hardly changes long before.
pub(super) const MAX_COPIES: i64 = 64;

/// The seed of the transforms of copies.
const SEED: u64 = 0;

/// One prediction of all images of a view.
pub(super) struct Pass<'a> {
    pub(super) model: &'a ModelEntry,
    /// `None` for the images as they are.
    pub(super) augmented: Option<AugmentedCopy>,
    member: usize,
    /// What is predicted, for the progress.
    pub(super) name: String,
}

/// The passes over the images of a view: each network predicts each copy, the first of which is the image itself.
pub(super) fn passes_of<'a>(
    members: &'a Members,
    copies: u32,
    group: &ImagesOfView<'a>,
) -> anyhow::Result<Vec<Pass<'a>>> {
    let mut passes = Vec::new();
    for member in 0..members.all.len() {
        let model = members.model_of(member, group.view)?;
        let transform = if copies > 1 { Some(transform_of(model, group).context("--tta")?) } else { None };
        for copy in 0..copies {
            let mut name = group.name().to_owned();
            if members.is_ensemble() {
                let _ = write!(name, ", network {} of {}", member + 1, members.all.len());
            }
            if copies > 1 {
                let _ = write!(name, ", copy {} of {copies}", copy + 1);
            }
            let augmented = transform.filter(|_| copy > 0).map(|transform| AugmentedCopy { copy, ..transform });
            passes.push(Pass { model, augmented, member, name });
        }
    }
    Ok(passes)
}

/// The random transforms that a model was trained with.
fn transform_of(model: &ModelEntry, group: &ImagesOfView<'_>) -> anyhow::Result<AugmentedCopy> {
    let Some(run) = RunDir::of_model(&model.path) else {
        bail!(
            "{} is not in a run, and only a run says how its images were augmented; pass the run as --model",
            printable_path(&model.path)
        )
    };
    let config = read_run_spec(&run.spec())?.config;
    if !config.augment || (config.rotation <= 0.0 && config.shift <= 0.0 && config.zoom <= 0.0) {
        bail!(
            "{} was trained without augmentation, so there is nothing to repeat when it predicts; leave out --tta",
            printable(&run.name())
        );
    }
    let (rotation, shift, zoom) = (config.rotation, config.shift, config.zoom);
    Ok(AugmentedCopy { copy: 0, seed: view_seed(SEED, group.view), rotation, shift, zoom })
}

/// The mean of all passes for an image; one failure fails it, since the mean of the others would be of another ensemble.
pub(super) fn mean_of(passes: &[Pass<'_>], images: &[&PredictedImage]) -> anyhow::Result<PredictedImage> {
    let first = *images.first().context("an image was not predicted")?;
    let mut all = Vec::with_capacity(images.len());
    for (pass, image) in passes.iter().zip(images) {
        match &image.outcome {
            PredictionOutcome::Predicted(row) => all.push(row.probabilities),
            PredictionOutcome::Failed(reason) => {
                let reason = format!("{reason} ({})", pass.name);
                return Ok(PredictedImage { outcome: PredictionOutcome::Failed(reason), ..first.clone() });
            }
        }
    }
    Ok(match (&first.outcome, Probabilities::mean(&all)) {
        (PredictionOutcome::Predicted(row), Some(mean)) => {
            PredictedImage { outcome: PredictionOutcome::Predicted(with(row, mean)), ..first.clone() }
        }
        _ => first.clone(),
    })
}

/// The mean of those passes for an image that are `chosen`; `None` if one failed.
pub(super) fn mean_of_some(
    passes: &[Pass<'_>],
    images: &[&PredictedImage],
    chosen: impl Fn(&Pass<'_>) -> bool,
) -> Option<PredictionRow> {
    let mut rows = Vec::new();
    for (_, image) in passes.iter().zip(images).filter(|(pass, _)| chosen(pass)) {
        let PredictionOutcome::Predicted(row) = &image.outcome else { return None };
        rows.push(row);
    }
    let mean = Probabilities::mean(&rows.iter().map(|row| row.probabilities).collect::<Vec<_>>())?;
    Some(with(rows.first()?, mean))
}

impl Pass<'_> {
    pub(super) fn is_of(&self, member: usize) -> bool {
        self.member == member
    }
}

fn with(row: &PredictionRow, probabilities: Probabilities) -> PredictionRow {
    PredictionRow { predicted: probabilities.most_probable(), probabilities, ..row.clone() }
}
