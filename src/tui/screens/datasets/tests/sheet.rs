//! Tests of the contact sheet, of sorting, of ranges of marks, and of what is copied.

use image::{GrayImage, Luma};

use super::*;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::pictures::Drawing;
use crate::tui::protocol::thumbnails::{ThumbnailMessage, ThumbnailRequest};

/// The request for thumbnails among the effects of a drawing.
fn requested(app: &mut App) -> Option<ThumbnailRequest> {
    app.after_draw().into_iter().find_map(|effect| match effect {
        Effect::Thumbnails(request) => Some(request),
        _ => None,
    })
}

/// Answers a request with pictures whose grey follows the subject's number; the first file cannot be read.
fn answer(app: &mut App, request: &ThumbnailRequest) {
    for (at, path) in request.paths.iter().enumerate() {
        let grey = GrayImage::from_fn(8, 12, |x, y| Luma([(40 + at * 5 + (x + y) as usize * 4) as u8]));
        let outcome = match at {
            0 => Err("is empty (0 bytes)".into()),
            _ => Ok(Drawing::Cells(CellPicture::halfblocks(&grey.into(), ColorDepth::True))),
        };
        let (path, look, room) = (path.clone(), request.look, request.room);
        app.update(UiMessage::Thumbnail(ThumbnailMessage { path, look, room, outcome }), fixed_time());
    }
}

fn sheet(app: &mut App, size: (u16, u16)) -> String {
    drawn(app, size);
    if let Some(request) = requested(app) {
        answer(app, &request);
    }
    drawn(app, size)
}

fn selected(app: &App) -> String {
    app.view_state().datasets.image.unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_contact_sheet_is_drawn() {
    let mut app = opened();
    press(&mut app, &[Key::Char('a'), Key::Right, Key::Char(' '), Key::Char('v'), Key::Right, Key::Right]);
    // The rows are the same in all sizes, and the thumbnails are made for each.
    assert_drawn!("sheet", &mut app, sheet);
}

#[test]
fn thumbnails_are_requested_once_those_on_screen_first() {
    let mut app = opened();
    press(&mut app, &[Key::Char('a')]);
    drawn(&mut app, (80, 24));
    let first = requested(&mut app).unwrap();
    assert_eq!(first.paths.len(), 26, "the tiles on screen, then the next two pages");
    assert!(first.paths[0].ends_with("CC_R/train/A/1_1_A_CC_R.png"));
    answer(&mut app, &first);
    drawn(&mut app, (80, 24));
    assert_eq!(requested(&mut app), None);
    // Of another size, all are made again; a redraw has lost them.
    drawn(&mut app, (120, 40));
    assert!(requested(&mut app).is_some_and(|request| request.room != first.room));
    press(&mut app, &[Key::Ctrl('l')]);
    drawn(&mut app, (120, 40));
    assert!(requested(&mut app).is_some());
}

#[test]
fn the_sheet_is_walked_opened_and_left() {
    let mut app = opened();
    press(&mut app, &[Key::Char('a')]);
    drawn(&mut app, (80, 24));
    press(&mut app, &[Key::Right, Key::Down]);
    drawn(&mut app, (80, 24));
    assert_eq!(app.screens.datasets.images.cursor, 7, "one to the right, and a row of six down");
    let click = |app: &mut App, kind| {
        let mouse = crate::terminal::input::Mouse { kind, column: 3, row: 4 };
        app.update(UiMessage::Input(crate::terminal::input::Input::Mouse(mouse)), fixed_time());
    };
    click(&mut app, MouseKind::Press);
    assert_eq!(app.screens.datasets.images.cursor, 0);
    click(&mut app, MouseKind::Press);
    assert!(drawn(&mut app, (80, 24)).contains("1 of 26"), "a second click opens it");
    press(&mut app, &[Key::Escape]);
    let saved: ViewState = serde_json::from_slice(&serde_json::to_vec(&app.view_state()).unwrap()).unwrap();
    assert_eq!(saved.datasets.arrangement, Arrangement::Sheet);
    press(&mut app, &[Key::Char('a')]);
    assert!(drawn(&mut app, (80, 24)).contains("subject"), "the list again");
}

#[test]
fn images_are_sorted_and_the_cursor_stays_on_its_image() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Down, Key::Down]);
    shown(&mut app, (120, 40));
    let before = selected(&app);
    let first = |app: &mut App| {
        shown(app, (120, 40));
        let screen = &app.screens.datasets;
        let row = screen.samples.row(0).unwrap();
        Samples::name(screen.tree.as_ref().unwrap(), row).to_owned()
    };
    press(&mut app, &[Key::Char('s')]);
    assert_eq!(first(&mut app), "1_1_A_CC_R.png");
    assert_eq!(selected(&app), before);
    press(&mut app, &[Key::Char('S')]);
    assert_eq!(first(&mut app), "13_1_B_CC_R.png", "9 comes before 13");
    assert!(drawn(&mut app, (120, 40)).contains("by name ↓"));
    press(&mut app, &[Key::Char('s'), Key::Char('S')]);
    assert_eq!(first(&mut app), "8_1_D_CC_R.png", "the last of class D");
    // All sizes are read for the order by size; flagged images come first by flags.
    press(&mut app, &[Key::Char('s')]);
    drawn(&mut app, (80, 24));
    let sizes = app.after_draw().into_iter().find_map(|effect| match effect {
        Effect::Datasets(DatasetsEffect::ReadHeaders(paths)) => Some(paths.len()),
        _ => None,
    });
    assert_eq!(sizes, None, "they are all known from the rows on screen");
    press(&mut app, &[Key::Char('s')]);
    assert_eq!(first(&mut app), "2_1_B_CC_R.png");
    press(&mut app, &[Key::Char('s')]);
    assert_eq!(selected(&app), before);
    assert!(!drawn(&mut app, (120, 40)).contains(" · by "));
}

#[test]
fn a_range_is_marked_from_either_end() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Down, Key::Down, Key::Down, Key::Char('v'), Key::Up, Key::Up]);
    assert_eq!(app.screens.datasets.samples.marked(), 0);
    assert!(drawn(&mut app, (80, 24)).contains("│· "), "the range is shown before it is marked");
    press(&mut app, &[Key::Char('v')]);
    assert_eq!(app.screens.datasets.samples.marked(), 3);
    // Escape gives a range up before it leaves the images.
    press(&mut app, &[Key::Char('v'), Key::Escape, Key::Down, Key::Char('v'), Key::Char('v')]);
    assert_eq!(app.screens.datasets.samples.marked(), 3, "the one under the cursor was marked already");
}

#[test]
fn paths_are_copied_and_it_is_said() {
    let mut app = fresh_app();
    send(&mut app, DatasetsMessage::Offered(vec!["/density/testset".into()]));
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy("/density/testset".to_owned())], "offered");
    let mut app = opened();
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(ROOT.to_owned())]);
    press(&mut app, &[Key::Enter]);
    let path = format!("{ROOT}/CC_R/train/A/1_1_A_CC_R.png");
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(path.clone())]);
    assert!(drawn(&mut app, (120, 40)).contains(&format!("copied {path}")));
}
