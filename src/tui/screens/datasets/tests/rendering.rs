//! The screen in different themes.

use image::{GrayImage, Luma};

use super::*;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::testing::settled;
use mammoscope_domain::subject::view::{Side, View};

#[test]
fn the_screen_is_drawn_light_and_with_few_colours() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char(' ')]);
    let unreadable = vec![(Path::new(ROOT).join("CC_R/train/C/3_1_C_CC_R.png"), "is truncated".to_owned())];
    send(&mut app, DatasetsMessage::Unreadable(unreadable));
    app.shared.theme.light = true;
    insta::assert_snapshot!("light_120x40", drawn(&mut app, (120, 40)));
    app.shared.theme.light = false;
    app.shared.theme.depth = ColorDepth::Sixteen;
    insta::assert_snapshot!("sixteen_colours_80x24", drawn(&mut app, (80, 24)));
}

#[test]
fn an_image_is_magnified_in_its_pane_and_hung_with_its_views() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("images");
    std::fs::create_dir(&root).unwrap();
    let names = View::ALL.map(|view| format!("7_1_B_{view}.png"));
    for (name, view) in names.iter().zip(View::ALL) {
        // A half disc at the chest wall, which is on the right of a right breast.
        let breast = GrayImage::from_fn(200, 400, |x, y| {
            let depth = if view.side() == Side::Right { 199 - x } else { x };
            let inside = depth.pow(2) + y.abs_diff(200).pow(2) < 160_u32.pow(2);
            Luma([if inside { 110 + (x * 7 + y * 3) as u8 % 40 } else { 0 }])
        });
        breast.save(root.join(name)).unwrap();
    }
    let mut app = fresh_app();
    app.shared.home = Some(home.path().to_owned());
    send(&mut app, DatasetsMessage::Opened { requested: root.clone(), root: root.clone(), is_prepared: false });
    let images = names.iter().map(|name| Box::from(&**name)).collect();
    let outcome = Ok(FolderListing { subfolders: Vec::new(), images, problems: Vec::new() });
    let context = FolderContext::default();
    send(&mut app, DatasetsMessage::Listed { root: root.clone(), folder: root, context, outcome });
    press(&mut app, &[Key::Enter]);
    settled(&mut app, (120, 40));
    press(&mut app, &[Key::Char('z'), Key::Char('z'), Key::Char(',')]);
    assert_drawn!("magnified", &mut app, settled);
    press(&mut app, &[Key::Char('H')]);
    assert_drawn!("hanging", &mut app, settled);
}
