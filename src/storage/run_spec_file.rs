//! `run.toml` on disk.

use std::io;
use std::path::{Path, PathBuf};

use super::regular_file::read_regular_file;
use crate::domain::printable::printable_path;
use crate::domain::run_spec::{RUN_SCHEMA, RunSpec};

/// No `run.toml` is nearly as long.
const LARGEST: u64 = 1 << 20;

/// A `run.toml` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunSpecError {
    /// The file cannot be opened.
    #[error("read {}: {error}", printable_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It does not say what a run was asked to do.
    #[error("{}: {reason}", printable_path(path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a run was asked to do.
pub fn read_run_spec(path: &Path) -> Result<RunSpec, RunSpecError> {
    let invalid = |reason: String| RunSpecError::Invalid { path: path.to_owned(), reason };
    let bytes =
        read_regular_file(path, LARGEST).map_err(|error| RunSpecError::Read { path: path.to_owned(), error })?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("is not text".to_owned()))?;
    let spec: RunSpec = toml::from_str(&text).map_err(|error| invalid(error.message().to_owned()))?;
    if spec.schema != RUN_SCHEMA {
        return Err(invalid(format!("has layout {}, this program reads {RUN_SCHEMA}", spec.schema)));
    }
    Ok(spec)
}
