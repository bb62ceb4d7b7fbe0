//! `workspace/submissions/<id>/`: the records of a submission on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::submission::{SUBMISSION_SCHEMA, Submission};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::regular_file::read_regular_file;
use mammoscope_storage::runs::workspace::{Workspace, new_group_id};

/// The largest record that is read: a hundred thousand tasks.
const MAX_BYTES: u64 = 1 << 25;

/// The folder of a submission. It counts as submitted once it has a `submission.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionDir(PathBuf);

/// A record of a submission that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {reason}", printable_path(path))]
    Invalid { path: PathBuf, reason: String },
}

impl SubmissionDir {
    /// Creates the folder of a new submission, with a token by which a node recognises the workspace.
    pub fn create(workspace: &Workspace, time: DateTime<Utc>, label: &str) -> io::Result<Self> {
        let folder = submissions(workspace);
        fs::create_dir_all(&folder)?;
        let submission = Self(folder.join(new_group_id(time, label)));
        fs::create_dir(submission.path())?;
        let filled = fs::create_dir(submission.logs()).and_then(|()| {
            let token = format!("{:032x}\n", rand::random::<u128>());
            write_atomically(&submission.token_file(), token.as_bytes())
        });
        filled.inspect_err(|_| submission.remove())?;
        Ok(submission)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The name of the folder.
    #[must_use]
    pub fn id(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.0.join("submission.json")
    }

    /// The file with the token that the scripts compare.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.0.join("token")
    }

    /// The token.
    pub fn token(&self) -> io::Result<String> {
        fs::read_to_string(self.token_file()).map(|text| text.trim().to_owned())
    }

    /// The folder of the jobs' own output.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The script of an array, numbered from 1.
    #[must_use]
    pub fn array_script(&self, number: usize) -> PathBuf {
        self.0.join(if number == 1 { "array.sbatch".to_owned() } else { format!("array-{number}.sbatch") })
    }

    /// The script of the job that evaluates or merges the results.
    #[must_use]
    pub fn dependent_script(&self) -> PathBuf {
        self.0.join("dependent.sbatch")
    }

    /// The results of the dependent job of runs.
    #[must_use]
    pub fn evaluation(&self) -> PathBuf {
        self.0.join("evaluation")
    }

    /// Writes the record.
    pub fn write(&self, submission: &Submission) -> io::Result<()> {
        let text = serde_json::to_string_pretty(submission)? + "\n";
        write_atomically(&self.record(), text.as_bytes())
    }

    /// Reads the record.
    pub fn read(&self) -> Result<Submission, SubmissionError> {
        let path = self.record();
        let bytes =
            read_regular_file(&path, MAX_BYTES).map_err(|error| SubmissionError::Read { path: path.clone(), error })?;
        let invalid = |reason: String| SubmissionError::Invalid { path: path.clone(), reason };
        let submission: Submission =
            serde_json::from_slice(&bytes).map_err(|error| invalid(printable(&error.to_string())))?;
        if submission.schema != SUBMISSION_SCHEMA {
            let schema = submission.schema;
            return Err(invalid(format!("has schema {schema}; this program reads schema {SUBMISSION_SCHEMA}")));
        }
        Ok(submission)
    }

    /// Removes everything, after a failure.
    pub fn remove(&self) {
        // What cannot be removed has no record, and is thus not read as a submission.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The folder of all submissions of a workspace.
#[must_use]
pub fn submissions(workspace: &Workspace) -> PathBuf {
    workspace.path().join("submissions")
}

/// The submissions of a workspace, newest first, and those whose record cannot be read. A folder without a record was
/// never submitted, and is left out.
#[must_use]
pub fn list_submissions(workspace: &Workspace) -> (Vec<Submission>, Vec<SubmissionError>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    let entries = match fs::read_dir(submissions(workspace)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (found, unreadable),
        Err(error) => {
            unreadable.push(SubmissionError::Read { path: submissions(workspace), error });
            return (found, unreadable);
        }
    };
    for entry in entries.flatten() {
        match SubmissionDir(entry.path()).read() {
            Ok(submission) => found.push(submission),
            Err(SubmissionError::Read { error, .. })
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => unreadable.push(error),
        }
    }
    found.sort_by(|one, other| (other.created, &other.id).cmp(&(one.created, &one.id)));
    (found, unreadable)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::submission::{SubmissionKind, SubmittedArray, SubmittedTask};

    fn submission(id: String, created: DateTime<Utc>) -> Submission {
        Submission {
            schema: SUBMISSION_SCHEMA,
            id,
            created,
            command: vec!["mammoscope".to_owned()],
            kind: SubmissionKind::Predict,
            fingerprint: "0".to_owned(),
            arrays: vec![SubmittedArray { job: 1, first: 0, tasks: 1 }],
            dependent: None,
            tasks: vec![SubmittedTask::Shard(1)],
            max_requeues: 0,
        }
    }

    #[test]
    fn submissions_are_listed_newest_first_and_unfinished_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(folder.path())).unwrap();
        assert!(list_submissions(&workspace).0.is_empty());
        let now = Utc::now();
        let [old, new, unfinished] = ["old", "new", "unfinished"].map(|label| {
            let created = SubmissionDir::create(&workspace, now, label).unwrap();
            assert_eq!(created.token().unwrap().len(), 32);
            created
        });
        assert_ne!(old.token().unwrap(), new.token().unwrap());
        old.write(&submission(old.id(), now - TimeDelta::hours(1))).unwrap();
        new.write(&submission(new.id(), now)).unwrap();
        let ids = || -> Vec<String> { list_submissions(&workspace).0.into_iter().map(|found| found.id).collect() };
        assert_eq!(ids(), [new.id(), old.id()]);
        assert!(unfinished.path().exists());

        fs::write(old.record(), "{}").unwrap();
        let (_, unreadable) = list_submissions(&workspace);
        assert!(unreadable[0].to_string().contains("submission.json: missing field"), "{unreadable:?}");
        new.remove();
        assert_eq!(ids(), Vec::<String>::new());
    }
}
