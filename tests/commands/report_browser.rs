//! A report in a real browser, Debian's `chromium`: nothing is requested, nothing fails, every figure has a text
//! alternative, and all text can be read on a light and a dark ground, on a phone and on a desk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mammoscope_test_support::{mammoscope, stderr_of};
use serde_json::Value;

use crate::report::table;

/// The browser; `None`, with a visible line, where there is none.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        eprintln!("skipped: no chromium to open a report in");
    }
    found
}

fn open(browser: &str, profile: &Path, page: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(browser);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(arguments);
    let output = command.arg(format!("file://{}", page.display())).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    output
}

/// A report with pictures, charts and tables of every kind.
fn report(folder: &Path) -> PathBuf {
    let data = folder.join("testset");
    let predictions = folder.join("predictions");
    fs::create_dir(&predictions).unwrap();
    fs::write(predictions.join("predictions.csv"), table("s")).unwrap();
    // The images of the table: phantoms under its names.
    let phantoms = mammoscope().arg("phantom").arg(&data).args(["--subjects", "4", "--size", "64"]).output().unwrap();
    assert!(phantoms.status.success(), "{}", stderr_of(&phantoms));
    let picture = walkdir::WalkDir::new(&data)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .find(|path| path.extension().is_some_and(|extension| extension == "png"))
        .unwrap();
    for subject in 0..12 {
        for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
            let label = ["A", "B", "C", "D"][subject % 4];
            fs::copy(&picture, predictions.join(format!("s{subject}_1_{label}_{view}.png"))).unwrap();
        }
    }
    fs::write(folder.join("labels.csv"), "subject,site\ns1,north\ns2,south\ns3,north\ns4,south\n").unwrap();
    let mut command = mammoscope();
    command.current_dir(folder).args(["report", "predictions", "--against", "predictions/../other.csv"]);
    fs::write(folder.join("other.csv"), table("s").replace("0.7", "0.4").replace("0.1", "0.2")).unwrap();
    let output = command.args(["--labels", "labels.csv", "--resamples", "60"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let page = folder.join("report.html");
    assert_eq!(fs::read_to_string(&page).unwrap().matches("<img ").count(), 12, "three errors of four views");
    page
}

/// What the script finds in the page. The page's own policy forbids scripts, so that it is examined in a copy without.
fn examined(browser: &str, folder: &Path, page: &Path, name: &str, arguments: &[&str]) -> Value {
    let script = include_str!("report_page.js");
    let html = fs::read_to_string(page).unwrap();
    let policy = "<meta http-equiv=\"Content-Security-Policy\"";
    let start = html.find(policy).expect("a policy");
    let end = start + html[start..].find('>').unwrap() + 1;
    let copy = folder.join(format!("{name}.html"));
    let body = html[end..].replace("</body>", &format!("<script>{script}</script></body>"));
    fs::write(&copy, format!("{}{body}", &html[..start])).unwrap();
    let profile = folder.join(format!("profile-{name}"));
    let output = open(browser, &profile, &copy, &[arguments, &["--dump-dom"]].concat());
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = dom.split_once("<pre id=\"examined\">").unwrap_or_else(|| panic!("the script did not run: {dom}")).1;
    let found = found.split_once("</pre>").unwrap().0;
    serde_json::from_str(&found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).unwrap()
}

#[test]
fn a_report_is_readable_by_everyone() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = report(folder.path());
    let dark = "--blink-settings=preferredColorScheme=0";
    let light = "--blink-settings=preferredColorScheme=1";
    for (name, arguments, ground) in [
        ("light", ["--window-size=1400,30000", light], "rgb(255, 255, 255)"),
        ("dark", ["--window-size=1400,30000", dark], "rgb(20, 26, 33)"),
        ("narrow", ["--window-size=400,60000", light], "rgb(255, 255, 255)"),
    ] {
        let found = examined(browser, folder.path(), &page, name, &arguments);
        assert_eq!(found["ground"], ground, "{name}");
        assert!(found["texts"].as_u64().unwrap() > 500, "{name}: {} texts were examined", found["texts"]);
        for fault in ["faint", "silent", "dead", "repeated"] {
            assert_eq!(found[fault].as_array().map(Vec::len), Some(0), "{name}: {fault}: {}", found[fault]);
        }
        assert_eq!(
            (found["broken"].as_u64(), found["wide"].as_i64()),
            (Some(0), Some(0)),
            "{name}: broken pictures, scrolling sideways"
        );
        let levels: Vec<u64> =
            found["headings"].as_array().unwrap().iter().map(|level| level.as_u64().unwrap()).collect();
        assert_eq!(levels[0], 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: a level is left out: {levels:?}");
    }
}

#[test]
fn a_report_requests_nothing_and_logs_no_error() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = report(folder.path());
    let log = folder.path().join("net.json");
    let net_log = format!("--log-net-log={}", log.display());
    let output = open(
        browser,
        &folder.path().join("profile"),
        &page,
        &[&net_log, "--enable-logging=stderr", "--window-size=1400,2000", "--dump-dom"],
    );
    let stderr = stderr_of(&output);
    let messages: Vec<&str> = stderr.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(messages.is_empty(), "{messages:?}");
    let log = fs::read_to_string(&log).unwrap();
    let requested: Vec<&str> = log
        .split("\"url\":\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(url, _)| url)
        .filter(|url| !url.starts_with("file:") && !url.starts_with("data:") && !url.starts_with("chrome"))
        .collect();
    // The browser itself asks for its updates; nothing but the page could ask for something else.
    let of_page: Vec<&&str> = requested.iter().filter(|url| !url.contains("google") && !url.contains("gvt1")).collect();
    assert!(of_page.is_empty(), "{of_page:?}");
}
