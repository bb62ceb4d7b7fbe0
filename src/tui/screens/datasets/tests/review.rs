//! Prepared images are reviewed, corrected and labelled.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::tui::protocol::binding::Action;
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::review::{ReviewAction, ReviewEffect, ReviewMessage, ReviewedImage};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_imaging::anatomy::PectoralCurve;
use mammoscope_preprocessing::record::{Record, Review};
use mammoscope_preprocessing::source::{Source, SourceFormat};

const SUBJECTS: [&str; 2] = ["P0123456789ab", "P89abcdef0123"];

/// An image of a subject; the muscle is as the manifest has it.
fn image(subject: &str, view: &str, muscle: &Value, findings: &[&str]) -> ReviewedImage {
    let record: Record = serde_json::from_value(json!({
        "schema": 1,
        "program": "mammoscope",
        "source": {"sha256": "00", "bytes": 9, "path": format!("F{subject}{view}"), "modified": 0, "format": "DICOM"},
        "settings": {
            "bits": 8, "pectoral": "auto", "window": "auto", "source_range": "auto", "methods": "breast 1"
        },
        "decision": "accept",
        "findings": findings,
        "output": format!("{view}/unlabelled/{subject}_1_X_{view}.png"),
        "subject": subject,
        "exam": "1",
        "view": view,
        "class": null,
        "acquisition": 1,
        "bits": 8,
        "sha256": "11",
        "pixel_sha256": "22",
        "bytes": 99,
        "study": "S1",
        "steps": {
            "grey": {"kind": "window", "index": 0, "center": 2047.0, "width": 4095.0, "function": "LINEAR"},
            "inverted": true, "padded": 0, "mirrored": false, "flipped": false,
            "original_size": [1200, 1500],
            "crop": {"left": 0, "top": 100, "right": 1000, "bottom": 1400},
            "pectoral": muscle
        }
    }))
    .unwrap();
    ReviewedImage { record: Arc::new(record), stated: None }
}

/// An image with an uncertain muscle, two with other findings, and one that is accepted.
fn images() -> Vec<ReviewedImage> {
    let uncertain = json!({
        "state": "uncertain", "confidence": 0.42, "reason": "its edge is faint", "curve": [[400.0, 0.0], [0.0, 700.0]]
    });
    let filled = json!({"state": "filled", "confidence": 0.93, "curve": [[300.0, 0.0], [0.0, 600.0]], "fill": 120});
    let none = json!({"state": "none"});
    let mut accepted = image(SUBJECTS[1], "CC_R", &none, &[]);
    let record = Record { review: Some(Review::Accepted), ..Record::clone(&accepted.record) };
    accepted.record = Arc::new(record);
    vec![
        image(SUBJECTS[0], "MLO_L", &uncertain, &[]),
        image(SUBJECTS[1], "MLO_R", &filled, &["the burned-in annotation is not stated", "a second image"]),
        image(SUBJECTS[0], "CC_L", &none, &[]),
        accepted,
    ]
}

fn source(image: &ReviewedImage) -> Source {
    let name = PathBuf::from(&image.record.source.path);
    let path = Path::new("/archive").join(&name);
    Source { path, relative: name, format: SourceFormat::Dicom, bytes: 9, modified: 0 }
}

fn tell(app: &mut App, message: ReviewMessage) -> Vec<Effect> {
    send(app, DatasetsMessage::Review(message))
}

fn locate(app: &mut App, images: &[ReviewedImage]) -> Vec<Effect> {
    let sources: HashMap<_, _> = images.iter().map(|image| (image.record.source.path.clone(), source(image))).collect();
    tell(app, ReviewMessage::Located { folder: ROOT.into(), input: "/archive".into(), outcome: Ok(sources) })
}

/// A review of four images.
fn reviewing() -> (App, Vec<ReviewedImage>) {
    let mut app = fresh_app();
    send(&mut app, DatasetsMessage::Opened { requested: ROOT.into(), root: ROOT.into(), is_prepared: true });
    let effects = press(&mut app, &[Key::Char('P')]);
    assert_eq!(effects, [Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Open { folder: ROOT.into() }))]);
    let images = images();
    tell(&mut app, ReviewMessage::Opened { folder: ROOT.into(), outcome: Ok(images.clone()), labels: None });
    (app, images)
}

fn kept(app: &mut App, image: &ReviewedImage, review: Review) -> Vec<Effect> {
    let record = Record { review: Some(review), ..Record::clone(&image.record) };
    let path = record.source.path.clone();
    tell(app, ReviewMessage::Kept { folder: ROOT.into(), path, outcome: Ok(Box::new(record)) })
}

fn keep(image: &ReviewedImage, review: Review, source: Option<Source>) -> Effect {
    let (folder, record) = (ROOT.into(), Arc::clone(&image.record));
    Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Keep { folder, record, review, source }))
}

