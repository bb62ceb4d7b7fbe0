//! A report as one HTML file that loads nothing from anywhere.

mod blocks;
mod checklist;
mod claim;
mod comparison;
mod data;
mod errors;
mod explanations;
mod groups;
mod learning;
mod limits;
mod page;
mod provenance;
mod recipe;
mod results;
mod tripod;
mod verdict;

use maud::{Markup, html};

use super::charts::{Chart, ChartFault};
use crate::analysis::report_facts::ReportFacts;

pub use page::GENERATOR;

/// A report as HTML, and the charts in it.
#[derive(Clone, Debug)]
pub struct ReportPage {
    pub html: String,
    pub charts: Vec<Chart>,
}

/// Writes a report.
pub fn report_page(facts: &ReportFacts) -> Result<ReportPage, ChartFault> {
    let mut charts = Vec::new();
    let mut sections = vec![verdict::section(facts), data::section(facts)];
    sections.extend(recipe::section(facts));
    sections.extend(learning::section(facts, &mut charts)?);
    sections.extend(results::section(facts, &mut charts)?);
    sections.extend(groups::section(facts));
    sections.extend(errors::section(facts));
    sections.push(explanations::section(facts));
    sections.extend(comparison::section(facts));
    sections.push(limits::section(facts));
    sections.push(provenance::section(facts));
    sections.push(checklist::section(facts));
    Ok(ReportPage { html: page::page(facts, &sections), charts })
}

/// A paragraph for each of some sentences.
fn paragraphs(sentences: &[String]) -> Markup {
    html! { @for sentence in sentences { p { (sentence) } } }
}
