//! The recipe of a training: what differs from its preset, and every setting.

use std::collections::BTreeSet;

use maud::html;

use super::blocks::plain_table;
use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::config_keys::KEYS;
use mammoscope_domain::training::preset::Preset;

pub(super) fn section(facts: &ReportFacts) -> Option<Section> {
    let specs: Vec<&RunSpec> = facts.runs.iter().map(|run| &run.spec).collect();
    let first = *specs.first()?;
    let presets: BTreeSet<String> = specs.iter().map(|spec| printable(&spec.preset)).collect();
    let preset = (presets.len() == 1).then(|| Preset::named(&first.preset).ok()).flatten();
    let differing: Vec<Vec<String>> = KEYS
        .iter()
        .filter_map(|key| {
            let of_preset = key.value(&preset.as_ref()?.config);
            let values: BTreeSet<String> = specs.iter().map(|spec| key.value(&spec.config).to_string()).collect();
            let differs = specs.iter().any(|spec| key.value(&spec.config) != of_preset);
            let values = values.into_iter().collect::<Vec<_>>().join(", ");
            differs.then(|| vec![key.name.to_owned(), of_preset.to_string(), values, key.meaning.to_owned()])
        })
        .collect();
    let settings: Vec<String> = KEYS
        .iter()
        .map(|key| {
            let values: BTreeSet<String> = specs.iter().map(|spec| key.value(&spec.config).to_string()).collect();
            let unit = if key.unit.is_empty() { String::new() } else { format!(" ({})", key.unit) };
            format!("{} = {}{unit}", key.name, values.into_iter().collect::<Vec<_>>().join(" | "))
        })
        .collect();
    let parameters = NetworkPlan::new(first.config.width).parameter_count();
    let body = html! {
        p {
            "One residual convolutional network a view, with " (grouped(parameters)) " parameters, on images of "
            (first.config.size) " × " (first.config.size) " pixels. Preset: " (presets.into_iter().collect::<Vec<_>>().join(", "))
            @if let Some(preset) = &preset { " (" (preset.description) ")" } "."
        }
        @match (&preset, differing.is_empty()) {
            (Some(_), true) => { p { "Nothing differs from the preset." } },
            (Some(_), false) => (plain_table("Settings that differ from the preset", &["setting", "preset", "here", "meaning"], 9, &differing)),
            (None, _) => { p { "The preset is not built in, so every setting is listed." } },
        }
        @let changes = changes(facts);
        @if !changes.is_empty() { h3 { "Changed while training" } ul { @for change in &changes { li { (change) } } } }
        h3 { "Every setting" }
        ul.settings { @for setting in &settings { li { code { (setting) } } } }
    };
    Some(Section::new("recipe", "Recipe", body))
}

/// The settings that were changed after a run began.
fn changes(facts: &ReportFacts) -> Vec<String> {
    let of_run = facts.runs.iter().flat_map(|run| {
        run.summary
            .changes
            .iter()
            .map(|change| format!("{}: {}", facts.short_name(run), printable(&change.record.to_string())))
    });
    of_run.collect()
}
