//! The models that a run keeps of every Nth epoch, ordinary model files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::run_dir::RunDir;
use crate::models::model_file::{Model, ModelError};
use mammoscope_domain::text::printable::printable;

/// The model of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// The epoch, from 1.
    pub epoch: u32,
    pub path: PathBuf,
}

/// A kept model that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptCheckpointError {
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file of another epoch has its name.
    #[error("it is named for epoch {named}, but holds the model of epoch {held}")]
    OtherEpoch { named: u32, held: String },
}

impl KeptCheckpoint {
    /// The name of the file.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Reads the model, and checks all of it and that it is of this epoch.
    pub fn read(&self) -> Result<Model, KeptCheckpointError> {
        let model = Model::read(&self.path)?;
        match model.metadata.provenance.get("epoch") {
            Some(held) if *held != self.epoch.to_string() => {
                Err(KeptCheckpointError::OtherEpoch { named: self.epoch, held: printable(held) })
            }
            _ => Ok(model),
        }
    }
}

/// Lists the models that a run has kept, by epoch. Their contents are not read: one may be damaged, or be replaced by a
/// trainer while it is looked at. A run that has no folder of checkpoints has kept none.
pub fn kept_checkpoints(run: &RunDir) -> io::Result<Vec<KeptCheckpoint>> {
    let entries = match fs::read_dir(run.checkpoints()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut kept = Vec::new();
    for entry in entries {
        let path = entry?.path();
        kept.extend(epoch_of(&path).map(|epoch| KeptCheckpoint { epoch, path }));
    }
    kept.sort_by_key(|kept| kept.epoch);
    Ok(kept)
}

/// Removes the models of epochs after `epochs_done`, as when a run goes back: those epochs are trained again, perhaps
/// with another outcome. A file that is gone already is no fault.
pub fn remove_kept_after(run: &RunDir, epochs_done: u32) -> io::Result<()> {
    for KeptCheckpoint { epoch, path } in kept_checkpoints(run)? {
        if epoch > epochs_done
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Parses the epoch in a name such as `epoch-046.safetensors`; only the name that the run itself would give counts.
fn epoch_of(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_prefix("epoch-")?.strip_suffix(".safetensors")?;
    let epoch = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (epoch > 0 && format!("{epoch:03}") == digits).then_some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_models_are_listed_by_epoch_and_those_of_later_epochs_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        assert!(kept_checkpoints(&run).unwrap().is_empty());
        for epoch in [1000, 5, 20, 100] {
            fs::write(run.kept_checkpoint(epoch), b"").unwrap();
        }
        for other in ["epoch-5.safetensors", "epoch-0007.safetensors", "epoch-+07.safetensors", "epoch-000.safetensors"]
        {
            fs::write(run.checkpoints().join(other), b"").unwrap();
        }
        fs::write(run.last_checkpoint(), b"").unwrap();
        fs::write(run.best_checkpoint(5, 0.5), b"").unwrap();
        fs::write(run.checkpoints().join(".epoch-010.safetensors.7.part"), b"").unwrap();
        let epochs = |run: &RunDir| kept_checkpoints(run).unwrap().iter().map(|kept| kept.epoch).collect::<Vec<_>>();
        assert_eq!(epochs(&run), [5, 20, 100, 1000]);
        assert_eq!(kept_checkpoints(&run).unwrap()[0].path, run.checkpoints().join("epoch-005.safetensors"));
        remove_kept_after(&run, 20).unwrap();
        assert_eq!(epochs(&run), [5, 20]);
        assert!(run.last_checkpoint().exists() && run.best_checkpoint(5, 0.5).exists());
        assert!(epochs(&RunDir::new(folder.path().join("none"))).is_empty());
    }
}
