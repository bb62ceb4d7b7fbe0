//! What the screen Explain wants of the world: models found, maps computed by the engine, files written.

mod maps;
mod newest_checkpoint;
mod request_slot;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use maps::MapRenderer;
use request_slot::{RequestSlot, WaitOutcome};

use crate::analysis::explanation_files::{MapPainting, write_explanation};
use crate::tui::protocol::explain::{ExplainEffect, ExplainMessage};
use crate::tui::protocol::explain::{MapRequest, MappedImage};
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::workspace::Workspace;

/// A request waits so long for a later one, while one walks through the images.
const DEBOUNCE: Duration = Duration::from_millis(30);
/// One walks where another request came so shortly before; the first one is served at once.
const WALKING: Duration = Duration::from_millis(100);
/// What will probably be looked at waits so long: meanwhile what just came is painted, without anybody in its way.
const AHEAD_LATER: Duration = Duration::from_millis(80);
/// An engine that nobody needs for so long is ended: it holds half a gigabyte.
const IDLE: Duration = Duration::from_secs(180);
/// Folders that models may lie in, below the folder where the program was started and below the workspace.
const MODEL_FOLDERS: [&str; 2] = ["models", "../models"];

/// Carries out what the screen Explain wants.
pub(in crate::tui) struct ExplainService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    /// What the thread that computes is to do, once there is one.
    wishes: Option<Arc<RequestSlot>>,
}

/// Who computes maps.
trait MapProvider {
    /// Whether the map is kept.
    fn knows(&mut self, request: &MapRequest) -> bool;

    /// The map, or why there is none; `None` when it is not wanted any more.
    fn map(&mut self, request: &MapRequest, unwanted: &dyn Fn() -> bool) -> Option<Result<Arc<MappedImage>, String>>;

    /// Lets go what is needed to compute.
    fn rest(&mut self);
}

impl ExplainService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox, wishes: None }
    }

    pub(super) fn perform(&mut self, effect: ExplainEffect) {
        match effect {
            ExplainEffect::Show { shown, ahead } => {
                let wishes = self.wishes.get_or_insert_with(|| {
                    let wishes = Arc::new(RequestSlot::default());
                    let (theirs, inbox) = (Arc::clone(&wishes), self.inbox.clone());
                    thread::spawn(move || work(&mut MapRenderer::default(), &theirs, &inbox));
                    wishes
                });
                wishes.wish(shown, ahead);
            }
            ExplainEffect::LookForModels => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let found = folders_with_models(workspace.path());
                    let _ = inbox.send(UiMessage::Explain(ExplainMessage::Models(found)));
                });
            }
            ExplainEffect::Export { images, painting } => {
                let (folder, inbox) = (self.workspace.path().join("explanations"), self.inbox.clone());
                thread::spawn(move || {
                    let outcome = export(&folder, &images, painting);
                    let _ = inbox.send(UiMessage::Explain(ExplainMessage::Exported(outcome)));
                });
            }
        }
    }
}

impl Drop for ExplainService {
    fn drop(&mut self) {
        if let Some(wishes) = &self.wishes {
            wishes.close();
        }
    }
}

/// Computes the maps of the latest wish until nobody wishes any more.
fn work(maker: &mut dyn MapProvider, wishes: &RequestSlot, inbox: &Sender<UiMessage>) {
    let (mut done, mut before) = (0, None::<Instant>);
    loop {
        let mut waited = wishes.after(done, Some(IDLE));
        if matches!(waited, WaitOutcome::Nothing) {
            maker.rest();
            waited = wishes.after(done, None);
        }
        let WaitOutcome::Wish(mut wish) = waited else { return };
        let walking = before.replace(Instant::now()).is_some_and(|before| before.elapsed() < WALKING);
        // What is known needs no patience.
        while walking && !wish.shown.iter().all(|request| maker.knows(request)) {
            match wishes.after(wish.number, Some(DEBOUNCE)) {
                WaitOutcome::Wish(later) => wish = later,
                WaitOutcome::Nothing => break,
                WaitOutcome::Closed => return,
            }
        }
        done = wish.number;
        for (at, request) in wish.shown.iter().chain(&wish.ahead).enumerate() {
            if at == wish.shown.len() {
                wishes.after(done, Some(AHEAD_LATER));
            }
            if wishes.is_superseded(done) {
                break;
            }
            let Some(outcome) = maker.map(request, &|| !wishes.wants(request)) else { break };
            wishes.answered(request);
            // What was computed ahead may be looked at by now.
            if wishes.shows(request) {
                let message = ExplainMessage::Mapped { request: request.clone(), outcome };
                if inbox.send(UiMessage::Explain(message)).is_err() {
                    return;
                }
            }
        }
        wishes.finish(done);
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

/// Writes the pictures of images into a folder of its own below this one.
fn export(folder: &Path, images: &[(PathBuf, Arc<MappedImage>)], painting: MapPainting) -> Result<PathBuf, String> {
    let folder = folder.join(Utc::now().format("%Y%m%dT%H%M%S%3f").to_string());
    let problem = |error: std::io::Error| format!("write to {}: {error}", printable_path(&folder));
    std::fs::create_dir_all(&folder).map_err(problem)?;
    for (file, image) in images {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        let predicted = image.predicted().ok_or("the network's answer is not finite")?;
        write_explanation(&folder, stem, predicted, &image.image, painting).map_err(problem)?;
    }
    Ok(folder)
}
