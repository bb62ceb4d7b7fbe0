//! Preprocessing on a thread of its own, with messages about its progress.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::paths::expand;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::preparation::{
    PreparationEffect, PreparationMessage, PreparationOutcome, PreparationPath, PreparationProgress,
};
use mammoscope_dataset::stated::LabelFile;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_preprocessing::candidate::LabelQuery;
use mammoscope_preprocessing::manifest::read_manifest;
use mammoscope_preprocessing::picture::OutputBits;
use mammoscope_preprocessing::pseudonym::{PseudonymKey, usual_key_file};
use mammoscope_preprocessing::run::{Progress, RunPlan, Stage, run};
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};
use mammoscope_preprocessing::stated_class::stated_class;

/// The label file of a prepared folder.
pub(super) const LABELS: &str = "labels.csv";

/// The shortest time between two messages about progress.
const INTERVAL: Duration = Duration::from_millis(100);
/// The time that a run has for a clean end when the workbench is left.
const FAREWELL: Duration = Duration::from_secs(5);
/// The interval at which its end is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The digits of a hash by which a refused source is shown.
const SHOWN_DIGITS: usize = 8;

/// The run of preprocessing, one at a time.
pub(super) struct PreparationRunner {
    inbox: Sender<UiMessage>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PreparationRunner {
    pub(super) fn new(inbox: &Sender<UiMessage>) -> Self {
        Self { inbox: inbox.clone(), stopped: Arc::default(), thread: None }
    }

    pub(super) fn perform(&mut self, effect: PreparationEffect) {
        match effect {
            PreparationEffect::Start { input, output, labels } => {
                self.stopped = Arc::default();
                let (inbox, stopped) = (self.inbox.clone(), Arc::clone(&self.stopped));
                self.thread = Some(thread::spawn(move || {
                    let (input, output) = (expand(&input), expand(&output));
                    if let Err((path, problem)) = check(&input, &output, &labels) {
                        send(&inbox, PreparationMessage::NotStarted { path, problem });
                        return;
                    }
                    let outcome = prepared(&input, &output, &labels, &inbox, &stopped).map_err(Failure::from);
                    send(&inbox, PreparationMessage::Ended { input, output, outcome });
                }));
            }
            PreparationEffect::Stop => self.stopped.store(true, Ordering::Relaxed),
        }
    }
}

impl Drop for PreparationRunner {
    /// Lets the images in progress be finished; a run that takes longer is given up, and continues when it is started
    /// again.
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let Some(running) = &self.thread else { return };
        let deadline = Instant::now() + FAREWELL;
        while !running.is_finished() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
    }
}

fn send(inbox: &Sender<UiMessage>, message: PreparationMessage) {
    // Without an inbox, the workbench was left.
    let _ = inbox.send(UiMessage::Datasets(DatasetsMessage::Preparation(message)));
}

/// Checks the paths of the form before a run starts.
fn check(input: &Path, output: &Path, labels: &str) -> Result<(), (PreparationPath, Failure)> {
    if !input.exists() {
        return Err((PreparationPath::Input, "there is no such file or folder".into()));
    }
    if output.exists() && !output.is_dir() {
        return Err((PreparationPath::Output, "this is a file; type a folder to write to".into()));
    }
    label_file(output, labels).map(drop).map_err(|problem| (PreparationPath::Labels, Failure::from(problem)))
}

fn prepared(
    input: &Path,
    output: &Path,
    labels: &str,
    inbox: &Sender<UiMessage>,
    stopped: &AtomicBool,
) -> anyhow::Result<PreparationOutcome> {
    let key_file =
        usual_key_file().ok_or_else(|| anyhow::anyhow!("there is no home folder for the key of the pseudonyms"))?;
    let mut notes = Vec::new();
    if !key_file.exists() {
        notes.push(format!("a new key of pseudonyms is in {}; keep it secret and safe", printable_path(&key_file)));
    }
    let key = PseudonymKey::load_or_make(&key_file)?;
    let (settings, note) = settings_for(output)?;
    notes.extend(note);
    let labels = label_file(output, labels)?;
    if let Some((path, _)) = &labels {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        notes.push(format!("classes are taken from {}", printable(&name)));
    }
    let class_of = |query: &LabelQuery<'_>| labels.as_ref().and_then(|(_, labels)| stated_class(labels, query));
    let is_stopped = || stopped.load(Ordering::Relaxed);
    let plan = RunPlan {
        input,
        output,
        settings,
        labels: labels.is_some().then_some(&class_of),
        key: &key,
        program: concat!("mammoscope ", env!("CARGO_PKG_VERSION")),
        jobs: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        dry_run: false,
        shard: None,
    };
    let reporter = Reporter { inbox: Mutex::new(inbox.clone()), state: Mutex::new(None) };
    let summary = run(&plan, &reporter, Cancellation::new(&is_stopped))?;
    Ok(PreparationOutcome { summary, notes })
}

