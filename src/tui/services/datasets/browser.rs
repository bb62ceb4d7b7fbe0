//! Reads the folders of a data set one by one, requested ones first, and again when they change.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, SystemTime};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::paths::expand;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use mammoscope_dataset::folder_listing::{FolderContext, FolderListing, list_folder};
use mammoscope_dataset::subject_audit::{AuditedImage, SubjectAudit};
use mammoscope_preprocessing::manifest::MANIFEST;

/// The interval at which folders are checked, since network file systems give no hints of changes.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The number of folders that are checked in one poll; a larger tree takes several.
const MAX_POLLED: usize = 500;
/// The time to wait for further changes, since they come in bursts.
const BURST_INTERVAL: Duration = Duration::from_millis(60);
/// Folders deeper than this below the root are not read.
const MAX_DEPTH: usize = 10;

/// A job for the thread that reads folders.
#[derive(Debug)]
pub(super) enum BrowserJob {
    /// Read this root instead of the previous one.
    Open(PathBuf),
    /// Read this folder before all others.
    List(PathBuf),
    /// Read this folder again, since something in it has changed.
    Changed(PathBuf),
    /// Keep this watcher, which reports changes below the root.
    Watching(PathBuf, RecommendedWatcher),
}

/// A folder that was read.
struct KnownFolder {
    context: FolderContext,
    modified: Option<SystemTime>,
    images: Vec<AuditedImage>,
}

struct Browser<'a> {
    root: PathBuf,
    /// Folders to read, with the context from the folders around them.
    waiting: VecDeque<(PathBuf, FolderContext)>,
    known: HashMap<PathBuf, KnownFolder>,
    /// True if a folder was read since the last audit.
    unaudited: bool,
    /// The position at which the next poll starts.
    polled: usize,
    watcher: Option<RecommendedWatcher>,
    inbox: &'a Sender<UiMessage>,
}

/// The inbox is gone, since the workbench was left.
struct InboxClosed;

/// Performs jobs until the service is dropped.
pub(super) fn browse(jobs: &Receiver<BrowserJob>, hints: &Sender<BrowserJob>, inbox: &Sender<UiMessage>) {
    let mut browser = Browser {
        root: PathBuf::new(),
        waiting: VecDeque::new(),
        known: HashMap::new(),
        unaudited: false,
        polled: 0,
        watcher: None,
        inbox,
    };
    let mut next = None;
    loop {
        let job = if let Some(next) = next.take() {
            Ok(next)
        } else if browser.waiting.is_empty() && !browser.unaudited {
            match jobs.recv_timeout(POLL_INTERVAL) {
                Err(RecvTimeoutError::Timeout) => {
                    browser.poll();
                    continue;
                }
                job => job.map_err(|_| TryRecvError::Disconnected),
            }
        } else {
            jobs.try_recv()
        };
        let done = match job {
            Ok(BrowserJob::Open(root)) => browser.open(&root, hints),
            Ok(BrowserJob::List(folder)) => browser.list_now(&folder),
            Ok(BrowserJob::Watching(root, watcher)) => {
                browser.watcher = (root == browser.root).then_some(watcher);
                Ok(())
            }
            Ok(BrowserJob::Changed(folder)) => {
                next = browser.on_changed(folder, jobs);
                Ok(())
            }
            Err(TryRecvError::Empty) => browser.read_next(),
            Err(TryRecvError::Disconnected) => return,
        };
        if done.is_err() {
            return;
        }
    }
}

