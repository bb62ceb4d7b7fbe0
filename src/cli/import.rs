//! `mammoscope import`: converts a Keras file or a PyTorch export to a model file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Outcome, WrongUse};
use mammoscope_domain::network::network_plan::REFERENCE_SIZE;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::exports::pytorch::{import_pytorch, pytorch_export};
use mammoscope_storage::keras::{ImportOptions, SizeSource, import};
use mammoscope_storage::models::model_file::Model;

/// Import a model of the Keras reference, or one exported for PyTorch
///
/// Reads the HDF5 files that `model.save` and `save_weights` of Keras 2 and 3 write. The wiring and settings of a whole
/// model are compared with the network; weights alone are matched by layer name. Every shape and value is checked. The
/// result is one .safetensors file. From what `export --format pytorch` wrote, the model comes back bit for bit.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope import keras.h5 --out cc_r.safetensors --view CC_R
  mammoscope import weights.h5 --out small.safetensors --size 64
                                  weights alone do not give the input size
  mammoscope import cc_r-pytorch --out again.safetensors
                                  the folder, or its model.safetensors")]
pub(super) struct ImportArguments {
    /// The Keras file, or the folder or tensors of a PyTorch export
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The model file to write
    #[arg(long, value_name = "MODEL.safetensors")]
    pub(super) out: PathBuf,
    /// The view that the model was trained on; without it, a Keras model serves any view
    #[arg(long, value_name = "V")]
    pub(super) view: Option<View>,
    /// Input height and width, if the file does not give them or is to be overridden
    #[arg(long, value_name = "PX")]
    pub(super) size: Option<usize>,
}

pub(super) fn run(arguments: &ImportArguments, console: &Console) -> anyhow::Result<Outcome> {
    let pytorch = pytorch_export(&arguments.file);
    let file = pytorch.as_deref().unwrap_or(&arguments.file);
    let same = |path: &Path| path.canonicalize().ok();
    if same(&arguments.out).is_some_and(|out| same(file) == Some(out)) {
        return Err(WrongUse("--out is the file to import, which would be lost".to_owned()).into());
    }
    let options = ImportOptions { view: arguments.view, size: arguments.size };
    let model =
        if pytorch.is_some() { from_pytorch(file, options, console)? } else { from_keras(file, options, console)? };
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", printable_path(folder)))?;
    }
    model.write(&arguments.out).with_context(|| format!("write {}", printable_path(&arguments.out)))?;
    let metadata = &model.metadata;
    console.note(format!(
        "{}: 41 convolutions, {} parameters, width {}, input {size}×{size}, view {}",
        printable_path(&arguments.out),
        grouped(metadata.plan().parameter_count()),
        metadata.width,
        metadata.view.map_or("any", View::name),
        size = metadata.size,
    ));
    Ok(Outcome::Done)
}

fn from_pytorch(file: &Path, options: ImportOptions, console: &Console) -> anyhow::Result<Model> {
    let imported = import_pytorch(file, options).with_context(|| printable_path(file))?;
    if imported.changed {
        console
            .note("the file has no checksum: its weights may differ from the exported ones, and damage is not noticed");
    }
    Ok(imported.model)
}

fn from_keras(file: &Path, options: ImportOptions, console: &Console) -> anyhow::Result<Model> {
    let imported = import(file, options).with_context(|| printable_path(file))?;
    if imported.weights_alone {
        console.note(
            "the file has weights alone: shapes and values match, but strides, constants and wiring were not checked",
        );
    }
    let unknown = match imported.size_source {
        SizeSource::File | SizeSource::Option => None,
        SizeSource::AssumedFree => Some("this model accepts any input size"),
        SizeSource::AssumedWeightsAlone => Some("weights alone do not give the input size"),
    };
    if let Some(unknown) = unknown {
        console.note(format!("{unknown}: {REFERENCE_SIZE} is assumed; --size PX overrides it"));
    }
    Ok(imported.model)
}
