use crate::tui::protocol::verb::KeyMap;
use crate::tui::protocol::viewer::ListedImage;
use image::{GrayImage, Luma};

use super::*;
use crate::tui::popups::Popup;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::pictures::{PictureEffect, PictureRequest};
use crate::tui::services::pictures::PictureService;
use crate::tui::testing::{assert_drawn, drawn, fixed_time, fresh_app, press, settled};
use mammoscope_domain::subject::view::View;

fn three_images(folder: &std::path::Path) -> ImageList {
    let image = |number: u8| {
        let path = folder.join(format!("{number}_1_B_CC_R.png"));
        if number < 3 {
            GrayImage::from_fn(30, 40, |x, y| Luma([(x * 4 + y * 2) as u8 + number])).save(&path).unwrap();
        } else {
            std::fs::write(&path, "notes").unwrap();
        }
        ListedImage { path, caption: format!("subject {number} · true B · predicted C (.83)") }
    };
    ImageList { title: "true B, predicted C".to_owned(), images: (1..=3).map(image).collect(), position: 0 }
}

fn wanted(effects: &[Effect]) -> PictureRequest {
    match effects {
        [Effect::Picture(PictureEffect::Show { request, .. })] => request.clone(),
        other => panic!("no picture is requested: {other:?}"),
    }
}

#[test]
fn the_images_are_browsed_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, messages) = std::sync::mpsc::channel();
    let mut service = PictureService::new(inbox);
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(three_images(folder.path())));
    let mut look = |app: &mut crate::tui::app::App, size| {
        drawn(app, size);
        for effect in app.after_draw() {
            if let Effect::Picture(effect) = effect {
                service.perform(effect);
                app.update(messages.recv_timeout(std::time::Duration::from_secs(20)).unwrap(), fixed_time());
            }
        }
        drawn(app, size)
    };
    assert_drawn!("first", &mut app, look);
    press(&mut app, &[Key::Right, Key::Char('w')]);
    assert_drawn!("second", &mut app, look);
    press(&mut app, &[Key::End]);
    assert_drawn!("unreadable", &mut app, look);
    press(&mut app, &[Key::Char('?')]);
    assert!(look(&mut app, (80, 24)).contains("decrease the contrast"), "its keys are listed");
    press(&mut app, &[Key::Escape, Key::Escape]);
    assert!(app.popups.is_empty());
}

#[test]
fn every_key_performs_its_action() {
    let folder = tempfile::tempdir().unwrap();
    let mut viewer = ViewerPopup::open(three_images(folder.path()), WindowChoice::default());
    let mut position = |key| {
        viewer.press(key, &KeyMap::default());
        viewer.images.position
    };
    assert_eq!([Key::Right, Key::Down, Key::Right, Key::Left].map(&mut position), [1, 2, 2, 1]);
    assert_eq!([Key::Home, Key::PageDown, Key::PageUp, Key::End].map(&mut position), [0, 2, 0, 2]);
    let mut window = |key: char| {
        viewer.press(Key::Char(key), &KeyMap::default());
        (viewer.window.level, viewer.window.contrast)
    };
    assert_eq!(['>', '}', '<', '<', '{'].map(&mut window), [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]);
    assert_eq!(window('0'), (0, 0));
    viewer.press(Key::Char('w'), &KeyMap::default());
    assert_ne!(viewer.window, WindowChoice::default());
    assert_eq!(viewer.press(Key::Char('q'), &KeyMap::default()), PopupOutcome::Close(Vec::new()));
}

#[test]
fn a_picture_is_requested_once_per_size_window_and_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(three_images(folder.path())));
    drawn(&mut app, (80, 24));
    let first = wanted(&app.after_draw());
    drawn(&mut app, (80, 24));
    assert_eq!(app.after_draw(), []);
    drawn(&mut app, (100, 30));
    assert_ne!(wanted(&app.after_draw()).room, first.room);
    press(&mut app, &[Key::Char('>')]);
    drawn(&mut app, (100, 30));
    assert_eq!(wanted(&app.after_draw()).window.level, 1);
    // Clearing the terminal loses the pictures that it was sent.
    press(&mut app, &[Key::Ctrl('l')]);
    drawn(&mut app, (100, 30));
    wanted(&app.after_draw());
    // An answer to an earlier request is not shown.
    let stale = PictureMessage { request: first, outcome: Err("is stale".into()) };
    app.update(UiMessage::Picture(stale), fixed_time());
    assert!(!drawn(&mut app, (100, 30)).contains("is stale"));
    assert!(matches!(app.popups[..], [Popup::Viewer(_)]));
}

#[test]
fn a_picture_is_magnified_panned_and_read_under_a_crosshair() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7_1_B_CC_L.png");
    GrayImage::from_fn(400, 800, |x, y| Luma([(x / 4 + y / 8) as u8])).save(&path).unwrap();
    let images = vec![ListedImage { path, caption: "subject 7".to_owned() }];
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(ImageList { title: "B".to_owned(), images, position: 0 }));
    let whole = settled(&mut app, (80, 24));
    assert!(whole.contains("subject 7 · 4.2 %"), "{whole}");
    // Keys that come faster than pictures count all the same.
    press(&mut app, &[Key::Char('z'); 5]);
    let magnified = settled(&mut app, (80, 24));
    assert!(magnified.contains("subject 7 · 25 %"), "{magnified}");
    press(&mut app, &[Key::Char('+'); 4]);
    assert!(settled(&mut app, (80, 24)).contains("subject 7 · 1:1"));
    press(&mut app, &[Key::Char('z'), Key::Char(',')]);
    let crosshair = settled(&mut app, (80, 24));
    assert!(crosshair.contains("×2 · x 200  y 401  grey 100"), "{crosshair}");
    assert_drawn!("crosshair", &mut app, settled);
    press(&mut app, &[Key::Right, Key::Right, Key::Up]);
    assert!(settled(&mut app, (80, 24)).contains("x 202  y 400  grey 100"), "a step is a pixel");
    // Escape goes back to the whole image, and only then to where it came from.
    press(&mut app, &[Key::Escape]);
    assert!(settled(&mut app, (80, 24)).contains("subject 7 · 4.2 %"));
    press(&mut app, &[Key::Char('z'), Key::Char('0')]);
    assert!(settled(&mut app, (80, 24)).contains("subject 7 · 4.2 %"));
    press(&mut app, &[Key::Escape]);
    assert!(app.popups.is_empty());
}

