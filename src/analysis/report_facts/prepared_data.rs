//! What preprocessing did to the images of a data set.

use std::collections::BTreeMap;
use std::path::Path;

use mammoscope_preprocessing::manifest::{ManifestError, read_manifest};
use mammoscope_preprocessing::record::{Decision, PectoralState};

/// The counts of a preprocessing manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreparedData {
    pub sources: usize,
    pub written: usize,
    pub with_warning: usize,
    pub refused: usize,
    /// Sources by format, as in `DICOM`.
    pub formats: BTreeMap<String, usize>,
    /// Outputs by manufacturer and model of the scanner.
    pub scanners: BTreeMap<String, usize>,
    /// Outputs by what was done to the pectoral muscle.
    pub muscles: BTreeMap<&'static str, usize>,
    pub mirrored: usize,
    pub inverted: usize,
}

/// Counts the manifest of a data set; `None` if `mammoscope preprocess` did not make it.
pub fn prepared_data(root: &Path) -> Result<Option<PreparedData>, ManifestError> {
    let records = read_manifest(root)?;
    if records.is_empty() {
        return Ok(None);
    }
    let mut data = PreparedData::default();
    for record in records.values() {
        data.sources += 1;
        *data.formats.entry(record.source.format.clone()).or_default() += 1;
        match record.decision {
            Decision::Refuse => data.refused += 1,
            Decision::AcceptWithWarning => data.with_warning += 1,
            Decision::Accept => {}
        }
        if record.output.is_none() {
            continue;
        }
        data.written += 1;
        let parts = [record.scanner.manufacturer.as_deref(), record.scanner.model.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            *data.scanners.entry(parts.join(" ")).or_default() += 1;
        }
        let Some(steps) = &record.steps else { continue };
        data.mirrored += usize::from(steps.mirrored);
        data.inverted += usize::from(steps.inverted);
        let muscle = match steps.pectoral.state {
            PectoralState::AlreadyFilled => "was filled before",
            PectoralState::Filled => "filled",
            PectoralState::Kept => "kept on request",
            PectoralState::Uncertain => "left untouched, its edge being doubtful",
            PectoralState::None => "none",
        };
        *data.muscles.entry(muscle).or_default() += 1;
    }
    Ok(Some(data))
}
