//! A run of the preparation: all sources of a folder, in parallel, continued where an earlier run stopped.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::assignment::{Assigned, assign, output_path};
use crate::candidate::{Candidate, Labels, Unsuitable, identify, read};
use crate::manifest::{MANIFEST, ManifestError, ManifestJournal, read_manifest, write_manifest};
use crate::output::{Output, Refusal, make};
use crate::output_lock::{LOCK, lock_output};
use crate::part::Part;
use crate::pseudonym::PseudonymKey;
use crate::record::{Decision, OutputRecord, Record, Review, SCHEMA, Scanner, SourceRecord};
use crate::settings::{RecordedSettings, Settings};
use crate::source::{FoundSources, Source, find_sources};
pub use crate::summary::Summary;

/// What a run is to do.
pub struct RunPlan<'a> {
    pub input: &'a Path,
    pub output: &'a Path,
    pub settings: Settings,
    pub labels: Option<Labels<'a>>,
    pub key: &'a PseudonymKey,
    /// The program and its version, for the manifest.
    pub program: &'a str,
    /// The number of images prepared at once.
    pub jobs: usize,
    /// Judges everything and writes nothing.
    pub dry_run: bool,
    /// Handles the sources of this shard's subjects only. All sources are identified, since a copy of one may be in
    /// another shard.
    pub shard: Option<Shard>,
}

/// An error that ends a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{}: {error}", printable_path(path))]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{}: is not empty and has no {MANIFEST}; give a new folder, so that nothing is mixed up",
        printable_path(.0)
    )]
    ForeignFolder(PathBuf),
    #[error("{}: another run is writing to it", printable_path(.0))]
    Busy(PathBuf),
    #[error("{}: has images of other shards; give each shard a folder of its own", printable_path(.0))]
    OtherShard(PathBuf),
    /// The folder is not named: its path may name a person.
    #[error("no image found in the input folder: neither DICOM nor PNG, JPEG or TIFF")]
    NoSources,
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the threads cannot be started: {0}")]
    Threads(String),
}

/// The stages of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Headers and names are read.
    Identifying,
    /// Pixels are prepared.
    Preparing,
}

/// The progress of a run, for display.
pub trait Progress: Sync {
    fn begin(&self, stage: Stage, sources: usize, bytes: u64);
    fn advance(&self, bytes: u64);
    /// A source that was refused: its number in the order of paths, from 1, its path below the input folder, the first
    /// digits of its SHA-256, and the reason.
    fn refused(&self, number: usize, path: &Path, sha256: &str, reason: &str);
}

