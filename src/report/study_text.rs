//! A study as text: the ranking of its points, and the keys that mattered.

use std::fmt::Write as _;

use mammoscope_domain::study::key_effect::KeyEffect;
use mammoscope_domain::study::study_ranking::{RankedPoint, StudyRanking};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::training_config::Monitor;

/// The points of a study from best to worst, and the effect of each swept key; empty for a single point without
/// repetitions.
#[must_use]
pub fn ranking_text(ranking: &StudyRanking) -> String {
    let repeats = ranking.points.iter().any(|point| point.repetitions.len() > 1);
    if ranking.points.len() < 2 && !repeats {
        return String::new();
    }
    let metric = ranking.monitor.name();
    let columns = Columns::of(ranking);
    let mut text = columns.header(metric);
    for point in &ranking.points {
        text.push_str(&columns.row(point));
    }
    if ranking.lacks_validation() {
        text.push_str("\nNot ranked: the runs have no validation images.\n");
        return text;
    }
    let better = if ranking.monitor == Monitor::ValLoss { "smaller" } else { "larger" };
    let _ =
        writeln!(text, "\nRanked by {metric} on the validation images ({better} is better); test images are not used.");
    if let Some(near) = ranking.within_seed_spread().filter(|&near| near > 0) {
        let _ = writeln!(text, "{} within the spread over seeds of the best.", counted_are(near));
    }
    text.push_str(&effects_text(&ranking.keys));
    text
}

fn counted_are(points: usize) -> String {
    format!("{} {}", counted(points, "other point"), if points == 1 { "is" } else { "are" })
}

/// The columns that the points of a study need.
struct Columns {
    seeds: bool,
    folds: bool,
}

impl Columns {
    fn of(ranking: &StudyRanking) -> Self {
        Self {
            seeds: ranking.points.iter().any(|point| point.sd_seeds.is_some()),
            folds: ranking.points.iter().any(|point| point.sd_folds.is_some()),
        }
    }

    fn header(&self, metric: &str) -> String {
        let mut text = format!("point  {metric:>12}");
        if self.seeds {
            text.push_str("  SD seeds");
        }
        if self.folds {
            text.push_str("  SD folds");
        }
        text + "     runs  values\n"
    }

    fn row(&self, point: &RankedPoint) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), figure);
        let mean = if point.is_complete() {
            number(point.mean)
        } else {
            point.mean.map_or_else(|| "–".to_owned(), |mean| format!("({})", figure(mean)))
        };
        let mut text = format!("{:>5}  {mean:>12}", point.point);
        if self.seeds {
            let _ = write!(text, "  {:>8}", number(point.sd_seeds));
        }
        if self.folds {
            let _ = write!(text, "  {:>8}", number(point.sd_folds));
        }
        let values = point.values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ");
        let runs = format!("{}/{}", point.runs.0, point.runs.1);
        let _ = writeln!(text, "  {runs:>7}  {}", printable(if values.is_empty() { "–" } else { &values }));
        text
    }
}

/// A figure in a few characters: three decimals, fewer for large numbers.
fn figure(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.3}") } else { format!("{value:.0}") }
}

fn effects_text(keys: &[KeyEffect]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let width = keys.iter().map(|effect| effect.key.chars().count()).max().unwrap_or(0).max(3);
    let mut text = format!("\n{:<width$}  explains  mean by value\n", "key");
    for effect in keys {
        let explained = effect.explained.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let by_value: Vec<String> =
            effect.by_value.iter().map(|(value, mean)| format!("{value}: {}", figure(*mean))).collect();
        let by_value = if by_value.is_empty() { "every point has its own".to_owned() } else { by_value.join(" · ") };
        let _ = writeln!(text, "{:<width$}  {explained:>8}  {}", effect.key, printable(&by_value));
    }
    if keys.iter().any(|effect| effect.explained.is_some()) {
        text.push_str("The share of the variance between points that each key explains alone.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use mammoscope_domain::study::study_member::StudyMember;
    use mammoscope_domain::study::study_ranking::RankedRun;
    use mammoscope_domain::subject::view::View;

    fn run(point: u32, rate: &str, repetition: u32, best: f64, complete: bool) -> RankedRun {
        let values = BTreeMap::from([("learning_rate".to_owned(), rate.to_owned())]);
        let member = StudyMember { id: "s".to_owned(), point, values, repetition, fold: None };
        RankedRun { member, view: View::CcR, best: Some(best), complete }
    }

    #[test]
    fn the_ranking_says_what_it_is_made_from() {
        let runs = [
            run(1, "0.003", 1, 0.70, true),
            run(1, "0.003", 2, 0.72, true),
            run(2, "0.01", 1, 0.80, true),
            run(2, "0.01", 2, 0.84, true),
            run(3, "0.03", 1, 0.79, true),
            run(3, "0.03", 2, 0.83, true),
            run(4, "0.1", 1, 0.99, false),
        ];
        insta::assert_snapshot!(ranking_text(&StudyRanking::of(&runs, Monitor::ValAccuracy)));
        let unvalidated: Vec<RankedRun> = runs.iter().map(|run| RankedRun { best: None, ..run.clone() }).collect();
        let text = ranking_text(&StudyRanking::of(&unvalidated, Monitor::ValAccuracy));
        assert!(
            text.contains("Not ranked: the runs have no validation images") && !text.contains("Ranked by"),
            "{text}"
        );
        assert_eq!(ranking_text(&StudyRanking::of(&runs[..1], Monitor::ValAccuracy)), "");
    }
}
