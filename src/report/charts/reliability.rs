//! Reliability diagrams: accuracy against confidence.

use super::axes::{Axis, Legend, Line, cell, csv, line_chart, number};
use super::palette::{BLUE, FAINT, ORANGE};
use super::{Chart, ChartFault};
use mammoscope_domain::metrics::calibration::ReliabilityBin;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::text::counted::counted;

/// The bins of one set of probabilities.
#[derive(Clone, Debug)]
pub struct ReliabilityLine {
    /// What the probabilities are, as in `calibrated`.
    pub label: String,
    pub bins: Vec<ReliabilityBin>,
    /// The expected calibration error.
    pub error: f64,
}

/// The reliability diagram of a set; the diagonal is perfect calibration. The second line, if any, is of the calibrated
/// probabilities.
pub fn reliability_chart(set: SetName, lines: &[ReliabilityLine]) -> Result<Chart, ChartFault> {
    let mut drawn = vec![Line {
        label: String::new(),
        color: FAINT,
        width: 1,
        points: vec![(0.0, 0.0), (1.0, 1.0)],
        marks: Vec::new(),
    }];
    drawn.extend(lines.iter().zip([BLUE, ORANGE]).map(|(line, color)| {
        let points: Vec<(f64, f64)> = line.bins.iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
        Line { label: format!("{}, ECE {:.3}", line.label, line.error), color, width: 4, marks: points.clone(), points }
    }));
    let name = format!("reliability-{set}");
    let axes = (&Axis::share("mean probability of the predicted class"), &Axis::share("share of correct predictions"));
    let svg = line_chart(&name, (760, 700), axes, &drawn, Legend::LowerRight)?;
    let described: Vec<String> = lines
        .iter()
        .map(|line| {
            format!(
                "{}: expected calibration error {:.3} over {}",
                line.label,
                line.error,
                counted(line.bins.len(), "bin")
            )
        })
        .collect();
    let of_bins = lines.iter().flat_map(|line| {
        line.bins.iter().map(|bin| {
            let ReliabilityBin { bin, cases, accuracy, confidence } = *bin;
            [cell(set), line.label.clone(), cell(bin), cell(cases), number(confidence), number(accuracy)]
        })
    });
    Ok(Chart {
        title: format!("Reliability, {set}"),
        description: format!(
            "Reliability diagram of {set}: share of correct predictions against the mean probability of the predicted \
             class. {}.",
            described.join("; ")
        ),
        svg,
        csv: csv(["set", "probabilities", "bin", "cases", "mean_probability", "share_right"], of_bins),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_dots_beside_the_diagonal() {
        let bins = vec![
            ReliabilityBin { bin: 7, cases: 4, accuracy: 0.25, confidence: 0.5 },
            ReliabilityBin { bin: 14, cases: 10, accuracy: 0.8, confidence: 0.975 },
        ];
        let lines = [ReliabilityLine { label: "as trained".to_owned(), bins, error: 0.196_4 }];
        let chart = reliability_chart(SetName::Total, &lines).unwrap();
        assert_eq!(chart.svg.matches("<circle").count(), 2);
        assert!(chart.svg.contains("as trained, ECE 0.196"));
        assert!(chart.csv.ends_with("total,as trained,14,10,0.975,0.8\n"), "{}", chart.csv);
        assert!(chart.description.ends_with("as trained: expected calibration error 0.196 over 2 bins."));
    }
}
