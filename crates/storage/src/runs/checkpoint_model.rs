//! The model within a run's checkpoint: what a training has come to, whether it is its best or not.

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

/// Why there is no model of a file.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointModelError {
    /// It is a model file, and a bad one.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is in no run.
    #[error("a checkpoint outside a run: which network it is of is not known")]
    NoRun,
    /// What the run is cannot be read.
    #[error("{}: {error}", printable_path(path))]
    Spec {
        /// The file that says it.
        path: PathBuf,
        /// Why.
        error: RunSpecError,
    },
}

/// The model of a model file, or of a run's checkpoint: its moving average of the weights, where it has one.
pub fn read_model_or_checkpoint(path: &Path) -> Result<Model, CheckpointModelError> {
    match Model::read(path) {
        // The safetensors file of something else says what it is in this entry.
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

/// What the models of a run are, as its specification has it; of their provenance the grey range alone.
pub fn metadata_of_run(run: &RunDir) -> Result<ModelMetadata, CheckpointModelError> {
    let path = run.spec();
    let spec = read_run_spec(&path).map_err(|error| CheckpointModelError::Spec { path, error })?;
    Ok(ModelMetadata {
        width: spec.config.width,
        size: spec.config.size,
        view: Some(spec.view),
        input_route: InputRoute::One,
        provenance: BTreeMap::from([grey_range_entry(spec.grey_range)]),
    })
}
