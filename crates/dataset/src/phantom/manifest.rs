//! `phantom.json`: the contents of a phantom's folder and their ground truth.

use serde::{Deserialize, Serialize};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;

use super::{GENERATOR_VERSION, PhantomSettings, PhantomSubject};

/// The disclaimer in every phantom.
pub const NOTICE: &str = "synthetic, not for clinical use";

/// The contents of `phantom.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhantomManifest {
    /// Version of this file format.
    pub schema: u32,
    /// [`NOTICE`].
    pub notice: String,
    /// [`GENERATOR_VERSION`] of the program that generated the images.
    pub generator_version: u32,
    #[serde(flatten)]
    pub settings: PhantomSettings,
    /// Number of subjects requested.
    pub subjects_requested: u32,
    /// True if all requested subjects exist.
    pub complete: bool,
    /// The existing subjects, ordered by number.
    pub subjects: Vec<SubjectRecord>,
}

/// One subject of a phantom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Number of the subject, from 1.
    pub subject: u32,
    /// Class of the folder that contains her images.
    pub label: DensityClass,
    /// Class from which her density was drawn.
    pub drawn_from: DensityClass,
    /// Her density before the variation between views: dense share of the breast's area, per cent.
    pub percent_density: f64,
    pub views: Vec<ViewRecord>,
}

/// One view of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    pub view: View,
    /// Density measured in the view's masks, per cent.
    pub percent_density: f64,
}

impl PhantomManifest {
    pub const FILE_NAME: &str = "phantom.json";
    /// Version of the format that this program writes.
    pub const SCHEMA: u32 = 1;

    /// The manifest of a phantom of which `subjects` exist.
    #[must_use]
    pub fn new(settings: PhantomSettings, subjects_requested: u32, mut subjects: Vec<SubjectRecord>) -> Self {
        subjects.sort_by_key(|record| record.subject);
        Self {
            schema: Self::SCHEMA,
            notice: NOTICE.to_owned(),
            generator_version: GENERATOR_VERSION,
            settings,
            subjects_requested,
            complete: subjects.len() == subjects_requested as usize,
            subjects,
        }
    }

    /// The reason why this phantom cannot be extended to `subjects` subjects with these settings; `None` if it can.
    #[must_use]
    pub fn difference(&self, settings: PhantomSettings, subjects: u32) -> Option<String> {
        let mine = self.settings;
        let yes_no = |flag| if flag { "with" } else { "without" };
        if (self.schema, self.generator_version) != (Self::SCHEMA, GENERATOR_VERSION) {
            Some(format!("was made by generator version {}, not {GENERATOR_VERSION}", self.generator_version))
        } else if mine.seed != settings.seed {
            Some(format!("has the seed {}, not {}", mine.seed, settings.seed))
        } else if mine.size != settings.size {
            Some(format!("has images of {} pixels, not {}", mine.size, settings.size))
        } else if mine.overlap != settings.overlap {
            Some(format!("was made {} --overlap", yes_no(mine.overlap)))
        } else if mine.confounder != settings.confounder {
            Some(format!("was made {} --confounder", yes_no(mine.confounder)))
        } else if self.subjects_requested > subjects {
            Some(format!("has {} subjects, more than {subjects}", self.subjects_requested))
        } else {
            None
        }
    }
}

impl SubjectRecord {
    /// The record of a subject whose views have been measured.
    #[must_use]
    pub fn new(subject: &PhantomSubject, views: Vec<ViewRecord>) -> Self {
        Self {
            subject: subject.number,
            label: subject.label,
            drawn_from: subject.drawn_from,
            percent_density: rounded(subject.percent_density),
            views,
        }
    }
}

impl ViewRecord {
    /// The record of a view with the density measured in its masks.
    #[must_use]
    pub fn new(view: View, percent_density: f64) -> Self {
        Self { view, percent_density: rounded(percent_density) }
    }
}

/// Rounds to three decimals: finer than one pixel of any image, and exact after a round trip.
fn rounded(percent: f64) -> f64 {
    (percent * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phantom_can_be_extended_with_its_own_settings_only() {
        let settings = PhantomSettings { seed: 7, size: 64, overlap: false, confounder: false };
        let manifest = PhantomManifest::new(settings, 8, Vec::new());
        assert!(!manifest.complete);
        assert_eq!(manifest.difference(settings, 8), None);
        assert_eq!(manifest.difference(settings, 12), None, "more subjects extend it");
        for (other, subjects) in [
            (PhantomSettings { seed: 8, ..settings }, 8),
            (PhantomSettings { size: 65, ..settings }, 8),
            (PhantomSettings { overlap: true, ..settings }, 8),
            (PhantomSettings { confounder: true, ..settings }, 8),
            (settings, 4),
        ] {
            assert!(manifest.difference(other, subjects).is_some(), "{other:?}, {subjects} subjects");
        }
        let text = serde_json::to_string(&manifest).expect("plain data");
        assert_eq!(serde_json::from_str::<PhantomManifest>(&text).expect("its own form"), manifest);
    }
}
