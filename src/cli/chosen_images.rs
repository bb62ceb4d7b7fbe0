//! The images that a command works on, grouped by view, with the model for each view.

use std::path::{Path, PathBuf};

use anyhow::bail;
use sha2::{Digest as _, Sha256};

use super::console::Console;
use super::data_arguments::DataArguments;
use super::known_splits::KnownSplits;
use mammoscope_dataset::folder_problem::FolderProblem;
use mammoscope_dataset::grey_check::GreyFacts;
use mammoscope_dataset::repeated_views::RepeatedViews;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_dataset::selection::select;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};

/// The selection made by `--model`, `--data`, `--view` and `--split`.
pub(super) struct ImageChoice<'a> {
    pub(super) models: &'a ModelSet,
    /// An image or a folder.
    pub(super) data: &'a Path,
    pub(super) data_options: &'a DataArguments,
    pub(super) view: &'a ViewSelection,
    pub(super) split: SplitSelection,
}

/// The images of each view, and the number left out.
pub(super) struct ChosenImages<'a> {
    /// One per view, in the order of their first image.
    pub(super) groups: Vec<ImagesOfView<'a>>,
    /// The number of unusable images; each was reported in a warning.
    pub(super) left_out: usize,
    pub(super) grey: GreyFacts,
    /// The folder of the data set.
    root: PathBuf,
}

impl<'a> ImageChoice<'a> {
    /// Reads the folder and reports its problems on `console`. In data without split folders, each subject belongs to
    /// the split in which the model for its view was trained or tested on it.
    pub(super) fn choose(&self, console: &Console) -> anyhow::Result<ChosenImages<'a>> {
        let known = KnownSplits::of(self.models);
        let mut scanned = self.data_options.scan(self.data, console)?;
        if scanned.facts.splits_by_folder == 0 {
            known.assign(&mut scanned.samples, self.view);
        }
        let mut left_out = scanned.problems.iter().map(FolderProblem::leaves_out).sum();
        let selection = select(&scanned, self.view, self.split)?;
        if scanned.facts.names_without_ids > 0 {
            let names = counted(scanned.facts.names_without_ids, "file name");
            console.note(format!(
                "no subject id (<subject>_<exam>_<class>_<view>) in {names}: each file counts as a subject of its own"
            ));
        }
        if selection.views_unknown > 0 {
            console.warn(format!(
                "left out, since neither folder nor file name gives the view: {}",
                counted(selection.views_unknown, "image")
            ));
            left_out += selection.views_unknown;
        }
        if selection.views_assumed > 0 {
            let images = counted(selection.views_assumed, "image");
            console.note(format!("{images} without a known view: assumed to be {}, from --view", self.view));
        }
        let alike = LookAlikes::among(selection.samples.iter().map(|sample| sample.subject.0.as_str()));
        if !alike.is_empty() {
            console.warn(format!("{}; write each id the same way", alike.described("subject")));
        }
        let repeated = RepeatedViews::among(&selection.samples);
        if !repeated.is_empty() {
            console.warn(repeated);
        }
        let paths: Vec<&Path> = selection.samples.iter().map(|sample| sample.path.as_path()).collect();
        let grey = self.data_options.grey.check(&paths, console)?;
        let groups = group_by_view(self.models, selection.samples, console)?;
        if self.split != SplitSelection::Only(Split::Train) {
            for group in &groups {
                known.warn_of_training_images(group.model, &group.samples, self.data_options.grey.range(), console);
            }
        }
        Ok(ChosenImages { groups, left_out, grey, root: scanned.root })
    }
}

impl ChosenImages<'_> {
    /// The SHA-256 of everything that is known of the images before they are opened, apart from the location of the data
    /// set: equal for equal choices of equal data.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        let mut add = |field: &str| {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        };
        add(&self.left_out.to_string());
        for group in &self.groups {
            add(group.name());
            for sample in &group.samples {
                add(&sample.path.strip_prefix(&self.root).unwrap_or(&sample.path).to_string_lossy());
                let bytes =
                    std::fs::metadata(&sample.path).map_or_else(|_| String::new(), |file| file.len().to_string());
                add(&bytes);
                add(&sample.subject.0);
                add(sample.exam.as_ref().map_or("", |exam| &exam.0));
                add(sample.label.map_or("", |label| label.letter()));
            }
        }
        hexadecimal(&hasher.finalize())
    }

    /// Keeps the images of a shard's subjects. Views without such images stay, with their places.
    pub(super) fn keep(&mut self, shard: Shard) {
        for group in &mut self.groups {
            let all = std::mem::take(&mut group.samples).into_iter().zip(std::mem::take(&mut group.positions));
            (group.samples, group.positions) = all.filter(|(sample, _)| shard.holds(&sample.subject.0)).unzip();
        }
    }
}

/// The images of one view, and its model.
pub(super) struct ImagesOfView<'a> {
    /// `None` if it is not known.
    pub(super) view: Option<View>,
    pub(super) model: &'a ModelEntry,
    /// In the order of the folder.
    pub(super) samples: Vec<DatasetSample>,
    /// The position of each sample among all images of the view, some of which may be in other shards.
    pub(super) positions: Vec<usize>,
    /// The number of images of the view in all shards.
    pub(super) all: usize,
}

impl ImagesOfView<'_> {
    /// The view's name in messages; `images` if it is not known.
    pub(super) fn name(&self) -> &'static str {
        self.view.map_or("images", View::name)
    }
}

/// Groups samples by view, in the order of their first image, and finds each view's model.
fn group_by_view<'a>(
    models: &'a ModelSet,
    samples: Vec<DatasetSample>,
    console: &Console,
) -> anyhow::Result<Vec<ImagesOfView<'a>>> {
    let mut groups: Vec<ImagesOfView<'a>> = Vec::new();
    for sample in samples {
        let view = sample.view;
        if let Some(group) = groups.iter_mut().find(|group| group.view == view) {
            group.samples.push(sample);
            group.positions.push(group.all);
            group.all += 1;
            continue;
        }
        let Some(model) = models.for_view(view) else {
            match view {
                Some(view) => bail!("no model for {view} among those given; use --view to leave it out"),
                None => bail!(
                    "{}: neither folder nor file name gives the view, so its model is unknown; pass one model file",
                    printable_path(&sample.path)
                ),
            }
        };
        if let (Some(trained), Some(view)) = (model.metadata.view, view)
            && trained != view
        {
            console.warn(format!("{} was trained on {trained} and is used on {view}", printable_path(&model.path)));
        }
        groups.push(ImagesOfView { view, model, samples: vec![sample], positions: vec![0], all: 1 });
    }
    Ok(groups)
}
