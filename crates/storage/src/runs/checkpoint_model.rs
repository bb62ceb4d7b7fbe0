//! Extracts the model from a run's checkpoint: the current weights of a training, best or not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkpoint_file::{Checkpoint, CheckpointError};
use super::run_dir::RunDir;
use super::run_spec_file::{RunSpecError, read_run_spec};
use crate::models::model_file::grey_range_entry;
use crate::models::model_file::{Model, ModelError, ModelMetadata, TensorValues, fault_of_values};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::ParameterPlan;
use mammoscope_domain::text::printable::printable_path;

/// A file from which no model can be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointModelError {
    /// It is a faulty model file.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not in a run directory.
    #[error("a checkpoint outside a run directory: its network is not known")]
    NoRun,
    /// The specification of the run cannot be read.
    #[error("{}: {error}", printable_path(path))]
    Spec { path: PathBuf, error: RunSpecError },
}

/// Reads the model in a model file or a run's checkpoint. Of a checkpoint with averaged weights, those are used.
pub fn read_model_or_checkpoint(path: &Path) -> Result<Model, CheckpointModelError> {
    match Model::read(path) {
        // Other kinds of safetensors files are identified by this entry.
        Err(ModelError::Metadata { key, .. }) if key == "format" => model_of_checkpoint(path),
        read => Ok(read?),
    }
}

fn model_of_checkpoint(path: &Path) -> Result<Model, CheckpointModelError> {
    let checkpoint = Checkpoint::read(path)?;
    let run = path.parent().and_then(Path::parent).map(RunDir::new).ok_or(CheckpointModelError::NoRun)?;
    let metadata = metadata_of_run(&run)?;
    let averaged = checkpoint.tensors.keys().any(|name| name.starts_with("ema/"));
    let group = if averaged { "ema" } else { "weights" };
    let mut tensors = TensorValues::new();
    for ParameterPlan { name, shape, .. } in metadata.plan().parameters() {
        let stored = format!("{group}/{name}");
        let values = checkpoint.values(&stored)?.to_vec();
        if values.len() != shape.iter().product::<usize>() {
            return Err(CheckpointError::Mismatch(stored).into());
        }
        if let Some(reason) = fault_of_values(&name, &values) {
            return Err(ModelError::Values { name, reason }.into());
        }
        tensors.insert(name, values);
    }
    Ok(Model { metadata, tensors })
}

/// Returns the metadata of a run's models from its specification, with only the grey range as provenance.
pub fn metadata_of_run(run: &RunDir) -> Result<ModelMetadata, CheckpointModelError> {
    let path = run.spec();
    let spec = read_run_spec(&path).map_err(|error| CheckpointModelError::Spec { path, error })?;
    Ok(ModelMetadata {
        width: spec.config.width,
        size: spec.config.size,
        view: Some(spec.view),
        input_route: InputRoute::Training,
        provenance: BTreeMap::from([grey_range_entry(spec.grey_range)]),
    })
}
