//! Images that cannot be read, and those that are the same as others.

use mammoscope_dataset::subject_audit::SubjectAudit;
use proptest::prelude::*;

use super::*;
use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;

fn image(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

/// Flagged ones listed by their first cells.
fn listed(app: &mut App) -> String {
    drawn(app, (120, 40))
}

#[test]
fn the_headers_of_all_images_are_looked_at_those_of_the_chosen_folder_first() {
    let mut app = opened();
    press(&mut app, &[Key::Down, Key::Down]);
    let chosen = app.view_state().datasets.folder.unwrap();
    let audit = SubjectAudit::default();
    let effects = tell(&mut app, DatasetsMessage::Audited { root: ROOT.into(), audit });
    let [Effect::Datasets(DatasetsEffect::Inspect(folders))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(folders.len(), 8, "those with images");
    assert!(folders[0].starts_with(&chosen) && chosen != Path::new(ROOT), "{chosen:?}");
    let audit = SubjectAudit::default();
    assert_eq!(tell(&mut app, DatasetsMessage::Audited { root: "/other".into(), audit }), []);
}

#[test]
fn an_unreadable_image_is_listed_among_the_flagged_as_soon_as_it_is_known() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char('f')]);
    assert!(!listed(&mut app).contains("is empty"));
    let before = app.screens.datasets.samples.len();
    let found = vec![(image("CC_R/train/C/3_1_C_CC_R.png"), "is empty (0 bytes)".to_owned())];
    tell(&mut app, DatasetsMessage::Unreadable(found.clone()));
    let screen = listed(&mut app);
    assert!(screen.contains("✖ is empty ") && !screen.contains("0 bytes"), "{screen}");
    assert_eq!(app.screens.datasets.samples.len(), before + 1);
    press(&mut app, &[Key::End]);
    let cursor = |app: &App| app.view_state().datasets.image;
    let chosen = cursor(&app);
    let more = vec![(image("CC_R/train/B/4_1_B_CC_R.png"), "is truncated".to_owned())];
    tell(&mut app, DatasetsMessage::Unreadable(more));
    listed(&mut app);
    assert_eq!(cursor(&app), chosen, "the cursor stays on its image");
    tell(&mut app, DatasetsMessage::Unreadable(found));
    assert_eq!(app.screens.datasets.samples.len(), before + 2, "told twice, flagged once");
}

#[test]
fn files_of_the_same_content_are_flagged_when_they_were_asked_for() {
    let mut app = opened();
    let effects = press(&mut app, &[Key::Char('a')]);
    assert!(
        matches!(&effects[..], [Effect::Datasets(DatasetsEffect::FindDuplicates { folders, .. })] if folders.len() == 8),
        "{effects:?}"
    );
    assert_eq!(press(&mut app, &[Key::Char('a')]), [], "once at a time");
    let pair = vec![image("CC_R/train/C/3_1_C_CC_R.png"), image("CC_R/test/C/10_1_C_CC_R.png")];
    let audit = DuplicateAudit { groups: vec![pair], files: 26, unreadable: 0 };
    tell(&mut app, DatasetsMessage::Duplicates { root: ROOT.into(), audit });
    let notice = app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap();
    assert_eq!(notice, "2 of 26 images are the same as others; f lists them");
    press(&mut app, &[Key::Enter, Key::Char('f')]);
    let screen = drawn(&mut app, (160, 40));
    assert!(screen.contains("same as 10_1_C_CC_R") && screen.contains("same as 3_1_C_CC_R"), "{screen}");
    // A folder whose files changed tells nothing of them any more.
    list(&mut app, "CC_R/test/C", &[], &["10_1_C_CC_R.png".to_owned()]);
    assert!(!drawn(&mut app, (160, 40)).contains("same as 3_1"));
}

#[test]
fn images_that_cannot_be_mammograms_are_flagged_as_they_are_looked_at() {
    let mut app = opened();
    press(&mut app, &[Key::Enter, Key::Char('f')]);
    drawn(&mut app, (160, 40));
    let before = app.screens.datasets.samples.len();
    let inverted = image("CC_R/train/C/3_1_C_CC_R.png");
    let found =
        vec![(inverted.clone(), vec![ImageDoubt::Inverted]), (image("CC_R/test/C/10_1_C_CC_R.png"), Vec::new())];
    tell(&mut app, DatasetsMessage::Doubtful(found));
    let screen = drawn(&mut app, (160, 40));
    assert!(screen.contains("✖ inverted?"), "{screen}");
    assert_eq!(app.screens.datasets.samples.len(), before + 1);
    // What compares all images counts them.
    let audit = DuplicateAudit { groups: Vec::new(), files: 26, unreadable: 0 };
    tell(&mut app, DatasetsMessage::Duplicates { root: ROOT.into(), audit });
    let notice = app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap();
    assert_eq!(notice, "no two of 26 images are the same; 1 not as expected; f lists them");
    // Mended, it is flagged no longer.
    tell(&mut app, DatasetsMessage::Doubtful(vec![(inverted, Vec::new())]));
    assert!(!drawn(&mut app, (160, 40)).contains("inverted?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_keys_do_no_harm_with_images_on_screen(
        keys in prop::collection::vec((32_u8..127).prop_map(|byte| Key::Char(char::from(byte))), 0..40),
        more in prop::collection::vec(prop::sample::select(vec![
            Key::Left, Key::Right, Key::Up, Key::Down, Key::Escape, Key::Enter, Key::PageDown, Key::End, Key::Char('f'),
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
        prop_assert!(press(&mut app, &[Key::Char('q')]).contains(&Effect::Quit));
    }
}
