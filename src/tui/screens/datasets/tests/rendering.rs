//! The screen in different themes.

use super::*;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::datasets::DatasetsMessage;

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
