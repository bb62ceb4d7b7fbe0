use crate::tui::protocol::verb::KeyMap;
use crate::tui::protocol::viewer::ListedImage;
use image::{GrayImage, Luma};

use super::*;
use crate::tui::popups::Popup;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::pictures::{PictureEffect, PictureRequest};
use crate::tui::services::pictures::PictureService;
use crate::tui::testing::{drawn, fixed_time, fresh_app, press};

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
    insta::assert_snapshot!("first_80x24", look(&mut app, (80, 24)));
    press(&mut app, &[Key::Right, Key::Char('w')]);
    insta::assert_snapshot!("second_120x40", look(&mut app, (120, 40)));
    press(&mut app, &[Key::End]);
    insta::assert_snapshot!("unreadable_80x24", look(&mut app, (80, 24)));
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