/// Prepares all sources of a folder.
pub fn run(plan: &RunPlan<'_>, progress: &dyn Progress, cancellation: Cancellation<'_>) -> Result<Summary, RunError> {
    let _lock = (!plan.dry_run).then(|| open_output(plan.output)).transpose()?;
    let known = read_manifest(plan.output)?;
    let part = Part { shard: plan.shard, key: plan.key };
    if !known.values().filter_map(|record| record.output.as_ref()).all(|output| part.has_subject(&output.subject)) {
        return Err(RunError::OtherShard(plan.output.to_owned()));
    }
    let found = find_sources(plan.input, plan.output);
    if found.sources.is_empty() && found.unreadable.is_empty() {
        return Err(RunError::NoSources);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(plan.jobs).build();
    let pool = pool.map_err(|error| RunError::Threads(error.to_string()))?;
    let journal = (!plan.dry_run).then(|| ManifestJournal::open(plan.output)).transpose()?;
    let run = Run {
        plan,
        progress,
        cancellation,
        journal,
        part,
        recorded: plan.settings.recorded(),
        known: &known,
        state: Mutex::default(),
    };
    let outcome = pool.install(|| run.all(&found));
    let State { mut records, mut summary, elsewhere } =
        run.state.into_inner().expect("no thread panics while it holds the lock");
    summary.cancelled = cancellation.is_cancelled();
    summary.sources = part.fingerprint(&found);
    let paths: HashSet<String> = found.sources.iter().map(|source| plan.key.path(&source.relative)).collect();
    for (path, record) in known.iter().filter(|(path, _)| !elsewhere.contains(*path)) {
        if !paths.contains(path) {
            summary.without_source += usize::from(record.output.is_some());
        }
        records.entry(path.clone()).or_insert_with(|| record.clone());
    }
    // Written also after an error: what is done is done.
    if !plan.dry_run {
        write_manifest(plan.output, &records)?;
    }
    outcome?;
    Ok(summary)
}

/// The output folder with its lock: new, empty, or one that has a manifest.
fn open_output(output: &Path) -> Result<File, RunError> {
    let io = |error| RunError::Io { path: output.to_owned(), error };
    fs::create_dir_all(output).map_err(io)?;
    let is_foreign = !output.join(MANIFEST).exists()
        && fs::read_dir(output).map_err(io)?.any(|entry| entry.is_ok_and(|entry| entry.file_name() != LOCK));
    if is_foreign {
        return Err(RunError::ForeignFolder(output.to_owned()));
    }
    lock_output(output).map_err(io)?.ok_or_else(|| RunError::Busy(output.to_owned()))
}

#[derive(Default)]
struct State {
    records: BTreeMap<String, Record>,
    summary: Summary,
    /// The pseudonyms of paths whose sources are now those of other shards.
    elsewhere: HashSet<String>,
}

struct Run<'a> {
    plan: &'a RunPlan<'a>,
    progress: &'a dyn Progress,
    cancellation: Cancellation<'a>,
    journal: Option<ManifestJournal>,
    part: Part<'a>,
    recorded: RecordedSettings,
    known: &'a BTreeMap<String, Record>,
    state: Mutex<State>,
}

