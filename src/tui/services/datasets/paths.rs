//! Paths of data sets: expansion and completion of typed paths, and data sets nearby.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The largest useful number of completions or data sets.
const MAX: usize = 200;

/// Expands a typed path: `~` is the home folder, and a relative path starts in the working directory.
pub(in crate::tui::services) fn expand(typed: &str) -> PathBuf {
    let typed = typed.trim();
    let path = match (typed.strip_prefix('~'), env::home_dir()) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
        _ => PathBuf::from(typed),
    };
    // Collecting the components drops the trailing slash of a completed path.
    std::path::absolute(&path).unwrap_or(path).components().collect()
}

/// The folders that complete a typed path, each as it would be typed.
pub(in crate::tui::services) fn completions(typed: &str) -> Vec<String> {
    let (parent, start) =
        typed.rsplit_once('/').map_or(("", typed), |(parent, start)| (&typed[..=parent.len()], start));
    let folder = expand(if parent.is_empty() { "." } else { parent });
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(start) && (!name.starts_with('.') || start.starts_with('.')))
        .map(|name| format!("{parent}{name}/"))
        .take(MAX)
        .collect();
    found.sort_unstable();
    found
}

/// Data sets in the usual places in the workspace and in the working directory.
pub(super) fn data_nearby(workspace: &Path) -> Vec<PathBuf> {
    let here = env::current_dir().unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    for base in [workspace, &here] {
        let mut inside: Vec<PathBuf> = fs::read_dir(base.join("datasets"))
            .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
            .unwrap_or_default();
        inside.retain(|path| path.is_dir());
        inside.sort();
        found.extend(inside);
        found.extend(["phantoms", "testset"].map(|name| base.join(name)).into_iter().filter(|path| path.is_dir()));
    }
    let mut seen: Vec<PathBuf> = Vec::new();
    found.retain(|path| {
        let new = !seen.contains(path);
        seen.push(path.clone());
        new
    });
    found.truncate(MAX);
    found
}
