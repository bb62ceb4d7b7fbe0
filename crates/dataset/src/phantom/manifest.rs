//! `phantom.json`: what a phantom's folder holds, and the truth behind it.

use serde::{Deserialize, Serialize};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;

use super::{GENERATOR_VERSION, PhantomSettings, PhantomSubject};

/// What a phantom is not.
pub const NOTICE: &str = "synthetic, not for clinical use";

/// Contents of `phantom.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhantomManifest {
    /// Version of this file's form.
    pub schema: u32,
    /// [`NOTICE`].
    pub notice: String,
    /// [`GENERATOR_VERSION`] of the program that made the images.
    pub generator_version: u32,
    /// What decides the pixels.
    #[serde(flatten)]
    pub settings: PhantomSettings,
    /// How many subjects were asked for.
    pub subjects_requested: u32,
    /// Whether all of them are there.
    pub complete: bool,
    /// The subjects that are there, by number.
    pub subjects: Vec<SubjectRecord>,
}

/// One subject of a phantom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Number of the subject.
    pub subject: u32,
    /// Class that she is filed under.
    pub label: DensityClass,
    /// Class that her density was drawn from.
    pub drawn_from: DensityClass,
    /// Density that her views scatter around: dense share of the breast's area, per cent.
    pub percent_density: f64,
    /// Her views.
    pub views: Vec<ViewRecord>,
}

/// One view of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    /// The view.
    pub view: View,
    /// Density counted in the view's masks, per cent.
    pub percent_density: f64,
}

impl PhantomManifest {
    /// Name of the file.
    pub const FILE_NAME: &str = "phantom.json";
    /// Version of the form that this program writes.
    pub const SCHEMA: u32 = 1;

    /// The manifest of a phantom of which `subjects` are there.
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

    /// What keeps a phantom of these settings and at least so many subjects from going on where this one ended; `None`
    /// if nothing does.
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
    /// The record of a subject whose views were measured.
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
    /// The record of a view with the density counted in its masks.
    #[must_use]
    pub fn new(view: View, percent_density: f64) -> Self {
        Self { view, percent_density: rounded(percent_density) }
    }
}

/// Three decimals: finer than a pixel of any image, and read back as it was written.
fn rounded(percent: f64) -> f64 {
    (percent * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phantom_goes_on_under_its_own_settings_only() {
        let settings = PhantomSettings { seed: 7, size: 64, overlap: false, confounder: false };
        let manifest = PhantomManifest::new(settings, 8, Vec::new());
        assert!(!manifest.complete);
        assert_eq!(manifest.difference(settings, 8), None);
        assert_eq!(manifest.difference(settings, 12), None, "more subjects are an extension");
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
