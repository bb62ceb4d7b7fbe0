//! The review of prepared images: reads the manifest, renders originals, keeps verdicts and classes.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use image::GrayImage;
use image::imageops::{FilterType, resize};

use super::paths::expand;
use super::preparation::LABELS;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::painted_review::ReviewPicture;
use crate::tui::protocol::review::{RenderRequest, ReviewEffect, ReviewMessage, ReviewedImage};
use mammoscope_dataset::stated::{LabelFile, with_label};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::contour::outline;
use mammoscope_imaging::mask::Mask;
use mammoscope_preprocessing::original::{Original, original_of};
use mammoscope_preprocessing::pseudonym::{PseudonymKey, usual_key_file};
use mammoscope_preprocessing::record::{OutputRecord, Record};
use mammoscope_preprocessing::review::{keep_review, review_order, sources_by_pseudonym};
use mammoscope_preprocessing::source::Source;
use mammoscope_storage::atomic_file::write_atomically;

/// The longer side of a shown original in pixels; terminals have few.
const LONGER_SIDE: u32 = 1400;

/// A request to the thread that renders: the image on screen, and the one that probably follows.
type Renderings = (PathBuf, RenderRequest, Option<RenderRequest>);

/// The review of prepared images. Verdicts and classes are kept one after another in the order in which they were given;
/// originals are rendered on another thread, so that no verdict waits for them.
pub(super) struct ReviewKeeper {
    inbox: Sender<UiMessage>,
    writer: Option<Sender<ReviewEffect>>,
    renderer: Option<Sender<Renderings>>,
}

impl ReviewKeeper {
    pub(super) fn new(inbox: &Sender<UiMessage>) -> Self {
        Self { inbox: inbox.clone(), writer: None, renderer: None }
    }

    pub(super) fn perform(&mut self, effect: ReviewEffect) {
        match effect {
            ReviewEffect::Locate { folder, input } => {
                let inbox = self.inbox.clone();
                thread::spawn(move || {
                    let input = expand(&input);
                    let outcome = located(&folder, &input);
                    send(&inbox, ReviewMessage::Located { folder, input, outcome })
                });
            }
            ReviewEffect::Render { folder, shown, ahead } => {
                let renderer = self.renderer.get_or_insert_with(|| {
                    let (sender, receiver) = channel();
                    let inbox = self.inbox.clone();
                    thread::spawn(move || render(&receiver, &inbox));
                    sender
                });
                // The thread lives as long as this service.
                let _ = renderer.send((folder, shown, ahead));
            }
            effect => {
                let writer = self.writer.get_or_insert_with(|| {
                    let (sender, receiver) = channel();
                    let inbox = self.inbox.clone();
                    thread::spawn(move || {
                        while let Ok(effect) = receiver.recv() {
                            if written(effect).is_some_and(|message| !send(&inbox, message)) {
                                return;
                            }
                        }
                    });
                    sender
                });
                let _ = writer.send(effect);
            }
        }
    }
}

/// Sends a message; returns `false` if the workbench was left.
fn send(inbox: &Sender<UiMessage>, message: ReviewMessage) -> bool {
    inbox.send(UiMessage::Datasets(DatasetsMessage::Review(message))).is_ok()
}

/// Reads or writes the manifest or the label file.
fn written(effect: ReviewEffect) -> Option<ReviewMessage> {
    match effect {
        ReviewEffect::Open { folder } => {
            let (labels, problem) = match label_file(&folder) {
                Ok(labels) => (labels, None),
                Err(problem) => (None, Some(problem)),
            };
            let reviewed = |record: Record| {
                let stated = record.output.as_ref().and_then(|output| stated(labels.as_ref()?, output));
                ReviewedImage { record: Arc::new(record), stated }
            };
            let outcome = review_order(&folder).map_err(Failure::new);
            let outcome = outcome.map(|records| records.into_iter().map(reviewed).collect());
            Some(ReviewMessage::Opened { folder, outcome, labels: problem })
        }
        ReviewEffect::Keep { folder, record, review, source } => {
            let path = record.source.path.clone();
            let outcome = keep_review(&folder, &record, review, source.as_ref()).map_err(Failure::new);
            Some(ReviewMessage::Kept { folder, path, outcome: outcome.map(Box::new) })
        }
        ReviewEffect::Label { folder, record, class } => {
            let output = record.output.as_ref()?;
            let outcome = label(&folder, output, class).map(|name| (class, name));
            let (subject, exam) = (output.subject.clone(), output.exam.clone());
            Some(ReviewMessage::Labelled { folder, subject, exam, outcome })
        }
        ReviewEffect::Locate { .. } | ReviewEffect::Render { .. } => None,
    }
}

fn label_bytes(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format_args!("{LABELS}: {error}"))),
    }
}

fn label_file(folder: &Path) -> Result<Option<LabelFile>, Failure> {
    let path = folder.join(LABELS);
    let bytes = label_bytes(&path)?;
    // Its problems name subjects.
    let problem = |_| Failure::new(format_args!("{LABELS} has lines that cannot be used"));
    bytes.map(|bytes| LabelFile::parse(&path, &bytes)).transpose().map_err(problem)
}

