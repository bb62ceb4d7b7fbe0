//! Unreadable, doubtful and duplicate images.

use crate::tui::protocol::datasets::DatasetsMessage;
use mammoscope_dataset::subject_audit::SubjectAudit;
use proptest::prelude::*;

use super::*;
use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;

fn image(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn listed(app: &mut App) -> String {
    drawn(app, (120, 40))
}

#[test]
fn all_headers_are_checked_those_of_the_selected_folder_first() {
    let mut app = opened();
    press(&mut app, &[Key::Down, Key::Down]);
    let chosen = app.view_state().datasets.folder.unwrap();
    let audit = SubjectAudit::default();
    let effects = send(&mut app, DatasetsMessage::Audited { root: ROOT.into(), audit });
    let [Effect::Datasets(DatasetsEffect::Inspect(folders))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(folders.len(), 8, "those with images");
    assert!(folders[0].starts_with(&chosen) && chosen != Path::new(ROOT), "{chosen:?}");
    let audit = SubjectAudit::default();
    assert_eq!(send(&mut app, DatasetsMessage::Audited { root: "/other".into(), audit }), []);
}

#[test]
fn an_unreadable_image_is_flagged_at_once() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char('.')]);
    assert!(!listed(&mut app).contains("is empty"));
    let before = app.screens.datasets.samples.len();
    let found = vec![(image("CC_R/train/C/3_1_C_CC_R.png"), "is empty (0 bytes)".to_owned())];
    send(&mut app, DatasetsMessage::Unreadable(found.clone()));
    let screen = listed(&mut app);
    assert!(screen.contains("✖ is empty ") && !screen.contains("0 bytes"), "{screen}");
    assert_eq!(app.screens.datasets.samples.len(), before + 1);
    press(&mut app, &[Key::End]);
    let cursor = |app: &App| app.view_state().datasets.image;
    let chosen = cursor(&app);
    let more = vec![(image("CC_R/train/B/4_1_B_CC_R.png"), "is truncated".to_owned())];
    send(&mut app, DatasetsMessage::Unreadable(more));
    listed(&mut app);
    assert_eq!(cursor(&app), chosen, "the cursor stays on its image");
    send(&mut app, DatasetsMessage::Unreadable(found));
    assert_eq!(app.screens.datasets.samples.len(), before + 2, "reported twice, flagged once");
}

#[test]
fn duplicates_are_flagged_on_request() {
    let mut app = opened();
    let effects = press(&mut app, &[Key::Char('U')]);
    assert!(
        matches!(&effects[..], [Effect::Datasets(DatasetsEffect::FindDuplicates { folders, .. })] if folders.len() == 8),
        "{effects:?}"
    );
    assert_eq!(press(&mut app, &[Key::Char('U')]), [], "once at a time");
    let pair = vec![image("CC_R/train/C/3_1_C_CC_R.png"), image("CC_R/test/C/10_1_C_CC_R.png")];
    let audit = DuplicateAudit { groups: vec![pair], files: 26, unreadable: 0 };
    send(&mut app, DatasetsMessage::Duplicates { root: ROOT.into(), audit });
    let notice = app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap();
    assert_eq!(notice, "2 of 26 images are duplicates; . lists them");
    press(&mut app, &[Key::Enter, Key::Char('.')]);
    let screen = drawn(&mut app, (160, 40));
    assert!(screen.contains("same as 10_1_C_CC_R") && screen.contains("same as 3_1_C_CC_R"), "{screen}");
    // What was known of a folder's files is forgotten when they change.
    list(&mut app, "CC_R/test/C", &[], &["10_1_C_CC_R.png".to_owned()]);
    assert!(!drawn(&mut app, (160, 40)).contains("same as 3_1"));
}

#[test]
fn doubtful_images_are_flagged() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char('.')]);
    drawn(&mut app, (160, 40));
    let before = app.screens.datasets.samples.len();
    let inverted = image("CC_R/train/C/3_1_C_CC_R.png");
    let found =
        vec![(inverted.clone(), vec![ImageDoubt::Inverted]), (image("CC_R/test/C/10_1_C_CC_R.png"), Vec::new())];
    send(&mut app, DatasetsMessage::Doubtful(found));
    let screen = drawn(&mut app, (160, 40));
    assert!(screen.contains("✖ inverted?"), "{screen}");
    assert_eq!(app.screens.datasets.samples.len(), before + 1);
    // The check of all images counts them.
    let audit = DuplicateAudit { groups: Vec::new(), files: 26, unreadable: 0 };
    send(&mut app, DatasetsMessage::Duplicates { root: ROOT.into(), audit });
    let notice = app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap();
    assert_eq!(notice, "no duplicates among 26 images; 1 not as expected; . lists them");
    // A corrected image is no longer flagged.
    send(&mut app, DatasetsMessage::Doubtful(vec![(inverted, Vec::new())]));
    assert!(!drawn(&mut app, (160, 40)).contains("inverted?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_keys_do_no_harm_with_images_listed(
        keys in prop::collection::vec((32_u8..127).prop_map(|byte| Key::Char(char::from(byte))), 0..40),
        more in prop::collection::vec(prop::sample::select(vec![
            Key::Left, Key::Right, Key::Up, Key::Down, Key::Escape, Key::Enter, Key::PageDown, Key::End, Key::Char('.'),
        ]), 0..20),
        size in (60_u16..200, 15_u16..60),
    ) {
        let mut app = opened();
        let elsewhere = |key: &Key| matches!(key, Key::Char('2' | '3' | '4' | '5' | 't' | 'e'));
        for key in more.clone().into_iter().chain(keys.into_iter().filter(|key| !elsewhere(key))).chain(more) {
            press(&mut app, &[key]);
            drawn(&mut app, size);
        }
        (0..8).for_each(|_| drop(press(&mut app, &[Key::Escape])));
        // Some keys start preprocessing, which quitting asks about.
        let ends_jobs = !app.shared.jobs.farewell().is_empty();
        let answer = [Key::Char('q'), Key::Char('y')];
        let answer = &answer[..=usize::from(ends_jobs)];
        prop_assert!(press(&mut app, answer).contains(&Effect::Quit));
    }
}
