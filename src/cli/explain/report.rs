//! The outcome for all images, and what is printed about it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use serde_json::json;

use super::explained::{Done, Explained};
use super::sanity;
use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::{Console, Outcome, print_result};
use crate::cli::image_notes::ImageNotes;
use crate::report::explanation_table::explanation_text;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::tables::score_table::FILE_NAME;

/// The outcome for the images so far.
#[derive(Default)]
pub(super) struct Report {
    pub(super) explained: Vec<Explained>,
    pub(super) failures: Vec<FileProblem>,
    pub(super) mask_problems: Vec<FileProblem>,
    pub(super) notes: ImageNotes,
    /// Cautions about maps of few positions.
    pub(super) coarse: Vec<String>,
    left_out: usize,
}

impl Report {
    pub(super) fn new(left_out: usize) -> Self {
        Self { left_out, ..Self::default() }
    }

    /// Adds a caution, and returns it if it is new.
    pub(super) fn caution(&mut self, text: String) -> Option<&str> {
        if self.coarse.contains(&text) {
            return None;
        }
        self.coarse.push(text);
        self.coarse.last().map(String::as_str)
    }

    /// Adds a view's images.
    pub(super) fn add(&mut self, group: &ImagesOfView<'_>, done: Done) {
        for (index, findings) in &done.findings {
            self.notes.add(&group.samples[*index].path, findings);
        }
        self.notes.compare(group.model, done.findings.iter().map(|(_, findings)| findings));
        self.explained.extend(done.explained);
        self.failures.extend(done.failures.into_iter().map(|(_, problem)| problem));
        self.mask_problems.extend(done.mask_problems.into_iter().map(|(_, problem)| problem));
    }

    /// An error if no image was explained.
    pub(super) fn check_any(&self) -> anyhow::Result<()> {
        if self.explained.is_empty() {
            bail!("no image could be explained, {} failed", counted(self.failures.len(), "image"));
        }
        Ok(())
    }

    /// Prints the scores and the results of the checks, as tables or as one JSON document.
    pub(super) fn print(&self, out: &Path, as_json: bool, checked: Option<&sanity::Checked>) -> anyhow::Result<()> {
        let scored: Vec<_> = self.explained.iter().map(Explained::scored).collect();
        let control = match checked {
            Some(checked) => checked.control.clone(),
            None => self.explained.iter().map(Explained::scored_control).collect(),
        };
        let bootstrap = Bootstrap::default();
        if as_json {
            let [classes, control] = [&scored, &control].map(|maps| sanity::class_documents(maps, &bootstrap));
            let document = json!({
                "schema": 1,
                "table": out.join(FILE_NAME).to_string_lossy(),
                "explained": self.explained.len(),
                "failed": self.failures,
                "masks_left_out": self.mask_problems,
                "left_out": self.left_out,
                "coarse_maps": self.coarse,
                "classes": classes,
                "control": control,
                "sanity": checked.map(sanity::Checked::document),
            });
            return print_result(&(serde_json::to_string_pretty(&document)? + "\n"));
        }
        print_result(&explanation_text(&scored, &control, &bootstrap))?;
        checked.map_or(Ok(()), |checked| print_result(&checked.text()))
    }

    /// Notes the number of images, and warns of doubtful ones.
    pub(super) fn summarise(&self, out: &Path, console: &Console) -> Outcome {
        self.notes.warn(console);
        let missed = self.failures.len() + self.left_out;
        let mut remark = format!("{} explained: {}", counted(self.explained.len(), "image"), printable_path(out));
        if missed > 0 {
            let _ = write!(remark, "; {missed} failed or left out, as listed above");
        }
        if !self.mask_problems.is_empty() {
            let _ = write!(remark, "; {} could not be used", counted(self.mask_problems.len(), "mask"));
        }
        console.note(remark);
        if missed + self.mask_problems.len() > 0 { Outcome::Failed } else { Outcome::Done }
    }
}
