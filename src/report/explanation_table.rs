//! Where maps lie, class by class, as plain text for 80 columns.

use std::fmt::Write as _;

use crate::domain::bootstrap::Bootstrap;
use crate::domain::density::DensityClass;
use crate::domain::explanation_summary::{ExplanationSummary, Score, ScoreMean, ScoredMap};
use crate::domain::map_status::MapStatus;
use crate::domain::sanity_verdict::SanityVerdict;

/// The scores of a table's columns, and their headings.
const COLUMNS: [(Score, &str); 5] = [
    (Score::BreastEnergy, "breast"),
    (Score::SkinEnergy, "skin"),
    (Score::OutsideEnergy, "outside"),
    (Score::DenseEnergy, "dense"),
    (Score::PointingHit, "peak"),
];

/// A line a class, then what the columns mean.
#[must_use]
pub fn explanation_text(maps: &[ScoredMap], bootstrap: &Bootstrap) -> String {
    let mut text = table("Where the maps lie", maps, bootstrap);
    text.push_str(
        "Shares of a map's positive values: in the breast, along the skin, outside, in\n\
         dense tissue. Peak: how often its largest value is in dense tissue. Enrichment:\n\
         share of the map in dense tissue over that tissue's share of the breast; 1 is\n\
         chance. Means over images; 95 % intervals by a bootstrap over subjects.\n",
    );
    for status in MapStatus::ALL.into_iter().filter(|status| !status.is_sound()) {
        let count = maps.iter().filter(|map| map.status == status).count();
        if count > 0 {
            let _ = writeln!(text, "{count} without scores: the map is {status}");
        }
    }
    text
}

/// The same of random maps.
#[must_use]
pub fn control_text(maps: &[ScoredMap], bootstrap: &Bootstrap) -> String {
    format!("\n{}", table("Random maps on the same images, as a control", maps, bootstrap))
}

fn table(title: &str, maps: &[ScoredMap], bootstrap: &Bootstrap) -> String {
    let mut text = format!("{title}\n{:<7}{:>5}", "class", "n");
    for (_, heading) in COLUMNS {
        let _ = write!(text, "{heading:>9}");
    }
    text.push_str("   enrichment\n");
    let classes = DensityClass::ALL.into_iter().zip(ExplanationSummary::by_class(maps, bootstrap));
    let classes = classes.map(|(class, summary)| (class.letter(), summary)).filter(|(_, summary)| summary.images > 0);
    let all = ("all", ExplanationSummary::of(maps, bootstrap));
    for (name, summary) in classes.chain([all]) {
        let _ = write!(text, "{name:<7}{:>5}", summary.images);
        for (score, _) in COLUMNS {
            let _ = write!(text, "{:>9}", figure(summary.mean(score).mean));
        }
        let _ = writeln!(text, "   {}", with_interval(summary.mean(Score::DenseEnrichment)));
    }
    text
}

/// The verdict and its conditions.
#[must_use]
pub fn verdict_text(verdict: &SanityVerdict) -> String {
    let mut text = format!("\nThat the network looks at dense tissue is {}.\n", verdict.word());
    for condition in &verdict.conditions {
        let sign = if condition.holds { "holds " } else { "FAILS " };
        let _ = writeln!(text, "  {sign} {}: {}", condition.rule, condition.found);
    }
    text
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

fn with_interval(score: &ScoreMean) -> String {
    match score.interval {
        Some(interval) => format!("{} [{:.2}, {:.2}]", figure(score.mean), interval.low, interval.high),
        None => figure(score.mean),
    }
}
