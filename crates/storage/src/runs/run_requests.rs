//! `requests/`: what people ask of a trainer, one small file each.

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
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::text::printable::printable;

/// No request is nearly as long.
const MAX_VALUE: u64 = 1 << 16;
/// What the name of a file that is no request gets behind it.
const REJECTED: &str = ".rejected";

/// What is asked of a trainer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// What.
    pub verb: RequestVerb,
    /// When, by the clock of who asks.
    pub time: DateTime<Utc>,
    /// By whom, `user@host`.
    pub by: String,
}

impl RunRequest {
    /// A request of this user, now.
    #[must_use]
    pub fn new(verb: RequestVerb) -> Self {
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let by = format!("{}@{}", user.as_deref().unwrap_or("unknown"), host_name());
        Self { verb, time: Utc::now(), by }
    }

    /// Puts it in front of the trainer, whole; gives the file, `requests/<time>-<verb>.json`.
    pub fn write(&self, run: &RunDir) -> io::Result<PathBuf> {
        let time = self.time.format("%Y-%m-%dT%H-%M-%S%.6fZ");
        let path = run.requests().join(format!("{time}-{}.json", self.verb.name()));
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        write_atomically(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// The requests of a run, as its trainer sees them: each once, whatever the file system does.
#[derive(Debug)]
pub struct RunRequests {
    run: RunDir,
    /// Files that were dealt with and could not be removed or moved aside.
    handled: HashSet<OsString>,
}

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// Its file's name.
    pub file: OsString,
    /// What is asked.
    pub request: RunRequest,
}

/// A file among the requests that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRequest {
    /// Its name.
    pub file: OsString,
    /// Why.
    pub reason: String,
}

impl RunRequests {
    /// The requests of a run.
    #[must_use]
    pub fn new(run: &RunDir) -> Self {
        Self { run: run.clone(), handled: HashSet::new() }
    }

    /// What waits, the earliest first, and the files that are no requests: these are moved aside
    /// (`<name>.rejected`) and told once.
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
            // What begins with a dot is being written.
            if name.starts_with(b".") || name.ends_with(REJECTED.as_bytes()) || self.handled.contains(&file) {
                continue;
            }
            match self.read(&file) {
                Ok(request) => pending.push(PendingRequest { file, request }),
                Err(None) => {}
                Err(Some(reason)) => {
                    self.move_aside(&file);
                    rejected.push(RejectedRequest { file, reason });
                }
            }
        }
        pending.sort_by(|one, other| (one.request.time, &one.file).cmp(&(other.request.time, &other.file)));
        rejected.sort_by(|one, other| one.file.cmp(&other.file));
        Ok((pending, rejected))
    }

    /// Takes a request away that was dealt with. It does not come again in this process even if that fails.
    pub fn remove(&mut self, request: &PendingRequest) -> io::Result<()> {
        match fs::remove_file(self.run.requests().join(&request.file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.handled.insert(request.file.clone());
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Takes away what was asked of a trainer that is gone: whoever takes the run up again wants it to go on.
    pub fn withdraw_all(&mut self) -> io::Result<()> {
        let (pending, _) = self.pending()?;
        pending.iter().try_for_each(|request| self.remove(request))
    }

    /// The request in a file; no reason is given where the file is gone.
    fn read(&self, file: &OsString) -> Result<RunRequest, Option<String>> {
        if !file.as_encoded_bytes().ends_with(b".json") {
            return Err(Some("its name does not end with .json".to_owned()));
        }
        let bytes = read_regular_file(&self.run.requests().join(file), MAX_VALUE)
            .map_err(|error| (error.kind() != io::ErrorKind::NotFound).then(|| error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| Some(printable(&error.to_string())))
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
    fn requests_come_in_the_order_of_their_times_and_go() {
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
        requests.remove(&pending[0]).expect("gone already is gone");
        assert_eq!(requests.pending().unwrap().0, []);
    }

    #[test]
    fn what_is_no_request_is_moved_aside_and_told_once() {
        let (_folder, run) = run();
        let folder = run.requests();
        fs::write(folder.join("a.json"), b"{\"verb\":\"explode\"}").unwrap();
        fs::write(folder.join("b.txt"), b"stop").unwrap();
        fs::write(folder.join(".half.json.1.part"), b"{").unwrap();
        fs::create_dir(folder.join("c.json")).unwrap();
        RunRequest::new(RequestVerb::Stop).write(&run).unwrap();
        let mut requests = RunRequests::new(&run);
        let (pending, rejected) = requests.pending().unwrap();
        assert_eq!(pending.len(), 1, "the good one is heard");
        let files: Vec<_> = rejected.iter().map(|rejected| rejected.file.to_string_lossy().into_owned()).collect();
        assert_eq!(files, ["a.json", "b.txt", "c.json"]);
        assert!(rejected[0].reason.contains("explode"), "{rejected:?}");
        assert_eq!(requests.pending().unwrap().1, []);
        assert!(folder.join("a.json.rejected").exists());
    }

    #[test]
    fn what_was_asked_of_a_trainer_that_is_gone_is_withdrawn() {
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
