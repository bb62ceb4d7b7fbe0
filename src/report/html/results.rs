//! Figures of held-out images: agreement, confusion, classes, thresholds and calibration.

use maud::html;

use super::blocks::blocks;
use super::page::{Section, figure};
use crate::analysis::report_facts::{ReportFacts, ReportedPredictions};
use crate::report::baseline_table::baseline_blocks;
use crate::report::calibration_table::calibration_blocks;
use crate::report::charts::{
    AgreementRow, Chart, ChartFault, ReliabilityLine, kappa_chart, matrix_chart, reliability_chart, threshold_charts,
};
use crate::report::fold_spread::fold_spread_blocks;
use crate::report::set_tables::set_blocks;
use crate::report::table::Block;
use crate::report::tables::{Detail, cases_and_missing, fused, general_notes, overview, title};
use mammoscope_domain::metrics::agreement::{INTER_READER, NETWORK_AND_CONSENSUS, NETWORK_AND_READER};
use mammoscope_domain::metrics::calibration::Reliability;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::subject::split::Split;

pub(super) fn section(facts: &ReportFacts, charts: &mut Vec<Chart>) -> Result<Option<Section>, ChartFault> {
    let (Some(predictions), Some(main)) = (&facts.predictions, facts.main_set()) else { return Ok(None) };
    let ReportedPredictions { sets, fusion, bootstrap, .. } = predictions;
    let kappas = kappa_charts(sets)?;
    let matrices = matrices(predictions)?;
    let thresholds = threshold_charts(&main.set)?;
    let reliability = reliability(main, facts)?;
    let main_blocks = set_blocks(&main.set, &main.evaluation, fused(main.set.name, *fusion), *bootstrap);
    let mut notes = Vec::new();
    if let Some(pool) = &predictions.pool {
        notes.extend(fold_spread_blocks(pool, std::slice::from_ref(main), Detail::LastSet));
    }
    notes.extend(calibration_blocks(&facts.calibrations, Detail::LastSet));
    notes.extend(baseline_blocks(sets));
    notes.push(Block::Notes { indent: 0, notes: general_notes(*bootstrap) });
    let which = match predictions.split {
        Some(Split::Test) => {
            "Figures of the test images, which took no part in training or in the choice of the epoch."
        }
        Some(Split::Validation) => {
            "Figures of the validation images, by which the best epoch was chosen: they are too good for new images."
        }
        Some(Split::Train) => "Figures of the training images: they say nothing about new images.",
        None => {
            "Figures of the predictions in the tables; whether the network was trained on these images is not known here."
        }
    };
    let body = html! {
        p { (which) }
        div.charts.wide {
            @for chart in &kappas {
                (figure(chart, &kappa_caption(chart)))
            }
        }
        @if sets.len() > 1 { (blocks(&[Block::Table(overview(sets))])) }
        h3 { (title(main.set.name, *fusion)) ": " (cases_and_missing(&main.set)) }
        (blocks(&main_blocks))
        h3 { "Confusion matrices" }
        div.charts.small {
            @for chart in &matrices { (figure(chart, &format!("{}. True classes in rows; shares of the row.", chart.title))) }
        }
        h3 { "Thresholds and calibration" }
        div.charts {
            @for chart in &thresholds {
                (figure(chart, &format!("{}. The thickest curve is dense (C or D) against non-dense.", chart.title)))
            }
            (figure(&reliability, &format!("{}. On the diagonal, probabilities are what they say.", reliability.title)))
        }
        @if facts.calibrations.is_empty() && !facts.runs.is_empty() {
            p.note { "No temperature was fitted to the validation images; mammoscope evaluate --calibrate does." }
        }
        @if thresholds.is_empty() { p.note { "All cases are of one class, so there are no ROC curves." } }
        (blocks(&notes))
    };
    charts.extend(kappas.into_iter().chain(matrices).chain(thresholds).chain([reliability]));
    Ok(Some(Section::new("results", "Results", body)))
}

fn kappa_caption(chart: &Chart) -> String {
    let has_baseline = chart.csv.lines().skip(1).any(|line| !line.ends_with(','));
    let diamonds = if has_baseline { "; diamonds are the one-feature baseline" } else { "" };
    format!("{}: dots with 95 % intervals{diamonds}.", chart.title)
}

fn kappa_charts(sets: &[EvaluatedSet]) -> Result<Vec<Chart>, ChartFault> {
    let rows = |of: fn(&EvaluatedSet) -> AgreementRow| sets.iter().map(of).collect::<Vec<_>>();
    let linear = rows(|EvaluatedSet { set, evaluation, baseline }| AgreementRow {
        set: set.name.to_string(),
        kappa: evaluation.figures.kappa_linear,
        interval: evaluation.intervals.figures.kappa_linear,
        baseline: baseline.as_ref().and_then(|baseline| baseline.kappa_linear),
    });
    let unweighted = rows(|EvaluatedSet { set, evaluation, .. }| AgreementRow {
        set: set.name.to_string(),
        kappa: evaluation.figures.kappa_unweighted,
        interval: evaluation.intervals.figures.kappa_unweighted,
        baseline: None,
    });
    let networks = [NETWORK_AND_READER, NETWORK_AND_CONSENSUS];
    let charts = [
        kappa_chart(("kappa-linear", "Linear kappa, beside published networks"), &linear, &networks)?,
        kappa_chart(
            ("kappa-unweighted", "Unweighted kappa, beside pairs of radiologists"),
            &unweighted,
            &[INTER_READER],
        )?,
    ];
    Ok(charts.into_iter().flatten().collect())
}

fn matrices(predictions: &ReportedPredictions) -> Result<Vec<Chart>, ChartFault> {
    let of_set = |EvaluatedSet { set, evaluation, .. }: &EvaluatedSet| {
        let name = format!("confusion-matrix-{}", set.name);
        let title = format!("{}, {}", title(set.name, predictions.fusion), cases_and_missing(set));
        matrix_chart(&name, &title, &evaluation.confusion_matrix)
    };
    predictions.sets.iter().map(of_set).collect()
}

/// The reliability before and after the temperature. Over folds, each has its own temperature, and the pool none.
fn reliability(main: &EvaluatedSet, facts: &ReportFacts) -> Result<Chart, ChartFault> {
    let EvaluatedSet { set, evaluation, .. } = main;
    let mut lines = vec![ReliabilityLine {
        label: "as predicted".to_owned(),
        bins: evaluation.ece15_bins.clone(),
        error: evaluation.figures.ece15.unwrap_or_default(),
    }];
    if let [calibration] = &facts.calibrations[..]
        && let Some(temperature) = calibration.temperature(set.name)
    {
        let calibrated = Reliability::of(&temperature.apply_to(&set.cases));
        lines.push(ReliabilityLine {
            label: format!("temperature {:.2}", temperature.value()),
            bins: calibrated.bins().collect(),
            error: calibrated.expected_error(),
        });
    }
    reliability_chart(set.name, &lines)
}
