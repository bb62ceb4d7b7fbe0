//! Learning curves.

use maud::html;

use super::blocks::plain_table;
use super::page::{Section, figure};
use crate::analysis::report_facts::ReportFacts;
use crate::report::charts::{Chart, ChartFault, LearningCurve, LearningMetric, learning_chart};
use crate::report::epoch_table::seconds_text;
use crate::report::run_text::best_text;

pub(super) fn section(facts: &ReportFacts, charts: &mut Vec<Chart>) -> Result<Option<Section>, ChartFault> {
    if facts.runs.is_empty() {
        return Ok(None);
    }
    let curves: Vec<LearningCurve> = facts
        .runs
        .iter()
        .map(|run| LearningCurve {
            name: facts.short_name(run),
            view: run.spec.view,
            epochs: run.summary.history(),
            best: run.summary.best.as_ref().map(|best| best.epoch),
        })
        .collect();
    let mut drawn = Vec::new();
    for metric in LearningMetric::ALL {
        drawn.extend(learning_chart(metric, &curves)?);
    }
    let rows: Vec<Vec<String>> = facts
        .runs
        .iter()
        .map(|run| {
            let summary = &run.summary;
            let epochs = format!("{} of {}", summary.records.len(), summary.epochs);
            let best = summary.best.as_ref().map_or_else(|| "none yet".to_owned(), best_text);
            let took = seconds_text(summary.clock.elapsed().as_seconds_f64());
            vec![facts.short_name(run), run.condition.clone(), epochs, best, took]
        })
        .collect();
    let has_validation =
        facts.runs.iter().any(|run| run.summary.records.iter().any(|record| record.metrics.val_loss.is_some()));
    let body = html! {
        (plain_table("Training runs", &["run", "state", "epochs", "best checkpoint", "time"], 9, &rows))
        @if drawn.is_empty() { p { "No epoch is complete yet." } }
        @if !drawn.is_empty() && !has_validation {
            p { "There are no validation images: the best checkpoint was chosen by training images, and nothing here says whether the network overfits." }
        }
        div.charts {
            @for chart in &drawn {
                (figure(chart, &format!("{}. Thick lines: validation; thin lines: training; dots: the best checkpoint.", chart.title)))
            }
        }
    };
    charts.extend(drawn);
    Ok(Some(Section::new("learning", "Learning curves", body)))
}
