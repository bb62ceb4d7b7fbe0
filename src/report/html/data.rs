//! The images: counts, sources, preprocessing, and what an audit found.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::blocks::plain_table;
use super::page::Section;
use super::paragraphs;
use crate::analysis::report_facts::{PreparedData, ReportFacts, ReportedRun};
use mammoscope_dataset::audit::AuditReport;
use mammoscope_dataset::audit::finding::Severity;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample, SplitSource};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::{printable, printable_os};

pub(super) fn section(facts: &ReportFacts) -> Section {
    let body = html! {
        (paragraphs(&sources(facts)))
        (counts(facts))
        (paragraphs(&left_out(facts)))
        @if let Some(prepared) = &facts.prepared { (preparation(prepared)) }
        (audit(facts.audit.as_ref()))
    };
    Section::new("data", "Data", body)
}

/// The first run of each view, whose manifest stands for the others of its view.
fn of_each_view(facts: &ReportFacts) -> Vec<(&ReportedRun, &DatasetManifest)> {
    let mut seen = BTreeSet::new();
    let runs = facts.runs.iter().filter(|run| seen.insert(run.spec.view));
    runs.filter_map(|run| Some((run, run.manifest.as_ref()?))).collect()
}

fn sources(facts: &ReportFacts) -> Vec<String> {
    let runs = of_each_view(facts);
    let Some((_, manifest)) = runs.first() else {
        let rows = facts.predictions.as_ref().map_or(0, |predictions| predictions.rows.len());
        return vec![format!(
            "The report is of {} in tables, which do not say where the images come from and by which images the network was \
             trained.",
            counted(rows, "prediction")
        )];
    };
    let folder = manifest.root.file_name().map_or_else(|| "its root".to_owned(), printable_os);
    let splits = match (manifest.split_source, &manifest.split_file) {
        (SplitSource::Folders, _) => "the folders of the data set".to_owned(),
        (SplitSource::Seeded, _) => {
            format!("a random draw of subjects, stratified by class, with seed {}", manifest.split_seed)
        }
        (SplitSource::File, Some(file)) => format!("the table {}", printable(&file.name)),
        (SplitSource::File, None) => "a table".to_owned(),
        (SplitSource::AllAsTrain, _) => "no split: every image was both a training and a validation image".to_owned(),
    };
    let level = if manifest.allow_duplicates {
        "A subject, or the same pixels, may be in two splits (--allow-duplicates), so figures of held-out images are too good."
    } else {
        "No subject is in two splits, and no picture either: files of the same content, and pictures that were compressed \
         again, scaled or mirrored, are refused."
    };
    let mut sentences = vec![
        format!("Data set: {folder}. Splits: {splits}. {level}"),
        format!("Grey range of 16-bit images: {}.", manifest.grey_range),
    ];
    let sizes: BTreeSet<(usize, usize)> = runs
        .iter()
        .flat_map(|(_, manifest)| &manifest.samples)
        .filter_map(|sample| sample.pixels.as_ref().map(|pixels| (pixels.width, pixels.height)))
        .collect();
    match (sizes.first(), sizes.last()) {
        (Some(first), Some(last)) if first == last => {
            sentences.push(format!("Every image has {} × {} pixels.", first.0, first.1));
        }
        (Some(_), Some(_)) => {
            let widths = || sizes.iter().map(|size| size.0);
            let heights = || sizes.iter().map(|size| size.1);
            sentences.push(format!(
                "Images are {} to {} pixels wide and {} to {} high.",
                widths().min().unwrap_or(0),
                widths().max().unwrap_or(0),
                heights().min().unwrap_or(0),
                heights().max().unwrap_or(0)
            ));
        }
        _ => {}
    }
    sentences
}

