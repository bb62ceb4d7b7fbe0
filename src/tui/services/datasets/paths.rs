//! Paths of data sets: expansion and completion of typed paths, and data sets nearby.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::tui::protocol::failure::Failure;

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

/// The folder at a typed path, absolute, or why it cannot be opened.
pub(in crate::tui::services) fn readable_folder(typed: &str) -> Result<PathBuf, Failure> {
    let path = expand(typed);
    match fs::read_dir(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => "there is no such folder".into(),
            ErrorKind::NotADirectory => "this is a file; type the folder it is in".into(),
            ErrorKind::PermissionDenied => "you may not read this folder".into(),
            _ => Failure::new(format_args!("cannot be read: {error}")),
        }),
    }
}

/// The wanted files and all folders that complete a typed path, each as it would be typed.
pub(in crate::tui::services) fn completions(typed: &str, is_wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let (parent, start) =
        typed.rsplit_once('/').map_or(("", typed), |(parent, start)| (&typed[..=parent.len()], start));
    let folder = expand(if parent.is_empty() { "." } else { parent });
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| name.starts_with(start) && (!name.starts_with('.') || start.starts_with('.')))
        .filter_map(|(name, path)| {
            let slash = if path.is_dir() { "/" } else { "" };
            (!slash.is_empty() || is_wanted(&path)).then(|| format!("{parent}{name}{slash}"))
        })
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