impl Browser<'_> {
    fn send(&self, message: DatasetsMessage) -> Result<(), InboxClosed> {
        self.inbox.send(UiMessage::Datasets(message)).map_err(|_| InboxClosed)
    }

    fn open(&mut self, root: &Path, hints: &Sender<BrowserJob>) -> Result<(), InboxClosed> {
        self.root = expand(&root.to_string_lossy());
        self.waiting.clear();
        self.known.clear();
        drop(self.watcher.take());
        self.unaudited = false;
        let is_prepared = self.root.join(MANIFEST).is_file();
        self.send(DatasetsMessage::Opened { requested: root.to_owned(), root: self.root.clone(), is_prepared })?;
        // Watching a hundred thousand files takes the system a while to set up, so the first list does not wait for it.
        // Polling notices changes until then.
        let (watched, hints) = (self.root.clone(), hints.clone());
        thread::spawn(move || {
            if let Some(watcher) = watcher(&watched, hints.clone()) {
                let _ = hints.send(BrowserJob::Watching(watched, watcher));
            }
        });
        self.list(&self.root.clone(), FolderContext::default())
    }

    /// Reads a folder at once if it is waiting.
    fn list_now(&mut self, folder: &Path) -> Result<(), InboxClosed> {
        match self.waiting.iter().position(|(waiting, _)| waiting == folder) {
            Some(at) => {
                let (folder, context) = self.waiting.remove(at).expect("a position of the queue");
                self.list(&folder, context)
            }
            None => Ok(()),
        }
    }

    fn read_next(&mut self) -> Result<(), InboxClosed> {
        if let Some((folder, context)) = self.waiting.pop_front() {
            return self.list(&folder, context);
        }
        self.unaudited = false;
        let audit = SubjectAudit::of(self.known.values().flat_map(|folder| &folder.images));
        self.send(DatasetsMessage::Audited { root: self.root.clone(), audit })
    }

    fn list(&mut self, folder: &Path, around: FolderContext) -> Result<(), InboxClosed> {
        // Taken before the folder is read, so that the next poll notices a change in the meantime.
        let modified = modified(folder);
        let mut listed = list_folder(folder);
        let mut context = around;
        if let Ok(listing) = &mut listed {
            if folder == self.root {
                context = FolderContext::of_root(folder, listing);
            }
            listing.leave_out_nested(folder, context);
            self.remember(folder, context, modified, listing);
        } else {
            self.known.remove(folder);
        }
        self.unaudited = true;
        let outcome = listed.map_err(Failure::new);
        let (root, folder) = (self.root.clone(), folder.to_owned());
        self.send(DatasetsMessage::Listed { root, folder, context, outcome })
    }

    fn remember(
        &mut self,
        folder: &Path,
        context: FolderContext,
        modified: Option<SystemTime>,
        listing: &FolderListing,
    ) {
        let images = listing.images.iter().filter_map(|image| AuditedImage::of(image, context)).collect();
        let depth = folder.strip_prefix(&self.root).map_or(0, |below| below.components().count());
        if depth < MAX_DEPTH {
            for name in &listing.subfolders {
                let subfolder = folder.join(&**name);
                if !self.known.contains_key(&subfolder)
                    && !self.waiting.iter().any(|(waiting, _)| *waiting == subfolder)
                {
                    self.waiting.push_back((subfolder, context.within(name)));
                }
            }
        }
        self.known.insert(folder.to_owned(), KnownFolder { context, modified, images });
        self.known.retain(|other, _| {
            other.parent() != Some(folder)
                || other.file_name().is_some_and(|name| listing.subfolders.iter().any(|known| **known == *name))
        });
    }

    /// Collects a burst of changes, so that each folder is read again only once; returns another job that comes in
    /// between.
    fn on_changed(&mut self, first: PathBuf, jobs: &Receiver<BrowserJob>) -> Option<BrowserJob> {
        let mut changed = vec![first];
        let mut next = None;
        while let Ok(job) = jobs.recv_timeout(BURST_INTERVAL) {
            match job {
                BrowserJob::Changed(folder) if changed.last() != Some(&folder) => changed.push(folder),
                BrowserJob::Changed(_) => {}
                job => {
                    next = Some(job);
                    break;
                }
            }
        }
        changed.sort_unstable();
        changed.dedup();
        for folder in changed {
            self.list_again(folder);
        }
        next
    }

    fn list_again(&mut self, folder: PathBuf) {
        if let Some(known) = self.known.get(&folder)
            && !self.waiting.iter().any(|(waiting, _)| *waiting == folder)
        {
            self.waiting.push_back((folder, known.context));
        }
    }

    /// Checks folders for changes that were not reported.
    fn poll(&mut self) {
        if self.root.as_os_str().is_empty() {
            return;
        }
        if self.known.is_empty() {
            self.waiting.push_back((self.root.clone(), FolderContext::default()));
            return;
        }
        let folders: Vec<&PathBuf> = self.known.keys().collect();
        let start = if self.polled < folders.len() { self.polled } else { 0 };
        let end = (start + MAX_POLLED).min(folders.len());
        let changed: Vec<PathBuf> = folders[start..end]
            .iter()
            .filter(|folder| modified(folder) != self.known[**folder].modified)
            .map(|folder| (*folder).clone())
            .collect();
        self.polled = end;
        for folder in changed {
            self.list_again(folder);
        }
    }
}

pub(super) fn modified(folder: &Path) -> Option<SystemTime> {
    folder.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Watches for files that appear or disappear; `None` if the system cannot watch (any more), which polling makes up
/// for.
fn watcher(root: &Path, hints: Sender<BrowserJob>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let names_change = matches!(
            event.kind,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any
        );
        if names_change {
            for folder in event.paths.iter().filter_map(|path| path.parent()) {
                let _ = hints.send(BrowserJob::Changed(folder.to_owned()));
            }
        }
    };
    let mut watcher = notify::recommended_watcher(on_event).ok()?;
    watcher.watch(root, RecursiveMode::Recursive).ok()?;
    Some(watcher)
}
