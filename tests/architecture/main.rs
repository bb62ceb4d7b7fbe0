//! The structure of the code: dependencies of crates, imports of modules, and the length of files.

mod language;
mod module_graph;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use module_graph::ModuleGraph;

/// The roots of the crates whose imports are examined; the tools are too small.
const CRATE_ROOTS: [&str; 14] = [
    "crates/domain/src/lib.rs",
    "crates/dicom/src/lib.rs",
    "crates/preprocessing/src/lib.rs",
    "crates/imaging/src/lib.rs",
    "crates/dataset/src/lib.rs",
    "crates/storage/src/lib.rs",
    "crates/engine-protocol/src/lib.rs",
    "crates/engine-client/src/lib.rs",
    "crates/runs/src/lib.rs",
    "crates/cluster/src/lib.rs",
    "crates/machine/src/lib.rs",
    "crates/test-support/src/lib.rs",
    "engine/src/lib.rs",
    "src/lib.rs",
];

/// Folders, each with the folders that its files must not import. Between crates, Cargo enforces the order.
const FORBIDDEN_IMPORTS: [(&str, &[&str]); 13] = [
    ("src/settings/", &["src/analysis/", "src/report/", "src/cli/", "src/tui/"]),
    ("src/terminal/", &["src/settings/", "src/analysis/", "src/report/", "src/cli/", "src/tui/"]),
    ("src/analysis/", &["src/terminal/", "src/report/", "src/cli/", "src/tui/"]),
    ("src/report/", &["src/terminal/", "src/cli/", "src/tui/"]),
    ("src/cli/", &["src/tui/"]),
    ("src/tui/", &["src/cli/"]),
    (
        "src/tui/protocol/",
        &["src/tui/widgets/", "src/tui/services/", "src/tui/screens/", "src/tui/popups/", "src/tui/app/"],
    ),
    ("src/tui/widgets/", &["src/tui/services/", "src/tui/screens/", "src/tui/popups/", "src/tui/app/"]),
    ("src/tui/services/", &["src/tui/widgets/", "src/tui/screens/", "src/tui/popups/", "src/tui/app/"]),
    ("src/tui/screens/", &["src/tui/services/", "src/tui/popups/", "src/tui/app/"]),
    ("src/tui/popups/", &["src/tui/services/", "src/tui/screens/", "src/tui/app/"]),
    ("engine/src/learning/", &["engine/src/thread/"]),
    ("crates/storage/src/keras/", &["crates/storage/src/runs/"]),
];

/// Crates for terminals and file watching, on which the engine must not depend. NVML is not among them: trainers record
/// the load of the machine.
const NOT_IN_THE_ENGINE: [&str; 7] =
    ["ratatui", "ratatui-image", "crossterm", "viuer", "notify", "indicatif", "mammoscope"];

const FORBIDDEN_NAMES: [&str; 4] = ["utils.rs", "util.rs", "common.rs", "helpers.rs"];
const MAX_FILE_LINES: usize = 400;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The path of a file below a folder, with slashes.
fn below(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).expect("a file of the folder").to_string_lossy().replace('\\', "/")
}

/// The imports that the table forbids, one line each.
fn forbidden_imports(graph: &ModuleGraph, root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (file, imported) in graph.imports() {
        let (file, imported) = (below(root, file), below(root, imported));
        for (folder, forbidden) in FORBIDDEN_IMPORTS {
            if file.starts_with(folder) && forbidden.iter().any(|other| imported.starts_with(other)) {
                found.push(format!("{file} imports {imported}"));
            }
        }
    }
    found
}

/// The cycles whose files are in more than one folder.
fn cycles_across_folders(graph: &ModuleGraph, root: &Path) -> Vec<String> {
    let cycles = graph.cycles();
    let across =
        cycles.iter().filter(|cycle| cycle.iter().map(|file| file.parent()).collect::<BTreeSet<_>>().len() > 1);
    across.map(|cycle| cycle.iter().map(|file| below(root, file)).collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn no_module_imports_from_above() {
    let mut imports = 0;
    let mut cycles_within_folders = 0;
    let mut found = Vec::new();
    for root in CRATE_ROOTS {
        let graph = ModuleGraph::read(&checkout().join(root));
        imports += graph.imports().count();
        cycles_within_folders += graph.cycles().len();
        found.extend(forbidden_imports(&graph, checkout()));
        found.extend(cycles_across_folders(&graph, checkout()).into_iter().map(|cycle| format!("a cycle: {cycle}")));
    }
    println!("{imports} imports between modules, {cycles_within_folders} cycles within one folder");
    assert!(imports > 500, "only {imports} imports were read");
    assert!(found.is_empty(), "{} problems:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_crate_with_sources_is_examined() {
    let crates = fs::read_dir(checkout().join("crates")).expect("the folder of crates");
    for folder in crates.map(|entry| entry.expect("a readable entry").file_name()) {
        let root = format!("crates/{}/src/lib.rs", folder.to_string_lossy());
        assert!(CRATE_ROOTS.contains(&root.as_str()), "{root} has no line in CRATE_ROOTS");
    }
}

#[test]
fn the_engine_depends_on_no_terminal_crate() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "mammoscope-engine", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}", "--offline", "--locked"])
        .current_dir(checkout())
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let packages = String::from_utf8_lossy(&tree.stdout);
    let packages: BTreeSet<&str> = packages.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains("tch") && packages.contains("mammoscope-domain"), "not the engine's tree: {packages:?}");
    let unwanted: Vec<&str> = NOT_IN_THE_ENGINE.into_iter().filter(|name| packages.contains(name)).collect();
    assert!(unwanted.is_empty(), "the engine depends on {}", unwanted.join(", "));
}