/// Keys and names of a context occur once.
fn assert_unique(app: &App) {
    let table = app.screens.datasets.bindings(&app.shared);
    let all: Vec<_> = table.iter().flat_map(|table| table.iter()).collect();
    for (at, binding) in all.iter().enumerate() {
        for other in &all[..at] {
            assert!(binding.name != other.name, "{}", binding.name);
            assert!(binding.verbs.iter().all(|verb| !other.verbs.contains(verb)), "{}", binding.name);
        }
    }
}

#[test]
fn keys_and_names_are_unique() {
    let (mut app, images) = reviewing();
    locate(&mut app, &images);
    assert_unique(&app);
    press(&mut app, &[Key::Char('R')]);
    assert_unique(&app);
    press(&mut app, &[Key::Escape, Key::Escape]);
    assert_unique(&app);
    press(&mut app, &[Key::Enter]);
    assert_unique(&app);
    press(&mut app, &[Key::Char('p'), Key::Enter, Key::Enter]);
    assert_unique(&app);
}

fn notice(app: &App) -> &str {
    app.notice.as_ref().map(|(_, notice)| notice.text.as_str()).unwrap_or_default()
}

#[test]
fn the_review_is_drawn() {
    let (mut app, images) = reviewing();
    assert_drawn!("review_unlocated", &mut app);
    locate(&mut app, &images);
    press(&mut app, &[Key::Down]);
    assert_drawn!("review", &mut app);
    press(&mut app, &[Key::Char('R')]);
    assert_drawn!("review_correction", &mut app);
    for (width, height) in [(60, 15), (61, 16), (99, 20), (300, 90)] {
        drawn(&mut app, (width, height));
    }
    let (mut app, _) = reviewing();
    let problem = Err("/data/density/manifest.jsonl:3: not a line of a manifest".into());
    tell(&mut app, ReviewMessage::Opened { folder: ROOT.into(), outcome: problem, labels: None });
    assert!(drawn(&mut app, (120, 40)).contains("manifest.jsonl:3: not a line"));
}

#[test]
fn a_folder_without_a_manifest_is_not_reviewed() {
    let mut app = opened();
    assert_eq!(press(&mut app, &[Key::Char('P')]), [], "r has no meaning there");
    let open = DatasetsAction::Review(ReviewAction::Open);
    let effects = app.act(Action::Datasets(open));
    assert!(app.screens.datasets.review.is_none());
    assert!(matches!(&effects[..], [Effect::Notice(notice)] if notice.text.contains("has no manifest.jsonl")));
}

#[test]
fn verdicts_are_kept_and_lead_to_the_next_image_without_one() {
    let (mut app, images) = reviewing();
    assert!(drawn(&mut app, (80, 24)).contains("1 of 4 · 1 uncertain left"));
    assert_eq!(press(&mut app, &[Key::Enter]), [keep(&images[0], Review::Accepted, None)]);
    assert!(drawn(&mut app, (80, 24)).contains("2 of 4 · 0 uncertain left"), "it counts at once");
    kept(&mut app, &images[0], Review::Accepted);
    assert_eq!(press(&mut app, &[Key::Char('d')]), [keep(&images[1], Review::Rejected, None)]);
    kept(&mut app, &images[1], Review::Rejected);
    assert_eq!(press(&mut app, &[Key::Enter]), [keep(&images[2], Review::Accepted, None)]);
    assert_eq!(notice(&app), "all images have a verdict");

    // What cannot be kept is reported, and the cursor returns to it.
    press(&mut app, &[Key::Home]);
    let path = images[2].record.source.path.clone();
    let outcome = Err("a run of `preprocess` is writing to the folder".into());
    tell(&mut app, ReviewMessage::Kept { folder: ROOT.into(), path, outcome });
    assert!(notice(&app).contains("is not kept: a run of"), "{}", notice(&app));
    assert!(drawn(&mut app, (80, 24)).contains("3 of 4"));
    press(&mut app, &[Key::Char('d')]);
    kept(&mut app, &images[2], Review::Rejected);

    // A rejected image is made again from its source.
    press(&mut app, &[Key::Home, Key::Down]);
    assert!(drawn(&mut app, (120, 40)).contains("rejected: the image was removed"));
    assert_eq!(press(&mut app, &[Key::Enter]), []);
    assert!(notice(&app).contains("made again from its source"));
    locate(&mut app, &images);
    let effects = press(&mut app, &[Key::Enter]);
    let rejected = Record { review: Some(Review::Rejected), ..Record::clone(&images[1].record) };
    let rejected = ReviewedImage { record: Arc::new(rejected), stated: None };
    assert_eq!(effects, [keep(&rejected, Review::Accepted, Some(source(&images[1])))]);
}

