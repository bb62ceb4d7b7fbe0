//! The comparison with another network on the same cases.

use maud::html;

use super::blocks::blocks;
use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use crate::report::comparison_table::comparison_blocks;

pub(super) fn section(facts: &ReportFacts) -> Option<Section> {
    let predictions = facts.predictions.as_ref()?;
    let comparison = predictions.comparison.as_ref()?;
    let main = predictions.main_set()?;
    let sets: Vec<_> = comparison.sets.iter().filter(|compared| compared.name == main.set.name).cloned().collect();
    let sets = if sets.is_empty() { comparison.sets.clone() } else { sets };
    let tables = comparison_blocks(&sets, "the other network", predictions.bootstrap);
    let body = html! {
        p { "The other network's predictions of the same cases, paired by subject, examination and view." }
        (blocks(&tables))
    };
    Some(Section::new("comparison", "Comparison with another network", body))
}
