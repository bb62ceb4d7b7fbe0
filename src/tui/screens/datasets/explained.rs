//! The list of images that Datasets passes to Explain.

use std::collections::HashSet;

use super::DatasetsScreen;
use super::samples::{SampleRow, Samples, Shown};
use super::tree::FolderTree;
use super::update::MAX_VIEWED;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::explain::{ExplainList, ExplainSample};
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_dataset::subject_audit::sample_name;
use mammoscope_domain::text::printable::printable;

impl DatasetsScreen {
    /// Explains the marked images in the list or, without any, the listed images around the cursor.
    pub(super) fn explain(&mut self) -> Vec<Effect> {
        self.relist();
        let Some(tree) = self.tree.as_ref().filter(|_| self.samples.len() > 0) else {
            return vec![Effect::failed("no images are listed here; select a folder with images")];
        };
        let is_marked = |row: &SampleRow| self.samples.is_marked(&Samples::path(tree, *row));
        let marked: Vec<(usize, SampleRow)> = (0..self.samples.len())
            .filter_map(|at| Some((at, self.samples.row(at)?)))
            .filter(|(_, row)| self.samples.marked() > 0 && is_marked(row))
            .collect();
        let chosen: Vec<(usize, SampleRow)> = if marked.is_empty() {
            let first = self.images.cursor.saturating_sub(MAX_VIEWED / 2);
            let last = (first + MAX_VIEWED).min(self.samples.len());
            (first..last).filter_map(|at| Some((at, self.samples.row(at)?))).collect()
        } else {
            marked
        };
        let position = chosen.iter().position(|(at, _)| *at >= self.images.cursor).unwrap_or(0);
        let samples: Vec<ExplainSample> = chosen.iter().map(|(_, row)| sample(tree, *row)).collect();
        let title = match self.shown {
            Shown::All => printable(&self.list_title(tree)),
            Shown::Flagged => "flagged images".to_owned(),
            Shown::Marked => "marked images".to_owned(),
        };
        let views = views_of(tree, &samples);
        let list =
            ExplainList { title, samples, position, views, source: None, second: None, from: ScreenId::Datasets };
        vec![Effect::Navigate(Destination::Explanation(list))]
    }
}

fn sample(tree: &FolderTree, row: SampleRow) -> ExplainSample {
    of_folder(tree, Samples::folder(row), Samples::name(tree, row))
}

fn of_folder(tree: &FolderTree, folder: usize, name: &str) -> ExplainSample {
    let around = tree.folder(folder);
    let parsed = sample_name(name);
    let examination = parsed
        .as_ref()
        .map(|name| format!("{} exam {}", printable(&name.subject.0), printable(&name.exam.0)))
        .unwrap_or_default();
    // The view's folder takes precedence over the name, as on the command line.
    let label = around.context.class;
    let view = around.context.view.or_else(|| parsed.as_ref().map(|name| name.view));
    ExplainSample { path: around.path.join(name), label, view, examination }
}

/// All images in the data set of the same examinations.
fn views_of(tree: &FolderTree, samples: &[ExplainSample]) -> Vec<ExplainSample> {
    let wanted: HashSet<&str> =
        samples.iter().map(|sample| sample.examination.as_str()).filter(|name| !name.is_empty()).collect();
    tree.within(0)
        .into_iter()
        .flat_map(|folder| tree.folder(folder).images.iter().map(move |name| of_folder(tree, folder, name)))
        .filter(|sample| sample.view.is_some() && wanted.contains(sample.examination.as_str()))
        .collect()
}
