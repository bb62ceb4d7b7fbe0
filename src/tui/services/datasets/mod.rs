//! What the screen Datasets wants of the world: folders, headers of images, and paths that are typed.

mod browser;
mod inspector;
pub(super) mod paths;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rayon::prelude::*;

use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::message::UiMessage;
use browser::{BrowserJob, browse};
use inspector::{InspectorJob, inspect};
use mammoscope_dataset::duplicate_audit::find_duplicates;
use mammoscope_dataset::folder_listing::list_folder;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::image_header::read_header;

/// Images that are decoded between two messages.
const DECODED_TOGETHER: usize = 32;

/// Looks at images and sends what is doubtful about them; `false` once the search was stopped or the inbox is gone.
fn send_doubts(paths: &[PathBuf], inbox: &Sender<UiMessage>, stops: &AtomicBool) -> bool {
    paths.chunks(DECODED_TOGETHER).all(|chunk| {
        // The inspector and the previews report what cannot be decoded.
        let doubts = |path: &PathBuf| Some((path.clone(), decode_file(path).ok()?.doubts()));
        let looked_at: Vec<_> = chunk.par_iter().filter_map(doubts).collect();
        !stops.load(Ordering::Relaxed) && inbox.send(UiMessage::Datasets(DatasetsMessage::Doubtful(looked_at))).is_ok()
    })
}

/// Carries out what the screen Datasets wants.
pub(in crate::tui) struct DatasetsService {
    inbox: Sender<UiMessage>,
    browser: Option<Sender<BrowserJob>>,
    headers: Option<Sender<Vec<PathBuf>>>,
    inspector: Option<Sender<InspectorJob>>,
    /// Whether nobody wants to know of duplicates any more: another data set is open.
    stops: Arc<AtomicBool>,
}

impl DatasetsService {
    pub(in crate::tui) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox, browser: None, headers: None, inspector: None, stops: Arc::default() }
    }

    pub(in crate::tui) fn perform(&mut self, effect: DatasetsEffect) {
        match effect {
            DatasetsEffect::Open(root) => {
                std::mem::take(&mut self.stops).store(true, Ordering::Relaxed);
                self.inspect(InspectorJob::Anew);
                self.browse(BrowserJob::Open(root));
            }
            DatasetsEffect::Inspect(folders) => self.inspect(InspectorJob::Folders(folders)),
            DatasetsEffect::FindDuplicates { root, folders } => {
                let (stops, inbox) = (Arc::clone(&self.stops), self.inbox.clone());
                thread::spawn(move || {
                    let images = |folder: &PathBuf| {
                        let images = list_folder(folder).map(|listing| listing.images).unwrap_or_default();
                        images.into_iter().map(|name| folder.join(&*name)).collect::<Vec<_>>()
                    };
                    let paths: Vec<PathBuf> = folders.iter().flat_map(images).collect();
                    if !send_doubts(&paths, &inbox, &stops) {
                        return;
                    }
                    if let Some(audit) = find_duplicates(paths, &|| stops.load(Ordering::Relaxed)) {
                        let _ = inbox.send(UiMessage::Datasets(DatasetsMessage::Duplicates { root, audit }));
                    }
                });
            }
            DatasetsEffect::List(folder) => self.browse(BrowserJob::List(folder)),
            DatasetsEffect::ReadHeaders(paths) => self.read_headers(paths),
            DatasetsEffect::Complete(typed) => self.answer(move || {
                let found = paths::completions(&typed);
                DatasetsMessage::Completed { typed, found }
            }),
            DatasetsEffect::LookForData(workspace) => {
                self.answer(move || DatasetsMessage::Offered(paths::data_nearby(&workspace)));
            }
        }
    }

    fn browse(&mut self, job: BrowserJob) {
        let jobs = self.browser.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            let (inbox, hints) = (self.inbox.clone(), sender.clone());
            thread::spawn(move || browse(&receiver, &hints, &inbox));
            sender
        });
        // The thread lives as long as this.
        let _ = jobs.send(job);
    }

    /// On a thread of its own: a folder of many images, or on a slow disk, would keep the rows on screen waiting.
    fn read_headers(&mut self, paths: Vec<PathBuf>) {
        let wanted = self.headers.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            let inbox = self.inbox.clone();
            thread::spawn(move || answer_headers(&receiver, &inbox));
            sender
        });
        let _ = wanted.send(paths);
    }

    fn inspect(&mut self, job: InspectorJob) {
        let jobs = self.inspector.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            let inbox = self.inbox.clone();
            thread::spawn(move || inspect(&receiver, &inbox));
            sender
        });
        // The thread lives as long as this.
        let _ = jobs.send(job);
    }

    fn answer(&self, work: impl FnOnce() -> DatasetsMessage + Send + 'static) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            let _ = inbox.send(UiMessage::Datasets(work()));
        });
    }
}

fn answer_headers(wanted: &Receiver<Vec<PathBuf>>, inbox: &Sender<UiMessage>) {
    while let Ok(mut paths) = wanted.recv() {
        // Rows that were scrolled past are not waited for; the screen asks again for those it shows.
        let mut passed = Vec::new();
        while let Ok(later) = wanted.try_recv() {
            passed.extend(std::mem::replace(&mut paths, later));
        }
        let read = |path: PathBuf| {
            let header = read_header(&path).map_err(|error| error.to_string());
            (path, header)
        };
        let message = DatasetsMessage::Headers { read: paths.into_iter().map(read).collect(), passed };
        if inbox.send(UiMessage::Datasets(message)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
