//! The location of maps, class by class, as plain text for 80 columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mammoscope_domain::explanation::explanation_summary::{ExplanationSummary, Score, ScoreMean, ScoredMap};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::explanation::sanity_verdict::SanityVerdict;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::counted;

/// The scores in a table's columns, and their headings.
type Columns = [(Score, &'static str); 4];

/// The scores that locate a map.
const LOCATION: Columns = [
    (Score::DenseEnergy, "in dense tissue"),
    (Score::SkinEnergy, "along the skin"),
    (Score::OutsideEnergy, "outside"),
    (Score::DenseEnrichment, "enrichment"),
];
/// The other scores.
const OTHERS: Columns = [
    (Score::PointingHit, "peak in dense"),
    (Score::GreySpearman, "rank with grey"),
    (Score::InsertionArea, "insertion"),
    (Score::DeletionArea, "deletion"),
];

/// Two lines per class, for the maps and for random maps of the same images, followed by the meaning of the columns.
#[must_use]
pub fn explanation_text(maps: &[ScoredMap], control: &[ScoredMap], bootstrap: &Bootstrap) -> String {
    let rows = rows(maps, control, bootstrap);
    let without = without_scores(maps);
    let mut text = table("Location of the maps, and of random maps of the same images", &LOCATION, &rows);
    text.push_str(
        "Shares of a map's positive values. Enrichment: share of the map in dense tissue\n\
         over that tissue's share of the breast; 1 is chance. Means over images, with\n\
         95 % intervals by a bootstrap over subjects.\n\n",
    );
    text += &table("Other scores", &OTHERS, &rows);
    text.push_str(
        "Peak in dense: share of maps whose largest value is in dense tissue. Rank with\n\
         grey: rank correlation of the map with the grey level.\n",
    );
    if maps.iter().any(|map| map.scores.insertion_area.is_some()) {
        text.push_str(
            "Insertion and deletion: area under the class's probability as pixels are added\n\
            and removed in the order of the map. High insertion and low deletion are good.\n",
        );
    }
    for (reason, count) in without {
        let _ = writeln!(text, "{} without scores, not counted in n: {reason}", counted(count, "image"));
    }
    text
}

/// The reasons why images have no scores, and the number of images for each.
fn without_scores(maps: &[ScoredMap]) -> Vec<(String, usize)> {
    let count = |is: &dyn Fn(&ScoredMap) -> bool| maps.iter().filter(|map| is(map)).count();
    let degenerate = MapStatus::ALL.into_iter().filter(|status| !status.is_sound());
    let mut reasons: Vec<(String, usize)> =
        degenerate.map(|status| (format!("the map is {status}"), count(&|map| map.status == status))).collect();
    let unplaced = count(&|map| map.status.is_sound() && !map.has_scores());
    reasons.push(("no breast was found in the image".to_owned(), unplaced));
    reasons.retain(|(_, count)| *count > 0);
    reasons
}

/// A class with the summaries of its maps and of the random maps.
struct Row {
    name: &'static str,
    maps: ExplanationSummary,
    control: ExplanationSummary,
}

/// The classes that occur, and all images together.
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
        // The images that were averaged: those without scores are not.
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
            // A score without any image has a dash in the table.
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
    use mammoscope_domain::subject::subject_id::SubjectId;

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
    fn every_class_is_listed_with_its_random_maps_and_intervals() {
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
        // In class C, a degenerate map, an image without a breast, and one whose whole breast is dense.
        maps[0] = ScoredMap { status: MapStatus::AllZero, scores: ExplanationScores::default(), ..maps[0].clone() };
        maps[2].scores = ExplanationScores::default();
        maps[4].scores.dense_enrichment = None;
        let text = explanation_text(&maps, &maps, &Bootstrap::default());
        let row = |class: &str| text.lines().find(|line| line.starts_with(class)).unwrap().to_owned();
        assert!(row("C  ").starts_with("C        8  .57") && row("D  ").starts_with("D       10"), "{text}");
        assert!(row("all").starts_with("all     18"), "{text}");
        assert!(text.contains("Row C: enrichment over 7 images only.") && !text.contains("Row D"), "{text}");
        assert!(text.contains("1 image without scores, not counted in n: the map is zero everywhere"), "{text}");
        assert!(text.contains("1 image without scores, not counted in n: no breast was found in the image"), "{text}");
    }
}
