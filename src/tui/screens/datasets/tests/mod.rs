mod preparation;
mod rendering;
mod review;
mod sheet;
mod unreadable_and_duplicates;

use std::path::Path;

use super::*;
use crate::terminal::input::MouseKind;
use crate::tui::app::App;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::testing::{assert_drawn, drawn, empty_shared_state, fixed_time, fresh_app, press};
use crate::tui::view_state::ViewState;
use mammoscope_dataset::folder_listing::FolderContext;
use mammoscope_dataset::folder_listing::FolderListing;
use mammoscope_dataset::subject_audit::AuditedImage;
use mammoscope_dataset::subject_audit::SubjectAudit;
use mammoscope_imaging::decode::{ColorKind, ImageFacts, ImageFormat};
use mammoscope_imaging::image_header::ImageHeader;
use mammoscope_imaging::intensity_window::WindowChoice;

const ROOT: &str = "/data/density";

fn send(app: &mut App, message: DatasetsMessage) -> Vec<Effect> {
    app.update(UiMessage::Datasets(message), fixed_time())
}

fn list(app: &mut App, folder: &str, subfolders: &[&str], images: &[String]) -> Vec<Effect> {
    let listing = FolderListing {
        subfolders: subfolders.iter().map(|name| Box::from(*name)).collect(),
        images: images.iter().map(|name| Box::from(&**name)).collect(),
        problems: Vec::new(),
    };
    let mut context = FolderContext::default();
    let folder = Path::new(ROOT).join(folder);
    for name in folder.strip_prefix(ROOT).unwrap() {
        context = context.within(name.to_str().unwrap());
    }
    send(app, DatasetsMessage::Listed { root: ROOT.into(), folder, context, outcome: Ok(listing) })
}

/// Opens a data set of CC_R with train and test: an image in class A is named B, and a subject is in both splits.
fn open_set(app: &mut App) {
    send(app, DatasetsMessage::Opened { requested: ROOT.into(), root: ROOT.into(), is_prepared: false });
    list(app, "", &["CC_R"], &[]);
    list(app, "CC_R", &["train", "test"], &[]);
    let mut audited = Vec::new();
    for (split, first) in [("train", 1), ("test", 8)] {
        list(app, &format!("CC_R/{split}"), &["A", "B", "C", "D"], &[]);
        for (class, count) in [("A", 2), ("B", 6), ("C", 4), ("D", 1)] {
            let images: Vec<String> = (first..first + count)
                .map(|subject| format!("{subject}_1_{}_CC_R.png", if subject == 2 { "B" } else { class }))
                .collect();
            let context = FolderContext::default().within("CC_R").within(split);
            audited.extend(images.iter().filter_map(|image| AuditedImage::of(image, context)));
            list(app, &format!("CC_R/{split}/{class}"), &[], &images);
        }
    }
    let audit = SubjectAudit::of(audited.iter());
    send(app, DatasetsMessage::Audited { root: ROOT.into(), audit });
}

fn opened() -> App {
    let mut app = fresh_app();
    open_set(&mut app);
    app
}

/// Answers the requests for headers of the rows on screen.
fn read_headers(app: &mut App) {
    for effect in app.after_draw() {
        if let Effect::Datasets(DatasetsEffect::ReadHeaders(paths)) = effect {
            let header = |path: PathBuf| {
                let facts =
                    ImageFacts { width: 1283, height: 2255, bits: 8, color: ColorKind::Grey, format: ImageFormat::Png };
                let bad = path.ends_with("train/C/3_1_C_CC_R.png");
                let header =
                    if bad { Err("is empty (0 bytes)".into()) } else { Ok(ImageHeader { facts, bytes: 735_000 }) };
                (path, header)
            };
            let read = paths.into_iter().map(header).collect();
            send(app, DatasetsMessage::Headers { read, skipped: Vec::new() });
        }
    }
}

fn shown(app: &mut App, size: (u16, u16)) -> String {
    drawn(app, size);
    read_headers(app);
    drawn(app, size)
}

fn keys(text: &str) -> Vec<Key> {
    text.chars().map(Key::Char).collect()
}

#[test]
fn the_screen_is_drawn() {
    let mut app = fresh_app();
    send(&mut app, DatasetsMessage::Offered(vec!["/density/workspace/phantoms".into(), "/density/testset".into()]));
    assert_drawn!("nothing", &mut app, shown);
    open_set(&mut app);
    press(&mut app, &[Key::Right, Key::Down, Key::Right, Key::Down, Key::Right]);
    assert_drawn!("folders", &mut app, shown);
    press(&mut app, &[Key::Enter, Key::Char(' '), Key::Char('w')]);
    assert_drawn!("images", &mut app, shown);
    press(&mut app, &[Key::Char('.'), Key::Char('/'), Key::Char('1')]);
    assert_drawn!("filter", &mut app, shown);
    press(&mut app, &[Key::Escape, Key::Char('o')]);
    let typed = "/data/".to_owned();
    send(
        &mut app,
        DatasetsMessage::Completed { typed, found: vec!["/data/density/".into(), "/data/d\u{202e}x/".into()] },
    );
    assert_drawn!("open", &mut app, shown);
}

