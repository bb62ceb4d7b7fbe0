//! Where the figures come from: hashes of data and weights, versions, machines, and the commands that repeat them.

use std::collections::BTreeSet;

use maud::html;

use super::blocks::plain_table;
use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

pub(super) fn section(facts: &ReportFacts) -> Section {
    let dash = || "–".to_owned();
    let rows: Vec<Vec<String>> = facts
        .runs
        .iter()
        .map(|run| {
            let trainer = run.summary.trainer.as_ref();
            let setup = run.summary.setup.as_ref();
            vec![
                run.name.clone(),
                run.spec.created.format("%Y-%m-%d %H:%M").to_string(),
                trainer.map_or_else(dash, |trainer| printable(&trainer.version)),
                trainer.map_or_else(dash, |trainer| printable(&trainer.host)),
                setup.map_or_else(dash, |setup| format!("{}, {}", printable(&setup.device), setup.precision)),
                run.spec.config.seed.to_string(),
            ]
        })
        .collect();
    let hashes: Vec<(String, String)> = facts
        .runs
        .iter()
        .flat_map(|run| {
            let name = facts.short_name(run);
            let data = run.manifest.as_ref().map(|manifest| (format!("images of {name}"), manifest.fingerprint()));
            let weights = run.weights.clone().map(|hash| (format!("weights of {name}"), hash));
            [weights, data]
        })
        .flatten()
        .collect();
    let tables = facts.predictions.as_ref().map_or(&[][..], |predictions| &predictions.tables);
    let resumed: BTreeSet<String> = facts
        .runs
        .iter()
        .filter(|run| !run.summary.warnings.is_empty())
        .map(|run| format!("{}: {}", facts.short_name(run), counted(run.summary.warnings.len(), "warning")))
        .collect();
    let body = html! {
        p {
            "Made by mammoscope " (facts.version) " on " (facts.made.format("%Y-%m-%d %H:%M:%S")) " UTC. Its figures are computed from \
             the predictions by this version; intervals are bootstrapped over subjects with a fixed seed, so a repetition gives the \
             same report except for this date."
        }
        @if !rows.is_empty() {
            (plain_table("Runs", &["run", "begun (UTC)", "version", "host", "device", "seed"], 9, &rows))
        }
        @if !resumed.is_empty() {
            p { "Warnings of the trainers: " (resumed.into_iter().collect::<Vec<_>>().join(", ")) "; mammoscope status lists them." }
        }
        @if !hashes.is_empty() || !tables.is_empty() {
            h3 { "SHA-256" }
            ul {
                @for (what, hash) in &hashes { li { (what) ": " code.hash { (hash) } } }
                @for (table, hash) in tables { li { (table) ": " code.hash { (hash) } } }
            }
            p.note { "The hash of the images is over view, file names, subjects, classes, splits and pixels." }
        }
        h3 { "Commands that repeat this" }
        pre tabindex="0" { (facts.commands.join("\n")) }
    };
    Section::new("provenance", "Provenance", body)
}
