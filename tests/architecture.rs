//! The layers hold: who may import whom, which crate belongs where, and how large a file may be.
//!
//! The sources are read as text. Every path that begins with `crate::` or `mammoscope::`, in a `use` line or elsewhere,
//! names a module; what stands in strings and comments is left out of account.

use std::fs;
use std::path::{Path, PathBuf};

/// What the modules of `src/` may import, besides themselves.
const LAYERS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("imaging", &["domain"]),
    ("dataset", &["imaging", "domain"]),
    ("storage", &["domain"]),
    ("client", &["dataset", "storage", "imaging", "domain"]),
    ("report", &["imaging", "domain"]),
    ("cli", &["client", "report", "dataset", "storage", "imaging", "domain"]),
    ("tui", &["client", "report", "dataset", "storage", "imaging", "domain"]),
];

/// What the modules of `engine/src/` may import of the engine, and all of them of `mammoscope`.
const ENGINE_LAYERS: [(&str, &[&str]); 2] = [("learning", &[]), ("thread", &["learning"])];
const ENGINE_MAY_IMPORT: [&str; 5] = ["domain", "imaging", "dataset", "storage", "client"];

/// Where a crate may be named: a prefix of the file's path.
const CRATES: [(&str, &[&str]); 5] = [
    ("clap", &["src/cli/", "engine/src/main.rs"]),
    ("tch", &["engine/"]),
    ("torch_sys", &["engine/"]),
    ("ratatui", &["src/tui/"]),
    ("crossterm", &["src/tui/"]),
];

const FORBIDDEN_NAMES: [&str; 4] = ["utils.rs", "util.rs", "common.rs", "helpers.rs"];
const LONGEST_FILE: usize = 400;

/// All breaches in one file, each a line that says where and what.
fn breaches(path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    if FORBIDDEN_NAMES.contains(&name) {
        found.push(format!("{path}: the name says nothing; name it by what it holds"));
    }
    let lines = source.lines().count();
    if lines > LONGEST_FILE {
        found.push(format!("{path}: {lines} lines, more than {LONGEST_FILE}"));
    }
    let code = code_of(source);
    for (crate_name, places) in CRATES {
        let named = words(&code).any(|(at, word)| word == crate_name && code[at + word.len()..].starts_with("::"));
        if named && !places.iter().any(|place| path.starts_with(place)) {
            found.push(format!("{path}: names the crate {crate_name}, which belongs to {}", places.join(" and ")));
        }
    }
    for imported in imported_modules(&code, "crate") {
        found.extend(layer_breach(path, &imported));
    }
    if path.starts_with("engine/src/") {
        for imported in imported_modules(&code, "mammoscope") {
            if !ENGINE_MAY_IMPORT.contains(&imported.as_str()) {
                found.push(format!("{path}: the engine imports mammoscope::{imported}"));
            } else if imported == "client" && !code.contains("client::protocol") {
                found.push(format!("{path}: of mammoscope::client the engine may import the protocol only"));
            }
        }
    }
    found
}

fn layer_breach(path: &str, imported: &str) -> Option<String> {
    let (layers, below): (&[(&str, &[&str])], &str) = if let Some(below) = path.strip_prefix("src/") {
        (&LAYERS, below)
    } else {
        (&ENGINE_LAYERS, path.strip_prefix("engine/src/")?)
    };
    let module = below.split(['/', '.']).next()?;
    let (_, allowed) = layers.iter().find(|(name, _)| *name == module)?;
    let is_layer = layers.iter().any(|(name, _)| *name == imported);
    (is_layer && imported != module && !allowed.contains(&imported))
        .then(|| format!("{path}: {module} imports {imported}"))
}

