//! The screen in different states and themes.

use super::*;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::machine_sample::{GpuSample, MachineSample, MemoryUse};

#[test]
fn escape_sequences_in_the_log_are_escaped() {
    let mut app = app_with_runs();
    drawn(&mut app, (120, 40));
    press(&mut app, &[Key::Char('i')]);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("! \\u{1b}[31mcareful") && !screen.contains('\u{1b}'), "{screen}");
    assert_drawn!("log", &mut app);
}

#[test]
fn other_states_are_drawn() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "cc");
    assert_drawn!("filter", &mut app);
    press(&mut app, &[Key::Escape, Key::Escape, Key::Char('x'), Key::Char('s')]);
    assert_drawn!("confirm_stop", &mut app);
    press(&mut app, &[Key::Escape, Key::End]);
    assert_drawn!("stale", &mut app);
    press(&mut app, &[Key::Up]);
    assert_drawn!("failed", &mut app);
}

#[test]
fn the_screen_is_drawn_light_and_with_few_colours() {
    let mut app = app_with_runs();
    app.shared.machine = MachineSample {
        host: "node3".to_owned(),
        cpu_percent: Some(12),
        memory: None,
        gpus: vec![GpuSample {
            name: "H200".to_owned(),
            busy_percent: Some(97),
            memory: Some(MemoryUse { used: 61_000_000_000, total: 141_000_000_000 }),
            power_watts: Some(640),
            celsius: Some(63),
        }],
    };
    press(&mut app, &[Key::Char('!'), Key::Char('!')]);
    app.shared.theme.light = true;
    insta::assert_snapshot!("light_120x40", drawn(&mut app, (120, 40)));
    app.shared.theme.depth = ColorDepth::Indexed;
    insta::assert_snapshot!("light_256_colours_80x24", drawn(&mut app, (80, 24)));
    app.shared.theme.light = false;
    app.shared.theme.depth = ColorDepth::Sixteen;
    insta::assert_snapshot!("sixteen_colours_80x24", drawn(&mut app, (80, 24)));
}
