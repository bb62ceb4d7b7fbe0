//! The identity of patient, study and image, and the words that would give it away.

use crate::file::data_set::DataSet;
use crate::file::tag::{self, Tag};

/// Attributes that identify a person, or an examination of one.
const IDENTIFYING: [Tag; 12] = [
    tag::PATIENT_NAME,
    tag::PATIENT_ID,
    tag::OTHER_PATIENT_IDS,
    tag::PATIENT_BIRTH_DATE,
    tag::ACCESSION_NUMBER,
    tag::INSTITUTION_NAME,
    tag::REFERRING_PHYSICIAN_NAME,
    tag::OPERATORS_NAME,
    tag::STUDY_INSTANCE_UID,
    tag::SOP_INSTANCE_UID,
    tag::STUDY_DATE,
    tag::ACQUISITION_DATE,
];

/// The shortest word that can identify a person in a file's name.
const MIN_WORD: usize = 3;

/// The identity of patient, study and image. It has no `Debug`, so that it cannot end up in a message or a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Patient ID with its issuer, or name and birth date where there is no id; `None` if the file has neither.
    patient: Option<String>,
    /// Study Instance UID, or date and accession number where there is none.
    study: Option<String>,
    /// SOP Instance UID.
    image: Option<String>,
    patient_id: Option<String>,
    accession: Option<String>,
    /// Date and time of the study, by which the examinations of a patient are numbered.
    study_time: String,
    words: Vec<String>,
}

impl Identity {
    #[must_use]
    pub fn of(header: &DataSet<'_>) -> Self {
        let text = |tag| header.text(tag);
        let joined = |tags: &[Tag]| {
            let parts: Vec<String> = tags.iter().filter_map(|&tag| text(tag)).collect();
            (!parts.is_empty()).then(|| parts.join("\u{1f}"))
        };
        let patient = match text(tag::PATIENT_ID) {
            Some(_) => joined(&[tag::PATIENT_ID, tag::ISSUER_OF_PATIENT_ID]),
            None => joined(&[tag::PATIENT_NAME, tag::PATIENT_BIRTH_DATE]),
        };
        let study = text(tag::STUDY_INSTANCE_UID).or_else(|| joined(&[tag::STUDY_DATE, tag::ACCESSION_NUMBER]));
        let study_time = joined(&[tag::STUDY_DATE, tag::STUDY_TIME]).unwrap_or_default();
        let mut words: Vec<String> = IDENTIFYING
            .into_iter()
            .filter_map(text)
            .flat_map(|text| {
                let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').map(str::to_owned);
                parts.chain([text.clone()]).collect::<Vec<_>>()
            })
            .filter(|word| word.len() >= MIN_WORD)
            .map(|word| word.to_ascii_lowercase())
            .collect();
        words.sort_unstable();
        words.dedup();
        Self {
            patient,
            study,
            image: text(tag::SOP_INSTANCE_UID),
            patient_id: text(tag::PATIENT_ID),
            accession: text(tag::ACCESSION_NUMBER),
            study_time,
            words,
        }
    }

    #[must_use]
    pub fn patient(&self) -> Option<&str> {
        self.patient.as_deref()
    }

    #[must_use]
    pub fn study(&self) -> Option<&str> {
        self.study.as_deref()
    }

    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The patient's id as written, by which label tables may name her.
    #[must_use]
    pub fn patient_id(&self) -> Option<&str> {
        self.patient_id.as_deref()
    }

    /// The accession number as written, by which label tables may name an examination.
    #[must_use]
    pub fn accession(&self) -> Option<&str> {
        self.accession.as_deref()
    }

    #[must_use]
    pub fn study_time(&self) -> &str {
        &self.study_time
    }

    /// True if a text contains one of the identifying words.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.words.iter().any(|word| text.contains(word))
    }
}