/// The first names after `root::`, in `root::a::b` as well as in `root::{a::b, c}`.
fn imported_modules(code: &str, root: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, word) in words(code) {
        let Some(rest) = code[at + word.len()..].strip_prefix("::").filter(|_| word == root) else { continue };
        match rest.strip_prefix('{') {
            None => modules.extend(words(rest).next().map(|(_, name)| name.to_owned())),
            Some(group) => {
                let mut depth = 0;
                let mut expects_name = true;
                for (at, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => expects_name = true,
                        character if expects_name && depth == 0 && is_word(character) => {
                            modules.extend(words(&group[at..]).next().map(|(_, name)| name.to_owned()));
                            expects_name = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    modules
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The words of the code and where they begin.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = code;
    std::iter::from_fn(move || {
        let start = rest.find(is_word)?;
        let length = rest[start..].find(|character| !is_word(character)).unwrap_or(rest.len() - start);
        let at = code.len() - rest.len() + start;
        rest = &rest[start + length..];
        Some((at, &code[at..at + length]))
    })
}

/// The source without comments and without what stands in quotes.
fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if character == '"' {
            quoted_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            code.push(character);
            rest = &rest[character.len_utf8()..];
            continue;
        };
        rest = &rest[skipped..];
        code.push(' ');
    }
    code
}

/// The length of a string literal, both quotes included.
fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_sources_keep_to_the_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "engine", "xtask", "tests", "benches"] {
        rust_files(&root.join(folder), &mut files);
    }
    assert!(files.iter().any(|file| file.ends_with("src/lib.rs")), "the sources were not found");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(root).expect("under the root").to_string_lossy().replace('\\', "/");
            let source = fs::read_to_string(file).expect("a readable source");
            // The tools and tests beside the program have no layers; this file names what it forbids.
            let has_layers = path.starts_with("src/") || path.starts_with("engine/");
            breaches(&path, &source).into_iter().filter(move |breach| has_layers || !breach.contains("names the crate"))
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_breach_is_detected() {
    let cases = [
        ("src/domain/density.rs", "use crate::storage::atomic_file::AtomicFile;", "domain imports storage"),
        ("src/domain/density.rs", "fn f() { crate::imaging::decode::decode(); }", "domain imports imaging"),
        ("src/storage/run_dir.rs", "use crate::{domain::view::View, dataset};", "storage imports dataset"),
        ("src/report/html.rs", "use crate::storage::workspace::Workspace;", "report imports storage"),
        ("src/client/mod.rs", "use crate::cli::console::Console;", "client imports cli"),
        ("src/cli/train.rs", "use crate::tui::theme::Theme;", "cli imports tui"),
        ("src/storage/run_dir.rs", "use clap::Args;", "names the crate clap"),
        ("src/imaging/decode.rs", "let x = tch::Tensor::new();", "names the crate tch"),
        ("src/domain/utils.rs", "", "the name says nothing"),
        ("engine/src/learning/resnet.rs", "use crate::thread::job::Job;", "learning imports thread"),
        ("engine/src/main.rs", "use mammoscope::cli::console::Console;", "imports mammoscope::cli"),
        ("engine/src/lib.rs", "use mammoscope::client::engine_location;", "the protocol only"),
    ];
    for (path, source, expected) in cases {
        let found = breaches(path, source);
        assert!(found.len() == 1 && found[0].contains(expected), "{path}: {source}: {found:?}");
    }
    let long = "\n".repeat(LONGEST_FILE + 1);
    assert_eq!(breaches("src/domain/density.rs", &long).len(), 1);
}

#[test]
fn what_is_allowed_is_no_breach() {
    let cases = [
        ("src/domain/density.rs", "use crate::domain::view::View;\nuse std::fmt;"),
        ("src/domain/density.rs", "// crate::storage is not used\nlet text = \"crate::cli \\\" tch::\"; /* clap:: */"),
        ("src/domain/density.rs", "let raw = r#\"crate::cli \"quoted\" \"#; let quote = '\"'; // \" tch::"),
        ("src/cli/mod.rs", "use clap::Parser as _;\nuse crate::report::{html, plots};\nuse crate::client::{a, b};"),
        ("src/client/mod.rs", "use crate::{dataset::{manifest, split}, storage::run_dir};"),
        ("engine/src/thread/serve.rs", "use mammoscope::client::protocol::Frame;\nuse crate::learning::resnet;"),
        ("engine/src/learning/device.rs", "use tch::Tensor;\nmy_tch::x();"),
        ("src/lib.rs", "pub mod cli;\npub mod client;"),
    ];
    for (path, source) in cases {
        assert_eq!(breaches(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}
