//! `mammoscope explain --show` in a terminal.

#![cfg(unix)]

use mammoscope_test_support::pty_session::PtySession;
use mammoscope_test_support::shipped;

fn explain(arguments: &[&str]) -> (PtySession, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (models, data) = (shipped("models"), shipped("testset/CC_R/D"));
    let (models, data) = (models.to_str().unwrap(), data.to_str().unwrap());
    let fixed = ["explain", "--model", models, "--data", data, "--view", "CC_R", "--device", "cpu", "--out", "maps"];
    let session = PtySession::start(&[&fixed[..], arguments].concat(), folder.path(), (60, 30));
    (session, folder)
}

#[test]
fn overlays_are_drawn_in_half_blocks_with_captions() {
    let (mut session, _folder) = explain(&["--show", "--graphics", "halfblocks", "--quiet"]);
    session.wait_for_text("4_1_D_CC_R.png · ");
    let blocks = session.contents().chars().filter(|&letter| letter == '▄' || letter == '▀').count();
    assert!(blocks > 200, "{blocks} half-blocks:\n{}", session.contents());
    // Counts the map's colours. Greys of the image have three equal parts.
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
fn no_overlays_are_drawn_without_show() {
    let (mut session, _folder) = explain(&["--quiet"]);
    session.wait_for_end();
    assert!(!session.contents().contains('▄'), "{}", session.contents());
}
