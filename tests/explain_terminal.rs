//! `mammoscope explain --show` in a terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod pty_session;

use std::path::Path;

use pty_session::PtySession;

fn shown(words: &[&str]) -> (PtySession, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_str().unwrap().to_owned();
    let (models, data) = (shipped("models"), shipped("testset/CC_R/D"));
    let fixed = ["explain", "--model", &models, "--data", &data, "--view", "CC_R", "--device", "cpu", "--out", "maps"];
    let session = PtySession::start(&[&fixed[..], words].concat(), folder.path(), (60, 30));
    (session, folder)
}

#[test]
fn overlays_are_drawn_in_half_blocks_with_what_they_show() {
    let (mut session, _folder) = shown(&["--show", "--graphics", "halfblocks", "--quiet"]);
    session.wait_for_text("4_1_D_CC_R.png · ");
    let blocks = session.contents().chars().filter(|&letter| letter == '▄' || letter == '▀').count();
    assert!(blocks > 200, "{blocks} half-blocks:\n{}", session.contents());
    // The map's colours: what is grey has three equal parts.
    let bytes = String::from_utf8_lossy(&session.bytes()).into_owned();
    let coloured = bytes.split("\x1b[").filter_map(|sequence| {
        let (_, rgb) = sequence.split_once("8;2;")?;
        let parts: Vec<&str> = rgb.split(['m', ';']).take(3).collect();
        (parts.len() == 3 && parts[0] != parts[2]).then_some(())
    });
    let indexed = bytes.matches("8;5;").count();
    assert!(coloured.count() + indexed > 50, "an overlay has colours");
    session.wait_for_end();
}

#[test]
fn without_pictures_wanted_none_are_drawn() {
    let (mut session, _folder) = shown(&["--quiet"]);
    session.wait_for_end();
    assert!(!session.contents().contains('▄'), "{}", session.contents());
}
