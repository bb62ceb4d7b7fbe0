//! The words of sources and documents: those of the glossary's left column do not come back.

use std::fs;
use std::path::{Path, PathBuf};

use super::{below, checkout, rust_files};

/// Words that read like a translation or are not the field's, each with what to write instead.
const UNIDIOMATIC: [(&str, &str); 10] = [
    ("trainings", "training runs"),
    ("anew", "again, from scratch"),
    ("rightly", "correctly"),
    ("nobody", "no one, or the passive"),
    ("whoever", "the caller, or the passive"),
    ("somebody", "someone, or the passive"),
    ("goes on", "continues"),
    ("told", "reported, shown"),
    ("as ever", "as usual"),
    ("not any more", "no longer"),
];

/// The unidiomatic words of a line, whole words only.
fn unidiomatic_words(line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lower = line.to_lowercase();
    UNIDIOMATIC.into_iter().filter(move |(word, _)| {
        let boundary = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
        lower.match_indices(word).any(|(at, _)| {
            boundary(lower[..at].chars().next_back()) && boundary(lower[at + word.len()..].chars().next())
        })
    })
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("an entry").path());
    found.extend(
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md" || extension == "toml")),
    );
}

#[test]
fn sources_and_documents_use_idiomatic_words() {
    let mut files = Vec::new();
    for folder in ["src", "crates", "engine", "xtask", "tools", "tests"] {
        rust_files(&checkout().join(folder), &mut files);
    }
    for folder in ["", "docs", "presets", "models", "workspace", "testset"] {
        documents(&checkout().join(folder), &mut files);
    }
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("architecture/language.rs")) {
        let path = below(checkout(), file);
        for (number, line) in fs::read_to_string(file).expect("a readable file").lines().enumerate() {
            for (word, instead) in unidiomatic_words(line) {
                found.push(format!("{path}:{}: '{word}'; write: {instead}", number + 1));
            }
        }
    }
    assert!(files.len() > 450, "only {} files were found", files.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_whole_words_count() {
    let words = |line| unidiomatic_words(line).map(|(word, _)| word).collect::<Vec<_>>();
    assert_eq!(words("// The two trainings, told anew"), ["trainings", "anew", "told"]);
    assert_eq!(words("What Nobody knows goes on."), ["nobody", "goes on"]);
    assert!(words("a canew, brightly, retold, cargoes on").is_empty());
}
