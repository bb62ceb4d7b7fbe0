//! `requests/`: requests to a trainer, one small file each.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::process_evidence::host_name;
use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::text::printable::printable;

/// The largest request file that is read; real ones are much smaller.
const MAX_BYTES: u64 = 1 << 16;
/// The suffix given to files that are not requests.
const REJECTED: &str = ".rejected";

/// A request to a trainer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    pub verb: RequestVerb,
    /// The time of the request, by the requester's clock.
    pub time: DateTime<Utc>,
    /// The requester, `user@host`.
    pub by: String,
}

impl RunRequest {
    /// Creates a request by this user at the current time.
    #[must_use]
    pub fn new(verb: RequestVerb) -> Self {
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let by = format!("{}@{}", user.as_deref().unwrap_or("unknown"), host_name());
        Self { verb, time: Utc::now(), by }
    }

    /// Writes the request atomically to `requests/<time>-<verb>.json` and returns the path.
    pub fn write(&self, run: &RunDir) -> io::Result<PathBuf> {
        let time = self.time.format("%Y-%m-%dT%H-%M-%S%.6fZ");
        let path = run.requests().join(format!("{time}-{}.json", self.verb.name()));
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        write_atomically(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// The requests of a run as its trainer sees them: each once, even if its file cannot be removed.
#[derive(Debug)]
pub struct RunRequests {
    run: RunDir,
    /// Handled files that could not be removed or renamed.
    handled: HashSet<OsString>,
}

/// A request that is waiting to be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// The name of its file.
    pub file: OsString,
    pub request: RunRequest,
}

/// A file among the requests that is not a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRequest {
    pub file: OsString,
    pub reason: String,
}

/// A file among the requests that could not be read.
enum Unreadable {
    /// It was removed in the meantime.
    Gone,
    /// It is not a request, for this reason.
    Invalid(String),
}

impl RunRequests {
    #[must_use]
    pub fn new(run: &RunDir) -> Self {
        Self { run: run.clone(), handled: HashSet::new() }
    }

    /// Returns the pending requests, earliest first, and the files that are not requests. The latter are renamed to
    /// `<name>.rejected` and thus returned only once.
    pub fn pending(&mut self) -> io::Result<(Vec<PendingRequest>, Vec<RejectedRequest>)> {
        let (mut pending, mut rejected) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(self.run.requests()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((pending, rejected)),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let file = entry?.file_name();
            let name = file.as_encoded_bytes();
            // Files that start with a dot are still being written.
            if name.starts_with(b".") || name.ends_with(REJECTED.as_bytes()) || self.handled.contains(&file) {
                continue;
            }
            match self.read(&file) {
                Ok(request) => pending.push(PendingRequest { file, request }),
                Err(Unreadable::Gone) => {}
                Err(Unreadable::Invalid(reason)) => {
                    self.move_aside(&file);
                    rejected.push(RejectedRequest { file, reason });
                }
            }
        }
        pending.sort_by(|one, other| (one.request.time, &one.file).cmp(&(other.request.time, &other.file)));
        rejected.sort_by(|one, other| one.file.cmp(&other.file));
        Ok((pending, rejected))
    }

    /// Removes a handled request. Even if this fails, the request does not reappear in this process.
    pub fn remove(&mut self, request: &PendingRequest) -> io::Result<()> {
        match fs::remove_file(self.run.requests().join(&request.file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.handled.insert(request.file.clone());
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Removes requests to a trainer that is gone: a resumed run should continue.
    pub fn withdraw_all(&mut self) -> io::Result<()> {
        let (pending, _) = self.pending()?;
        pending.iter().try_for_each(|request| self.remove(request))
    }

    fn read(&self, file: &OsString) -> Result<RunRequest, Unreadable> {
        if !file.as_encoded_bytes().ends_with(b".json") {
            return Err(Unreadable::Invalid("its name does not end with .json".to_owned()));
        }
        let bytes =
            read_regular_file(&self.run.requests().join(file), MAX_BYTES).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Unreadable::Gone,
                _ => Unreadable::Invalid(error.to_string()),
            })?;
        serde_json::from_slice(&bytes).map_err(|error| Unreadable::Invalid(printable(&error.to_string())))
    }

    fn move_aside(&mut self, file: &OsString) {
        let from = self.run.requests().join(file);
        let mut aside = from.clone().into_os_string();
        aside.push(REJECTED);
        if fs::rename(from, aside).is_err() {
            self.handled.insert(file.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn run() -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        (folder, run)
    }

    #[test]
    fn requests_are_ordered_by_time_and_can_be_removed() {
        let (_folder, run) = run();
        let stop = RunRequest::new(RequestVerb::StopAfterEpoch);
        let earlier = RunRequest { time: stop.time - TimeDelta::seconds(1), ..RunRequest::new(RequestVerb::Pause) };
        let path = stop.write(&run).unwrap();
        assert!(path.to_string_lossy().ends_with("Z-stop-after-epoch.json"), "{}", path.display());
        earlier.write(&run).unwrap();
        let mut requests = RunRequests::new(&run);
        let (pending, rejected) = requests.pending().unwrap();
        assert!(rejected.is_empty());
        assert_eq!(pending.iter().map(|pending| &pending.request).collect::<Vec<_>>(), [&earlier, &stop]);
        for request in &pending {
            requests.remove(request).unwrap();
        }
        requests.remove(&pending[0]).expect("removing it again succeeds");
        assert_eq!(requests.pending().unwrap().0, []);
    }

    #[test]
    fn invalid_files_are_renamed_and_reported_once() {
        let (_folder, run) = run();
        let folder = run.requests();
        fs::write(folder.join("a.json"), b"{\"verb\":\"explode\"}").unwrap();
        fs::write(folder.join("b.txt"), b"stop").unwrap();
        fs::write(folder.join(".half.json.1.part"), b"{").unwrap();
        fs::create_dir(folder.join("c.json")).unwrap();
        RunRequest::new(RequestVerb::Stop).write(&run).unwrap();
        let mut requests = RunRequests::new(&run);
        let (pending, rejected) = requests.pending().unwrap();
        assert_eq!(pending.len(), 1, "the valid one is read");
        let files: Vec<_> = rejected.iter().map(|rejected| rejected.file.to_string_lossy().into_owned()).collect();
        assert_eq!(files, ["a.json", "b.txt", "c.json"]);
        assert!(rejected[0].reason.contains("explode"), "{rejected:?}");
        assert_eq!(requests.pending().unwrap().1, []);
        assert!(folder.join("a.json.rejected").exists());
    }

    #[test]
    fn requests_to_a_trainer_that_is_gone_are_withdrawn() {
        let (_folder, run) = run();
        RunRequest::new(RequestVerb::Stop).write(&run).unwrap();
        RunRequest::new(RequestVerb::Pause).write(&run).unwrap();
        RunRequests::new(&run).withdraw_all().unwrap();
        assert_eq!(fs::read_dir(run.requests()).unwrap().count(), 0);
    }

    #[test]
    fn a_run_without_the_folder_has_no_requests() {
        let (_folder, run) = run();
        fs::remove_dir(run.requests()).unwrap();
        assert_eq!(RunRequests::new(&run).pending().unwrap(), (Vec::new(), Vec::new()));
    }
}
