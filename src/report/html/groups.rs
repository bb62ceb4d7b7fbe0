//! Figures for each scanner, site or other value of a column.

use maud::html;

use super::blocks::plain_table;
use super::page::Section;
use crate::analysis::report_facts::ReportFacts;
use crate::report::tables::{interval_text, three_decimals};

pub(super) fn section(facts: &ReportFacts) -> Option<Section> {
    if facts.groups.is_empty() {
        return None;
    }
    let tables = facts.groups.iter().map(|figures| {
        let rows: Vec<Vec<String>> = figures
            .groups
            .iter()
            .map(|group| {
                vec![
                    group.value.clone(),
                    group.n.to_string(),
                    group.subjects.to_string(),
                    three_decimals(group.accuracy),
                    three_decimals(group.kappa_linear),
                    interval_text(group.interval),
                    three_decimals(group.auc_dense),
                ]
            })
            .collect();
        let set = figures.groups.first().map_or("", |group| group.set);
        let caption = format!("By {} ({set})", figures.column);
        let titles = [figures.column.as_str(), "n", "subjects", "accuracy", "lin. κ", "95 % interval", "AUC dense"];
        plain_table(&caption, &titles, 1, &rows)
    });
    let tables: Vec<_> = tables.collect();
    let body = html! {
        p { "Differences between groups can have many reasons: their classes, their ages and their readers differ too." }
        @for table in &tables { (table) }
    };
    Some(Section::new("groups", "Scanners, sites and other groups", body))
}
