//! The scores of maps over the epochs of a run, as plain text for 80 columns.

use std::fmt::Write as _;

use super::tables::three_decimals;
use mammoscope_domain::explanation::explanation_summary::Score;
use mammoscope_storage::tables::score_table::ScoreRow;

/// The scores in the columns.
const SCORES: [Score; 4] = [Score::BreastEnergy, Score::DenseEnergy, Score::SkinEnergy, Score::DenseEnrichment];

/// A line for each epoch: the images, how many of them are predicted right, the mean probability of the true class, and
/// the mean scores.
#[must_use]
pub fn epoch_scores_text(epochs: &[u32], rows: &[(u32, ScoreRow)]) -> String {
    let mut text = format!(
        "{:>7}{:>8}{:>9}{:>9}{:>11}{:>11}{:>11}{:>12}\n",
        "epoch", "images", "correct", "p(true)", "in breast", "in dense", "at skin", "enrichment"
    );
    for &epoch in epochs {
        let rows: Vec<&ScoreRow> = rows.iter().filter(|(of, _)| *of == epoch).map(|(_, row)| row).collect();
        let labelled = rows.iter().filter_map(|row| Some((row.prediction.label?, &row.prediction)));
        let correct = mean(labelled.clone().map(|(label, of)| if of.predicted == label { 1.0 } else { 0.0 }));
        let of_truth = mean(labelled.map(|(label, of)| of.probabilities.of(label)));
        let [breast, dense, skin, enrichment] =
            SCORES.map(|score| three_decimals(mean(rows.iter().filter_map(|row| score.of(&row.scores)))));
        let (correct, of_truth) = (three_decimals(correct), three_decimals(of_truth));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{epoch:>7}{:>8}{correct:>9}{of_truth:>9}{breast:>11}{dense:>11}{skin:>11}{enrichment:>12}",
            rows.len()
        );
    }
    text.push_str(
        "Means over the images: the share that is predicted right, the probability of the\n\
         true class, and the shares of the map in the breast, in dense tissue and along\n\
         the skin. Enrichment: the share in dense tissue over that tissue's share of the\n\
         breast; 1 is chance.\n",
    );
    text
}

/// The mean of some values; `None` of none.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
    use mammoscope_domain::explanation::map_status::MapStatus;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::prediction::PredictionRow;
    use mammoscope_domain::subject::probabilities::Probabilities;
    use mammoscope_domain::subject::subject_id::SubjectId;

    fn row(label: Option<DensityClass>, breast: Option<f64>) -> ScoreRow {
        let prediction = PredictionRow {
            file: "a.png".to_owned(),
            subject: SubjectId("1".to_owned()),
            exam: None,
            view: None,
            label,
            predicted: DensityClass::C,
            probabilities: Probabilities([0.0, 0.25, 0.5, 0.25]),
        };
        ScoreRow {
            prediction,
            explained: DensityClass::C,
            method: "grad-cam".to_owned(),
            layer: "add_12".to_owned(),
            status: MapStatus::Sound,
            dense_source: DenseSource::None,
            scores: ExplanationScores { breast_energy: breast, ..ExplanationScores::default() },
            positions: (2, 2),
            map_file: String::new(),
        }
    }

    #[test]
    fn epochs_are_averaged_over_what_is_known() {
        let rows = [
            (2, row(Some(DensityClass::C), Some(0.5))),
            (2, row(Some(DensityClass::B), Some(0.75))),
            (4, row(None, None)),
        ];
        let text = epoch_scores_text(&[2, 4, 6], &rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "      2       2    0.500    0.375      0.625          –          –           –");
        assert_eq!(lines[2], "      4       1        –        –          –          –          –           –");
        assert!(lines[3].starts_with("      6       0 "), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 81), "{text}");
    }
}
