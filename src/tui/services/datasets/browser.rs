//! A data set's folders, read one by one: first what is asked for, then all others; again when they change.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, SystemTime};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::paths::meant;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::message::UiMessage;
use mammoscope_dataset::folder_listing::{FolderContext, FolderListing, list_folder};
use mammoscope_dataset::subject_audit::{AuditedImage, SubjectAudit};

/// How often folders are looked at without a hint: network file systems give none.
const POLL: Duration = Duration::from_secs(2);
/// So many folders are looked at then; of a tree with more, the next ones the next time.
const POLLED: usize = 500;
/// Changes are waited for so long, since they come many at a time.
const SETTLE: Duration = Duration::from_millis(60);
/// Folders deeper than this below the root are not read.
const MAX_DEPTH: usize = 10;

/// What is to be done.
#[derive(Debug)]
pub(super) enum BrowserJob {
    /// Browse this root from now on.
    Open(PathBuf),
    /// List this folder before all others.
    List(PathBuf),
    /// Something changed in this folder.
    Changed(PathBuf),
    /// From now on changes below this root are told.
    Watching(PathBuf, RecommendedWatcher),
}

/// A folder that was listed.
struct KnownFolder {
    context: FolderContext,
    modified: Option<SystemTime>,
    images: Vec<AuditedImage>,
}

struct Browser<'a> {
    root: PathBuf,
    /// Folders to list, with what is said of their images by those around them.
    waiting: VecDeque<(PathBuf, FolderContext)>,
    known: HashMap<PathBuf, KnownFolder>,
    /// Whether something was listed since the last audit.
    unaudited: bool,
    /// Where the poll goes on.
    polled: usize,
    watcher: Option<RecommendedWatcher>,
    inbox: &'a Sender<UiMessage>,
}

/// The inbox is gone: the workbench is left.
struct Left;

/// Does jobs until nobody gives any.
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
            match jobs.recv_timeout(POLL) {
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
            Ok(BrowserJob::List(folder)) => browser.hurry(&folder),
            Ok(BrowserJob::Watching(root, watcher)) => {
                browser.watcher = (root == browser.root).then_some(watcher);
                Ok(())
            }
            Ok(BrowserJob::Changed(folder)) => {
                next = browser.resolve(folder, jobs);
                Ok(())
            }
            Err(TryRecvError::Empty) => browser.go_on(),
            Err(TryRecvError::Disconnected) => return,
        };
        if done.is_err() {
            return;
        }
    }
}

impl Browser<'_> {
    fn send(&self, message: DatasetsMessage) -> Result<(), Left> {
        self.inbox.send(UiMessage::Datasets(message)).map_err(|_| Left)
    }

    fn open(&mut self, root: &Path, hints: &Sender<BrowserJob>) -> Result<(), Left> {
        self.root = meant(&root.to_string_lossy());
        self.waiting.clear();
        self.known.clear();
        drop(self.watcher.take());
        self.unaudited = false;
        self.send(DatasetsMessage::Opened { asked: root.to_owned(), root: self.root.clone() })?;
        // A hundred thousand files take the system a while to watch: the first list does not wait for that. What changes
        // before it is done is seen by the poll.
        let (watched, hints) = (self.root.clone(), hints.clone());
        thread::spawn(move || {
            if let Some(watcher) = watcher(&watched, hints.clone()) {
                let _ = hints.send(BrowserJob::Watching(watched, watcher));
            }
        });
        self.list(&self.root.clone(), FolderContext::default())
    }

    /// Lists a folder that is looked at before those that nobody waits for.
    fn hurry(&mut self, folder: &Path) -> Result<(), Left> {
        match self.waiting.iter().position(|(waiting, _)| waiting == folder) {
            Some(at) => {
                let (folder, context) = self.waiting.remove(at).expect("a position of the queue");
                self.list(&folder, context)
            }
            None => Ok(()),
        }
    }

    fn go_on(&mut self) -> Result<(), Left> {
        if let Some((folder, context)) = self.waiting.pop_front() {
            return self.list(&folder, context);
        }
        self.unaudited = false;
        let audit = SubjectAudit::of(self.known.values().flat_map(|folder| &folder.images));
        self.send(DatasetsMessage::Audited { root: self.root.clone(), audit })
    }

    fn list(&mut self, folder: &Path, around: FolderContext) -> Result<(), Left> {
        // Asked before it is read: what changes meanwhile is seen by the next poll.
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
        let outcome = listed.map_err(|error| error.to_string());
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

    /// Takes all changes that come at once; each folder is listed again once. What else comes is to be done next.
    fn resolve(&mut self, first: PathBuf, jobs: &Receiver<BrowserJob>) -> Option<BrowserJob> {
        let mut changed = vec![first];
        let mut next = None;
        while let Ok(job) = jobs.recv_timeout(SETTLE) {
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
            self.again(folder);
        }
        next
    }

    fn again(&mut self, folder: PathBuf) {
        if let Some(known) = self.known.get(&folder)
            && !self.waiting.iter().any(|(waiting, _)| *waiting == folder)
        {
            self.waiting.push_back((folder, known.context));
        }
    }

    /// Looks whether folders changed of which nothing was told.
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
        let end = (start + POLLED).min(folders.len());
        let changed: Vec<PathBuf> = folders[start..end]
            .iter()
            .filter(|folder| modified(folder) != self.known[**folder].modified)
            .map(|folder| (*folder).clone())
            .collect();
        self.polled = end;
        for folder in changed {
            self.again(folder);
        }
    }
}

pub(super) fn modified(folder: &Path) -> Option<SystemTime> {
    folder.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Tells of folders in which something appeared or went; `None` where the system has no watches (any more): the poll
/// stands behind it.
fn watcher(root: &Path, hints: Sender<BrowserJob>) -> Option<RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
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
    let mut watcher = notify::recommended_watcher(tell).ok()?;
    watcher.watch(root, RecursiveMode::Recursive).ok()?;
    Some(watcher)
}
