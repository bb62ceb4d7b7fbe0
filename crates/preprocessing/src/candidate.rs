//! Candidates: sources with a subject, an examination and a view, before their pixels are prepared.

use std::fs;
use std::path::Path;

use mammoscope_dicom::examination::{Examination, Fault};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::SampleName;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use sha2::{Digest as _, Sha256};

use crate::dicom_examination::judge;
use crate::pseudonym::{PseudonymKey, is_pseudonym};
use crate::settings::Settings;
use crate::source::{Source, SourceFormat};

/// The most digits of a subject's number that is kept as it is; longer ones may be numbers of a hospital.
const MAX_NUMBER: usize = 6;

/// The longest source, in bytes.
const MAX_BYTES: u64 = mammoscope_dicom::file::MAX_FILE_BYTES;

/// A source with a subject, an examination and a view.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) source: Source,
    pub(crate) sha256: String,
    /// The subject in outputs: a keyed pseudonym, or a number that tells nothing.
    pub(crate) subject: String,
    /// The pseudonym of the study.
    pub(crate) study: String,
    /// The number of the examination, if the source's name states one.
    pub(crate) exam: Option<String>,
    pub(crate) study_time: String,
    pub(crate) view: View,
    pub(crate) class: Option<DensityClass>,
    /// The order among images of the same view.
    pub(crate) instance: i64,
}

/// The names under which a label table may have an image.
#[derive(Debug)]
pub struct LabelQuery<'a> {
    /// The path below the input folder.
    pub file: &'a Path,
    pub subjects: Vec<&'a str>,
    pub exams: Vec<&'a str>,
    pub view: View,
}

