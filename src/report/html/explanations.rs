//! Where the networks look: scores of maps, sanity checks and degenerate maps.

use maud::{Markup, html};

use super::blocks::plain_table;
use super::page::Section;
use crate::analysis::report_facts::{ReportFacts, ReportedExplanations};
use mammoscope_domain::explanation::explanation_summary::{ExplanationSummary, Score, ScoreMean};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::{counted, counted_as};

/// The scores in the columns, with their titles.
const COLUMNS: [(Score, &str); 6] = [
    (Score::DenseEnrichment, "enrichment"),
    (Score::DenseEnergy, "in dense tissue"),
    (Score::PointingHit, "peak in dense"),
    (Score::SkinEnergy, "along the skin"),
    (Score::OutsideEnergy, "outside"),
    (Score::GreySpearman, "rank with grey"),
];

pub(super) fn section(facts: &ReportFacts) -> Section {
    let body = facts.explanations.as_ref().map_or_else(not_examined, scores);
    Section::new("explanations", "Where the networks look", body)
}

fn not_examined() -> Markup {
    html! {
        p {
            "No maps of the whole set are part of this report. Maps of errors alone do not say where a network looks, so they \
             are not scored here. " code { "mammoscope explain --model … --data … --split test --sanity --out maps" }
            " computes and tests maps, and " code { "--maps maps" } " adds them."
        }
    }
}

fn scores(found: &ReportedExplanations) -> Markup {
    let titles: Vec<&str> = ["class", "maps"].into_iter().chain(COLUMNS.map(|(_, title)| title)).collect();
    let classes = DensityClass::ALL.into_iter().zip(&found.by_class).filter(|(_, summary)| summary.images > 0);
    let rows: Vec<Vec<String>> =
        classes.map(|(class, summary)| row(class.letter(), summary)).chain([row("all", &found.all)]).collect();
    html! {
        p {
            (counted(found.all.images, "map")) " by " (found.method) ", of " (counted(found.all.subjects, "subject")) ". Enrichment is the share \
             of a map in dense tissue over that tissue's share of the breast; 1 is chance. Means with 95 % intervals over subjects."
        }
        @if found.degenerate > 0 {
            p { (counted_as(found.degenerate, "map is", "maps are")) " degenerate (zero, negative everywhere or not finite), are counted and have no scores." }
        } @else { p { "No map is degenerate." } }
        (plain_table("Scores of the maps", &titles, 1, &rows))
        @match &found.sanity {
            None => { p { "The sanity of the maps was not tested (explain --sanity)." } },
            Some(sanity) => {
                h3 { "Sanity checks: " (sanity.verdict) }
                ul {
                    @for condition in &sanity.conditions {
                        li {
                            span class=(if condition.holds { "good" } else { "bad" }) { (if condition.holds { "holds" } else { "fails" }) }
                            ": " (condition.rule) ": " (condition.found)
                        }
                    }
                }
            },
        }
    }
}

fn row(name: &str, summary: &ExplanationSummary) -> Vec<String> {
    let scores = COLUMNS.map(|(score, _)| with_interval(summary.mean(score)));
    [name.to_owned(), summary.images.to_string()].into_iter().chain(scores).collect()
}

fn with_interval(score: &ScoreMean) -> String {
    let Some(mean) = score.mean else { return "–".to_owned() };
    match score.interval {
        Some(interval) => format!("{mean:.2} [{:.2}, {:.2}]", interval.low, interval.high),
        None => format!("{mean:.2}"),
    }
}
