//! The folder of a study in the workspace: `study.toml` and, for a cross-validation, the table of folds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mammoscope_domain::study::study_spec::{STUDY_SCHEMA, StudySpec};
use mammoscope_domain::text::printable::printable_path;

use super::workspace::Workspace;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;

/// The largest `study.toml` that is read.
const LIMIT: u64 = 1 << 20;
/// The name of the table of folds.
pub const FOLDS: &str = "folds.csv";

/// A study that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyFolder {
    pub spec: StudySpec,
    /// The table of folds, as a file.
    pub folds: Option<Vec<u8>>,
}

/// A study's folder that cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum StudyFolderError {
    #[error("write to {}: {error}", printable_path(path))]
    Write { path: PathBuf, error: io::Error },
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {reason}", printable_path(path))]
    Text { path: PathBuf, reason: String },
}

impl StudyFolder {
    /// The study's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// Makes the folder, and returns its path. After an error, nothing is left behind.
    pub fn create(&self, workspace: &Workspace) -> Result<PathBuf, StudyFolderError> {
        let folder = workspace.study(&self.spec.id);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| StudyFolderError::Write { path, error }
        };
        let text = toml::to_string(&self.spec)
            .map_err(|error| StudyFolderError::Text { path: folder.clone(), reason: error.to_string() })?;
        fs::create_dir_all(workspace.studies()).map_err(failed(&workspace.studies()))?;
        fs::create_dir(&folder).map_err(failed(&folder))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            write_atomically(&path, bytes).map_err(failed(&path))
        };
        let spec = format!("# The specification of this study, written once.\n{text}");
        let written = self.folds.as_ref().map_or(Ok(()), |folds| write(FOLDS, folds));
        if let Err(error) = written.and_then(|()| write("study.toml", spec.as_bytes())) {
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        Ok(folder)
    }

    /// Reads the specification of a study.
    pub fn read_spec(workspace: &Workspace, id: &str) -> Result<StudySpec, StudyFolderError> {
        let path = workspace.study(id).join("study.toml");
        let bytes =
            read_regular_file(&path, LIMIT).map_err(|error| StudyFolderError::Read { path: path.clone(), error })?;
        let refuse = |reason: String| StudyFolderError::Text { path: path.clone(), reason };
        let text = std::str::from_utf8(&bytes).map_err(|_| refuse("not UTF-8 text".to_owned()))?;
        let spec: StudySpec = toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
        if spec.schema != STUDY_SCHEMA {
            let schema = spec.schema;
            return Err(refuse(format!(
                "schema {schema} is not supported, only {STUDY_SCHEMA}; use the program that wrote it"
            )));
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::*;
    use mammoscope_domain::subject::view::View;

    fn study(id: &str) -> StudyFolder {
        let spec = StudySpec {
            schema: STUDY_SCHEMA,
            id: id.to_owned(),
            created: Utc.with_ymd_and_hms(2026, 11, 23, 10, 15, 2).unwrap(),
            preset: "quick".to_owned(),
            data: PathBuf::from("/data"),
            views: vec![View::CcR, View::MloL],
            runs: 20,
            points: 2,
            repetitions: 1,
            sweep: vec!["learning_rate=0.003,0.01".to_owned()],
            folds: Some(5),
            seed: 1,
        };
        StudyFolder { spec, folds: Some(b"subject,fold\n".to_vec()) }
    }

    #[test]
    fn a_study_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(folder.path())).unwrap();
        let made = study("2026-11-23T10-15-02_quick").create(&workspace).unwrap();
        assert_eq!(fs::read(made.join(FOLDS)).unwrap(), b"subject,fold\n");
        assert_eq!(
            StudyFolder::read_spec(&workspace, "2026-11-23T10-15-02_quick").unwrap(),
            study("2026-11-23T10-15-02_quick").spec
        );
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(folder.path())).unwrap();
        let made = study("one").create(&workspace).unwrap();
        assert!(matches!(study("one").create(&workspace), Err(StudyFolderError::Write { .. })), "it exists");
        assert!(made.join("study.toml").exists(), "an existing study is not touched");
        let text = fs::read_to_string(made.join("study.toml")).unwrap();
        fs::write(made.join("study.toml"), text.replace("schema = 1", "schema = 9")).unwrap();
        let error = StudyFolder::read_spec(&workspace, "one").unwrap_err().to_string();
        assert!(error.contains("study.toml: schema 9 is not supported"), "{error}");
        let error = StudyFolder::read_spec(&workspace, "two").unwrap_err().to_string();
        assert!(error.starts_with("read ") && error.contains("study.toml"), "{error}");
    }
}
