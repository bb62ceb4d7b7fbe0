//! Messages to the screen Datasets.

use super::DatasetsScreen;
use super::order::SortKey;
use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::pictures::PictureMessage;
use crate::tui::shared_state::SharedState;

impl DatasetsScreen {
    /// Handles a message of the service.
    pub(in crate::tui) fn on_message(&mut self, message: DatasetsMessage, _model: &mut SharedState) -> Vec<Effect> {
        match message {
            DatasetsMessage::Opened { requested, root, is_prepared } => {
                self.is_prepared = is_prepared;
                self.on_opened(&requested, &root)
            }
            DatasetsMessage::Listed { root, folder, context, outcome } => {
                self.keep_image();
                if let Some(tree) = self.tree.as_mut().filter(|tree| tree.folder(0).path == root) {
                    if tree.on_listing(&folder, context, outcome) {
                        self.samples.forget_folder(&folder);
                    }
                    self.stale = true;
                    self.keep_folder();
                    return self.restore_folder(&folder);
                }
                Vec::new()
            }
            DatasetsMessage::Audited { root, audit } => {
                if self.is_open(&root) {
                    self.relist_flagged();
                    (self.samples.audit, self.samples.audited) = (audit, true);
                    return vec![Effect::Datasets(DatasetsEffect::Inspect(self.folders_with_images()))];
                }
                Vec::new()
            }
            DatasetsMessage::Headers { read, skipped } => {
                self.stale |= self.order.key == SortKey::Size && !read.is_empty();
                if self.samples.on_headers(read, &skipped) {
                    self.relist_flagged();
                }
                Vec::new()
            }
            DatasetsMessage::Unreadable(images) => {
                for (path, problem) in images {
                    if self.samples.on_problem(path, &problem) {
                        self.relist_flagged();
                    }
                }
                Vec::new()
            }
            DatasetsMessage::Doubtful(images) => {
                for (path, doubts) in images {
                    if self.samples.on_doubts(&path, &doubts) {
                        self.relist_flagged();
                    }
                }
                Vec::new()
            }
            DatasetsMessage::Duplicates { root, audit } => {
                if !self.is_open(&root) {
                    return Vec::new();
                }
                self.relist_flagged();
                vec![Effect::neutral(self.samples.on_duplicates(audit))]
            }
            DatasetsMessage::Completed { typed, found } => {
                match &mut self.open {
                    Some(open) => open.on_completed(&typed, found),
                    None => self.preparation.on_completed(&typed, found),
                }
                Vec::new()
            }
            DatasetsMessage::Checked { typed, outcome } => self.on_checked(&typed, outcome),
            DatasetsMessage::Offered(offered) => {
                self.offered = Some(offered);
                Vec::new()
            }
            DatasetsMessage::Preparation(message) => self.on_preparation(message),
            DatasetsMessage::Review(message) => self.on_review(message),
        }
    }

    /// Takes the preview.
    pub(super) fn take_picture(&mut self, message: &PictureMessage) {
        self.picture.on_message(message);
        let path = &message.request.path;
        let is_new = match &message.outcome {
            // The header may be intact and the rest damaged.
            Err(problem) => self.samples.on_problem(path.clone(), problem.text()),
            Ok(picture) => picture.facts.as_ref().is_some_and(|facts| self.samples.on_doubts(path, &facts.doubts)),
        };
        if is_new {
            self.relist_flagged();
        }
    }
}