fn counts(facts: &ReportFacts) -> Markup {
    let titles = ["", "A", "B", "C", "D", "images", "subjects"];
    let runs = of_each_view(facts);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let row = |name: String, classes: &BTreeMap<DensityClass, usize>, subjects: usize| {
        let of_class = DensityClass::ALL.map(|class| classes.get(&class).copied().unwrap_or(0));
        let images: usize = of_class.iter().sum();
        let counts = of_class.into_iter().chain([images, subjects]).map(grouped);
        [name].into_iter().chain(counts).collect::<Vec<String>>()
    };
    for (run, manifest) in &runs {
        let fold = manifest.split_file.as_ref().and_then(|file| file.fold);
        let fold = fold.map(|fold| format!(" (fold {fold} held out)")).unwrap_or_default();
        for split in [Split::Train, Split::Validation, Split::Test] {
            let samples: Vec<&ManifestSample> = manifest.of_split(split).map(|(_, sample)| sample).collect();
            if samples.is_empty() {
                continue;
            }
            let mut classes = BTreeMap::new();
            for sample in &samples {
                *classes.entry(sample.label).or_default() += 1;
            }
            let subjects = samples.iter().map(|sample| &sample.subject).collect::<BTreeSet<_>>().len();
            rows.push(row(format!("{} {split}{fold}", run.spec.view), &classes, subjects));
        }
    }
    if runs.is_empty() {
        let predictions = facts.predictions.as_ref().map_or(&[][..], |predictions| &predictions.rows);
        let views: BTreeSet<Option<View>> = predictions.iter().map(|row| row.view).collect();
        for view in views {
            let of_view = || predictions.iter().filter(move |row| row.view == view);
            let mut classes = BTreeMap::new();
            for label in of_view().filter_map(|row| row.label) {
                *classes.entry(label).or_default() += 1;
            }
            let subjects = of_view().map(|row| &row.subject).collect::<BTreeSet<_>>().len();
            let unlabelled = of_view().filter(|row| row.label.is_none()).count();
            let without = if unlabelled > 0 { format!(", and {unlabelled} without a class") } else { String::new() };
            rows.push(row(
                view.map_or_else(|| "view unknown".to_owned(), |view| view.to_string()) + &without,
                &classes,
                subjects,
            ));
        }
    }
    if rows.is_empty() {
        return html! { p { "The images are not known." } };
    }
    plain_table("Images and subjects by view, split and class", &titles, 1, &rows)
}

/// What training left out, and what it doubted.
fn left_out(facts: &ReportFacts) -> Vec<String> {
    let mut sentences = Vec::new();
    let unusable: usize = of_each_view(facts)
        .iter()
        .map(|(_, manifest)| manifest.samples.iter().filter(|sample| sample.unusable.is_some()).count())
        .sum();
    let skipped: usize = facts.runs.iter().map(|run| run.summary.skipped.len()).sum();
    if unusable + skipped > 0 {
        sentences.push(format!("Left out: {} that could not be read.", counted(unusable.max(skipped), "image")));
    } else if !facts.runs.is_empty() {
        sentences.push("No image was left out.".to_owned());
    }
    let doubtful: usize = of_each_view(facts).iter().map(|(_, manifest)| manifest.doubtful_images().count()).sum();
    if doubtful > 0 {
        sentences.push(format!(
            "{} not look like the mammograms that are expected (inverted, without a breast, grey around it); their figures are \
             meaningless.",
            counted_as(doubtful, "image does", "images do")
        ));
    }
    sentences
}

fn preparation(data: &PreparedData) -> Markup {
    let listed = |counts: &BTreeMap<String, usize>| {
        counts.iter().map(|(name, count)| format!("{} ({count})", printable(name))).collect::<Vec<_>>().join(", ")
    };
    let muscles: Vec<String> = data.muscles.iter().map(|(what, count)| format!("{what} ({count})")).collect();
    html! {
        h3 { "Preprocessing" }
        p {
            "Of " (counted(data.sources, "file")) " (" (listed(&data.formats)) "), " (data.written) " were prepared and "
            (data.refused) " refused; " (counted_as(data.with_warning, "was", "were")) " prepared with a warning. "
            (data.mirrored) " mirrored, " (data.inverted) " inverted (MONOCHROME1). Pectoral muscle: " (muscles.join(", ")) "."
        }
        @if !data.scanners.is_empty() { p { "Scanners: " (listed(&data.scanners)) "." } }
    }
}

fn audit(audit: Option<&AuditReport>) -> Markup {
    let Some(audit) = audit else {
        return html! { p.note { "The data set was not audited for this report (--audit does)." } };
    };
    let errors = audit.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = audit.findings.len() - errors;
    let rows: Vec<Vec<String>> = audit
        .findings
        .iter()
        .map(|finding| {
            let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
            // Messages name files, which may be a patient's.
            vec![finding.code.name().to_owned(), severity.to_owned(), finding.files.len().to_string()]
        })
        .collect();
    html! {
        h3 { "Audit" }
        p { "The audit of the data set gave " (counted(errors, "error")) " and " (counted(warnings, "warning")) "." }
        @if !rows.is_empty() { (plain_table("Findings of the audit", &["finding", "severity", "files"], 2, &rows)) }
    }
}
