//! The service of the screen Explain: finds models, computes maps through the engine, and writes files.

mod maps;
mod model_knowledge;
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
use crate::tui::protocol::explain::{EpochScores, ExplainEffect, ExplainMessage, MapRequest, MappedImage, RunEpochs};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::services::datasets::paths::{completions, expand};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::models::model_set::ModelSet;
use mammoscope_storage::runs::kept_checkpoints::kept_checkpoints;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::workspace::Workspace;

/// The time for which a request waits for a later one while the user is browsing.
const DEBOUNCE: Duration = Duration::from_millis(30);
/// The user counts as browsing if another request came within this time; the first one is served at once.
const BROWSING_INTERVAL: Duration = Duration::from_millis(100);
/// The delay before maps are computed ahead, so that those on screen are painted first.
const PREFETCH_DELAY: Duration = Duration::from_millis(80);
/// The time after which an unused engine is ended, since it holds half a gigabyte.
const ENGINE_IDLE_TIMEOUT: Duration = Duration::from_secs(180);
/// The extension of model files.
const MODEL_EXTENSION: &str = "safetensors";
/// Folders to search for models, relative to the working directory and to the workspace.
const MODEL_FOLDERS: [&str; 2] = ["models", "../models"];

/// The service of the screen Explain.
pub(in crate::tui) struct ExplainService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    /// The requests for the thread that computes maps, once it is started.
    requests: Option<Arc<RequestSlot>>,
}

/// The reason why there is no map.
#[derive(Debug)]
enum MapError {
    /// It is no longer wanted.
    Cancelled,
    Failed(Failure),
}

impl From<Failure> for MapError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A provider of maps.
trait MapProvider {
    /// True if the map is in the cache.
    fn is_cached(&mut self, request: &MapRequest) -> bool;

    /// Takes the map from the cache or computes it.
    fn map(&mut self, request: &MapRequest, cancellation: Cancellation<'_>) -> Result<Arc<MappedImage>, MapError>;

    /// Releases the resources that only computing needs.
    fn release_engine(&mut self);
}

impl ExplainService {
    pub(super) fn new(workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self { workspace: workspace.clone(), inbox: inbox.clone(), requests: None }
    }