#[test]
fn the_wheel_magnifies_what_is_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7_1_B_CC_L.png");
    GrayImage::from_fn(400, 400, |x, _| Luma([if x < 240 { 20 } else { 220 }])).save(&path).unwrap();
    let images = vec![ListedImage { path, caption: String::new() }];
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(ImageList { title: "B".to_owned(), images, position: 0 }));
    settled(&mut app, (80, 24));
    let wheel = Mouse { kind: MouseKind::WheelUp, column: 52, row: 10 };
    for _ in 0..6 {
        app.update(UiMessage::Input(crate::terminal::input::Input::Mouse(wheel)), fixed_time());
        settled(&mut app, (80, 24));
    }
    press(&mut app, &[Key::Char(',')]);
    let right = settled(&mut app, (80, 24));
    assert!(right.contains("grey 220"), "the bright side under the mouse is magnified: {right}");
}

#[test]
fn a_window_is_typed_and_kept_for_the_other_screens() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(three_images(folder.path())));
    settled(&mut app, (80, 24));
    press(&mut app, &[Key::Char('W'), Key::Ctrl('u'), Key::Char('9'), Key::Enter]);
    assert_drawn!("typed_window", &mut app, settled);
    press(&mut app, &[Key::Char(' '), Key::Char('4'), Key::Char('0'), Key::Enter]);
    let shown = settled(&mut app, (80, 24));
    assert!(shown.contains("window -11–28 · typed"), "{shown}");
    press(&mut app, &[Key::Escape]);
    let images = three_images(folder.path());
    app.navigate(Destination::Viewer(images));
    assert!(settled(&mut app, (80, 24)).contains("window -11–28 · typed"), "the window is not forgotten");
}

#[test]
fn the_four_views_hang_chest_wall_to_chest_wall() {
    let folder = tempfile::tempdir().unwrap();
    // A half disc at the chest wall; the one of MLO_L is stored mirrored, and MLO_R is missing.
    let breast = |at_right: bool, size: u32| {
        GrayImage::from_fn(size, 2 * size, move |x, y| {
            let x = if at_right { size - 1 - x } else { x };
            let inside = x.pow(2) + y.abs_diff(size).pow(2) < (size * 8 / 10).pow(2);
            Luma([if inside { 120 + (x * 7 + y * 3) as u8 % 40 } else { 0 }])
        })
    };
    for (view, at_right, size) in [(View::CcR, true, 200), (View::CcL, false, 150), (View::MloL, true, 200)] {
        breast(at_right, size).save(folder.path().join(format!("7_1_B_{view}.png"))).unwrap();
    }
    let image = ListedImage { path: folder.path().join("7_1_B_CC_L.png"), caption: "subject 7".to_owned() };
    let mut app = fresh_app();
    let images = ImageList { title: "B".to_owned(), images: vec![image], position: 0 };
    app.navigate(Destination::Hanging(images));
    let text = settled(&mut app, (80, 24));
    assert!(text.contains("MLO_L · mirrored ") && text.contains("no MLO_R "), "{text}");
    let text = settled(&mut app, (120, 40));
    assert!(text.contains("MLO_L · mirrored for display") && text.contains("no MLO_R in this examination"), "{text}");
    assert_drawn!("hanging", &mut app, settled);
    // In a wide and low window, four in a row are larger than two rows of two.
    insta::assert_snapshot!("hanging_120x24", settled(&mut app, (120, 24)));
    press(&mut app, &[Key::Char('z'), Key::Char('z')]);
    assert_drawn!("hanging_magnified", &mut app, settled);
    press(&mut app, &[Key::Escape, Key::Char('H')]);
    assert!(!settled(&mut app, (80, 24)).contains("MLO_L"), "the image alone");
}

#[test]
fn a_step_back_leaves_the_hanging_for_where_it_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = fresh_app();
    app.navigate(Destination::Viewer(three_images(folder.path())));
    settled(&mut app, (80, 24));
    press(&mut app, &[Key::Char(','), Key::Char('H')]);
    let is_hung = |app: &crate::tui::app::App| matches!(app.popups.last(), Some(Popup::Viewer(viewer)) if viewer.hanging.is_some());
    assert!(is_hung(&app));
    press(&mut app, &[Key::Escape]);
    assert!(!is_hung(&app) && settled(&mut app, (80, 24)).contains("· x "), "the image with its crosshair again");
    press(&mut app, &[Key::Escape]);
    assert!(!app.popups.is_empty() && !settled(&mut app, (80, 24)).contains("· x "), "the whole image");
    press(&mut app, &[Key::Escape]);
    assert!(app.popups.is_empty());
    app.navigate(Destination::Hanging(three_images(folder.path())));
    assert!(is_hung(&app));
    press(&mut app, &[Key::Escape]);
    assert!(app.popups.is_empty(), "it was opened with the four views");
}
