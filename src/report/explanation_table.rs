//! Where maps lie, class by class, as plain text for 80 columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::report::tables::counted;
use mammoscope_domain::explanation::explanation_summary::{ExplanationSummary, Score, ScoreMean, ScoredMap};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::explanation::sanity_verdict::SanityVerdict;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::subject::density::DensityClass;

/// The scores of a table's columns, and their headings.
type Columns = [(Score, &'static str); 4];

/// Where maps lie.
const PLACES: Columns = [
    (Score::DenseEnergy, "in dense tissue"),
    (Score::SkinEnergy, "along the skin"),
    (Score::OutsideEnergy, "outside"),
    (Score::DenseEnrichment, "enrichment"),
];
/// What else there is to say of them.
const OTHERS: Columns = [
    (Score::PointingHit, "peak in dense"),
    (Score::GreySpearman, "rank with grey"),
    (Score::InsertionArea, "insertion"),
    (Score::DeletionArea, "deletion"),
];

/// Two lines a class, of the maps and of random maps on the same images, then what the columns mean.
#[must_use]
pub fn explanation_text(maps: &[ScoredMap], control: &[ScoredMap], bootstrap: &Bootstrap) -> String {
    let rows = rows(maps, control, bootstrap);
    let without = without_scores(maps);
    let mut text = table("Where the maps lie, and random maps on the same images", &PLACES, &rows);
    text.push_str(
        "Shares of a map's positive values. Enrichment: share of the map in dense tissue\n\
         over that tissue's share of the breast; 1 is chance. Means over images, with\n\
         95 % intervals by a bootstrap over subjects.\n\n",
    );
    text += &table("What else they do", &OTHERS, &rows);
    text.push_str("Peak in dense: how often a map's largest value is in dense tissue.\n");
    if maps.iter().any(|map| map.scores.insertion_area.is_some()) {
        text.push_str(
            "Insertion and deletion: area under the class's probability while pixels come\n\
             and go in the order of the map; high and low are good.\n",
        );
    }
    for (reason, count) in without {
        let _ = writeln!(text, "{} without scores, not counted in n: {reason}", counted(count, "image"));
    }
    text
}

/// Why images have no scores, and how many.
fn without_scores(maps: &[ScoredMap]) -> Vec<(String, usize)> {
    let count = |is: &dyn Fn(&ScoredMap) -> bool| maps.iter().filter(|map| is(map)).count();
    let degenerate = MapStatus::ALL.into_iter().filter(|status| !status.is_sound());
    let mut reasons: Vec<(String, usize)> =
        degenerate.map(|status| (format!("the map is {status}"), count(&|map| map.status == status))).collect();
    let unplaced = count(&|map| map.status.is_sound() && !map.has_scores());
    reasons.push(("no breast is found in the image".to_owned(), unplaced));
    reasons.retain(|(_, count)| *count > 0);
    reasons
}

/// A class, with its maps and the random ones.
struct Row {
    name: &'static str,
    maps: ExplanationSummary,
    control: ExplanationSummary,
}

/// The classes that there are, and all images.
fn rows(maps: &[ScoredMap], control: &[ScoredMap], bootstrap: &Bootstrap) -> Vec<Row> {
    let by_class = |maps: &[ScoredMap]| ExplanationSummary::by_class(maps, bootstrap);
    let classes = DensityClass::ALL.into_iter().zip(by_class(maps).into_iter().zip(by_class(control)));
    let classes = classes.map(|(class, (maps, control))| Row { name: class.letter(), maps, control });
    let all = Row {
        name: "all",
        maps: ExplanationSummary::of(maps, bootstrap),
        control: ExplanationSummary::of(control, bootstrap),
    };
    classes.filter(|row| row.maps.images > 0).chain([all]).collect()
}

fn table(title: &str, columns: &Columns, rows: &[Row]) -> String {
    let is_known = |score: Score| rows.iter().any(|row| row.maps.mean(score).mean.is_some());
    let columns: Vec<_> = columns.iter().filter(|(score, _)| is_known(*score)).collect();
    let mut text = format!("{title}\nclass {:>4}", "n");
    for (_, heading) in &columns {
        let _ = write!(text, "  {heading:<15}");
    }
    text.truncate(text.trim_end().len());
    for Row { name, maps, control } in rows {
        // What was averaged: an image without scores is none of them.
        let averaged = columns.iter().map(|(score, _)| maps.mean(*score).images).max().unwrap_or(0);
        for (name, summary, images) in [(*name, maps, averaged.to_string()), ("  random", control, String::new())] {
            let _ = write!(text, "\n{name:<6}{images:>width$}", width = 10 - name.len().max(6));
            for (score, _) in &columns {
                let _ = write!(text, "  {:<15}", with_interval(summary.mean(*score)));
            }
            text.truncate(text.trim_end().len());
        }
    }
    text.push('\n');
    for Row { name, maps, .. } in rows {
        let averaged = columns.iter().map(|(score, _)| maps.mean(*score).images).max().unwrap_or(0);
        let mut fewer: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (score, heading) in &columns {
            // None at all has a dash in the table.
            let images = maps.mean(*score).images;
            if images > 0 && images < averaged {
                fewer.entry(images).or_default().push(heading);
            }
        }
        for (images, headings) in fewer {
            let _ = writeln!(text, "Row {name}: {} over {} only.", headings.join(" and "), counted(images, "image"));
        }
    }
    text
}

/// The verdict and its conditions.
#[must_use]
pub fn verdict_text(verdict: &SanityVerdict) -> String {
    let mut text = format!("\nThat the network looks at dense tissue is {}.\n{}\n", verdict.word(), verdict.judged());
    for condition in &verdict.conditions {
        let sign = if condition.holds { "holds " } else { "FAILS " };
        let _ = writeln!(text, "  {sign} {}: {}", condition.rule, condition.found);
    }
    text
}

/// `.71 [.66, .76]`
fn with_interval(score: &ScoreMean) -> String {
    let figure = |value: f64| {
        let text = format!("{value:.2}");
        // Only a zero before the point is left out, not that of 10.
        match (text.strip_prefix("0."), text.strip_prefix("-0.")) {
            (Some(digits), _) => format!(".{digits}"),
            (_, Some(digits)) => format!("-.{digits}"),
            _ => text,
        }
    };
    let Some(mean) = score.mean.map(figure) else { return "–".to_owned() };
    match score.interval {
        Some(interval) => format!("{mean} [{}, {}]", figure(interval.low), figure(interval.high)),
        None => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
    use mammoscope_domain::subject::subject::SubjectId;

    fn maps(enrichment: f64, curves: bool) -> Vec<ScoredMap> {
        let scores = |subject: usize| ExplanationScores {
            breast_energy: Some(0.877),
            dense_energy: Some(0.3 * enrichment),
            dense_enrichment: Some(enrichment + 0.01 * subject as f64),
            skin_energy: Some(0.02),
            outside_energy: Some(0.123),
            pointing_hit: Some(subject < 15),
            grey_spearman: Some(-0.25),
            insertion_area: curves.then_some(0.5),
            ..ExplanationScores::default()
        };
        let map = |subject: usize| ScoredMap {
            subject: SubjectId(subject.to_string()),
            label: Some(if subject.is_multiple_of(2) { DensityClass::C } else { DensityClass::D }),
            status: MapStatus::Sound,
            scores: scores(subject),
        };
        (0..20).map(map).collect()
    }

    #[test]
    fn every_class_stands_beside_its_random_maps_with_intervals() {
        let text = explanation_text(&maps(1.9, true), &maps(1.0, true), &Bootstrap::default());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!("maps_and_control", text);
        let large = ScoreMean { mean: Some(10.5), ..ScoreMean::default() };
        assert_eq!(with_interval(&large), "10.50");
        let text = explanation_text(&maps(1.9, false), &maps(1.0, false), &Bootstrap::default());
        assert!(!text.contains("nsertion") && !text.contains("only") && !text.contains("without"), "{text}");
    }

    #[test]
    fn images_without_scores_are_counted_apart() {
        let mut maps = maps(1.9, false);
        // Of class C a map that says nothing and an image without a breast; of another all of the breast is dense.
        maps[0] = ScoredMap { status: MapStatus::AllZero, scores: ExplanationScores::default(), ..maps[0].clone() };
        maps[2].scores = ExplanationScores::default();
        maps[4].scores.dense_enrichment = None;
        let text = explanation_text(&maps, &maps, &Bootstrap::default());
        let row = |class: &str| text.lines().find(|line| line.starts_with(class)).unwrap().to_owned();
        assert!(row("C  ").starts_with("C        8  .57") && row("D  ").starts_with("D       10"), "{text}");
        assert!(row("all").starts_with("all     18"), "{text}");
        assert!(text.contains("Row C: enrichment over 7 images only.") && !text.contains("Row D"), "{text}");
        assert!(text.contains("1 image without scores, not counted in n: the map is zero everywhere"), "{text}");
        assert!(text.contains("1 image without scores, not counted in n: no breast is found in the image"), "{text}");
    }
}
