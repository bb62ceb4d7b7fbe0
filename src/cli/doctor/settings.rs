//! The user's settings.

use super::{Check, State};
use crate::cli::workbench::Workbench;
use mammoscope_domain::text::printable::printable_path;

/// Checks the file of the settings; its absence is not a fault.
pub(super) fn check(workbench: &Workbench<'_>) -> Check {
    let place = workbench.settings.place.as_ref().map(|place| (place.path.exists(), printable_path(&place.path)));
    match (&workbench.mistake, place) {
        (Some(mistake), _) => Check::new("settings", State::Warning, mistake.to_string())
            .advise("the workbench opens once this is mended"),
        (None, Some((true, path))) => Check::new("settings", State::Ok, path),
        (None, Some((false, path))) => Check::new("settings", State::Ok, format!("defaults; {path} does not exist")),
        (None, None) => Check::new("settings", State::Ok, "defaults; there is no folder for a file"),
    }
}