#[test]
fn folders_open_and_close_and_lead_to_images() {
    let mut app = opened();
    let chosen = |app: &App| {
        let screen = &app.screens.datasets;
        screen.tree.as_ref().unwrap().folder(screen.folder).path.to_string_lossy().into_owned()
    };
    press(&mut app, &[Key::Right]);
    assert_eq!(chosen(&app), "/data/density/CC_R", "the root is open already");
    press(&mut app, &[Key::Right, Key::Right, Key::Right, Key::Down, Key::Down]);
    assert_eq!(chosen(&app), "/data/density/CC_R/train/B");
    press(&mut app, &[Key::Left, Key::Left]);
    assert_eq!(chosen(&app), "/data/density/CC_R/train");
    press(&mut app, &[Key::Home, Key::End]);
    assert_eq!(chosen(&app), "/data/density/CC_R/test");
    press(&mut app, &[Key::Enter]);
    assert!(app.screens.datasets.in_images);
    drawn(&mut app, (80, 24));
    assert_eq!(app.screens.datasets.samples.len(), 13);
    press(&mut app, &[Key::Escape]);
    assert!(!app.screens.datasets.in_images);
    let effects = press(&mut app, &[Key::Char('t')]);
    assert_eq!(app.screen, crate::tui::protocol::screen_id::ScreenId::Train);
    assert!(effects.contains(&Effect::SaveView));
}

#[test]
fn a_selected_folder_is_read_first() {
    let mut app = fresh_app();
    send(&mut app, DatasetsMessage::Opened { requested: ROOT.into(), root: ROOT.into(), is_prepared: false });
    list(&mut app, "", &["CC_R", "CC_L"], &[]);
    let effects = press(&mut app, &[Key::Down]);
    assert_eq!(effects, [Effect::Datasets(DatasetsEffect::List("/data/density/CC_R".into()))]);
}

#[test]
fn images_are_filtered_marked_and_browsed() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char('/')]);
    press(&mut app, &keys("b_cc"));
    press(&mut app, &[Key::Enter]);
    drawn(&mut app, (80, 24));
    assert_eq!(app.screens.datasets.samples.len(), 14, "six and six by folder, two by name");
    press(&mut app, &[Key::Char(' '), Key::Char(' ')]);
    assert_eq!((app.screens.datasets.samples.marked(), app.screens.datasets.images.cursor), (2, 2));
    press(&mut app, &[Key::Escape]);
    press(&mut app, &[Key::Char('.'), Key::Char('.')]);
    drawn(&mut app, (80, 24));
    assert_eq!(app.screens.datasets.samples.len(), 2, "the marked ones");
    press(&mut app, &[Key::Char('*')]);
    drawn(&mut app, (80, 24));
    assert_eq!(app.screens.datasets.samples.len(), 0);
    press(&mut app, &[Key::Escape, Key::Char('!')]);
    let screen = &app.screens.datasets;
    let (tree, row) = (screen.tree.as_ref().unwrap(), screen.samples.row(screen.images.cursor).unwrap());
    assert!(!screen.samples.flags(tree, row).is_empty());
    press(&mut app, &[Key::Enter]);
    assert!(drawn(&mut app, (80, 24)).contains("of 26"), "the whole list can be browsed");
}

#[test]
fn grey_windows_are_chosen_and_saved() {
    let mut app = opened();
    press(
        &mut app,
        &[Key::Enter, Key::Down, Key::Char('w'), Key::Char('>'), Key::Char('>'), Key::Char('<'), Key::Char('}')],
    );
    drawn(&mut app, (80, 24));
    let saved = app.view_state();
    assert_eq!((saved.window.level, saved.window.contrast), (1, 1));
    let saved: ViewState = serde_json::from_slice(&serde_json::to_vec(&saved).unwrap()).unwrap();
    let mut again = App::new(empty_shared_state(), saved.clone());
    assert!(again.start().contains(&Effect::Datasets(DatasetsEffect::Open(ROOT.into()))));
    open_set(&mut again);
    drawn(&mut again, (80, 24));
    assert_eq!(again.view_state(), saved);
    press(&mut app, &[Key::Char('{'), Key::Char('0')]);
    assert_eq!(app.view_state().window, WindowChoice::default());
}

