//! Checks the headers of all images at low priority, so that unreadable files are found before the user scrolls to
//! them. Only failures are reported; a folder is checked again when it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::browser::modified;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::message::UiMessage;
use mammoscope_dataset::folder_listing::list_folder;
use mammoscope_imaging::image_header::read_header;

/// The number of images that are checked between two pauses.
const CHUNK: usize = 64;
/// A pause lasts as long as the work before it, up to this, to use at most half of a core or of a slow disk.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// A job for the thread that checks headers.
#[derive(Debug)]
pub(super) enum InspectorJob {
    /// Forget what was checked, since a data set was opened.
    Reset,
    /// Check the images of these folders in this order, instead of those that are left.
    Folders(Vec<PathBuf>),
}

/// The reason why the check of a folder ended.
enum End {
    Done,
    /// Another job has come.
    Job(InspectorJob),
    /// The workbench was left.
    Left,
}

/// Performs jobs until the service is dropped.
pub(super) fn inspect(jobs: &Receiver<InspectorJob>, inbox: &Sender<UiMessage>) {
    let mut inspected: HashMap<PathBuf, Option<SystemTime>> = HashMap::new();
    let mut next = jobs.recv().ok();
    while let Some(job) = next {
        next = None;
        match job {
            InspectorJob::Reset => inspected.clear(),
            InspectorJob::Folders(folders) => {
                for folder in folders {
                    let changed = modified(&folder);
                    if inspected.get(&folder) == Some(&changed) {
                        continue;
                    }
                    match inspect_folder(&folder, jobs, inbox) {
                        End::Done => drop(inspected.insert(folder, changed)),
                        End::Job(job) => {
                            next = Some(job);
                            break;
                        }
                        End::Left => return,
                    }
                }
            }
        }
        if next.is_none() {
            next = jobs.recv().ok();
        }
    }
}

fn inspect_folder(folder: &Path, jobs: &Receiver<InspectorJob>, inbox: &Sender<UiMessage>) -> End {
    // A folder that cannot be listed is reported by the browser.
    let Ok(listing) = list_folder(folder) else { return End::Done };
    for chunk in listing.images.chunks(CHUNK) {
        let started = Instant::now();
        let paths = chunk.iter().map(|name| folder.join(&**name));
        let unreadable: Vec<(PathBuf, String)> =
            paths.filter_map(|path| read_header(&path).err().map(|error| (path, error.to_string()))).collect();
        if !unreadable.is_empty() && inbox.send(UiMessage::Datasets(DatasetsMessage::Unreadable(unreadable))).is_err() {
            return End::Left;
        }
        match jobs.try_recv() {
            Ok(job) => return End::Job(job),
            Err(TryRecvError::Disconnected) => return End::Left,
            Err(TryRecvError::Empty) => thread::sleep(started.elapsed().min(MAX_PAUSE)),
        }
    }
    End::Done
}
