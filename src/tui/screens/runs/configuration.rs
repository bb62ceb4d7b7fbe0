//! The configuration in the information pane: the keys that differ from the preset and the provenance of a run, or the
//! keys in which several runs differ.

use super::RunsScreen;
use super::charts_view::LETTERS;
use super::info_pane::InfoLine;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::title;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{padded, width};
use mammoscope_domain::run::run_records::{TrainerFacts, TrainingSetup};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::config_keys::{ConfigKey, KEYS};
use mammoscope_domain::training::preset::Preset;

/// The width of the names of keys.
const KEY_CELLS: usize = 18;
/// The digits shown of a hash.
const HASH_DIGITS: usize = 16;

impl RunsScreen {
    /// The lines of the pane.
    pub(super) fn configuration_lines(&self, shared: &SharedState) -> Vec<InfoLine> {
        let mut runs = self.drawn_runs();
        runs.sort_by_key(|run| self.series_of(run));
        let rows: Vec<&RunRow> =
            runs.iter().filter_map(|run| Some(&shared.runs.rows[shared.runs.position(run)?])).collect();
        match rows[..] {
            [] => Vec::new(),
            [row] => self.configuration_of(row, shared),
            _ => self.differences(&rows, shared),
        }
    }

    fn configuration_of(&self, row: &RunRow, shared: &SharedState) -> Vec<InfoLine> {
        let theme = &shared.theme;
        let fact = |name: &str, value: String| InfoLine::fact(name, &printable(&value), theme.text());
        let Some(spec) = row.spec.as_deref() else {
            return vec![InfoLine::fact("run.toml", "cannot be read", theme.warning())];
        };
        let mut lines = vec![InfoLine::heading("keys that differ from the preset", theme)];
        lines.extend(changed_keys(spec).into_iter().map(|(key, text)| fact(key, text)));
        if lines.len() == 1 {
            lines.push(fact("", format!("none: exactly {}", spec.preset)));
        }
        let summary = self.selected_curves().and_then(|curves| curves.summary.as_deref());
        if let Some(changes) = summary.map(|summary| &summary.changes).filter(|changes| !changes.is_empty()) {
            lines.push(InfoLine::heading("changed since the run began", theme));
            lines.extend(changes.iter().map(|change| fact(&change.key, format!("{} → {}", change.from, change.to))));
        }
        lines.push(InfoLine::heading("provenance", theme));
        lines.push(fact("data", printable_path(&spec.data)));
        if let Some(moved) = summary.and_then(|summary| summary.moves.last()) {
            lines.push(fact("moved from", printable_path(&moved.from)));
        }
        if let Some(hashes) = self.selected_curves().and_then(|curves| curves.hashes.as_ref()) {
            let short = |hash: &str| hash.get(..HASH_DIGITS).unwrap_or(hash).to_owned();
            lines.push(fact("dataset.json", format!("SHA-256 {}…", short(&hashes.dataset))));
            lines.push(fact("run.toml", format!("SHA-256 {}…", short(&hashes.spec))));
        }
        if let Some(TrainerFacts { pid, host, version, slurm }) = summary.and_then(|summary| summary.trainer.as_ref()) {
            lines.push(fact("version", version.clone()));
            lines.push(fact("host", format!("{host}, process {pid}")));
            lines.extend(slurm.as_ref().map(|slurm| fact("Slurm job", slurm.job.clone())));
        }
        let asked = format!("{} requested", spec.device);
        lines.push(match summary.and_then(|summary| summary.setup.as_ref()) {
            Some(TrainingSetup { device, precision, threads, .. }) => {
                fact("device", format!("{device}, {precision}, {} ({asked})", counted(*threads, "thread")))
            }
            None => fact("device", asked),
        });
        lines.extend(spec.placement.as_ref().map(|placement| fact("jobs", placement.jobs.to_string())));
        lines.push(fact("seed", spec.config.seed.to_string()));
        lines.push(fact("created", spec.created.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)));
        lines.push(fact("folder", row.run.name()));
        if let Some(labels) = &row.labels {
            lines.extend((!labels.note.is_empty()).then(|| fact("note", labels.note.clone())));
        }
        lines
    }

    /// The keys in which runs differ, with a column for each run.
    fn differences(&self, rows: &[&RunRow], shared: &SharedState) -> Vec<InfoLine> {
        let theme = &shared.theme;
        let specs: Vec<Option<&RunSpec>> = rows.iter().map(|row| row.spec.as_deref()).collect();
        let mut table: Vec<(&str, Vec<String>)> = vec![
            ("", rows.iter().map(|row| format!("{} {}", LETTERS[self.series_of(&row.run)], title(row))).collect()),
            ("view", specs.iter().map(|spec| of_spec(*spec, |spec| spec.view.to_string())).collect()),
            ("preset", specs.iter().map(|spec| of_spec(*spec, |spec| printable(&spec.preset))).collect()),
            ("data", specs.iter().map(|spec| of_spec(*spec, |spec| printable_path(&spec.data))).collect()),
        ];
        let of_key = |key: &ConfigKey| {
            specs.iter().map(|spec| of_spec(*spec, |spec| key.value(&spec.config).to_string())).collect()
        };
        table.extend(KEYS.iter().map(|key| (key.name, of_key(key))));
        table.retain(|(name, values)| name.is_empty() || values.iter().any(|value| *value != values[0]));
        let cells = table.iter().flat_map(|(_, values)| values.iter().map(|value| width(value))).max().unwrap_or(0);
        let line = |(name, values): &(&str, Vec<String>)| {
            let values = values.iter().map(|value| padded(value, cells.min(24))).collect::<Vec<_>>().join("  ");
            InfoLine::fact(name, &values, if name.is_empty() { theme.dim() } else { theme.text() })
        };
        let mut lines: Vec<InfoLine> = table.iter().map(line).collect();
        if lines.len() == 1 {
            lines.push(InfoLine::fact("", "the same configuration", theme.text()));
        }
        lines
    }
}

/// The keys that differ from the preset, each with its value and that of the preset.
pub(super) fn changed_keys(spec: &RunSpec) -> Vec<(&'static str, String)> {
    let Ok(preset) = Preset::named(&spec.preset) else {
        // A preset of the user's own: it may have changed since, so every key counts.
        return KEYS.iter().map(|key| (key.name, key.value(&spec.config).to_string())).collect();
    };
    let differs = |key: &&ConfigKey| key.value(&spec.config) != key.value(&preset.config);
    let text = |key: &ConfigKey| {
        format!("{}   preset: {}", padded(&key.value(&spec.config).to_string(), 10), key.value(&preset.config))
    };
    KEYS.iter().filter(differs).map(|key| (key.name, text(key))).collect()
}

fn of_spec(spec: Option<&RunSpec>, text: impl Fn(&RunSpec) -> String) -> String {
    spec.map_or_else(|| "?".to_owned(), text)
}

/// A name in front of its value.
pub(super) fn named(name: &str, value: &str) -> String {
    format!("{} {value}", padded(name, KEY_CELLS))
}
