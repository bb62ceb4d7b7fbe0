//! An audit as plain text for 80 columns: findings, counts and baseline.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::tables::three_decimals;
use super::wrapped::wrapped;
use mammoscope_dataset::audit::finding::{Finding, FindingCode, Severity};
use mammoscope_dataset::audit::{AuditBaseline, AuditReport, BaselineMethod, BaselineScores};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::{printable, printable_path};

const COLUMNS: usize = 80;
/// The most files listed for a finding; the rest are counted.
const FILES: usize = 4;
/// The most findings of one kind; the rest are counted.
const SAME_KIND: usize = 5;
/// The key of images whose view, class or split is unknown.
const UNKNOWN: &str = "none";

/// The whole text; `root` is named in the first line, and severities are coloured on request.
#[must_use]
pub fn audit_text(report: &AuditReport, root: &Path, color: bool) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "{}: {} of {}, {}, {}\n",
        printable_path(root),
        counted_grouped(counts.files, "image"),
        counted_grouped(counts.subjects, "subject"),
        counted_grouped(counts.errors, "error"),
        counted_grouped(counts.warnings, "warning")
    );
    let mut shown: BTreeMap<(Severity, FindingCode), usize> = BTreeMap::new();
    for finding in &report.findings {
        *shown.entry((finding.severity, finding.code)).or_default() += 1;
    }
    let mut seen = 0;
    for (at, finding) in report.findings.iter().enumerate() {
        let kind = (finding.severity, finding.code);
        let is_new = at == 0 || (report.findings[at - 1].severity, report.findings[at - 1].code) != kind;
        seen = if is_new { 1 } else { seen + 1 };
        if seen <= SAME_KIND {
            text.push_str(&finding_text(finding, color));
        } else if seen == shown[&kind] {
            let more = grouped(seen - SAME_KIND);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "\n{} {}: {more} more, listed with --json",
                finding.severity.name(),
                finding.code.name()
            );
        }
    }
    if report.findings.is_empty() {
        text.push_str("\nnothing found\n");
    }
    if counts.files > 0 {
        text.push_str(&counts_text(report));
    }
    if let Some(baseline) = &report.baseline {
        text.push_str(&baseline_text(baseline));
    }
    text
}

fn counted_grouped(count: usize, noun: &str) -> String {
    counted(count, noun).replacen(&count.to_string(), &grouped(count), 1)
}

fn finding_text(finding: &Finding, color: bool) -> String {
    let severity = finding.severity.name();
    let severity = match (color, finding.severity) {
        (false, _) => severity.to_owned(),
        (true, Severity::Error) => format!("\x1b[1;31m{severity}\x1b[0m"),
        (true, Severity::Warning) => format!("\x1b[1;33m{severity}\x1b[0m"),
    };
    let mut text = format!("\n{severity} {}\n", finding.code.name());
    let mut paragraph = |content: &str| {
        for line in wrapped(content, COLUMNS - 4) {
            let _ = writeln!(text, "    {line}");
        }
    };
    paragraph(&finding.message);
    // One more is as short as "and 1 more".
    let listed = if finding.files.len() == FILES + 1 { FILES + 1 } else { FILES };
    for file in finding.files.iter().take(listed) {
        let _ = writeln!(text, "      {}", printable(file));
    }
    if finding.files.len() > listed {
        let _ = writeln!(text, "      and {} more", grouped(finding.files.len() - listed));
    }
    for (at, line) in wrapped(&finding.fix, COLUMNS - 6).iter().enumerate() {
        let _ = writeln!(text, "    {} {line}", if at == 0 { "→" } else { " " });
    }
    text
}

/// Images by class, one line per view and split.
fn counts_text(report: &AuditReport) -> String {
    let counts = &report.counts;
    let unlabelled = counts.by_class.get(UNKNOWN).copied().unwrap_or(0);
    let classes: Vec<&str> =
        DensityClass::ALL.iter().map(|class| class.letter()).chain((unlabelled > 0).then_some(UNKNOWN)).collect();
    let row = |title: &str, by_class: &BTreeMap<String, usize>, text: &mut String| {
        let _ = write!(text, "{title:<12}");
        for class in &classes {
            let _ = write!(text, "{:>10}", grouped(by_class.get(*class).copied().unwrap_or(0)));
        }
        let _ = writeln!(text, "{:>10}", grouped(by_class.values().sum()));
    };
    let mut text = format!("\n{:<12}", "images");
    for class in &classes {
        let _ = write!(text, "{class:>10}");
    }
    text.push_str("       all\n");
    let views = View::ALL.iter().map(|view| view.name()).chain([UNKNOWN]);
    for view in views {
        if let Some(by_class) = counts.by_view_and_class.get(view) {
            row(if view == UNKNOWN { "no view" } else { view }, by_class, &mut text);
        }
    }
    let has_splits = counts.by_split.keys().any(|split| split != UNKNOWN);
    for split in Split::ALL.iter().map(|split| split.name()).chain([UNKNOWN]) {
        if let Some(by_class) = counts.by_split_and_class.get(split).filter(|_| has_splits) {
            row(if split == UNKNOWN { "no split" } else { split }, by_class, &mut text);
        }
    }
    if !counts.by_pectoral.is_empty() {
        let states: Vec<String> =
            counts.by_pectoral.iter().map(|(state, count)| format!("{state} {}", grouped(*count))).collect();
        let _ = writeln!(text, "pectoral muscle in MLO views: {}", states.join(", "));
    }
    text
}

fn baseline_text(baseline: &AuditBaseline) -> String {
    let method = match baseline.method {
        BaselineMethod::HeldOut => "fitted to train, measured on the other splits",
        BaselineMethod::CrossValidation => "five-fold cross-validation by subject",
    };
    let mut text = format!(
        "\nOne-feature baseline: {}\n{method}\n{:<12}{:>10}{:>10}{:>16}{:>12}\n",
        baseline.feature, "view", "n", "accuracy", "majority class", "linear κ"
    );
    let mut row = |name: &str, scores: &BaselineScores| {
        let _ = writeln!(
            text,
            "{name:<12}{:>10}{:>10}{:>16}{:>12}",
            grouped(scores.n as usize),
            three_decimals(Some(scores.accuracy)),
            three_decimals(Some(scores.majority_accuracy)),
            three_decimals(scores.kappa_linear)
        );
    };
    for (view, scores) in &baseline.views {
        row(view.name(), scores);
    }
    row("all", &baseline.all);
    text
}