#[test]
fn an_edge_is_moved_turned_and_kept() {
    let (mut app, images) = reviewing();
    press(&mut app, &[Key::Char('R')]);
    assert!(notice(&app).contains("a correction needs the source"));
    assert!(locate(&mut app, &images).contains(&Effect::SaveView), "the folder of the sources is remembered");
    let corrected = |app: &mut App, keys: &[Key]| {
        press(app, &[Key::Char('R')]);
        press(app, keys);
        let effects = press(app, &[Key::Enter]);
        let Some(Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Keep { review, source, .. }))) = effects.first()
        else {
            panic!("{effects:?}");
        };
        assert!(source.is_some());
        let Review::Corrected { curve } = review else { panic!("{review:?}") };
        curve.clone()
    };
    let edge = |image: &ReviewedImage| -> PectoralCurve {
        image.record.steps.as_ref().unwrap().pectoral.curve.clone().unwrap()
    };
    // On the screen, the wall of a left breast is on the left.
    let left = corrected(&mut app, &[Key::Right, Key::Right, Key::ShiftLeft]);
    assert_eq!(left, edge(&images[0]).shifted(10.0).shifted(10.0).shifted(-2.0));
    let right = corrected(&mut app, &[Key::Right, Key::Up, Key::ShiftDown]);
    assert_eq!(right, edge(&images[1]).shifted(-10.0).turned(1.0).turned(-0.2));
    press(&mut app, &[Key::Home, Key::Char('R'), Key::Left, Key::Escape]);
    assert!(drawn(&mut app, (80, 24)).contains("Review"), "the review stays");
    press(&mut app, &[Key::End, Key::Char('R')]);
    assert!(notice(&app).contains("a CC view shows no pectoral muscle"));
    press(&mut app, &[Key::Escape]);
    assert!(app.screens.datasets.review.is_none());
}

#[test]
fn a_letter_gives_the_class_of_an_examination() {
    let (mut app, images) = reviewing();
    let (folder, record, class) = (PathBuf::from(ROOT), Arc::clone(&images[0].record), DensityClass::C);
    let label = Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Label { folder, record, class }));
    assert_eq!(press(&mut app, &[Key::Char('C')]), [label]);
    let outcome = Ok((class, "/data/density/labels.csv".to_owned()));
    let (subject, exam) = (SUBJECTS[0].to_owned(), "1".to_owned());
    tell(&mut app, ReviewMessage::Labelled { folder: ROOT.into(), subject, exam, outcome });
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("class C for P0123456789ab, exam 1, all views; written to /data/density/labels.csv"));
    let views = screen.lines().filter(|line| line.contains("MLO_L C ") || line.contains("CC_L  C "));
    assert_eq!(views.count(), 2, "{screen}");
    assert!(screen.contains("class C in labels.csv"));
}

#[test]
fn the_original_under_the_cursor_is_rendered_and_the_next_one_ahead() {
    let (mut app, images) = reviewing();
    let requests = |app: &mut App| -> Vec<(String, Option<String>)> {
        drawn(app, (120, 40));
        let rendered = app.after_draw().into_iter().filter_map(|effect| match effect {
            Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Render { shown, ahead, .. })) => {
                Some((shown.record.source.path.clone(), ahead.map(|ahead| ahead.record.source.path.clone())))
            }
            _ => None,
        });
        rendered.collect()
    };
    let path = |at: usize| images[at].record.source.path.clone();
    assert_eq!(requests(&mut app), [], "the sources are not known");
    locate(&mut app, &images);
    assert_eq!(requests(&mut app), [(path(0), Some(path(1)))]);
    assert_eq!(requests(&mut app), [], "only once");
    let outcome = Err("the source has changed".into());
    tell(&mut app, ReviewMessage::Rendered { folder: ROOT.into(), path: path(0), outcome });
    assert_eq!(requests(&mut app), []);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("the original cannot be shown"), "{screen}");
    press(&mut app, &[Key::Down]);
    assert_eq!(requests(&mut app), [(path(1), Some(path(2)))]);
}

#[test]
fn the_folder_of_the_sources_is_typed() {
    let (mut app, images) = reviewing();
    assert!(drawn(&mut app, (120, 40)).contains("i names it"));
    press(&mut app, &[Key::Char('i')]);
    press(&mut app, &keys("/archive"));
    let (folder, input) = (PathBuf::from(ROOT), "/archive".to_owned());
    let expected = Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Locate { folder, input }));
    assert_eq!(press(&mut app, &[Key::Enter]), [Effect::Datasets(DatasetsEffect::Check("/archive".to_owned()))]);
    let typed = "/archive".to_owned();
    let effects = send(&mut app, DatasetsMessage::Checked { typed, outcome: Ok("/archive".into()) });
    assert_eq!(effects, [expected]);
    let outcome = Err("there is no such folder".into());
    tell(&mut app, ReviewMessage::Located { folder: ROOT.into(), input: "/archive".into(), outcome });
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("no original: there is no such"), "{screen}");
    locate(&mut app, &images);
    press(&mut app, &[Key::Escape]);
    // Reviewed again, it is known.
    let effects = press(&mut app, &[Key::Char('P')]);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Datasets(DatasetsEffect::Review(ReviewEffect::Locate { input, .. })) if input == "/archive"
    )));
}