    pub(super) fn perform(&mut self, effect: ExplainEffect) {
        match effect {
            ExplainEffect::Show { shown, ahead } => {
                let requests = self.requests.get_or_insert_with(|| {
                    let requests = Arc::new(RequestSlot::default());
                    let (theirs, inbox) = (Arc::clone(&requests), self.inbox.clone());
                    thread::spawn(move || serve(&mut MapRenderer::default(), &theirs, &inbox));
                    requests
                });
                requests.submit(shown, ahead);
            }
            ExplainEffect::LookForModels => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let found = folders_with_models(workspace.path());
                    let _ = inbox.send(UiMessage::Explain(ExplainMessage::Models(found)));
                });
            }
            ExplainEffect::LookForEpochs(runs) => {
                self.answer(move || ExplainMessage::Epochs(runs.into_iter().map(epochs_of).collect()));
            }
            ExplainEffect::Complete(typed) => self.answer(move || {
                let is_model = |path: &Path| path.extension().is_some_and(|extension| extension == MODEL_EXTENSION);
                let found = completions(&typed, is_model);
                ExplainMessage::Completed { typed, found }
            }),
            ExplainEffect::CheckModels(typed) => self.answer(move || {
                let path = expand(&typed);
                let outcome = ModelSet::open(&path).map(|_| path).map_err(Failure::new);
                ExplainMessage::ModelsChecked { typed, outcome }
            }),
            ExplainEffect::LookForImages(paths) => {
                self.answer(move || {
                    ExplainMessage::Missing(paths.into_iter().filter(|path| !path.is_file()).collect())
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

impl ExplainService {
    fn answer(&self, work: impl FnOnce() -> ExplainMessage + Send + 'static) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            let _ = inbox.send(UiMessage::Explain(work()));
        });
    }
}

impl Drop for ExplainService {
    fn drop(&mut self) {
        if let Some(requests) = &self.requests {
            requests.close();
        }
    }
}

/// Computes the maps of the latest request until the service is dropped.
fn serve(provider: &mut dyn MapProvider, requests: &RequestSlot, inbox: &Sender<UiMessage>) {
    let (mut done, mut last_batch) = (0, None::<Instant>);
    loop {
        let mut waited = requests.wait_after(done, Some(ENGINE_IDLE_TIMEOUT));
        if matches!(waited, WaitOutcome::TimedOut) {
            provider.release_engine();
            waited = requests.wait_after(done, None);
        }
        let WaitOutcome::Batch(mut batch) = waited else { return };
        let is_browsing = last_batch.replace(Instant::now()).is_some_and(|last| last.elapsed() < BROWSING_INTERVAL);
        // Cached maps need no delay.
        while is_browsing && !batch.shown.iter().all(|request| provider.is_cached(request)) {
            match requests.wait_after(batch.number, Some(DEBOUNCE)) {
                WaitOutcome::Batch(later) => batch = later,
                WaitOutcome::TimedOut => break,
                WaitOutcome::Closed => return,
            }
        }
        done = batch.number;
        for (at, request) in batch.shown.iter().chain(&batch.ahead).enumerate() {
            if at == batch.shown.len() {
                requests.wait_after(done, Some(PREFETCH_DELAY));
            }
            if requests.is_superseded(done) {
                break;
            }
            let outcome = match provider.map(request, Cancellation::new(&|| !requests.wants(request))) {
                Ok(mapped) => Ok(mapped),
                Err(MapError::Failed(failure)) => Err(failure),
                Err(MapError::Cancelled) => break,
            };
            requests.mark_answered(request);
            if request.epoch.is_some() {
                let scores = |mapped: &Arc<MappedImage>| EpochScores { scores: mapped.image.scores };
                let outcome = outcome.as_ref().map(scores).map_err(Clone::clone);
                let message = ExplainMessage::Scored { request: request.clone(), outcome };
                if inbox.send(UiMessage::Explain(message)).is_err() {
                    return;
                }
            }
            // A map that was computed ahead may be on screen by now.
            if requests.shows(request) {
                let message = ExplainMessage::Mapped { request: request.clone(), outcome };
                if inbox.send(UiMessage::Explain(message)).is_err() {
                    return;
                }
            }
        }
        requests.finish(done);
    }
}

/// The epochs whose models a run has kept; none if they cannot be listed.
fn epochs_of(run: RunDir) -> RunEpochs {
    let epochs = kept_checkpoints(&run).unwrap_or_default().iter().map(|kept| kept.epoch).collect();
    RunEpochs { view: read_run_spec(&run.spec()).ok().map(|spec| spec.view), run, epochs }
}

fn folders_with_models(workspace: &Path) -> Vec<PathBuf> {
    let working_dir = std::env::current_dir().unwrap_or_default();
    let mut found = Vec::new();
    for base in [working_dir.as_path(), workspace] {
        for folder in MODEL_FOLDERS {
            let Ok(folder) = base.join(folder).canonicalize() else { continue };
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let holds_models = files
                .into_iter()
                .any(|file| file.path().extension().is_some_and(|extension| extension == MODEL_EXTENSION));
            if holds_models && !found.contains(&folder) {
                found.push(folder);
            }
        }
    }
    found
}

/// Writes the files of images to a new folder below this one.
fn export(folder: &Path, images: &[(PathBuf, Arc<MappedImage>)], painting: MapPainting) -> Result<PathBuf, Failure> {
    let folder = folder.join(Utc::now().format("%Y%m%dT%H%M%S%3f").to_string());
    let problem = |error: std::io::Error| Failure::new(format_args!("write to {}: {error}", printable_path(&folder)));
    std::fs::create_dir_all(&folder).map_err(problem)?;
    for (file, image) in images {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        let predicted = image.predicted().ok_or_else(|| Failure::new(NonfiniteOutput))?;
        write_explanation(&folder, stem, predicted, &image.image, painting).map_err(problem)?;
    }
    Ok(folder)
}
