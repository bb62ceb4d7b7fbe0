//! Headers of the images that nobody has scrolled to yet, so that unreadable files are found before: at leisure, failures
//! only, and again where a folder changed.

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

/// Between two pauses.
const CHUNK: usize = 64;
/// A pause lasts as long as the work before it, up to this: half of a core's time at most, and a slow disk's.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// What is to be done.
#[derive(Debug)]
pub(super) enum InspectorJob {
    /// A data set is opened: what was looked at before is told again.
    Anew,
    /// Look at the images of these folders, in this order, instead of what is left to look at.
    Folders(Vec<PathBuf>),
}

/// Why the look at a folder ended.
enum End {
    Done,
    /// Something else is to be done.
    Job(InspectorJob),
    /// The workbench is being left.
    Left,
}

/// Does jobs until nobody gives any.
pub(super) fn inspect(jobs: &Receiver<InspectorJob>, inbox: &Sender<UiMessage>) {
    let mut inspected: HashMap<PathBuf, Option<SystemTime>> = HashMap::new();
    let mut next = jobs.recv().ok();
    while let Some(job) = next {
        next = None;
        match job {
            InspectorJob::Anew => inspected.clear(),
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
    // One that cannot be listed is told by the browser.
    let Ok(listing) = list_folder(folder) else { return End::Done };
    for chunk in listing.images.chunks(CHUNK) {
        let begun = Instant::now();
        let paths = chunk.iter().map(|name| folder.join(&**name));
        let unreadable: Vec<(PathBuf, String)> =
            paths.filter_map(|path| read_header(&path).err().map(|error| (path, error.to_string()))).collect();
        if !unreadable.is_empty() && inbox.send(UiMessage::Datasets(DatasetsMessage::Unreadable(unreadable))).is_err() {
            return End::Left;
        }
        match jobs.try_recv() {
            Ok(job) => return End::Job(job),
            Err(TryRecvError::Disconnected) => return End::Left,
            Err(TryRecvError::Empty) => thread::sleep(begun.elapsed().min(MAX_PAUSE)),
        }
    }
    End::Done
}
