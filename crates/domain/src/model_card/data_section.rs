//! The section on the images that a model was trained on.

use super::facts::{DataOrigin, ModelCardFacts, SplitCounts};
use super::{code, markdown_text, table};
use crate::run::dataset_manifest::{SplitFile, SplitSource};
use crate::subject::density::DensityClass;
use crate::text::counted::{counted, counted_as};

pub(super) fn data(facts: &ModelCardFacts) -> String {
    let data = &facts.data;
    let mut lines: Vec<String> = Vec::new();
    if let Some(name) = &data.name {
        lines.push(format!("- Data set: {}.", markdown_text(name)));
    }
    match data.origin {
        DataOrigin::Phantoms { subjects, size, seed, overlap, confounder } => {
            let mut command = format!("mammoscope phantom DIR --subjects {subjects} --size {size} --seed {seed}");
            command.push_str(if overlap { " --overlap" } else { "" });
            command.push_str(if confounder { " --confounder" } else { "" });
            lines.push(format!("- Source: synthetic phantoms, made by {}.", code(&command)));
        }
        DataOrigin::Prepared { sources } => lines.push(format!(
            "- Source: {} prepared by `mammoscope preprocess`; the data set's manifest.jsonl has every step.",
            counted_as(sources, "original", "originals")
        )),
        DataOrigin::Unknown => lines.push("- Source: not recorded in the weights or beside the images.".to_owned()),
    }
    if let Some((source, seed, file)) = &data.splits {
        lines.push(format!("- Splits: {}.", splits(*source, *seed, file.as_ref())));
    }
    if !data.subjects.is_empty() {
        let each = data.subjects.iter().map(|(split, count)| format!("{count} {split}"));
        lines.push(format!("- Subjects: {}.", each.collect::<Vec<_>>().join(", ")));
    }
    lines.push(format!("- Grey range of 16-bit images: {}.", data.grey_range));
    if let Some(appearance) = &data.appearance {
        lines.push(format!("- Training images: {}.", markdown_text(appearance)));
    }
    lines.push(format!(
        "- Preprocessing: 8-bit grey levels, resized to {size} × {size} pixels, scaled and centred (route `{}`, docs/numerics.md of \
         the program); the exports contain the same steps.",
        facts.input_route,
        size = facts.size,
    ));
    if data.soft_labels {
        lines.push("- Labels: the shares of several readers' classes.".to_owned());
    }
    if data.unusable > 0 {
        lines.push(format!("- {} could not be used and are not counted below.", counted(data.unusable, "image")));
    }
    if data.doubtful > 0 {
        let images = counted_as(data.doubtful, "image does", "images do");
        lines.push(format!("- {images} not look like the expected mammograms, and are used nevertheless."));
    }
    if data.allow_duplicates {
        lines.push("- A subject, or the same pixels, may be in two splits (`--allow-duplicates`).".to_owned());
    }
    if let Some(fingerprint) = &data.fingerprint {
        lines.push(format!("- Fingerprint of the images, classes and splits: {}.", code(fingerprint)));
    }
    let mut text = lines.join("\n") + "\n";
    if !data.counts.is_empty() {
        text.push_str("\nImages, and subjects in brackets:\n\n");
        text.push_str(&table(&["split", "A", "B", "C", "D", "all"], &data.counts.iter().map(row).collect::<Vec<_>>()));
    }
    text
}

fn row(counts: &SplitCounts) -> [String; 6] {
    let SplitCounts { split, images, subjects, all_subjects } = counts;
    let [a, b, c, d] =
        DensityClass::ALL.map(|class| format!("{} ({})", images[class.index()], subjects[class.index()]));
    [split.to_string(), a, b, c, d, format!("{} ({all_subjects})", images.iter().sum::<usize>())]
}

fn splits(source: SplitSource, seed: u64, file: Option<&SplitFile>) -> String {
    match (source, file) {
        (SplitSource::Folders, _) => "the folders of the data set".to_owned(),
        (SplitSource::Seeded, _) => format!("drawn by subject, stratified by class, seed {seed}"),
        (SplitSource::AllAsTrain, _) => "none: every image is both a training and a validation image".to_owned(),
        (SplitSource::File, None) => "a table".to_owned(),
        (SplitSource::File, Some(SplitFile { name, sha256, fold, folds })) => {
            let fold = fold.map_or_else(String::new, |fold| format!(", fold {fold} of {} held out", folds.len()));
            format!("the table {}{fold}, SHA-256 {}", markdown_text(name), code(sha256))
        }
    }
}