#[test]
fn headers_are_requested_once_and_only_for_rows_on_screen() {
    let mut app = opened();
    press(&mut app, &[Key::Enter]);
    drawn(&mut app, (80, 15));
    let requested = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Datasets(DatasetsEffect::ReadHeaders(paths)) => Some(paths.len()),
            _ => None,
        })
    };
    assert_eq!(requested(&app.after_draw()), Some(9));
    drawn(&mut app, (80, 15));
    assert_eq!(requested(&app.after_draw()), None);
    press(&mut app, &[Key::End]);
    drawn(&mut app, (80, 15));
    assert_eq!(requested(&app.after_draw()), Some(9));
}

#[test]
fn the_cursor_stays_on_its_image_when_files_change() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Down, Key::Down]);
    drawn(&mut app, (80, 24));
    let image = |app: &App| app.view_state().datasets.image.unwrap();
    let before = image(&app);
    list(&mut app, "CC_R/train/A", &[], &["0_1_A_CC_R.png", "1_1_A_CC_R.png", "2_1_B_CC_R.png"].map(String::from));
    drawn(&mut app, (80, 24));
    assert_eq!(image(&app), before);
    list(&mut app, "", &[], &[]);
    assert!(drawn(&mut app, (80, 24)).contains("no PNG, JPEG or TIFF images here"));
}

#[test]
fn another_data_set_can_be_typed() {
    let mut app = opened();
    press(&mut app, &[Key::Char('o')]);
    assert!(drawn(&mut app, (80, 24)).contains("folder  /data/"), "the parent of the open one");
    // An absolute path replaces it.
    press(&mut app, &keys("/q"));
    let typed = "/q".to_owned();
    send(&mut app, DatasetsMessage::Completed { typed: "/x".to_owned(), found: vec!["/stale/".into()] });
    send(&mut app, DatasetsMessage::Completed { typed, found: vec!["/query/".into()] });
    press(&mut app, &[Key::Tab]);
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(effects, [Effect::Datasets(DatasetsEffect::Check("/query/".to_owned()))]);
    let checked = |outcome| DatasetsMessage::Checked { typed: "/query/".to_owned(), outcome };
    // A refused folder is named in the field, and the open data set stays.
    assert_eq!(send(&mut app, checked(Err("there is no such folder".into()))), []);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("✖ there is no such folder") && screen.contains("folder  /query/"), "{screen}");
    assert!(app.screens.datasets.tree.as_ref().is_some_and(|tree| tree.folder(0).path == Path::new(ROOT)));
    press(&mut app, &[Key::Enter]);
    let effects = send(&mut app, checked(Ok("/query".into())));
    assert_eq!(effects, [Effect::Datasets(DatasetsEffect::Open("/query".into()))]);
    send(&mut app, DatasetsMessage::Opened { requested: "/query/".into(), root: "/query".into(), is_prepared: false });
    let outcome = Err("permission denied".into());
    let (root, folder) = (PathBuf::from("/query"), PathBuf::from("/query"));
    send(&mut app, DatasetsMessage::Listed { root, folder, context: FolderContext::default(), outcome });
    press(&mut app, &[Key::Enter]);
    assert!(drawn(&mut app, (80, 24)).contains("cannot be read: permission denied"));
}

#[test]
fn the_mouse_selects_and_opens() {
    let mut app = opened();
    drawn(&mut app, (120, 40));
    let click = |app: &mut App, kind, column, row| {
        let effects = app
            .update(UiMessage::Input(crate::terminal::input::Input::Mouse(Mouse { kind, column, row })), fixed_time());
        drawn(app, (120, 40));
        effects
    };
    click(&mut app, MouseKind::Press, 5, 3);
    assert_eq!(app.screens.datasets.folder, 1);
    click(&mut app, MouseKind::Press, 40, 5);
    assert!(app.screens.datasets.in_images && app.screens.datasets.images.cursor == 2);
    click(&mut app, MouseKind::WheelDown, 40, 5);
    assert_eq!(app.screens.datasets.images.cursor, 5);
    click(&mut app, MouseKind::Press, 40, 8);
    assert_eq!(app.popups.len(), 1, "the second click opens");
}

#[test]
fn every_terminal_size_can_be_drawn() {
    let mut app = opened();
    for key in [Key::Down, Key::Enter, Key::Char('/'), Key::Char('9')] {
        press(&mut app, &[key]);
        for width in [60, 61, 79, 99, 100, 300] {
            for height in [15, 16, 50] {
                drawn(&mut app, (width, height));
            }
        }
    }
    assert!(app.navigate(Destination::NewTraining { data: ROOT.into(), like: None }).contains(&Effect::SaveView));
    assert_eq!(app.screen, ScreenId::Train);
}
