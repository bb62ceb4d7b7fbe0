//! The limits of a report's figures, from what is known about them.

use maud::html;

use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::{counted, counted_as};

/// With fewer cases, the figures of a class say little.
const FEW: u64 = 30;

pub(super) fn section(facts: &ReportFacts) -> Section {
    let limits = limits(facts);
    let body = html! { ul { @for limit in &limits { li { (limit) } } } };
    Section::new("limits", "Limits", body)
}

fn limits(facts: &ReportFacts) -> Vec<String> {
    let mut limits = Vec::new();
    if facts.synthetic {
        limits.push("The images are synthetic: no figure here is about mammograms.".to_owned());
    }
    if let Some(reason) = &facts.so_far {
        limits.push(format!("The report is of a state so far: {reason}"));
    }
    limits.extend(limits_of_cases(facts));
    limits.extend(limits_of_splits(facts));
    limits.push(
        "The true class is the reader's or the readers' of this data set. Readers differ, which bounds the agreement that any \
         network can reach."
            .to_owned(),
    );
    if facts.groups.is_empty() {
        limits.push(
            "Figures are not divided by scanner, site, age or ethnicity: nothing here shows that they are the same for all."
                .to_owned(),
        );
    }
    match &facts.explanations {
        None => limits.push("Where the networks look was not examined.".to_owned()),
        Some(found) if found.sanity.as_ref().is_none_or(|sanity| sanity.verdict != "supported") => limits.push(
            "The maps are not shown to depend on the weights and to find dense tissue: they explain nothing by themselves."
                .to_owned(),
        ),
        Some(_) => {}
    }
    limits.push("The network is for research. It is not a medical device, and no diagnosis may rest on it.".to_owned());
    limits
}

fn limits_of_cases(facts: &ReportFacts) -> Vec<String> {
    let mut limits = Vec::new();
    let Some(main) = facts.main_set() else {
        limits.push(
            "There are no predictions with a true class, so nothing is said about the network's quality.".to_owned(),
        );
        return limits;
    };
    let name = main.set.name;
    let subjects = main.set.subjects();
    if subjects == 1 {
        limits.push(
            "All cases are of one subject: there are no intervals, and no figure carries over to others.".to_owned(),
        );
    }
    let support = DensityClass::ALL.map(|class| (class, main.evaluation.confusion_matrix.support(class)));
    let absent: Vec<&str> = support.iter().filter(|(_, cases)| *cases == 0).map(|(class, _)| class.letter()).collect();
    if !absent.is_empty() {
        limits.push(format!(
            "There is no case of true class {} in {name}: macro means count it as 0.",
            absent.join(" or ")
        ));
    }
    let few: Vec<String> = support
        .iter()
        .filter(|(_, cases)| (1..FEW).contains(cases))
        .map(|(class, cases)| format!("{class} ({cases})"))
        .collect();
    if !few.is_empty() {
        limits.push(format!("Few cases of {} in {name}: look at the intervals, not at the values.", few.join(", ")));
    }
    let missing = main.set.missing_views.as_ref().map_or(0, |missing| missing.cases);
    if missing > 0 {
        limits.push(format!(
            "{} of {} views and are fused from the others.",
            missing,
            counted_as(main.evaluation.n, "case lacks", "cases lack")
        ));
    }
    if name == SetName::Unspecified {
        limits.push("The views of the images are not known, so nothing is fused.".to_owned());
    }
    limits
}

fn limits_of_splits(facts: &ReportFacts) -> Vec<String> {
    let mut limits = Vec::new();
    let predictions = facts.predictions.as_ref();
    match predictions.map(|predictions| predictions.split) {
        Some(Some(Split::Validation)) => limits.push(
            "There are no test images: the figures are of the images by which the best epoch was chosen, and too good."
                .to_owned(),
        ),
        Some(None) => limits.push(
            "The figures come from tables of predictions, which do not say by which images the network was trained."
                .to_owned(),
        ),
        _ => {}
    }
    if let Some(pool) = predictions.and_then(|predictions| predictions.pool.as_ref()) {
        limits.push(format!(
            "The figures pool {}: each network was trained on other images, and none of them alone has these figures.",
            counted(pool.folds.len(), "fold")
        ));
    }
    let manifests = || facts.runs.iter().filter_map(|run| run.manifest.as_ref());
    if manifests().any(|manifest| manifest.split_source == SplitSource::AllAsTrain) {
        limits.push(
            "Training images were also the validation images, so the best epoch was chosen by images learnt by heart."
                .to_owned(),
        );
    }
    if manifests().any(|manifest| manifest.allow_duplicates) {
        limits.push("The same subject or picture may be in two splits.".to_owned());
    }
    if !facts.runs.is_empty() {
        limits.push("Training and test images are of one data set; there is no external test set.".to_owned());
    }
    let doubtful: usize = manifests().map(|manifest| manifest.doubtful_images().count()).sum();
    if doubtful > 0 {
        limits.push(format!(
            "{} not look like the expected mammograms.",
            counted_as(doubtful, "image does", "images do")
        ));
    }
    limits
}