/// The settings of an earlier run into the folder, so that its images are not made again in another way, or the usual
/// ones.
fn settings_for(output: &Path) -> anyhow::Result<(Settings, Option<String>)> {
    let usual = Settings {
        bits: OutputBits::Eight,
        pectoral: PectoralTreatment::default(),
        grey: mammoscope_dicom::grey::choice::GreyRequest::default(),
        source_range: GreyRange::default(),
        force: Vec::new(),
    };
    let records = read_manifest(output)?;
    let Some(record) = records.values().find(|record| record.output.is_some()).or(records.values().next()) else {
        return Ok((usual, None));
    };
    let earlier = Settings::of_record(&record.settings);
    let recorded = earlier.recorded();
    let is_usual = recorded == usual.recorded();
    let note = (!is_usual).then(|| {
        let force =
            if recorded.force.is_empty() { String::new() } else { format!(", force {}", recorded.force.join(",")) };
        format!(
            "with the settings of the earlier run: {} bits, muscle {}, window {}{force}",
            recorded.bits, recorded.pectoral, recorded.window
        )
    });
    Ok((earlier, note))
}

/// The label file that was typed or, without one, that of the output folder if it has one.
fn label_file(output: &Path, typed: &str) -> anyhow::Result<Option<(PathBuf, LabelFile)>> {
    let typed = typed.trim();
    let path = if typed.is_empty() { output.join(LABELS) } else { expand(typed) };
    if typed.is_empty() && !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(|error| anyhow::anyhow!("{}: {error}", printable_path(&path)))?;
    // Its problems name subjects, and those of a file from outside may be persons.
    let labels = LabelFile::parse(&path, &bytes).map_err(|_| {
        anyhow::anyhow!(
            "{}: the label file cannot be used; `mammoscope preprocess … --labels FILE --phi` names the lines",
            printable_path(&path)
        )
    })?;
    Ok(Some((path, labels)))
}

/// The counts of the present stage.
struct Counts {
    stage: Stage,
    total: usize,
    bytes: u64,
    done: usize,
    done_bytes: u64,
    begun: Instant,
    sent: Instant,
}

/// Sends messages about the progress of a run.
struct Reporter {
    inbox: Mutex<Sender<UiMessage>>,
    state: Mutex<Option<Counts>>,
}

impl Reporter {
    fn send(&self, message: PreparationMessage) {
        send(&self.inbox.lock().expect("no thread panics while it holds the lock"), message);
    }

    fn report(&self, counts: &Counts) {
        let seconds = counts.begun.elapsed().as_secs_f64();
        let share = counts.done_bytes as f64 / counts.bytes.max(1) as f64;
        let seconds_left = (share > 0.0).then(|| seconds * (1.0 - share).max(0.0) / share);
        let Counts { stage, done, total, .. } = *counts;
        self.send(PreparationMessage::Progress(PreparationProgress { stage, done, total, seconds, seconds_left }));
    }
}

impl Progress for Reporter {
    fn begin(&self, stage: Stage, sources: usize, bytes: u64) {
        let now = Instant::now();
        let counts = Counts { stage, total: sources, bytes, done: 0, done_bytes: 0, begun: now, sent: now };
        self.report(&counts);
        *self.state.lock().expect("no thread panics while it holds the lock") = Some(counts);
    }

    fn advance(&self, bytes: u64) {
        let mut state = self.state.lock().expect("no thread panics while it holds the lock");
        let Some(counts) = state.as_mut() else { return };
        counts.done += 1;
        counts.done_bytes += bytes;
        if counts.sent.elapsed() >= INTERVAL || counts.done == counts.total {
            counts.sent = Instant::now();
            self.report(counts);
        }
    }

    fn refused(&self, number: usize, _path: &Path, sha256: &str, reason: &str) {
        let name = match sha256.get(..SHOWN_DIGITS) {
            Some(digits) => format!("file {number} ({digits}…)"),
            None => format!("file {number}"),
        };
        self.send(PreparationMessage::Refused { name, reason: printable(reason) });
    }
}
