//! Messages to the review.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{MAX_ORIGINALS, ReviewPane, Sources};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::review::{ReviewMessage, ReviewedImage};
use mammoscope_domain::text::printable::printable;

impl ReviewPane {
    /// Handles a message of the service; those about another folder are ignored. Returns the input folder if it was
    /// found to be the right one.
    pub(in crate::tui::screens::datasets) fn on_message(
        &mut self,
        message: ReviewMessage,
    ) -> (Vec<Effect>, Option<PathBuf>) {
        match message {
            ReviewMessage::Opened { folder, outcome, labels } if folder == self.folder => {
                match outcome {
                    Ok(images) => self.take_images(images),
                    Err(problem) => self.problem = Some(printable(problem.text())),
                }
                let problem = labels.map(|problem| {
                    let text = format!("the classes are not shown: {}", printable(problem.text()));
                    Effect::warning(text)
                });
                (problem.into_iter().collect(), None)
            }
            ReviewMessage::Located { folder, input, outcome } if folder == self.folder => match outcome {
                Ok(sources) => {
                    self.sources = Sources::Found(sources);
                    (Vec::new(), Some(input))
                }
                Err(problem) => {
                    self.sources = Sources::Failed(printable(problem.text()));
                    (Vec::new(), None)
                }
            },
            ReviewMessage::Rendered { folder, path, outcome } if folder == self.folder => {
                self.originals.retain(|(known, _)| *known != path);
                if self.originals.len() >= MAX_ORIGINALS {
                    // That of the image under the cursor stays.
                    let shown = self.image().map(|image| image.record.source.path.clone());
                    if let Some(at) = self.originals.iter().position(|(known, _)| Some(known) != shown.as_ref()) {
                        let _ = self.originals.remove(at);
                    }
                }
                self.originals.push((path, outcome.map_err(|problem| printable(problem.text()))));
                (Vec::new(), None)
            }
            ReviewMessage::Kept { folder, path, outcome } if folder == self.folder => {
                let at = self.images().iter().position(|image| image.record.source.path == path);
                let was_kept = match outcome {
                    Ok(record) => {
                        // A later verdict on the image may be on its way.
                        if self.pending.get(&path) == record.review.as_ref() {
                            self.pending.remove(&path);
                        }
                        if let (Some(at), Some(images)) = (at, &mut self.images) {
                            images[at].record = Arc::new(*record);
                        }
                        None
                    }
                    Err(problem) => {
                        self.pending.remove(&path);
                        // Where it happened, since the cursor has moved on.
                        if let Some(at) = at {
                            self.list.cursor = at;
                        }
                        Some(Effect::failed(format!("the verdict is not kept: {}", printable(problem.text()))))
                    }
                };
                if at == Some(self.list.cursor) {
                    self.pictures[1].forget();
                }
                (was_kept.into_iter().collect(), None)
            }
            ReviewMessage::Labelled { folder, subject, exam, outcome } if folder == self.folder => match outcome {
                Ok((class, file)) => {
                    let is_case = |image: &&mut ReviewedImage| {
                        image
                            .record
                            .output
                            .as_ref()
                            .is_some_and(|output| output.subject == subject && output.exam == exam)
                    };
                    self.images.iter_mut().flatten().filter(is_case).for_each(|image| image.stated = Some(class));
                    let name = printable(&subject);
                    (
                        vec![Effect::done(format!(
                            "class {class} for {name}, exam {exam}, all views; written to {file}"
                        ))],
                        None,
                    )
                }
                Err(problem) => {
                    (vec![Effect::failed(format!("the class is not kept: {}", printable(problem.text())))], None)
                }
            },
            _ => (Vec::new(), None),
        }
    }

    /// Takes the images; the cursor stays on its image, or begins with the first.
    fn take_images(&mut self, images: Vec<ReviewedImage>) {
        let before = self.image().map(|image| image.record.source.path.clone());
        let again = before.and_then(|path| images.iter().position(|image| image.record.source.path == path));
        self.list.cursor = again.unwrap_or(0);
        self.problem = None;
        self.images = Some(images);
        self.originals.clear();
        self.requested = None;
        self.pictures[1].forget();
    }

    /// The prepared image's file.
    pub(super) fn prepared_path(folder: &Path, image: &ReviewedImage) -> PathBuf {
        folder.join(image.record.output.as_ref().map(|output| output.output.as_str()).unwrap_or_default())
    }
}
