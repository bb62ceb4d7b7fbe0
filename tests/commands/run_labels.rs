//! `mammoscope runs rename`, `tag` and `note`, and the lists that know them.
#![cfg(target_os = "linux")]

use std::fs;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::run_fixture::{RunFixture, end, text};
use mammoscope_test_support::stderr_of;
use serde_json::Value;

#[test]
fn runs_are_named_tagged_and_annotated_and_found_by_that() {
    let fixture = RunFixture::new();
    let one = fixture.running(View::CcR, "pair");
    end(&one, RunPhase::Completed, None);
    let other = fixture.queued(View::CcL, "pair");
    let output = |arguments: &[&str]| {
        let output = fixture.output(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_of(&output));
        text(&output.stdout)
    };
    let refused = |arguments: &[&str]| {
        let output = fixture.output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr_of(&output));
        stderr_of(&output)
    };
    assert_eq!(output(&["runs", "rename", &one.name(), "the good one"]), format!("{}: \"the good one\"\n", one.name()));
    assert_eq!(
        output(&["runs", "tag", "the good one", "+paper", "+ablation/3"]),
        format!("{}: ablation/3 paper\n", one.name())
    );
    assert_eq!(output(&["runs", "tag", "the good one", "-ablation/3"]), format!("{}: paper\n", one.name()));
    assert_eq!(
        output(&["runs", "note", "the good one", "400 subjects, \"clean\""]),
        format!("{}: 400 subjects, \"clean\"\n", one.name())
    );
    assert_eq!(
        output(&["runs", "note", "the good one"]),
        format!("{}: 400 subjects, \"clean\"\n", one.name()),
        "printed"
    );
    // A group takes a tag as a whole.
    assert_eq!(output(&["runs", "tag", "pair", "+both"]).lines().count(), 2);

    let tagged = output(&["runs", "--tag", "paper", "--tag", "both"]);
    assert!(tagged.contains("\"the good one\" #both #paper") && !tagged.contains(&other.name()), "{tagged}");
    let document: Value = serde_json::from_str(&output(&["runs", "--tag", "paper", "--json"])).unwrap();
    assert_eq!(document["runs"][0]["labels"]["tags"], serde_json::json!(["both", "paper"]));
    let mut csv = csv::Reader::from_reader(std::io::Cursor::new(output(&["runs", "--csv"])));
    let columns = csv.headers().unwrap().clone();
    let lines: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 2);
    let line = lines.iter().find(|line| line[0] == one.name()).unwrap();
    let field = |name: &str| &line[columns.iter().position(|column| column == name).unwrap()];
    let labels = ["name", "tags", "note"].map(field);
    assert_eq!(labels, ["the good one", "both paper", "400 subjects, \"clean\""]);
    assert_eq!((field("state"), field("view")), ("completed", "CC_R"));

    assert!(refused(&["runs", "tag", "pair", "paper"]).contains("+paper adds the tag, -paper removes it"));
    assert!(refused(&["runs", "tag", "pair", "+two words"]).contains("is not a tag"));
    assert!(refused(&["runs", "rename", "pair", &"x".repeat(61)]).contains("has 61 characters"));
    assert!(stderr_of(&fixture.output(&["runs", "--tag", "none"])).contains("no run has the tag none"));
    output(&["runs", "rename", "the good one", ""]);
    let gone = fixture.output(&["runs", "note", "the good one"]);
    assert!(stderr_of(&gone).contains("no run or group 'the good one'"), "{}", stderr_of(&gone));

    // Root may write everywhere.
    if !rustix::process::geteuid().is_root() {
        let folder = one.path();
        let permissions = fs::metadata(folder).unwrap().permissions();
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        let output = fixture.output(&["runs", "rename", &one.name(), "x"]);
        fs::set_permissions(folder, permissions).unwrap();
        assert!(stderr_of(&output).contains("is read-only"), "{}", stderr_of(&output));
    }
}
