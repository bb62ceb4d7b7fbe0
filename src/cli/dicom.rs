//! `mammoscope dicom`: the examination of one DICOM file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use super::console::{Console, Outcome, print_result};
use super::terminal_picture::{Graphics, PicturePrinter};
use crate::report::dicom_text::{DicomFacts, dicom_text};
use mammoscope_dicom::examination::Force;
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_dicom::header::view_and_side::name as projection_name;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::printable::printable;
use mammoscope_imaging::decoded_image::Samples;
use mammoscope_preprocessing::dicom_examination::{JudgedDicom, judge};
use mammoscope_preprocessing::output::{grey_record, png_of};
use mammoscope_preprocessing::picture::{OutputBits, letter};
use mammoscope_preprocessing::record::Decision;
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::regular_file::read_regular_file;

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// Examine a DICOM file: what it is, and what preprocessing would make of it
///
/// Prints the view and side with their sources, the encoding, the greyscale transformation that is taken, findings, and
/// the decision: accepted, or refused with the reason and what to do. The exit status is 1 if the file is refused. The
/// picture is drawn if stdout is a terminal. Names, ids and dates of persons appear only with --phi.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mammoscope dicom IM0001
  mammoscope dicom IM0001 --png rendering.png
  mammoscope dicom IM0001 --window 1           the second window of the file
  mammoscope dicom raw.dcm --force for-processing --png raw.png
  mammoscope dicom IM0001 --json               described in docs/file_formats.md")]
pub(super) struct DicomArguments {
    /// A DICOM file, with or without an extension
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the rendering, before any crop or fill, to this 8-bit PNG file
    #[arg(long, value_name = "OUT")]
    png: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Render although the file is refused: all, or one of not-mammography, for-processing, tomosynthesis (its first
    /// frame), view and laterality
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    force: Vec<Force>,
    /// Greyscale transformation: auto (lookup table, else first window, else range), a window's number from 0, lut or
    /// range
    #[arg(long, value_name = "N|lut|range", default_value = "auto")]
    window: GreyRequest,
    /// Also print the identifiers: file name, patient, study
    #[arg(long)]
    phi: bool,
}

pub(super) fn run(arguments: &DicomArguments, console: &Console) -> anyhow::Result<Outcome> {
    let bytes = match read_regular_file(&arguments.file, mammoscope_dicom::file::MAX_FILE_BYTES) {
        Ok(bytes) => bytes,
        // The path may name a person.
        Err(error) => return Err(anyhow!("the file cannot be read: {error}")),
    };
    let settings = Settings {
        bits: OutputBits::Eight,
        pectoral: PectoralTreatment::Keep,
        grey: arguments.window,
        source_range: GreyRange::Auto,
        force: arguments.force.clone(),
    };
    let judged = judge(bytes, &settings);
    let file = shown_file(&arguments.file, &judged, arguments.phi);
    if let (Some(out), Some(picture)) = (&arguments.png, &judged.picture) {
        write_atomically(out, &png_of(picture, OutputBits::Eight)).context("--png")?;
    }
    if arguments.json {
        print_result(&format!("{:#}\n", document(&file, &judged, arguments)))?;
    } else {
        let facts = DicomFacts { file: &file, judged: &judged, forced: judged.picture.is_some(), phi: arguments.phi };
        print_result(&dicom_text(&facts))?;
        draw(&judged, console)?;
    }
    if arguments.png.is_some() && judged.picture.is_none() {
        let force = judged.reason().and_then(mammoscope_dicom::examination::Fault::force);
        let hint = force.map(|kind| format!("; --force {kind} renders it all the same")).unwrap_or_default();
        console.error(&anyhow!("--png: nothing is written, the file is refused{hint}"));
    }
    Ok(if judged.picture.is_some() { Outcome::Done } else { Outcome::Failed })
}

/// Draws the picture if stdout is a terminal.
fn draw(judged: &JudgedDicom, console: &Console) -> anyhow::Result<()> {
    let Some(picture) = &judged.picture else { return Ok(()) };
    if let Some(mut printer) = PicturePrinter::new(Graphics::Auto, console) {
        let window = super::shown_window::ShownWindow::Whole;
        printer.print(Samples::Depth8(picture.grey.clone()), window, "").context("draw in the terminal")?;
        print_result("\n")?;
    }
    Ok(())
}

/// The file's name, without its folders, unless it contains something that identifies a person; the SHA-256 of nothing
/// else would be as short. Files without a readable header are named if their name has no letters that could be one.
fn shown_file(path: &Path, judged: &JudgedDicom, phi: bool) -> String {
    if phi {
        return printable(&path.to_string_lossy());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match &judged.examination.identity {
        Some(identity) if !identity.occurs_in(&name) => printable(&name),
        None if is_plain(&name) => printable(&name),
        _ => "(its name may identify a person; --phi shows it)".to_owned(),
    }
}

/// True for names of lower-case words and short numbers, as programs give them: `image-12.dcm`, not `SMITH_1947.dcm`.
fn is_plain(name: &str) -> bool {
    let is_short = |part: &str| part.len() < 6 || part.bytes().all(|letter| letter.is_ascii_lowercase());
    name.bytes().all(|letter| !letter.is_ascii_uppercase())
        && name.split(|letter: char| !letter.is_ascii_alphanumeric()).all(is_short)
}

fn document(file: &str, judged: &JudgedDicom, arguments: &DicomArguments) -> Value {
    let examination = &judged.examination;
    let layout = examination.layout;
    let mut document = json!({
        "schema": SCHEMA,
        "file": file,
        "decision": judged.decision(),
        "reason": judged.reason().map(ToString::to_string).or_else(|| warning(judged)),
        "view": examination.projection.map(|stated| projection_name(stated.value)),
        "view_source": examination.projection.map(|stated| stated.source),
        "laterality": judged.side.map(|stated| letter(stated.value)),
        "laterality_source": judged.side.map(|stated| stated.source),
        "modality": examination.modality,
        "photometric": layout.map(|layout| layout.photometric.name()),
        "bits_allocated": layout.map(|layout| layout.bits_allocated),
        "bits_stored": layout.map(|layout| layout.bits_stored),
        "rows": layout.map(|layout| layout.rows),
        "columns": layout.map(|layout| layout.columns),
        "transfer_syntax": examination.syntax.map(|syntax| syntax.uid),
        "grey": examination.transform.as_ref().map(|_| grey_record(judged)),
        "mirrored": judged.mirrored,
        "findings": examination.findings,
        "faults": examination.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "forced": judged.decision() == Decision::Refuse && judged.picture.is_some(),
    });
    if let (true, Some(identity)) = (arguments.phi, &examination.identity) {
        document["phi"] = json!({
            "patient_id": identity.patient_id(),
            "accession_number": identity.accession(),
            "study": identity.study(),
            "image": identity.image(),
        });
    }
    document
}

/// The finding that makes an acceptance one with a warning.
fn warning(judged: &JudgedDicom) -> Option<String> {
    judged.examination.findings.iter().find(|finding| finding.is_warning()).map(ToString::to_string)
}
