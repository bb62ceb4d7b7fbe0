//! Exporting what is on screen, and training again with the settings of a run.

use std::collections::HashSet;

use super::listing::ListLine;
use super::places::{Places, XAxis};
use super::{Focus, RunsScreen};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::run_names::title;
use crate::tui::protocol::runs::{ExportedCurve, RunsEffect};
use crate::tui::protocol::train::ClonedRun;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_storage::runs::run_dir::RunDir;

impl RunsScreen {
    /// Exports the chosen chart if the charts were used last, else the list.
    pub(super) fn export(&self, shared: &SharedState) -> Vec<Effect> {
        if self.alone || self.focus == Focus::Charts { self.export_chart() } else { self.export_list(shared) }
    }

    fn export_list(&self, shared: &SharedState) -> Vec<Effect> {
        // The runs of an open folder are listed after it.
        let mut seen = HashSet::new();
        let rows = self.picker.shown.iter().flat_map(ListLine::rows).filter(|row| seen.insert(**row));
        let rows: Vec<_> = rows.filter_map(|row| shared.runs.rows.get(*row)).cloned().collect();
        if rows.is_empty() {
            return vec![Effect::failed("no runs to export")];
        }
        vec![Effect::Runs(RunsEffect::ExportTable(rows))]
    }

    fn export_chart(&self) -> Vec<Effect> {
        let metric = self.view.chart;
        let mut curves = Vec::new();
        for run in &self.drawn_runs() {
            let Some(of_run) = self.followed.curves.get(run) else { continue };
            curves.push(exported(run, metric.title(), of_run.places_of(metric), of_run.raw(metric)));
            if let Some(series) = of_run.validation(metric) {
                let name = format!("val {}", metric.title());
                curves.push(exported(run, &name, &of_run.epoch_places, series));
            }
        }
        if curves.iter().all(|curve| curve.series.is_empty()) {
            return vec![Effect::failed(format!("no values of {} to export yet", metric.title()))];
        }
        vec![Effect::Runs(RunsEffect::ExportCurves { metric: metric.title().to_owned(), curves })]
    }

    /// Opens the form of a new training run with the data and the settings of the selected run.
    pub(super) fn train_again(&self, shared: &SharedState) -> Vec<Effect> {
        let Some(row) = self.chosen_row(shared) else {
            return vec![Effect::failed("choose the run whose settings to use again")];
        };
        let Some(spec) = &row.spec else {
            return vec![Effect::failed(format!("{}: its settings cannot be read", title(row)))];
        };
        let like = Some(ClonedRun { run: row.run.clone(), spec: spec.clone() });
        vec![Effect::Navigate(Destination::NewTraining { data: spec.data.clone(), like })]
    }
}

fn exported(run: &RunDir, metric: &str, places: &Places, series: &MetricSeries) -> ExportedCurve {
    ExportedCurve {
        run: run.name(),
        metric: metric.to_owned(),
        places: [XAxis::Steps, XAxis::Epochs, XAxis::Time].map(|axis| places.on(axis).to_vec()),
        series: series.clone(),
    }
}
