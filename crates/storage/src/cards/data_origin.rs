//! What the folder of a data set says about the origin of its images.

use std::path::Path;

use serde::Deserialize;

use crate::regular_file::read_regular_file;
use mammoscope_domain::model_card::DataOrigin;

/// The largest file that is looked at.
const LIMIT: u64 = 1 << 28;
/// Written by `mammoscope phantom`.
const PHANTOMS: &str = "phantom.json";
/// Written by `mammoscope preprocess`.
const PREPARED: &str = "manifest.jsonl";

#[derive(Deserialize)]
struct Phantoms {
    notice: String,
    seed: u64,
    size: u64,
    subjects_requested: u64,
    overlap: bool,
    confounder: bool,
}

#[derive(Deserialize)]
struct Prepared {
    #[serde(rename = "schema")]
    _schema: u64,
    #[serde(rename = "source")]
    _source: serde_json::Map<String, serde_json::Value>,
}

/// Returns the origin of the images below a folder. A folder that is no longer there says nothing.
pub(super) fn data_origin(root: &Path) -> DataOrigin {
    let phantoms = read_regular_file(&root.join(PHANTOMS), LIMIT).ok();
    if let Some(Ok(phantoms)) = phantoms.map(|bytes| serde_json::from_slice::<Phantoms>(&bytes))
        && phantoms.notice.starts_with("synthetic")
    {
        let Phantoms { seed, size, subjects_requested: subjects, overlap, confounder, .. } = phantoms;
        return DataOrigin::Phantoms { subjects, size, seed, overlap, confounder };
    }
    let Ok(bytes) = read_regular_file(&root.join(PREPARED), LIMIT) else { return DataOrigin::Unknown };
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    match lines.filter(|line| serde_json::from_slice::<Prepared>(line).is_ok()).count() {
        0 => DataOrigin::Unknown,
        sources => DataOrigin::Prepared { sources },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_this_program_say_where_images_come_from() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(data_origin(folder.path()), DataOrigin::Unknown);
        write(PREPARED, "{\"a\": 1}\nnot JSON\n");
        assert_eq!(data_origin(folder.path()), DataOrigin::Unknown);
        write(PREPARED, "{\"schema\": 1, \"source\": {\"path\": \"x\"}}\n{\"schema\": 1, \"source\": {}}\n{\"sche");
        assert_eq!(data_origin(folder.path()), DataOrigin::Prepared { sources: 2 });
        let phantoms = serde_json::json!({
            "notice": "synthetic, not for clinical use", "seed": 3, "size": 64, "subjects_requested": 9, "overlap": true,
            "confounder": false,
        });
        write(PHANTOMS, &phantoms.to_string());
        let expected = DataOrigin::Phantoms { subjects: 9, size: 64, seed: 3, overlap: true, confounder: false };
        assert_eq!(data_origin(folder.path()), expected);
        assert_eq!(data_origin(&folder.path().join("gone")), DataOrigin::Unknown);
    }
}
