//! What the screen Explain wants of the world: models found, maps computed by the engine, files written.

mod maps;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use chrono::Utc;

use crate::client::explanation_files::{MapPainting, write_explanation};
use crate::domain::printable::printable_path;
use crate::storage::workspace::Workspace;
use crate::tui::message::UiMessage;
use crate::tui::screens::explain::{ExplainEffect, ExplainMessage, MapRequest, MappedImage};
use maps::MapMaker;

/// A request waits so long for a later one, while one walks through the images.
const DEBOUNCE: Duration = Duration::from_millis(30);
/// An engine that nobody needs for so long is ended: it holds half a gigabyte.
const IDLE: Duration = Duration::from_secs(180);
/// Folders that models may lie in, below the folder where the program was started and below the workspace.
const MODEL_FOLDERS: [&str; 2] = ["models", "../models"];

/// Carries out what the screen Explain wants.
pub(in crate::tui) struct ExplainService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    wishes: Option<Sender<Wish>>,
    /// The number of the latest wish: what is computed for an earlier one is given up.
    latest: Arc<AtomicU64>,
}

/// Maps that are looked at, and those that probably will be.
struct Wish {
    number: u64,
    shown: Vec<MapRequest>,
    ahead: Vec<MapRequest>,
}

impl ExplainService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox, wishes: None, latest: Arc::default() }
    }

    pub(super) fn perform(&mut self, effect: ExplainEffect) {
        match effect {
            ExplainEffect::Show { shown, ahead } => {
                let number = self.latest.fetch_add(1, Ordering::AcqRel) + 1;
                let wishes = self.wishes.get_or_insert_with(|| {
                    let (wishes, waiting) = channel();
                    let (latest, inbox) = (Arc::clone(&self.latest), self.inbox.clone());
                    thread::spawn(move || work(&waiting, &latest, &inbox));
                    wishes
                });
                // The thread is there as long as this is.
                let _ = wishes.send(Wish { number, shown, ahead });
            }
            ExplainEffect::LookForModels => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let found = folders_with_models(workspace.path());
                    let _ = inbox.send(UiMessage::Explain(ExplainMessage::Models(found)));
                });
            }
            ExplainEffect::Export { file, image, painting } => {
                let (folder, inbox) = (self.workspace.path().join("explanations"), self.inbox.clone());
                thread::spawn(move || {
                    let outcome = export(&folder, &file, &image, painting);
                    let _ = inbox.send(UiMessage::Explain(ExplainMessage::Exported(outcome)));
                });
            }
        }
    }
}

/// Computes the maps of the latest wish until nobody wishes any more.
fn work(wishes: &Receiver<Wish>, latest: &AtomicU64, inbox: &Sender<UiMessage>) {
    let mut maker = MapMaker::default();
    loop {
        let mut wish = match wishes.recv_timeout(IDLE) {
            Ok(wish) => wish,
            Err(RecvTimeoutError::Timeout) => {
                maker.rest();
                match wishes.recv() {
                    Ok(wish) => wish,
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // What is known needs no patience.
        while !wish.shown.iter().all(|request| maker.knows(request)) {
            match wishes.recv_timeout(DEBOUNCE) {
                Ok(later) => wish = later,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let unwanted = || latest.load(Ordering::Acquire) != wish.number;
        for (request, is_shown) in
            wish.shown.iter().map(|request| (request, true)).chain(wish.ahead.iter().map(|request| (request, false)))
        {
            if unwanted() {
                break;
            }
            let Some(outcome) = maker.map(request, &unwanted) else { break };
            let message = ExplainMessage::Mapped { request: request.clone(), outcome };
            if is_shown && inbox.send(UiMessage::Explain(message)).is_err() {
                return;
            }
        }
    }
}

fn folders_with_models(workspace: &Path) -> Vec<PathBuf> {
    let started = std::env::current_dir().unwrap_or_default();
    let mut found = Vec::new();
    for around in [started.as_path(), workspace] {
        for folder in MODEL_FOLDERS {
            let Ok(folder) = around.join(folder).canonicalize() else { continue };
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let holds_models =
                files.into_iter().any(|file| file.path().extension().is_some_and(|ending| ending == "safetensors"));
            if holds_models && !found.contains(&folder) {
                found.push(folder);
            }
        }
    }
    found
}

/// Writes the pictures of an image into a folder of its own below this one.
fn export(folder: &Path, file: &Path, image: &MappedImage, painting: MapPainting) -> Result<PathBuf, String> {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    let folder = folder.join(Utc::now().format("%Y%m%dT%H%M%S%3f").to_string());
    let predicted = image.predicted().ok_or("the network's answer is not finite")?;
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| write_explanation(&folder, stem, predicted, &image.image, painting));
    written.map(|_| folder.clone()).map_err(|error| format!("write to {}: {error}", printable_path(&folder)))
}
