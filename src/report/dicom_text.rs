//! The examination of a DICOM file in plain words.

use std::fmt::Write as _;

use mammoscope_dicom::grey::choice::GreyTransform;
use mammoscope_dicom::header::view_and_side::name as projection_name;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_preprocessing::dicom_examination::JudgedDicom;
use mammoscope_preprocessing::picture::letter;
use mammoscope_preprocessing::record::Decision;

/// The width of the column of names.
const NAMES: usize = 12;

/// A judged file and its name.
pub struct DicomFacts<'a> {
    pub file: &'a str,
    pub judged: &'a JudgedDicom,
    /// True if the picture was rendered.
    pub forced: bool,
    /// True if identifiers are shown.
    pub phi: bool,
}

/// The examination in plain words, a fact a line; the decision comes first.
#[must_use]
pub fn dicom_text(facts: &DicomFacts<'_>) -> String {
    let DicomFacts { file, judged, forced, phi } = facts;
    let examination = &judged.examination;
    let mut text = format!("{file}\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<NAMES$}{value}");
    };
    line("decision", &decision(judged, *forced));
    for fault in examination.faults.iter().skip(1) {
        line("", &format!("also: {fault}"));
    }
    if let Some(stated) = examination.projection {
        line("view", &format!("{}, by {}", projection_name(stated.value), stated.source));
    }
    if let Some(stated) = judged.side {
        let by = if stated.source == "pixels" { "the pixels alone" } else { stated.source };
        line("side", &format!("{}, by {by}", letter(stated.value)));
    }
    if let Some(layout) = &examination.layout {
        let sign = if layout.signed { "signed" } else { "unsigned" };
        let black = match layout.photometric.name() {
            "MONOCHROME1" => "MONOCHROME1: large values are black, so it is inverted",
            _ => "MONOCHROME2: large values are white",
        };
        line(
            "pixels",
            &format!(
                "{} × {}, {} of {} bits used, {sign}",
                layout.columns, layout.rows, layout.bits_stored, layout.bits_allocated
            ),
        );
        line("", black);
        if layout.frames > 1 {
            line("", &format!("{} frames; only the first is rendered", layout.frames));
        }
    }
    if let Some(syntax) = &examination.syntax {
        line("encoding", &format!("{} ({})", syntax.name, syntax.uid));
    }
    if let Some(transform) = &examination.transform {
        line("greyscale", &greyscale(judged, transform));
    }
    let scanner: Vec<&str> =
        [&examination.manufacturer, &examination.model].into_iter().flatten().map(String::as_str).collect();
    if !scanner.is_empty() {
        line("scanner", &printable(&scanner.join(", ")));
    }
    if let (true, Some(identity)) = (phi, &examination.identity) {
        for (name, value) in
            [("patient", identity.patient_id()), ("study", identity.study()), ("image", identity.image())]
        {
            line(name, &printable(value.unwrap_or("not stated")));
        }
    }
    for (number, finding) in examination.findings.iter().enumerate() {
        line(if number == 0 { "findings" } else { "" }, &finding.to_string());
    }
    text
}

fn decision(judged: &JudgedDicom, rendered: bool) -> String {
    match (judged.decision(), judged.reason()) {
        (Decision::Accept, _) => "accepted".to_owned(),
        (Decision::AcceptWithWarning, _) => "accepted with a warning: see the findings".to_owned(),
        (Decision::Refuse, None) => "refused".to_owned(),
        (Decision::Refuse, Some(fault)) if rendered => format!("refused, but rendered on request: {fault}"),
        (Decision::Refuse, Some(fault)) => match fault.force() {
            Some(kind) => format!("refused: {fault} (--force {kind} overrides this)"),
            None => format!("refused: {fault}"),
        },
    }
}

fn greyscale(judged: &JudgedDicom, transform: &GreyTransform) -> String {
    let (tables, windows) = judged.examination.offered;
    let among = match (tables, windows) {
        (0, 0) => "the file has neither a lookup table nor a window that can be used".to_owned(),
        (0, 1) => "the only window".to_owned(),
        (1, 0) => "the only lookup table".to_owned(),
        (0, windows) => format!("one of {windows} windows"),
        (tables, 0) => format!("one of {tables} lookup tables"),
        (tables, windows) => {
            format!("the file has {} and {}", counted(tables, "lookup table"), counted(windows, "window"))
        }
    };
    match transform {
        GreyTransform::Table { index, table, explanation } => {
            let explained = explanation.as_ref().map(|text| format!(" '{}'", printable(text))).unwrap_or_default();
            format!("lookup table {index}{explained} of {} entries; {among}", table.len())
        }
        GreyTransform::Window { index, window } => format!(
            "window {index}: centre {}, width {}, {}; {among}",
            window.center,
            window.width,
            window.function.name()
        ),
        GreyTransform::Range => {
            let (low, high) = judged.range.unwrap_or_default();
            format!("the range of the values, {low} (black) to {high} (white); {among}")
        }
    }
}
