use chrono::TimeDelta;

use super::*;
use crate::runs::run_spec_file::write_run_spec;
use mammoscope_domain::run::run_spec::RUN_SCHEMA;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;

fn workspace() -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(Some(folder.path())).unwrap();
    (folder, workspace)
}

fn time(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn make(workspace: &Workspace, minutes: i64, view: View, label: &str, group: &str) -> RunDir {
    let run = workspace.create_run(time(minutes), view, label).unwrap();
    let spec = RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
        on_event: None,
        placement: None,
        study: None,
        created: time(minutes),
        group: group.to_owned(),
        view,
        preset: "quick".to_owned(),
        data: "/data".into(),
        device: DeviceChoice::Cpu,
        config: Preset::named("quick").unwrap().config,
    };
    write_run_spec(&run.spec(), &spec).unwrap();
    run
}

#[test]
fn runs_are_listed_newest_first_with_groups_together_and_damaged_ones() {
    let (_folder, workspace) = workspace();
    let old = make(&workspace, 0, View::CcR, "seed", "g1");
    let group: Vec<RunDir> = [(5, View::MloL), (5, View::CcR), (6, View::MloR), (5, View::CcL)]
        .map(|(minutes, view)| make(&workspace, minutes, view, "quick", "g2"))
        .to_vec();
    std::fs::create_dir(workspace.runs().join("a folder of something else")).unwrap();
    std::fs::create_dir(workspace.runs().join(".hidden")).unwrap();
    std::fs::write(workspace.runs().join("notes.txt"), b"").unwrap();
    let entries = list_runs(&workspace).unwrap();
    let names: Vec<RunDir> = entries.iter().map(|entry| entry.run.clone()).collect();
    let expected = [&group[1], &group[3], &group[2], &group[0], &old].map(RunDir::name);
    assert_eq!(names.iter().map(RunDir::name).collect::<Vec<_>>()[..5], expected);
    assert_eq!(names[5].name(), "a folder of something else");
    assert!(entries[5].spec.is_err() && matches!(entries[5].status, Err(RunStatusError::Missing(_))));
    assert_eq!(names.len(), 6);

    let latest = find_runs(&workspace, LATEST).unwrap();
    assert_eq!((latest.group.as_deref(), latest.runs.len()), (Some("g2"), 4));
    assert_eq!(latest.runs[0], group[1], "in the order of the views");
    let single = find_runs(&workspace, "g1").unwrap();
    assert_eq!(single.runs, [old]);
}

#[test]
fn a_run_is_found_by_name_prefix_and_path() {
    let (_folder, workspace) = workspace();
    let cc = make(&workspace, 0, View::CcR, "seed", "2026-group");
    let mlo = make(&workspace, 0, View::MloR, "seed", "2026-group");
    let beginning = mlo.name();
    let beginning = beginning.strip_suffix("O_R_seed").unwrap();
    let file = cc.status();
    let slashed = format!("{}/", cc.path().display());
    for (text, run) in
        [(cc.name().as_str(), &cc), (beginning, &mlo), (cc.path().to_str().unwrap(), &cc), (slashed.as_str(), &cc)]
    {
        assert_eq!(
            find_runs(&workspace, text).unwrap(),
            RunSelection { group: None, study: None, runs: vec![run.clone()] },
            "{text}"
        );
    }
    std::fs::write(&file, b"{}").unwrap();
    assert_eq!(find_runs(&workspace, file.to_str().unwrap()).unwrap().runs, [cc], "a file in it means the run");
    assert_eq!(find_runs(&workspace, "2026-gr").unwrap().runs.len(), 2, "the beginning of a group's id");
}

#[test]
fn errors_suggest_similar_names() {
    let (folder, workspace) = workspace();
    let error = |text: &str| find_runs(&workspace, text).unwrap_err().to_string();
    assert!(error("latest").contains("no runs in"));
    let cc = make(&workspace, 0, View::CcR, "seed", "2026-group");
    make(&workspace, 0, View::MloR, "seed", "2026-group");
    let misspelt = cc.name().replace("seed", "sede");
    assert!(error(&misspelt).contains(&format!("similar: {}", cc.name())), "{}", error(&misspelt));
    assert!(error("mlo_r").contains("MLO_R_seed"), "a part of a name");
    assert!(error("202").contains("beginning of 3 names"), "two runs and their group: {}", error("202"));
    assert!(error("xyz").contains("`mammoscope runs` lists them"));
    assert!(error("").contains("no run or group ''"));
    assert!(error("..").contains("no run or group"), "a name does not lead out of the workspace");
    assert!(error(&format!("{}/gone", folder.path().display())).contains("no run.toml"));
}