#[test]
fn files_are_short_and_named_by_what_they_hold() {
    let mut files = Vec::new();
    for folder in ["src", "crates", "engine", "xtask", "tools", "tests", "benches", "fuzz"] {
        rust_files(&checkout().join(folder), &mut files);
    }
    let mut found = Vec::new();
    for file in &files {
        let path = below(checkout(), file);
        if FORBIDDEN_NAMES.iter().any(|name| path.ends_with(&format!("/{name}"))) {
            found.push(format!("{path}: the name says nothing; name it by what it holds"));
        }
        let lines = fs::read_to_string(file).expect("a readable source").lines().count();
        if lines > MAX_FILE_LINES {
            found.push(format!("{path}: {lines} lines, more than {MAX_FILE_LINES}"));
        }
    }
    assert!(files.len() > 400, "only {} sources were found", files.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A crate of these files in a temporary folder.
fn crate_of(files: &[(&str, &str)]) -> (tempfile::TempDir, ModuleGraph) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let graph = ModuleGraph::read(&folder.path().join("src/lib.rs"));
    (folder, graph)
}

#[test]
fn a_cycle_across_folders_is_found_in_every_form_of_import() {
    let forms = [
        "use crate::b::B;",
        "use super::b::B;",
        "use crate::{a::inner, b::{self, B}};",
        "fn f() { crate::b::f(); }",
        "macro_rules! m { () => { $crate::b::f() } }",
        "fn f() { let _ = vec![super::b::B]; }",
        "mod inline { use super::super::b::B; }",
    ];
    for form in forms {
        let (folder, graph) = crate_of(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a/mod.rs", &format!("pub mod inner;\n{form}")),
            ("src/a/inner.rs", ""),
            ("src/b/mod.rs", "use crate::a::inner; use super::a::A; pub struct B;"),
        ]);
        assert_eq!(cycles_across_folders(&graph, folder.path()), ["src/a/mod.rs, src/b/mod.rs"], "{form}");
    }
}

#[test]
fn names_that_are_not_imports_make_no_cycle() {
    let forms = [
        "// use crate::b::B;",
        "/// See [`crate::b::B`].\nfn f() {}",
        "const TEXT: &str = \"crate::b::B\";",
        "#[cfg(test)]\nmod tests { use crate::b::B; }",
        "#[cfg(test)]\nmod tests;",
        "use b::B; use std::b::C;",
        "pub(in crate::b) struct A;",
        "mod b { pub struct B; }\nmod inline { use super::b::B; }",
    ];
    for form in forms {
        let (folder, graph) = crate_of(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a/mod.rs", form),
            ("src/a/tests.rs", "use crate::b::B;"),
            ("src/b/mod.rs", "use crate::a::A;"),
        ]);
        assert!(graph.cycles().is_empty(), "{form}: {:?}", cycles_across_folders(&graph, folder.path()));
    }
}

#[test]
fn a_forbidden_import_is_found() {
    let (folder, graph) = crate_of(&[
        ("src/lib.rs", "mod cli; mod tui;"),
        ("src/cli/mod.rs", "use crate::tui::theme;"),
        ("src/tui/mod.rs", "pub mod theme; mod widgets; mod screens;"),
        ("src/tui/theme.rs", ""),
        ("src/tui/widgets/mod.rs", "use crate::tui::theme; use crate::tui::screens::runs;"),
        ("src/tui/screens/mod.rs", "pub mod runs;"),
        ("src/tui/screens/runs.rs", "use crate::tui::widgets;"),
    ]);
    let found = forbidden_imports(&graph, folder.path());
    let expected =
        ["src/cli/mod.rs imports src/tui/theme.rs", "src/tui/widgets/mod.rs imports src/tui/screens/runs.rs"];
    assert_eq!(found, expected);
}
