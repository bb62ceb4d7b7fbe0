//! The review of prepared images: a list of them, uncertain ones first, and original and prepared image side by side.

mod correction;
pub(super) mod keys;
mod list_view;
mod messages;
mod update;
mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use correction::Correction;

use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::protocol::binding::KeyTables;
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::painted_review::ReviewPicture;
use crate::tui::protocol::pictures::PicturePlace;
use crate::tui::protocol::review::{RenderRequest, ReviewEffect, ReviewedImage};
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_preprocessing::record::{PectoralState, Record, Review};
use mammoscope_preprocessing::source::Source;

/// The number of originals that are kept: that on screen, its neighbours, and the one that probably follows.
const MAX_ORIGINALS: usize = 4;

/// The pictures that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Arrangement {
    #[default]
    Both,
    Original,
    Prepared,
}

/// The input folder, whose sources are needed for originals and corrections.
#[derive(Debug, Default)]
enum Sources {
    /// Not known.
    #[default]
    Unknown,
    Looking,
    /// By the pseudonyms of their paths.
    Found(HashMap<String, Source>),
    /// Not found, for this reason.
    Failed(String),
}

/// The review of a folder's prepared images.
#[derive(Debug)]
pub(in crate::tui::screens::datasets) struct ReviewPane {
    folder: PathBuf,
    /// `None` until the manifest was read.
    images: Option<Vec<ReviewedImage>>,
    problem: Option<String>,
    list: ScrollList,
    sources: Sources,
    /// Originals by the pseudonyms of their sources' paths, the latest last.
    originals: Vec<(String, Result<Arc<ReviewPicture>, String>)>,
    /// The original that was requested last.
    requested: Option<String>,
    /// Verdicts on their way into the manifest, by the pseudonyms of the sources' paths.
    pending: HashMap<String, Review>,
    correction: Option<Correction>,
    outlines: bool,
    arrangement: Arrangement,
    /// The original and the prepared image.
    pictures: [PictureView; 2],
}

impl ReviewPane {
    /// A review of a folder, and the effects that fill it; `input` is the folder of its sources if that is known.
    pub(in crate::tui::screens::datasets) fn new(folder: &Path, input: Option<&Path>) -> (Self, Vec<Effect>) {
        let mut pane = Self {
            folder: folder.to_owned(),
            images: None,
            problem: None,
            list: ScrollList::default(),
            sources: Sources::Unknown,
            originals: Vec::new(),
            requested: None,
            pending: HashMap::new(),
            correction: None,
            outlines: true,
            arrangement: Arrangement::default(),
            pictures: [PictureView::new(PicturePlace::Original), PictureView::new(PicturePlace::Prepared)],
        };
        let mut effects = vec![effect(ReviewEffect::Open { folder: folder.to_owned() })];
        if let Some(input) = input {
            effects.extend(pane.locate(&input.to_string_lossy()));
        }
        (pane, effects)
    }

    pub(in crate::tui::screens::datasets) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads the manifest again, after another run for example.
    pub(in crate::tui::screens::datasets) fn reload(&mut self) -> Vec<Effect> {
        self.correction = None;
        vec![effect(ReviewEffect::Open { folder: self.folder.clone() })]
    }

    pub(in crate::tui::screens::datasets) fn pictures_mut(&mut self) -> &mut [PictureView] {
        &mut self.pictures
    }

    pub(in crate::tui::screens::datasets) fn bindings(&self) -> KeyTables {
        if self.correction.is_some() { keys::CORRECTION } else { keys::IMAGES }
    }

    /// Looks for the sources in a folder, whose path is as typed.
    pub(in crate::tui::screens::datasets) fn locate(&mut self, input: &str) -> Vec<Effect> {
        self.sources = Sources::Looking;
        vec![effect(ReviewEffect::Locate { folder: self.folder.clone(), input: input.to_owned() })]
    }

    /// Moves the cursor; not during a correction, which is about one image.
    pub(in crate::tui::screens::datasets) fn step(&mut self, motion: ListMotion) {
        if self.correction.is_none() {
            self.list.move_by(motion, self.images().len());
        }
    }

    pub(in crate::tui::screens::datasets) fn mouse(&mut self, mouse: Mouse) {
        if self.correction.is_some() || !self.list.is_under(mouse) {
            return;
        }
        let length = self.images().len();
        match mouse.kind {
            MouseKind::WheelDown => self.list.step(3, length),
            MouseKind::WheelUp => self.list.step(-3, length),
            MouseKind::Press => {
                if let Some(row) = self.list.row_at(mouse, length) {
                    self.list.cursor = row;
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
    }

    /// Effects that follow from a drawing: pictures, and the original of the image under the cursor.
    pub(in crate::tui::screens::datasets) fn after_draw(&mut self) -> Vec<Effect> {
        let pictures: Vec<Effect> = self.pictures.iter_mut().filter_map(PictureView::take_request).collect();
        self.wanted_original().into_iter().chain(pictures).collect()
    }

    fn wanted_original(&mut self) -> Option<Effect> {
        let shown = self.render_request(self.list.cursor)?;
        let path = &shown.record.source.path;
        if self.requested.as_ref() == Some(path) || self.original(path).is_some() {
            return None;
        }
        self.requested = Some(path.clone());
        let ahead = self.next_open(self.list.cursor).and_then(|at| self.render_request(at));
        let ahead = ahead.filter(|ahead| self.original(&ahead.record.source.path).is_none());
        Some(effect(ReviewEffect::Render { folder: self.folder.clone(), shown, ahead }))
    }

    fn render_request(&self, at: usize) -> Option<RenderRequest> {
        let record = &self.images().get(at)?.record;
        let source = self.source(record)?.clone();
        Some(RenderRequest { record: Arc::clone(record), source })
    }

    fn images(&self) -> &[ReviewedImage] {
        self.images.as_deref().unwrap_or_default()
    }

    /// The image under the cursor.
    fn image(&self) -> Option<&ReviewedImage> {
        self.images().get(self.list.cursor)
    }

    fn source(&self, record: &Record) -> Option<&Source> {
        match &self.sources {
            Sources::Found(sources) => sources.get(&record.source.path),
            _ => None,
        }
    }

    fn original(&self, path: &str) -> Option<&Result<Arc<ReviewPicture>, String>> {
        self.originals.iter().find(|(known, _)| known == path).map(|(_, original)| original)
    }

    /// The verdict on an image, also if it is still being kept.
    fn verdict<'a>(&'a self, image: &'a ReviewedImage) -> Option<&'a Review> {
        self.pending.get(&image.record.source.path).or(image.record.review.as_ref())
    }

    /// The next image without a verdict after a row, from the top again after the last.
    fn next_open(&self, row: usize) -> Option<usize> {
        let length = self.images().len();
        let mut others = (1..length).map(|step| (row + step) % length);
        others.find(|&at| self.verdict(&self.images()[at]).is_none())
    }

    /// The numbers of images with a verdict, and of uncertain ones without.
    fn counts(&self) -> (usize, usize) {
        let reviewed = self.images().iter().filter(|image| self.verdict(image).is_some()).count();
        let open = self.images().iter().filter(|image| self.verdict(image).is_none());
        (reviewed, open.filter(|image| is_uncertain(&image.record)).count())
    }
}

/// True if the muscle was left untouched because its edge is doubtful.
fn is_uncertain(record: &Record) -> bool {
    record.steps.as_ref().is_some_and(|steps| steps.pectoral.state == PectoralState::Uncertain)
}

fn effect(effect: ReviewEffect) -> Effect {
    Effect::Datasets(DatasetsEffect::Review(effect))
}
