//! `mammoscope model describe`: adds a description of the training images to a model that lacks one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use rayon::prelude::*;

use super::chosen_images::{ChosenImages, ImageChoice};
use super::console::{Console, Interrupted, Outcome};
use super::data_arguments::DataArguments;
use super::interruption::Interruption;
use super::model_choice::open_models;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::network_input::load_input;
use mammoscope_storage::models::model_file::{Model, grey_range_entry};

/// Write a copy of a model that describes its training images
///
/// `predict` and `explain` compare their images with the description of the training images, and warn if they differ.
/// Models trained by this program include it; this command adds it to an imported one. The weights are unchanged.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope import CC_R.h5 --out cc_r.safetensors
  mammoscope model describe cc_r.safetensors --data DIR --out known.safetensors")]
pub(super) struct DescribeArguments {
    /// The model file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data set that the model was trained on
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// The split that the model was trained on: train, or all
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    split: SplitSelection,
    #[command(flatten)]
    data_options: DataArguments,
    /// The file to write; it may be the model itself
    #[arg(long, value_name = "NEW")]
    out: PathBuf,
}

pub(super) fn run(arguments: &DescribeArguments, console: &Console) -> anyhow::Result<Outcome> {
    if arguments.out.exists() && arguments.out.canonicalize().ok() != arguments.file.canonicalize().ok() {
        bail!("--out: {} exists already; choose another name", printable_path(&arguments.out));
    }
    let models = open_models(&arguments.file, None, console)?;
    let mut model = Model::read(&arguments.file).with_context(|| printable_path(&arguments.file))?;
    let view = model.metadata.view.map_or(ViewSelection::All, |view| ViewSelection::Only(vec![view]));
    let choice = ImageChoice {
        models: &models,
        data: &arguments.data,
        data_options: &arguments.data_options,
        view: &view,
        split: arguments.split,
    };
    let ChosenImages { groups, .. } = choice.choose(console)?;
    let paths: Vec<&Path> =
        groups.iter().flat_map(|group| &group.samples).map(|sample| sample.path.as_path()).collect();
    let range = arguments.data_options.grey.range();
    let interruption = Interruption::watch()?;
    let (size, route) = (model.metadata.size, model.metadata.input_route);
    let read = |path: &&Path| -> anyhow::Result<Option<ImageFindings>> {
        if interruption.requested() {
            return Err(Interrupted.into());
        }
        match load_input(path, size, route, range) {
            Ok((_, findings)) => Ok(Some(findings)),
            Err(error) => {
                console.warn(format!("{}: {error}", printable_path(path)));
                Ok(None)
            }
        }
    };
    let findings: Vec<ImageFindings> =
        paths.par_iter().filter_map(|path| read(path).transpose()).collect::<anyhow::Result<_>>()?;
    let Some(training) = TrainingImages::of(findings.iter()) else {
        bail!("no breast was found in any of {}; nothing was written", counted(paths.len(), "image"));
    };
    model.metadata.provenance.extend([training.to_provenance(), grey_range_entry(range)]);
    model.write(&arguments.out).with_context(|| format!("write {}", printable_path(&arguments.out)))?;
    console.note(format!("{}: {}", printable_path(&arguments.out), training.in_words()));
    Ok(if findings.len() < paths.len() { Outcome::Failed } else { Outcome::Done })
}
