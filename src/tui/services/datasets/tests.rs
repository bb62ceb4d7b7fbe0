use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;

fn next(messages: &Receiver<UiMessage>, wanted: impl Fn(&DatasetsMessage) -> bool) -> DatasetsMessage {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if let Ok(UiMessage::Datasets(message)) = messages.recv_timeout(left)
            && wanted(&message)
        {
            return message;
        }
        assert!(Instant::now() < end, "the message never came");
    }
}

#[test]
fn a_data_set_is_read_and_watched() {
    let data = tempfile::tempdir().unwrap();
    let class = data.path().join("CC_R/train/B");
    fs::create_dir_all(&class).unwrap();
    fs::write(class.join("1_1_B_CC_R.png"), "").unwrap();
    let (inbox, messages) = channel();
    let workspace = tempfile::tempdir().unwrap();
    let mut service = DatasetsService::new(&Workspace::open(Some(workspace.path())).unwrap(), &inbox);
    service.perform(DatasetsEffect::Open(data.path().join("")));
    let listed = |images: usize| {
        let class = class.clone();
        move |message: &DatasetsMessage| {
            matches!(message, DatasetsMessage::Listed { folder, outcome: Ok(listing), .. }
                if *folder == class && listing.images.len() == images)
        }
    };
    let DatasetsMessage::Listed { context, root, .. } = next(&messages, listed(1)) else { panic!("a folder") };
    assert_eq!(
        (root, context.class),
        (data.path().to_owned(), Some(mammoscope_domain::subject::density::DensityClass::B))
    );
    next(&messages, |message| matches!(message, DatasetsMessage::Audited { .. }));
    fs::write(class.join("2_1_B_CC_R.png"), "").unwrap();
    next(&messages, listed(2));
    service.perform(DatasetsEffect::ReadHeaders(vec![class.join("2_1_B_CC_R.png")]));
    let DatasetsMessage::Headers { read, .. } = next(&messages, |m| matches!(m, DatasetsMessage::Headers { .. }))
    else {
        panic!("headers")
    };
    assert_eq!(read[0].1.as_ref().unwrap_err().text(), "is empty (0 bytes)");
}

#[test]
fn paths_are_completed_and_data_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["datasets/density", "phantoms", "photos", ".hidden"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("phone"), "").unwrap();
    let base = folder.path().to_string_lossy();
    assert_eq!(
        paths::completions(&format!("{base}/ph"), |_| false),
        ["phantoms/", "photos/"].map(|name| format!("{base}/{name}"))
    );
    assert!(paths::completions(&format!("{base}/nowhere/x"), |_| false).is_empty());
    let found = paths::data_nearby(folder.path());
    assert_eq!(found[..2], [folder.path().join("datasets/density"), folder.path().join("phantoms")]);
    assert_eq!(paths::expand(&format!("{base}/phantoms/")), folder.path().join("phantoms"));
}

#[test]
fn unreadable_images_are_found_and_again_after_a_change() {
    let data = tempfile::tempdir().unwrap();
    let names = |range: std::ops::Range<u32>| range.map(|number| data.path().join(format!("{number}.png")));
    names(0..200).for_each(|path| fs::write(path, "no image").unwrap());
    let (inbox, messages) = channel();
    let workspace = tempfile::tempdir().unwrap();
    let mut service = DatasetsService::new(&Workspace::open(Some(workspace.path())).unwrap(), &inbox);
    let mut found = std::collections::BTreeSet::new();
    let mut until = |service: &mut DatasetsService, count: usize| {
        service.perform(DatasetsEffect::Inspect(vec![data.path().to_owned()]));
        while found.len() < count {
            let message = next(&messages, |message| matches!(message, DatasetsMessage::Unreadable(_)));
            let DatasetsMessage::Unreadable(unreadable) = message else { panic!("unreadable images") };
            assert!(unreadable.iter().all(|(_, problem)| !problem.is_empty()));
            found.extend(unreadable.into_iter().map(|(path, _)| path));
        }
        found.len()
    };
    assert_eq!(until(&mut service, 200), 200);
    names(200..203).for_each(|path| fs::write(path, "").unwrap());
    assert_eq!(until(&mut service, 203), 203);
}

#[test]
fn duplicates_are_found_across_folders() {
    let data = tempfile::tempdir().unwrap();
    let folders = ["a", "b"].map(|name| data.path().join(name));
    for (folder, texts) in folders.iter().zip([["one", "two"], ["two", "3"]]) {
        fs::create_dir(folder).unwrap();
        for (number, text) in texts.iter().enumerate() {
            fs::write(folder.join(format!("{number}.png")), text).unwrap();
        }
    }
    let (inbox, messages) = channel();
    let workspace = tempfile::tempdir().unwrap();
    let mut service = DatasetsService::new(&Workspace::open(Some(workspace.path())).unwrap(), &inbox);
    let root = data.path().to_owned();
    service.perform(DatasetsEffect::FindDuplicates { root, folders: folders.to_vec() });
    let DatasetsMessage::Duplicates { audit, .. } =
        next(&messages, |m| matches!(m, DatasetsMessage::Duplicates { .. }))
    else {
        panic!("an audit")
    };
    assert_eq!(audit.groups, [[folders[0].join("1.png"), folders[1].join("0.png")]]);
}
