//! The review's response to actions.

use std::sync::Arc;

use super::correction::Correction;
use super::{Arrangement, ReviewPane, effect};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::review::{ReviewAction, ReviewEffect};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_preprocessing::record::Review;

impl ReviewPane {
    /// Performs an action; opening, closing and asking for the sources are those of the screen.
    pub(in crate::tui::screens::datasets) fn update(&mut self, action: ReviewAction) -> Vec<Effect> {
        match action {
            ReviewAction::Accept => return self.judge(Review::Accepted),
            ReviewAction::Reject => return self.judge(Review::Rejected),
            ReviewAction::NextOpen => return self.go_on(),
            ReviewAction::Label(class) => return self.label(class),
            ReviewAction::Outlines => self.outlines = !self.outlines,
            ReviewAction::Arrangement => {
                self.arrangement = match self.arrangement {
                    Arrangement::Both => Arrangement::Original,
                    Arrangement::Original => Arrangement::Prepared,
                    Arrangement::Prepared => Arrangement::Both,
                };
            }
            ReviewAction::Correct => return self.correct(),
            ReviewAction::Copy => return self.copy(),
            ReviewAction::Shift(thousandths) => {
                if let Some(correction) = &mut self.correction {
                    correction.shift(thousandths);
                }
            }
            ReviewAction::Turn(tenths) => {
                if let Some(correction) = &mut self.correction {
                    correction.turn(tenths);
                }
            }
            ReviewAction::Keep => {
                if let Some(Correction { curve, .. }) = self.correction.take() {
                    return self.judge(Review::Corrected { curve });
                }
            }
            ReviewAction::Discard => self.correction = None,
            ReviewAction::Open | ReviewAction::Locate | ReviewAction::Close => {}
        }
        Vec::new()
    }

    /// Gives a verdict on the image under the cursor, and goes to the next one without.
    fn judge(&mut self, review: Review) -> Vec<Effect> {
        let Some(image) = self.image() else { return Vec::new() };
        let (record, path) = (Arc::clone(&image.record), image.record.source.path.clone());
        let is_removed = matches!(self.verdict(image), Some(Review::Rejected));
        let needs_source = is_removed && review == Review::Accepted || matches!(review, Review::Corrected { .. });
        let source = self.source(&record).cloned();
        if needs_source && source.is_none() {
            return vec![warning(
                "the image has to be made again from its source; name the folder of the sources first (:sources)",
            )];
        }
        self.pending.insert(path, review.clone());
        let folder = self.folder.clone();
        let kept = effect(ReviewEffect::Keep { folder, record, review, source });
        let mut effects = vec![kept];
        effects.extend(self.go_on());
        effects
    }

    /// Goes to the next image without a verdict.
    fn go_on(&mut self) -> Vec<Effect> {
        match self.next_open(self.list.cursor) {
            Some(at) => {
                self.list.cursor = at;
                Vec::new()
            }
            None if self.image().is_some_and(|image| self.verdict(image).is_none()) => {
                vec![Effect::neutral("this is the last image without a verdict")]
            }
            None => vec![Effect::done("all images have a verdict")],
        }
    }

    fn label(&self, class: DensityClass) -> Vec<Effect> {
        let Some(image) = self.image() else { return Vec::new() };
        let (folder, record) = (self.folder.clone(), Arc::clone(&image.record));
        vec![effect(ReviewEffect::Label { folder, record, class })]
    }

    fn copy(&self) -> Vec<Effect> {
        let path = self.image().map(|image| Self::prepared_path(&self.folder, image));
        path.map(|path| Effect::Copy(path.to_string_lossy().into_owned())).into_iter().collect()
    }

    fn correct(&mut self) -> Vec<Effect> {
        let Some(image) = self.image() else { return Vec::new() };
        if self.source(&image.record).is_none() {
            return vec![warning("a correction needs the source; name the folder of the sources first (:sources)")];
        }
        match Correction::of(&image.record) {
            Ok(correction) => {
                self.correction = Some(correction);
                Vec::new()
            }
            Err(reason) => vec![warning(reason)],
        }
    }
}

fn warning(text: &str) -> Effect {
    Effect::warning(text)
}