fn stated(labels: &LabelFile, output: &OutputRecord) -> Option<DensityClass> {
    let (subject, exam) = (SubjectId::new(&output.subject), ExamId::new(&output.exam));
    labels.class_of(&subject, Some(&exam), Some(output.view))
}

/// Enters a class into the label file; returns the file's path for display.
fn label(folder: &Path, output: &OutputRecord, class: DensityClass) -> Result<String, Failure> {
    let path = folder.join(LABELS);
    let bytes = label_bytes(&path)?;
    let (subject, exam) = (SubjectId::new(&output.subject), ExamId::new(&output.exam));
    let entered = with_label(bytes.as_deref(), (&subject, &exam, output.view), class)
        .map_err(|error| Failure::new(format_args!("{LABELS}: {error}")))?;
    write_atomically(&path, &entered).map_err(|error| Failure::new(format_args!("{LABELS}: {error}")))?;
    Ok(printable_path(&path))
}

/// The sources of the folder's images below the input folder.
fn located(folder: &Path, input: &Path) -> Result<HashMap<String, Source>, Failure> {
    let key_file = usual_key_file().filter(|path| path.exists());
    let key_file =
        key_file.ok_or("the key of the pseudonyms, by which sources are found, is not in its usual place")?;
    let key = PseudonymKey::load_or_make(&key_file).map_err(Failure::new)?;
    if !input.exists() {
        return Err("there is no such folder".into());
    }
    let mut sources = sources_by_pseudonym(input, folder, &key);
    let wanted = review_order(folder).map_err(Failure::new)?;
    let wanted: std::collections::HashSet<String> = wanted.into_iter().map(|record| record.source.path).collect();
    sources.retain(|path, _| wanted.contains(path));
    if sources.is_empty() {
        return Err("none of the images was made from a file in that folder, or it was done with another key".into());
    }
    Ok(sources)
}

/// Renders originals until the service is dropped; of several requests, the latest counts.
fn render(requests: &Receiver<Renderings>, inbox: &Sender<UiMessage>) {
    let mut next = requests.recv().ok();
    while let Some(mut request) = next.take() {
        while let Ok(later) = requests.try_recv() {
            request = later;
        }
        let (folder, shown, ahead) = request;
        for request in std::iter::once(shown).chain(ahead) {
            let outcome = original_of(&request.record, &request.source).map_err(Failure::new);
            let outcome = outcome.and_then(|original| picture(original, &request.record));
            let path = request.record.source.path.clone();
            if !send(inbox, ReviewMessage::Rendered { folder: folder.clone(), path, outcome }) {
                return;
            }
            next = requests.try_recv().ok();
            if next.is_some() {
                break;
            }
        }
        next = next.or_else(|| requests.recv().ok());
    }
}

/// An original at a size for the terminal.
fn picture(original: Original, record: &Record) -> Result<Arc<ReviewPicture>, Failure> {
    let (Some(steps), Some(output)) = (&record.steps, &record.output) else {
        return Err("the manifest does not say how it was prepared".into());
    };
    let Original { grey, breast } = original;
    let size = [grey.width(), grey.height()];
    if steps.crop.right > size[0] || steps.crop.bottom > size[1] {
        return Err("the crop in the manifest is larger than the picture".into());
    }
    let reduction = (f64::from(LONGER_SIDE) / size[0].max(size[1]) as f64).min(1.0);
    let reduced = size.map(|side| ((side as f64 * reduction).round() as u32).max(1));
    let whole = GrayImage::from_raw(size[0] as u32, size[1] as u32, grey.into_samples());
    let whole = whole.ok_or("the picture is not grey")?;
    let grey = resize(&whole, reduced[0], reduced[1], FilterType::Triangle);
    let breast = breast.map(|breast| reduced_mask(&breast, reduced));
    let level = breast.as_ref().map_or(0, |breast| mean_inside(&grey, breast));
    let breast = breast.as_ref().map_or_else(Vec::new, outline);
    Ok(Arc::new(ReviewPicture { grey, breast, size, crop: steps.crop, side: output.view.side(), level }))
}

/// The mean grey inside a mask.
fn mean_inside(grey: &GrayImage, mask: &Mask) -> u8 {
    let inside = grey.as_raw().iter().zip(mask.pixels()).filter(|(_, inside)| **inside);
    let (sum, count) = inside.fold((0_u64, 0_u64), |(sum, count), (&level, _)| (sum + u64::from(level), count + 1));
    (sum / count.max(1)) as u8
}

/// A mask of fewer pixels, each like the one in its middle.
fn reduced_mask(mask: &Mask, [width, height]: [u32; 2]) -> Mask {
    let (width, height) = (width as usize, height as usize);
    let inside = (0..width * height).map(|at| {
        let (x, y) = (at % width * mask.width() / width, at / width * mask.height() / height);
        mask.pixels()[y * mask.width() + x]
    });
    Mask::new(width, height, inside.collect())
}
