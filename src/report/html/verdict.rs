//! The question and the verdict, in five lines.

use maud::html;

use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use crate::report::tables::{cases, interval_text, rounded};
use mammoscope_domain::metrics::agreement::{INTER_READER, NETWORK_AND_CONSENSUS, NETWORK_AND_READER};
use mammoscope_domain::metrics::bootstrap::Interval;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::text::counted::counted;

pub(super) fn section(facts: &ReportFacts) -> Section {
    let lines = lines(facts);
    let body = html! {
        dl.verdict { @for (what, line) in &lines { dt { (what) } dd { (line) } } }
        @for missing in &facts.missing { p.note { (missing) } }
    };
    Section::new("verdict", "Question and verdict", body)
}

/// Question, agreement, baseline, decisions and explanation.
fn lines(facts: &ReportFacts) -> [(&'static str, String); 5] {
    let main = facts.main_set();
    [
        ("Question", question(facts)),
        (
            "Agreement",
            main.map_or_else(
                || "There are no predictions with a true class yet.".to_owned(),
                |set| agreement(set, facts),
            ),
        ),
        ("Baseline", main.map_or_else(unknown, baseline)),
        ("Dense or not", main.map_or_else(unknown, decision)),
        ("Explanation", explanation(facts)),
    ]
}

fn unknown() -> String {
    "Not known yet.".to_owned()
}

fn question(facts: &ReportFacts) -> String {
    let who = match facts.runs.len() {
        0 => "the network".to_owned(),
        1 => format!("the network for {}", facts.runs[0].spec.view),
        runs => format!("the {}", counted(runs, "network")),
    };
    let ending = if facts.runs.len() > 1 { "" } else { "es" };
    format!(
        "Do{ending} {who} grade breast density (BI-RADS A to D) as well as readers agree with each other, better than one simple \
         feature of the image, and by looking at dense tissue?"
    )
}

fn agreement(EvaluatedSet { set, evaluation, .. }: &EvaluatedSet, facts: &ReportFacts) -> String {
    let split = facts.predictions.as_ref().and_then(|predictions| predictions.split);
    let split = split.map(|split| format!(" ({split} images)")).unwrap_or_default();
    let of = format!("{} of {}{split}", cases(set), counted(set.subjects(), "subject"));
    let Some(kappa) = evaluation.figures.kappa_linear else {
        return format!("Accuracy {} on {of}; kappa is undefined there.", figure(evaluation.figures.accuracy));
    };
    let interval = evaluation.intervals.figures.kappa_linear;
    let published = [NETWORK_AND_READER.kappa, NETWORK_AND_CONSENSUS.kappa];
    let beside = against_published(interval, published);
    let unweighted = evaluation.figures.kappa_unweighted.map_or_else(String::new, |kappa| {
        let [low, high] = INTER_READER.range.unwrap_or([INTER_READER.kappa; 2]);
        format!(
            " Unweighted kappa {}; pairs of radiologists reach {:.2} on average ({low:.2}–{high:.2}).",
            rounded(kappa),
            INTER_READER.kappa
        )
    });
    format!("Linear kappa {} {} on {of}: {beside}.{unweighted}", rounded(kappa), interval_text(interval))
}

/// A kappa's interval beside the published ones of networks, in words.
fn against_published(interval: Option<Interval>, [low, high]: [f64; 2]) -> String {
    let networks = format!("published networks ({low:.2} with one reader, {high:.2} with a consensus)");
    match interval {
        None => format!("without an interval it cannot be set against {networks}"),
        Some(interval) if interval.high < low => format!("below {networks}"),
        Some(interval) if interval.low > high => format!("above {networks}"),
        Some(_) => format!("not distinguishable from {networks}"),
    }
}

fn baseline(evaluated: &EvaluatedSet) -> String {
    let Some(baseline) = &evaluated.baseline else {
        return "The one-feature baseline is not known for these predictions.".to_owned();
    };
    let interval = baseline.kappa_linear_difference_interval;
    let (Some(of_baseline), Some(difference)) = (baseline.kappa_linear, baseline.kappa_linear_difference) else {
        return "The linear kappa of the one-feature baseline is undefined on these cases.".to_owned();
    };
    let verdict = match interval {
        None => "no interval says whether that is more than chance",
        Some(interval) if interval.low > 0.0 => "it is ahead of the baseline",
        Some(interval) if interval.high < 0.0 => "it is behind the baseline",
        Some(_) => "it is not shown to be ahead of the baseline",
    };
    format!(
        "The deviation of grey within the breast alone reaches linear kappa {}; the network's is {} {} {}: {verdict}.",
        rounded(of_baseline),
        rounded(difference.abs()),
        if difference < 0.0 { "lower" } else { "higher" },
        interval_text(interval)
    )
}

fn decision(EvaluatedSet { evaluation, .. }: &EvaluatedSet) -> String {
    let (figures, intervals) = (&evaluation.figures, &evaluation.intervals.figures);
    format!(
        "Dense (C or D) against non-dense: accuracy {} {}, area under the ROC curve {} {}. The probability of the predicted \
         class is off by {} on average (ECE).",
        figure(figures.dense_accuracy),
        interval_text(intervals.dense_accuracy),
        figure(figures.auc_dense_sum),
        interval_text(intervals.auc_dense_sum),
        figure(figures.ece15),
    )
}

fn explanation(facts: &ReportFacts) -> String {
    match facts.explanations.as_ref().map(|explanations| &explanations.sanity) {
        None => "Not examined: no maps of the whole test set are part of this report.".to_owned(),
        Some(None) => {
            "Maps were scored, but their sanity was not tested, so they do not say what the network looks at."
                .to_owned()
        }
        Some(Some(sanity)) => {
            let failed: Vec<&str> = sanity
                .conditions
                .iter()
                .filter(|condition| !condition.holds)
                .map(|condition| condition.rule.as_str())
                .collect();
            let because = match (sanity.verdict.as_str(), failed.is_empty()) {
                ("not supported", false) => format!(" Not met: {}.", failed.join("; ")),
                _ => String::new(),
            };
            format!("That the network looks at dense tissue is {}.{because}", sanity.verdict)
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".to_owned(), rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kappa_is_placed_by_its_interval() {
        let placed = |low: f64, high: f64| {
            let text = against_published(Some(Interval { low, high, undefined_resamples: 0 }), [0.67, 0.78]);
            text.split(" published").next().unwrap().to_owned()
        };
        assert_eq!(placed(0.2, 0.6), "below");
        assert_eq!(placed(0.8, 0.9), "above");
        assert_eq!(placed(0.6, 0.7), "not distinguishable from");
        assert_eq!(placed(0.7, 0.75), "not distinguishable from");
        assert!(against_published(None, [0.67, 0.78]).starts_with("without an interval"));
    }
}
