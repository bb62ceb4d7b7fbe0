//! Checks of the images of a training run, as warnings.

use std::collections::{BTreeMap, BTreeSet};

use super::data_warning::{DataWarning, FEW_IMAGES, FEW_OF_CLASS};
use super::repeated_views::RepeatedViews;
use super::sample::DatasetSample;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, SplitSource};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;

/// Warns about contradictory labels within an examination, which are mistakes, and about labels that differ between
/// examinations, which need not be.
pub(super) fn warn_about_labels(labelled: &[&DatasetSample]) -> Vec<DataWarning> {
    let mut by_exam = BTreeMap::<_, BTreeSet<DensityClass>>::new();
    let mut by_subject = BTreeMap::<_, BTreeSet<DensityClass>>::new();
    for sample in labelled {
        if let Some(exam) = &sample.exam {
            by_exam.entry((&sample.subject, exam)).or_default().extend(sample.label);
        }
        by_subject.entry(&sample.subject).or_default().extend(sample.label);
    }
    by_exam.retain(|_, labels| labels.len() > 1);
    let contradicting: BTreeSet<_> = by_exam.keys().map(|(subject, _)| *subject).collect();
    by_subject.retain(|subject, labels| labels.len() > 1 && !contradicting.contains(subject));
    let examinations: Vec<_> = by_exam
        .into_iter()
        .map(|((subject, exam), labels)| (subject.clone(), exam.clone(), labels.into_iter().collect()))
        .collect();
    let subjects: Vec<_> =
        by_subject.into_iter().map(|(subject, labels)| (subject.clone(), labels.into_iter().collect())).collect();
    let mut warnings = Vec::new();
    if !examinations.is_empty() {
        warnings.push(DataWarning::ContradictingLabels { examinations });
    }
    if !subjects.is_empty() {
        warnings.push(DataWarning::SeveralClasses { subjects });
    }
    warnings
}

/// Warns about ids that look the same but are treated as different.
pub(super) fn warn_about_spelling(labelled: &[&DatasetSample]) -> Option<DataWarning> {
    let alike = LookAlikes::among(labelled.iter().map(|sample| sample.subject.0.as_str()));
    (!alike.is_empty()).then_some(DataWarning::LookAlikes { alike })
}

/// Warns about several images of the same subject, examination and view.
pub(super) fn warn_about_repeated_views(labelled: &[&DatasetSample]) -> Option<DataWarning> {
    let repeated = RepeatedViews::among(labelled.iter().copied());
    (!repeated.is_empty()).then_some(DataWarning::RepeatedViews { repeated })
}

/// Warns about differences between the subjects of the data and those of a table of splits.
pub(super) fn warn_about_table(labelled: &[&DatasetSample], of_table: &BTreeMap<SubjectId, Split>) -> Vec<DataWarning> {
    let of_data: BTreeSet<_> = labelled.iter().map(|sample| &sample.subject).collect();
    let not_in_table: Vec<_> =
        of_data.iter().filter(|subject| !of_table.contains_key(**subject)).map(|subject| (*subject).clone()).collect();
    let not_in_data: Vec<_> = of_table.keys().filter(|subject| !of_data.contains(subject)).cloned().collect();
    let mut warnings = Vec::new();
    let both = not_in_table.iter().chain(&not_in_data).map(|subject| subject.0.as_str());
    let alike = LookAlikes::among(both);
    if !alike.is_empty() {
        warnings.push(DataWarning::SpelledDifferently { alike });
    }
    if !not_in_table.is_empty() {
        warnings.push(DataWarning::NotInTable { subjects: not_in_table });
    }
    if !not_in_data.is_empty() {
        warnings.push(DataWarning::NotInData { subjects: not_in_data });
    }
    warnings
}

/// Warns about splits and classes that are empty or small. What several views have in common is one warning.
pub(super) fn warn_about_counts(manifests: &[DatasetManifest]) -> Vec<DataWarning> {
    let mut empty = BTreeMap::<Split, Vec<_>>::new();
    let mut missing = BTreeMap::<(DensityClass, Vec<Split>), Vec<_>>::new();
    let mut few_of_class = BTreeMap::<DensityClass, Vec<_>>::new();
    let mut few = Vec::new();
    for manifest in manifests {
        let view = manifest.view;
        let mut present = Vec::new();
        for &split in splits_of(manifest) {
            if manifest.of_split(split).next().is_none() {
                empty.entry(split).or_default().push(view);
            } else {
                present.push(split);
            }
        }
        for class in DensityClass::ALL {
            let count = |split| manifest.of_split(split).filter(|(_, sample)| sample.label == class).count();
            let without: Vec<_> = present.iter().copied().filter(|&split| count(split) == 0).collect();
            if !without.is_empty() {
                missing.entry((class, without)).or_default().push(view);
            }
            let training = count(Split::Train);
            if (1..FEW_OF_CLASS).contains(&training) {
                few_of_class.entry(class).or_default().push((view, training));
            }
        }
        let training = manifest.of_split(Split::Train).count();
        if training < FEW_IMAGES {
            few.push((view, training));
        }
    }
    let empty = empty.into_iter().map(|(split, views)| DataWarning::EmptySplit { split, views });
    let missing =
        missing.into_iter().map(|((class, splits), views)| DataWarning::MissingClass { class, splits, views });
    let few_of_class = few_of_class.into_iter().map(|(class, counts)| DataWarning::FewOfClass { class, counts });
    let few = (!few.is_empty()).then_some(DataWarning::FewImages { counts: few });
    empty.chain(missing).chain(few_of_class).chain(few).collect()
}

fn splits_of(manifest: &DatasetManifest) -> &'static [Split] {
    // Validation is the same and test is empty on purpose.
    if manifest.split_source == SplitSource::AllAsTrain { &[Split::Train] } else { &Split::ALL }
}
