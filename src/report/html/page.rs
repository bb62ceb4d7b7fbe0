//! The frame of a report: head, title, contents and sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::analysis::report_facts::ReportFacts;
use crate::report::charts::{Chart, DARK_RULES};

/// The mark by which a report is recognised, so that only reports are overwritten.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"mammoscope report\">";

const STYLE: &str = include_str!("style.css");

/// A section of the page.
pub(super) struct Section {
    /// Its address within the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) body: Markup,
}

impl Section {
    pub(super) const fn new(id: &'static str, title: &'static str, body: Markup) -> Self {
        Self { id, title, body }
    }
}

pub(super) fn page(facts: &ReportFacts, sections: &[Section]) -> String {
    let so_far = if facts.so_far.is_some() { ", so far" } else { "" };
    let title = format!("Breast density report{so_far}: {}", facts.name);
    let style = format!("{STYLE}\n@media (prefers-color-scheme: dark) {{ @media screen {{\n{DARK_RULES}\n}} }}\n");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                (PreEscaped(GENERATOR))
                // Nothing is ever loaded, whatever a name in the report contains.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.byline {
                        "mammoscope " (facts.version) ", " (facts.made.format("%-d %B %Y, %H:%M")) " UTC"
                    }
                    @if let Some(reason) = &facts.so_far {
                        p.banner { strong { "A report so far. " } (reason) }
                    }
                    @if facts.synthetic {
                        p.banner {
                            strong { "Synthetic images. " }
                            "The images are phantoms: the figures show that the program works, and nothing about mammograms."
                        }
                    }
                    nav aria-label="Contents" {
                        ol { @for section in sections { li { a href=(format!("#{}", section.id)) { (section.title) } } } }
                    }
                }
                main {
                    @for section in sections {
                        section id=(section.id) { h2 { (section.title) } (section.body) }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// A chart with its caption; screen readers get its description.
pub(super) fn figure(chart: &Chart, caption: &str) -> Markup {
    let label = html! { (chart.description) }.into_string();
    let svg = chart.svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1);
    html! {
        figure.chart {
            (PreEscaped(svg))
            figcaption { (caption) }
        }
    }
}