/// The class of an image in a label table.
pub type Labels<'a> = &'a (dyn Fn(&LabelQuery<'_>) -> Option<DensityClass> + Sync);

/// A source that was read, but is not a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsuitable {
    /// Empty if the file could not be read.
    pub(crate) sha256: String,
    pub(crate) reason: String,
    pub(crate) findings: Vec<String>,
    /// True for a DICOMDIR, which is skipped without a word.
    pub(crate) skipped: bool,
}

impl Unsuitable {
    pub(crate) fn new(sha256: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self { sha256: sha256.to_owned(), reason: reason.to_string(), findings: Vec::new(), skipped: false }
    }
}

/// The bytes of a source and their SHA-256.
pub(crate) fn read(source: &Source) -> Result<(Vec<u8>, String), Unsuitable> {
    if source.bytes > MAX_BYTES {
        let reason = format!(
            "is {} MB long, more than any single mammogram (tomosynthesis?); the limit is {} MB",
            source.bytes >> 20,
            MAX_BYTES >> 20
        );
        return Err(Unsuitable::new("", &reason));
    }
    let bytes = fs::read(&source.path).map_err(|error| Unsuitable::new("", &format!("cannot be read: {error}")))?;
    let sha256 = hexadecimal(&Sha256::digest(&bytes));
    Ok((bytes, sha256))
}

/// Identifies a source from its header or its name. A label table may also have the image under the number of the
/// examination, `known_exam`, that an earlier run gave it.
pub(crate) fn identify(
    source: &Source,
    key: &PseudonymKey,
    settings: &Settings,
    labels: Option<Labels<'_>>,
    known_exam: Option<&str>,
) -> Result<Candidate, Unsuitable> {
    let (bytes, sha256) = read(source)?;
    match source.format {
        SourceFormat::Dicom => {
            let labels = labels.map(|labels| {
                move |query: &LabelQuery<'_>| {
                    let exams = query.exams.iter().copied().chain(known_exam).collect();
                    labels(&LabelQuery { exams, subjects: query.subjects.clone(), ..*query })
                }
            });
            let labels = labels.as_ref().map(|labels| labels as Labels<'_>);
            of_dicom(source, bytes, sha256, key, settings, labels)
        }
        SourceFormat::Image(_) => of_image(source, sha256, key, labels),
    }
}

fn of_dicom(
    source: &Source,
    bytes: Vec<u8>,
    sha256: String,
    key: &PseudonymKey,
    settings: &Settings,
    labels: Option<Labels<'_>>,
) -> Result<Candidate, Unsuitable> {
    let header = Examination::of_header(bytes);
    let refused = |examination: &Examination| {
        let fault = examination.faults.iter().find(|fault| !fault.force().is_some_and(|kind| settings.forces(kind)));
        let fault = fault.or(examination.faults.first());
        Unsuitable {
            sha256: sha256.clone(),
            reason: fault.map(ToString::to_string).unwrap_or_default(),
            findings: examination.findings.iter().map(ToString::to_string).collect(),
            skipped: fault.is_some_and(Fault::is_directory),
        }
    };
    if !header.is_accepted(&settings.force) {
        return Err(refused(&header));
    }
    let no_view =
        || Unsuitable::new(&sha256, "no standard view: without one there is no network for it, --force or not");
    let projection = header.projection.ok_or_else(no_view)?.value;
    let side = if let Some(side) = header.side {
        side.value
    } else {
        // Rare: the side is in the pixels only.
        let judged = judge(read(source)?.0, settings);
        if !judged.examination.is_accepted(&settings.force) {
            return Err(refused(&judged.examination));
        }
        judged.side.ok_or_else(no_view)?.value
    };
    let view = View::of(projection, side);
    let identity = header.identity.as_ref().expect("a header that was accepted has an identity");
    // A file without any patient is one of its own, rather than another woman's.
    let subject = key.subject(identity.patient().unwrap_or(&sha256));
    let study = key.study(&format!("{subject}\u{1f}{}", identity.study().unwrap_or_default()));
    let subjects = [identity.patient_id(), Some(subject.as_str())].into_iter().flatten().collect();
    let exams = [identity.accession(), identity.study()].into_iter().flatten().collect();
    let query = LabelQuery { file: &source.relative, subjects, exams, view };
    let class = labels.and_then(|labels| labels(&query));
    Ok(Candidate {
        source: source.clone(),
        sha256,
        class,
        study,
        exam: None,
        study_time: identity.study_time().to_owned(),
        view,
        instance: header.instance.unwrap_or(i64::MAX),
        subject,
    })
}

fn of_image(
    source: &Source,
    sha256: String,
    key: &PseudonymKey,
    labels: Option<Labels<'_>>,
) -> Result<Candidate, Unsuitable> {
    let stem = source.relative.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = SampleName::parse(&stem);
    let folders = || {
        let parents = source.relative.parent().into_iter().flat_map(Path::components);
        parents.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let by_folder = || folders().iter().find_map(|folder| folder.parse::<View>().ok());
    let view = name.as_ref().map(|name| name.view).or_else(by_folder).ok_or_else(|| {
        Unsuitable::new(
            &sha256,
            "no view: neither its name (<subject>_<exam>_<class>_<view>) nor a folder (CC_R, CC_L, MLO_R, MLO_L) has one",
        )
    })?;
    let class_of_folder = || folders().iter().find_map(|folder| folder.parse::<DensityClass>().ok());
    let stated = name.as_ref().and_then(|name| name.class).or_else(class_of_folder);
    let (patient, exam) = match &name {
        Some(name) => (name.subject.0.clone(), name.exam.0.clone()),
        None => (stem, "1".to_owned()),
    };
    let subject = kept_or_keyed(&patient, key);
    let exam = is_short_number(&exam).then_some(exam);
    let study = key.study(&format!("{subject}\u{1f}{}", exam.as_deref().unwrap_or_default()));
    let exams = exam.iter().map(String::as_str).collect();
    let query = LabelQuery { file: &source.relative, subjects: vec![&patient, &subject], exams, view };
    let class = labels.and_then(|labels| labels(&query)).or(stated);
    let instance = name.map_or(1, |name| i64::from(name.acquisition));
    Ok(Candidate {
        source: source.clone(),
        sha256,
        class,
        study,
        exam,
        study_time: String::new(),
        view,
        instance,
        subject,
    })
}

/// A subject's id that tells nothing, kept as it is, or its pseudonym.
fn kept_or_keyed(patient: &str, key: &PseudonymKey) -> String {
    if is_short_number(patient) || is_pseudonym(patient) { patient.to_owned() } else { key.subject(patient) }
}

fn is_short_number(text: &str) -> bool {
    (1..=MAX_NUMBER).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
}
