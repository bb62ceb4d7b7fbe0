//! The service of the screen Datasets: reads folders and headers, checks images, and completes paths.

mod browser;
mod inspector;
pub(super) mod paths;
mod preparation;
mod review;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rayon::prelude::*;

use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use browser::{BrowserJob, browse};
use inspector::{InspectorJob, inspect};
use mammoscope_dataset::duplicate_audit::find_duplicates;
use mammoscope_dataset::folder_listing::list_folder;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::image_header::read_header;
use mammoscope_storage::runs::workspace::Workspace;
use preparation::PreparationRunner;
use review::ReviewKeeper;

/// The number of images that are decoded between two messages.
const DECODED_PER_MESSAGE: usize = 32;

/// Decodes images and sends the doubts about them; returns `false` if it was cancelled or the inbox is gone.
fn send_doubts(paths: &[PathBuf], inbox: &Sender<UiMessage>, cancelled: &AtomicBool) -> bool {
    paths.chunks(DECODED_PER_MESSAGE).all(|chunk| {
        // Images that cannot be decoded are reported by the inspector and the previews.
        let doubts = |path: &PathBuf| Some((path.clone(), decode_file(path).ok()?.doubts()));
        let doubtful: Vec<_> = chunk.par_iter().filter_map(doubts).collect();
        !cancelled.load(Ordering::Relaxed)
            && inbox.send(UiMessage::Datasets(DatasetsMessage::Doubtful(doubtful))).is_ok()
    })
}

/// The service of the screen Datasets.
pub(in crate::tui) struct DatasetsService {
    inbox: Sender<UiMessage>,
    browser: Option<Sender<BrowserJob>>,
    headers: Option<Sender<Vec<PathBuf>>>,
    inspector: Option<Sender<InspectorJob>>,
    preparation: PreparationRunner,
    review: ReviewKeeper,
    /// Set to cancel the search for duplicates when another data set is opened.
    cancelled: Arc<AtomicBool>,
}

impl DatasetsService {
    pub(in crate::tui) fn new(_workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self {
            inbox: inbox.clone(),
            browser: None,
            headers: None,
            inspector: None,
            preparation: PreparationRunner::new(inbox),
            review: ReviewKeeper::new(inbox),
            cancelled: Arc::default(),
        }
    }

    pub(in crate::tui) fn perform(&mut self, effect: DatasetsEffect) {
        match effect {
            DatasetsEffect::Open(root) => {
                std::mem::take(&mut self.cancelled).store(true, Ordering::Relaxed);
                self.inspect(InspectorJob::Reset);
                self.browse(BrowserJob::Open(root));
            }
            DatasetsEffect::Inspect(folders) => self.inspect(InspectorJob::Folders(folders)),
            DatasetsEffect::FindDuplicates { root, folders } => {
                let (cancelled, inbox) = (Arc::clone(&self.cancelled), self.inbox.clone());
                thread::spawn(move || {
                    let images = |folder: &PathBuf| {
                        let images = list_folder(folder).map(|listing| listing.images).unwrap_or_default();
                        images.into_iter().map(|name| folder.join(&*name)).collect::<Vec<_>>()
                    };
                    let paths: Vec<PathBuf> = folders.iter().flat_map(images).collect();
                    if !send_doubts(&paths, &inbox, &cancelled) {
                        return;
                    }
                    if let Some(audit) =
                        find_duplicates(paths, Cancellation::new(&|| cancelled.load(Ordering::Relaxed)))
                    {
                        let _ = inbox.send(UiMessage::Datasets(DatasetsMessage::Duplicates { root, audit }));
                    }
                });
            }
            DatasetsEffect::List(folder) => self.browse(BrowserJob::List(folder)),
            DatasetsEffect::ReadHeaders(paths) => self.read_headers(paths),
            DatasetsEffect::Complete(typed) => self.answer(move || {
                let found = paths::completions(&typed, Path::is_dir);
                DatasetsMessage::Completed { typed, found }
            }),
            DatasetsEffect::Check(typed) => self.answer(move || {
                let outcome = paths::readable_folder(&typed);
                DatasetsMessage::Checked { typed, outcome }
            }),
            DatasetsEffect::Preparation(effect) => self.preparation.perform(effect),
            DatasetsEffect::Review(effect) => self.review.perform(effect),
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
        // The thread lives as long as this service.
        let _ = jobs.send(job);
    }

    /// Reads headers on a thread of their own, since the rows on screen should not wait for a large or slow folder.
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
        // The thread lives as long as this service.
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
        // Rows that were scrolled past are skipped; the screen requests again those that it shows.
        let mut skipped = Vec::new();
        while let Ok(later) = wanted.try_recv() {
            skipped.extend(std::mem::replace(&mut paths, later));
        }
        let read = |path: PathBuf| {
            let header = read_header(&path).map_err(Failure::new);
            (path, header)
        };
        let message = DatasetsMessage::Headers { read: paths.into_iter().map(read).collect(), skipped };
        if inbox.send(UiMessage::Datasets(message)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
