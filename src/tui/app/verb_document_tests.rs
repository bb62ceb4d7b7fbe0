//! `docs/workbench.md` lists the verbs as they are.

use std::fs;
use std::path::Path;

use super::*;
use crate::tui::protocol::binding::{Binding, KeyTables};
use crate::tui::protocol::verb::{KeyMap, SHOW_VERBS, VERBS, Verb, VerbEntry};
use crate::tui::protocol::viewer::ImageList;
use crate::tui::testing::fresh_app;
use mammoscope_imaging::intensity_window::WindowChoice;

const START: &str = "<!-- verbs: written by a test -->\n";
const END: &str = "<!-- end of verbs -->\n";

/// The names of the columns, each with the bindings of all states.
fn columns(app: &mut App) -> Vec<(&'static str, Vec<&'static Binding>)> {
    let flat = |tables: KeyTables| tables.iter().copied().flatten();
    let mut columns: Vec<(&str, Vec<&Binding>)> = Vec::new();
    for &id in ScreenId::ALL {
        let screen = app.screens.get(id);
        let current = screen.bindings(&app.shared);
        let states = screen.states().iter().flat_map(|state| flat(state.tables));
        columns.push((id.title(), states.chain(flat(current)).chain(APP_BINDINGS).collect()));
    }
    let viewer =
        ViewerPopup::open(ImageList { title: String::new(), images: Vec::new(), position: 0 }, WindowChoice::default());
    columns.push(("picture", flat(viewer.bindings()).chain(POPUP_BINDINGS).collect()));
    columns
}

fn table(app: &mut App) -> String {
    let columns = columns(app);
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut text = format!("| keys | verb | meaning | {} |\n|---|---|---|", titles.join(" | "));
    text += &":-:|".repeat(titles.len());
    text.push('\n');
    for entry in VERBS.iter().chain(SHOW_VERBS) {
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`").replace('|', "\\|")).collect();
        let marks = columns.iter().map(|(_, bindings)| if is_bound(entry, bindings) { "●" } else { " " });
        let marks = marks.collect::<Vec<_>>().join(" | ");
        text += &format!("| {} | `{}` | {} | {marks} |\n", keys.join(" "), entry.name, entry.meaning);
    }
    text
}

fn is_bound(entry: &VerbEntry, bindings: &[&Binding]) -> bool {
    bindings.iter().any(|binding| binding.verbs.contains(&entry.verb))
}

#[test]
fn the_verbs_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workbench.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(START).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let table = table(&mut fresh_app());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") && written != table {
        fs::write(&path, format!("{before}{START}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, table, "INSTA_UPDATE=always writes the table into docs/workbench.md");
}

#[test]
fn every_verb_is_of_use_somewhere() {
    let columns = columns(&mut fresh_app());
    let unused: Vec<&str> = VERBS
        .iter()
        .filter(|entry| !columns.iter().any(|(_, bindings)| is_bound(entry, bindings)))
        .map(|entry| entry.name)
        .collect();
    assert_eq!(unused, [""; 0], "a verb without an action");
}

#[test]
fn the_common_tasks_take_at_most_four_keys_that_exist() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workbench.md");
    let document = fs::read_to_string(&path).unwrap();
    let (_, tasks) = document.split_once("## The ten commonest tasks").unwrap();
    let rows: Vec<Vec<&str>> = tasks
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| task"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 10);
    let map = KeyMap::default();
    // Letters of the menus and words typed into a field.
    let is_typed = |verbs: &[Verb]| verbs.iter().any(|verb| matches!(verb, Verb::Control | Verb::Process));
    for row in rows {
        let [task, _, count, keys] = row[..] else { panic!("{row:?}") };
        let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
        assert_eq!(count.parse(), Ok(keys.len()), "{task}");
        assert!(keys.len() <= 4, "{task}");
        let mut verbs: Vec<Verb> = Vec::new();
        for name in keys {
            let key = Key::named(name).unwrap_or_else(|error| panic!("{task}: {name}: {error}"));
            let verb = map.verb_of(key);
            assert!(verb.is_some() || is_typed(&verbs), "{task}: {name} has no verb");
            verbs.extend(verb);
        }
    }
}