impl Run<'_> {
    fn all(&self, found: &FoundSources) -> Result<(), RunError> {
        self.count(|summary| summary.skipped += if self.part.is_first() { found.others } else { 0 });
        let unreadable = found.unreadable.iter().enumerate();
        for (number, (path, error)) in unreadable.filter(|(_, (path, _))| self.part.has_path(path)) {
            self.progress.refused(found.sources.len() + number + 1, path, "", &format!("cannot be read: {error}"));
            self.count(|summary| summary.refused += 1);
        }
        let numbered: Vec<(usize, &Source)> = (1..).zip(&found.sources).collect();
        let (unchanged, changed): (Vec<_>, Vec<_>) =
            numbered.into_iter().partition(|(_, source)| self.plan.labels.is_none() && self.is_unchanged(source));
        for (number, source) in unchanged {
            self.keep(number, source);
        }
        self.progress.begin(Stage::Identifying, changed.len(), changed.iter().map(|(_, source)| source.bytes).sum());
        let identified: Vec<_> = changed
            .par_iter()
            .filter(|_| !self.cancellation.is_cancelled())
            .map(|&(number, source)| {
                let known = self.known.get(&self.plan.key.path(&source.relative));
                let exam = known.and_then(|record| record.output.as_ref()).map(|output| output.exam.as_str());
                let identified = identify(source, self.plan.key, &self.plan.settings, self.plan.labels, exam);
                self.progress.advance(source.bytes);
                (number, source, identified)
            })
            .collect();
        let mut candidates = Vec::new();
        let kept = |state: &State| state.records.values().map(|record| record.source.sha256.clone()).collect();
        let mut seen: HashSet<String> = kept(&self.state.lock().expect("no thread panics while it holds the lock"));
        for (number, source, identified) in identified {
            match identified {
                Ok(candidate) if self.is_labelled_as_before(source, &candidate) => {
                    seen.insert(candidate.sha256);
                    self.keep(number, source);
                }
                Ok(candidate) if !seen.insert(candidate.sha256.clone()) => {
                    let reason = "the same file as an earlier one, byte by byte; one is enough";
                    if self.part.has_subject(&candidate.subject) {
                        self.refuse(number, source, &Unsuitable::new(&candidate.sha256, reason))?;
                    } else {
                        self.leave(source);
                    }
                }
                Ok(candidate) if self.part.has_subject(&candidate.subject) => candidates.push((number, candidate)),
                Err(unsuitable) if self.part.has_path(&source.relative) => self.refuse(number, source, &unsuitable)?,
                Ok(_) | Err(_) => self.leave(source),
            }
        }
        let assigned = assign(candidates, self.known, self.plan.key);
        self.progress.begin(
            Stage::Preparing,
            assigned.len(),
            assigned.iter().map(|one| one.candidate.source.bytes).sum(),
        );
        assigned.par_iter().filter(|_| !self.cancellation.is_cancelled()).try_for_each(|assigned| {
            let done = self.prepare(assigned);
            self.progress.advance(assigned.candidate.source.bytes);
            done
        })
    }

    /// Leaves a source to another shard, with everything that an earlier run did with another source of its path.
    fn leave(&self, source: &Source) {
        let path = self.plan.key.path(&source.relative);
        let Some(known) = self.known.get(&path) else { return };
        if let Some(earlier) = known.output.as_ref().filter(|_| !self.plan.dry_run) {
            let _ = fs::remove_file(self.plan.output.join(&earlier.output));
        }
        self.state.lock().expect("no thread panics while it holds the lock").elsewhere.insert(path);
    }

    fn count(&self, change: impl FnOnce(&mut Summary)) {
        change(&mut self.state.lock().expect("no thread panics while it holds the lock").summary);
    }

    /// True if a source and the settings are the same as in the manifest, and its output is there.
    fn is_unchanged(&self, source: &Source) -> bool {
        let Some(record) = self.known.get(&self.plan.key.path(&source.relative)) else { return false };
        let is_there = |output: &OutputRecord| {
            let written = fs::metadata(self.plan.output.join(&output.output));
            written.is_ok_and(|metadata| metadata.len() == output.bytes)
        };
        let is_rejected = matches!(record.review, Some(Review::Rejected));
        record.settings == self.recorded
            && record.source.bytes == source.bytes
            && record.source.modified == source.modified
            && (is_rejected || record.output.as_ref().is_none_or(is_there))
    }

    /// True if a table of labels gives an unchanged source the class that its output has.
    fn is_labelled_as_before(&self, source: &Source, candidate: &Candidate) -> bool {
        let known = self.known.get(&self.plan.key.path(&source.relative));
        let output = known.and_then(|record| record.output.as_ref());
        output.is_some_and(|output| output.class == candidate.class) && self.is_unchanged(source)
    }

    fn keep(&self, number: usize, source: &Source) {
        let path = self.plan.key.path(&source.relative);
        let record = self.known[&path].clone();
        if record.decision == Decision::Refuse {
            let reason = record.reason.as_deref().unwrap_or_default();
            self.progress.refused(number, &source.relative, &record.source.sha256, reason);
        }
        let mut state = self.state.lock().expect("no thread panics while it holds the lock");
        match record.decision {
            Decision::Refuse => state.summary.refused += 1,
            _ if matches!(record.review, Some(Review::Rejected)) => state.summary.rejected += 1,
            _ => state.summary.unchanged += 1,
        }
        state.summary.count_state(&record);
        state.records.insert(path, record);
    }

    fn prepare(&self, assigned: &Assigned) -> Result<(), RunError> {
        let Assigned { number, candidate, name } = assigned;
        let source = &candidate.source;
        let known = self.known.get(&self.plan.key.path(&source.relative));
        let review = known.and_then(|record| record.review.clone());
        let (bytes, sha256) = match read(source) {
            Ok(read) => read,
            Err(unsuitable) => return self.refuse(*number, source, &unsuitable),
        };
        let made = make(bytes, source.format, candidate.view, &self.plan.settings, review.as_ref());
        let output = match made {
            Ok(output) => output,
            Err(Refusal { reason, findings }) => {
                let unsuitable = Unsuitable { findings, ..Unsuitable::new(&sha256, &reason) };
                return self.refuse(*number, source, &unsuitable);
            }
        };
        let relative = output_path(name);
        let mut record = self.record(source, &sha256, &output);
        record.output = Some(OutputRecord {
            output: relative.clone(),
            subject: candidate.subject.clone(),
            exam: name.exam.0.clone(),
            view: candidate.view,
            class: candidate.class,
            acquisition: name.acquisition,
            bits: self.plan.settings.bits.number(),
            sha256: output.sha256.clone(),
            pixel_sha256: output.pixel_sha256.clone(),
            bytes: output.png.len() as u64,
            study: candidate.study.clone(),
        });
        record.review = review;
        let is_rejected = matches!(record.review, Some(Review::Rejected));
        if !self.plan.dry_run && !is_rejected {
            self.write(&relative, &output.png)?;
        }
        let earlier = known.and_then(|record| record.output.as_ref()).filter(|earlier| earlier.output != relative);
        if let Some(earlier) = earlier.filter(|_| !self.plan.dry_run) {
            // The image has moved, to another class for example; its old place may be gone already.
            let _ = fs::remove_file(self.plan.output.join(&earlier.output));
        }
        self.finish(record, |summary, record| {
            if is_rejected {
                summary.rejected += 1;
            } else {
                summary.written += 1;
                summary.with_warning += usize::from(record.decision == Decision::AcceptWithWarning);
            }
        })
    }

    fn write(&self, relative: &str, png: &[u8]) -> Result<(), RunError> {
        let path = self.plan.output.join(relative);
        let folder = path.parent().expect("an output lies in a folder");
        fs::create_dir_all(folder)
            .and_then(|()| write_atomically(&path, png))
            .map_err(|error| RunError::Io { path, error })
    }

    fn record(&self, source: &Source, sha256: &str, output: &Output) -> Record {
        Record {
            decision: output.decision,
            findings: output.findings.clone(),
            scanner: output.scanner.clone(),
            steps: Some(output.steps.clone()),
            ..self.empty_record(source, sha256)
        }
    }

    fn empty_record(&self, source: &Source, sha256: &str) -> Record {
        Record {
            schema: SCHEMA,
            program: self.plan.program.to_owned(),
            source: SourceRecord {
                sha256: sha256.to_owned(),
                bytes: source.bytes,
                path: self.plan.key.path(&source.relative),
                modified: source.modified,
                format: source.format.name(),
            },
            settings: self.recorded.clone(),
            decision: Decision::Refuse,
            reason: None,
            findings: Vec::new(),
            scanner: Scanner::default(),
            output: None,
            steps: None,
            review: None,
        }
    }

    fn refuse(&self, number: usize, source: &Source, unsuitable: &Unsuitable) -> Result<(), RunError> {
        if unsuitable.skipped {
            self.count(|summary| summary.skipped += 1);
            return Ok(());
        }
        self.progress.refused(number, &source.relative, &unsuitable.sha256, &unsuitable.reason);
        let known = self.known.get(&self.plan.key.path(&source.relative));
        if let Some(earlier) = known.and_then(|record| record.output.as_ref()).filter(|_| !self.plan.dry_run) {
            // Accepted by an earlier run with other settings: an image that is refused now must not be trained on.
            let _ = fs::remove_file(self.plan.output.join(&earlier.output));
        }
        let record = Record {
            reason: Some(unsuitable.reason.clone()),
            findings: unsuitable.findings.clone(),
            ..self.empty_record(source, &unsuitable.sha256)
        };
        self.finish(record, |summary, _| summary.refused += 1)
    }

    /// Adds a record to the manifest.
    fn finish(&self, record: Record, count: impl FnOnce(&mut Summary, &Record)) -> Result<(), RunError> {
        if let Some(journal) = &self.journal {
            journal.append(&record)?;
        }
        let mut state = self.state.lock().expect("no thread panics while it holds the lock");
        count(&mut state.summary, &record);
        state.summary.count_state(&record);
        state.records.insert(record.source.path.clone(), record);
        Ok(())
    }
}
