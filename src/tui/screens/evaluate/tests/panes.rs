//! The panes beside the matrix, and folders of predictions.

use std::path::Path;

use super::fixture::{all_resampled, predictions};
use super::*;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_storage::tables::prediction_table::PredictionWriter;

#[test]
fn the_panes_are_shown_one_after_another() {
    let mut fixture = Fixture::new().open();
    let panes =
        [(InfoPane::Curves, "curves"), (InfoPane::Reliability, "reliability"), (InfoPane::Subgroups, "subgroups")];
    for (expected, pane) in panes {
        press(&mut fixture.app, &[Key::Char('i')]);
        assert_eq!(fixture.evaluate().pane, expected);
        assert_drawn!(pane, &mut fixture.app);
    }
    press(&mut fixture.app, &[Key::Char('i'), Key::Char('I')]);
    assert_eq!(fixture.evaluate().view_state().pane, InfoPane::Subgroups, "saved");
    fixture.app.shared.theme.ascii = true;
    fixture.app.shared.theme.depth = crate::terminal::color_depth::ColorDepth::None;
    press(&mut fixture.app, &[Key::Char('I'), Key::Char('I')]);
    insta::assert_snapshot!("curves_without_colours_120x40", drawn(&mut fixture.app, LARGE));
}

#[test]
fn figures_of_the_set_shown_are_written_into_the_workspace() {
    let mut fixture = Fixture::new();
    fixture.press_until(&[Key::Char('4')], |screen| screen.is_searched);
    assert!(matches!(&press(&mut fixture.app, &[Key::Char('E')])[..], [] | [Effect::Notice(_)]), "nothing is open");
    fixture.press_until(&[Key::Enter], all_resampled);
    let effects = press(&mut fixture.app, &[Key::Char('E')]);
    let [Effect::Evaluate(EvaluateEffect::ExportFigures(exported))] = &effects[..] else { panic!("{effects:?}") };
    let (name, cases) = (exported.set.name, exported.set.cases.len());
    assert_eq!(Some(name), fixture.opened().name);
    fixture.perform(effects);
    let outcome = loop {
        let message = fixture.messages.recv_timeout(Duration::from_secs(60)).expect("an answer of the service");
        if let UiMessage::Evaluate(EvaluateMessage::Exported { outcome }) = message {
            break outcome;
        }
    };
    let folder = outcome.as_ref().unwrap().clone();
    assert_eq!(folder.parent(), Some(fixture.folder.path().join("exports").as_path()));
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "png"))
        .collect();
    names.sort();
    assert!(names.len() >= 4 && names[0].starts_with(&format!("confusion-matrix-{name}")), "{names:?}");
    for name in &names {
        assert!(folder.join(name).with_extension("svg").is_file() && folder.join(name).with_extension("csv").is_file());
        assert!(image::open(folder.join(name)).unwrap().width() > 400, "{name}");
    }
    let matrix = fs::read_to_string(folder.join(format!("confusion-matrix-{name}.csv"))).unwrap();
    let count = |line: &str| line.rsplit(',').next().unwrap().parse::<usize>().unwrap();
    assert_eq!(matrix.lines().skip(1).map(count).sum::<usize>(), cases, "{matrix}");
    fixture.app.update(UiMessage::Evaluate(EvaluateMessage::Exported { outcome }), fixed_time());
    let notice = fixture.app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap_or_default();
    assert!(notice.starts_with("written to ") && notice.contains("exports"), "{notice}");
}

#[test]
fn a_comparison_has_the_curves_and_the_reliability_of_both() {
    let mut fixture = Fixture::new().open();
    fixture.press_until(&[Key::Char('c'), Key::Enter], |screen| {
        let with = screen.opened.as_ref().and_then(|opened| opened.comparison.as_ref());
        with.is_some_and(|with| with.sets.len() == 7 && with.sets.iter().all(|set| set.resampled))
    });
    press(&mut fixture.app, &[Key::Char('i')]);
    assert_drawn!("compared_curves", &mut fixture.app);
    press(&mut fixture.app, &[Key::Char('i')]);
    assert_drawn!("compared_reliability", &mut fixture.app);
}

#[test]
fn scanners_are_subgroups_where_the_data_set_names_them() {
    let mut fixture = Fixture::new().open();
    let set = fixture.opened().set().unwrap();
    let (cases, name) = (set.evaluated.set.cases.clone(), set.evaluated.set.name);
    let evaluated = Box::new(set.evaluated.clone());
    let half = |cases: &[_]| Evaluation::of(cases, Bootstrap::NONE).unwrap();
    let group = |name: &str, evaluation| crate::tui::protocol::evaluate::Subgroup { name: name.to_owned(), evaluation };
    let subgroups = vec![group("Acme M 7", half(&cases[..10])), group("Other X", half(&cases[10..]))];
    let request = fixture.evaluate().open_request;
    let message = EvaluateMessage::Resampled { request, evaluated, subgroups };
    fixture.app.update(UiMessage::Evaluate(message), fixed_time());
    press(&mut fixture.app, &[Key::Char('I')]);
    let text = drawn(&mut fixture.app, LARGE);
    assert!(text.contains("Acme M 7") && text.contains("Other X") && !text.contains("scanners unknown"), "{text}");
    assert_eq!(fixture.opened().name, Some(name));
}

/// A folder with the predictions of one view.
fn write_folder(folder: &Path, spread: f32) {
    let mut writer = PredictionWriter::create(folder).unwrap();
    for row in predictions(View::CcR, 24, spread) {
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_folder_of_predictions_is_opened_by_its_path_and_compared() {
    let mut fixture = Fixture::new().open();
    let folder = fixture.folder.path().join("outside");
    write_folder(&folder, 1.1);
    press(&mut fixture.app, &[Key::Char('o')]);
    let temporary = fixture.folder.path().to_string_lossy().into_owned();
    assert_drawn!("open_folder", &mut fixture.app, |app, size| drawn(app, size).replace(&temporary, "TMP"));
    // A path without predictions is refused in the field, and what is open stays open.
    let typed: Vec<Key> = format!("/{}/nowhere", folder.display()).chars().map(Key::Char).collect();
    fixture.press_until(&typed, |_| true);
    fixture.press_until(&[Key::Enter], |screen| format!("{:?}", screen.prompt).contains("no such file or folder"));
    assert_eq!(fixture.opened().key, "15_modern");
    let back: Vec<Key> = "/nowhere".chars().map(|_| Key::Backspace).collect();
    fixture.press_until(&back, |_| true);
    fixture.press_until(&[Key::Enter], |screen| screen.prompt.is_none());
    fixture.press_until(&[], all_resampled);
    assert_eq!((fixture.opened().names().len(), fixture.opened().sets.as_ref().unwrap().split), (1, None));
    // The folder is in the list, and remembered.
    press(&mut fixture.app, &[Key::Escape]);
    assert!(drawn(&mut fixture.app, LARGE).contains("outside"));
    assert_eq!(fixture.evaluate().view_state().folders, std::slice::from_ref(&folder));
    fixture.press_until(&[Key::Down, Key::Enter], all_resampled);
    fixture.press_until(&[Key::Char(']'), Key::Char('c'), Key::Enter], |screen| {
        let pair = screen.opened.as_ref().and_then(|opened| opened.pair());
        pair.is_some()
    });
    assert!(drawn(&mut fixture.app, LARGE).contains("Flips"));
    // Removed from the list; its files stay.
    press(&mut fixture.app, &[Key::Escape, Key::Escape, Key::Home, Key::Char('d')]);
    assert!(fixture.evaluate().view_state().folders.is_empty() && folder.exists());
}
