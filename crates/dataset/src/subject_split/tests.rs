use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;

type Classes = BTreeMap<SubjectId, DensityClass>;

/// Subjects with running numbers and these classes.
fn numbered(classes: &[usize], prefix: &str) -> Classes {
    let subject =
        |(number, class): (usize, &usize)| (SubjectId(format!("{prefix}{number}")), DensityClass::ALL[*class]);
    classes.iter().enumerate().map(subject).collect()
}

fn parts(classes: &Classes, shared: &[[SubjectId; 2]], division: Division, seed: u64) -> BTreeMap<SubjectId, Part> {
    let mut parts = BTreeMap::new();
    for unit in subject_units(classes, shared) {
        let part = division.part_of(&unit, seed);
        parts.extend(unit.subjects.into_iter().map(|subject| (subject, part)));
    }
    parts
}

fn any_division() -> impl Strategy<Value = Division> {
    let splits = (0.4_f64..0.9, 0.0_f64..1.0).prop_map(|(train, of_rest)| {
        let validation = (1.0 - train) * of_rest;
        Division::Splits { train, validation, test: 1.0 - train - validation }
    });
    let folds = (2_u32..8, 0.0_f64..0.4).prop_map(|(folds, test)| Division::Folds { folds, test });
    prop_oneof![splits, folds]
}

#[test]
fn the_draw_of_a_seed_never_changes() {
    // A change here means that data sets would be split differently from earlier versions. Computed with Python's hashlib.
    let ids = ["0", "1", "2", "3", "4", "5", "6", "7", "p1", "p2", "anna", "12_3"].map(SubjectId::new);
    let classes = ids.clone().map(|id| (id, DensityClass::A)).into_iter().collect();
    let drawn = |division| {
        let parts = parts(&classes, &[], division, 7);
        ids.each_ref().map(|id| parts[id].to_string().chars().take(2).collect::<String>()).join(" ")
    };
    assert_eq!(
        drawn(Division::Splits { train: 0.5, validation: 0.25, test: 0.25 }),
        "tr tr va tr te tr tr va va tr tr te"
    );
    assert_eq!(drawn(Division::Folds { folds: 3, test: 0.25 }), "2 3 1 2 te 2 3 1 1 3 2 te");
}

#[test]
fn shares_and_folds_are_checked() {
    let error = |division: Division| division.check().unwrap_err().to_string();
    let splits = |train, validation, test| Division::Splits { train, validation, test };
    assert!(splits(0.8, 0.1, 0.1).check().is_ok() && splits(1.0, 0.0, 0.0).check().is_ok());
    assert_eq!(error(splits(0.8, 0.3, 0.1)), "--train 0.8, --validation 0.3 and --test 0.1 add up to 1.2, not to 1");
    assert_eq!(error(splits(1.2, -0.1, -0.1)), "--train 1.2: a share is between 0 and 1");
    assert_eq!(error(splits(f64::NAN, 0.5, 0.5)), "--train NaN: a share is between 0 and 1");
    assert_eq!(error(splits(0.0, 0.5, 0.5)), "--train 0: no subject is left to train on");
    let folds = |folds, test| Division::Folds { folds, test };
    assert!(folds(2, 0.0).check().is_ok() && folds(100, 0.5).check().is_ok());
    assert!(error(folds(1, 0.0)).starts_with("--folds 1: at least 2 are needed"));
    assert!(error(folds(101, 0.0)).starts_with("--folds 101: "));
    assert_eq!(error(folds(5, 1.0)), "--test 1: no subject is left for the folds");
    let units = subject_units(&numbered(&[0, 0, 0, 1, 1, 3, 3, 3], ""), &[]);
    assert!(folds(2, 0.0).check_folds(&units).is_ok());
    assert_eq!(
        folds(3, 0.0).check_folds(&units).unwrap_err().to_string(),
        "--folds 3: class B has only 2 subjects, so some fold would have none; use fewer folds"
    );
}

#[test]
fn the_closest_seed_is_closer_than_most() {
    let classes: Vec<usize> = (0..80).map(|number| [0, 1, 1, 1, 2, 2, 2, 3][number % 8]).collect();
    let units = subject_units(&numbered(&classes, "s"), &[]);
    let division = Division::Splits { train: 0.8, validation: 0.1, test: 0.1 };
    let closest = closest_seed(&division, &units);
    assert_eq!((closest.empty, closest.last_tried), (0, 999));
    let counts = PartCounts::of(&division, &units, closest.seed);
    assert!(counts.empty(&division).is_empty());
    assert!(counts.deviation(&division) <= 2.0, "{closest:?} {counts:?}");
    assert_eq!(closest.deviation.to_bits(), counts.deviation(&division).to_bits());
    let better = (0..1000).filter(|&seed| {
        let counts = PartCounts::of(&division, &units, seed);
        counts.empty(&division).is_empty() && counts.deviation(&division) < closest.deviation
    });
    assert_eq!(better.count(), 0);
}

proptest! {
    #[test]
    fn every_subject_is_in_one_part_and_other_subjects_move_no_one(
        classes in prop::collection::vec(0_usize..4, 1..150),
        others in prop::collection::vec(0_usize..4, 0..150),
        division in any_division(),
        seed: u64,
    ) {
        let own = numbered(&classes, "s");
        let alone = parts(&own, &[], division, seed);
        prop_assert!(alone.keys().eq(own.keys()));
        let possible: Vec<Part> = division.parts().into_iter().map(|(part, _)| part).collect();
        prop_assert!(alone.values().all(|part| possible.contains(part)));
        // Ids before, between and after those of the others, some of which share pictures.
        let mut all = own.clone();
        all.extend(numbered(&others, "s00").into_iter().map(|(id, class)| (SubjectId(id.0 + "x"), class)));
        all.extend(numbered(&others, "a"));
        let shared: Vec<_> = (1..others.len())
            .map(|number| [SubjectId(format!("a{number}")), SubjectId(format!("a{}", number / 3))])
            .collect();
        let together = parts(&all, &shared, division, seed);
        for (subject, part) in &alone {
            prop_assert_eq!(together[subject], *part);
        }
        // Nor does another class of her own.
        let relabelled = own.into_keys().map(|subject| (subject, DensityClass::A)).collect();
        prop_assert_eq!(parts(&relabelled, &[], division, seed), alone);
    }

    #[test]
    fn subjects_with_a_common_picture_or_similar_ids_stay_together(
        classes in prop::collection::vec(0_usize..4, 2..80),
        pairs in prop::collection::vec((0_usize..80, 0_usize..80), 0..40),
        division in any_division(),
        seed: u64,
    ) {
        let mut subjects = numbered(&classes, "p");
        subjects.extend(numbered(&classes[..1], "P 00"));
        let id = |number: usize| SubjectId(format!("p{}", number % classes.len()));
        let shared: Vec<_> = pairs.into_iter().map(|(one, other)| [id(one), id(other)]).collect();
        let drawn = parts(&subjects, &shared, division, seed);
        for [one, other] in &shared {
            prop_assert_eq!(drawn[one], drawn[other]);
        }
        prop_assert_eq!(drawn[&SubjectId("P 000".to_owned())], drawn[&SubjectId("p0".to_owned())]);
    }

    /// Each class's number in each part is binomial. Six standard deviations and six subjects are exceeded with a
    /// probability below 1e-9 for any share and size: at most 4e-5 in a year of ten runs a day with 256 cases of 20 cells.
    #[test]
    fn every_class_has_the_requested_shares(
        counts in prop::array::uniform4(0_usize..1500),
        division in any_division(),
        seed: u64,
    ) {
        let classes: Vec<usize> =
            (0..4).flat_map(|class| std::iter::repeat_n(class, counts[class])).collect();
        // Ids that end in letters are drawn independently.
        let subjects = numbered(&classes, "").into_iter().map(|(id, class)| (SubjectId(id.0 + "x"), class)).collect();
        let units = subject_units(&subjects, &[]);
        let drawn = PartCounts::of(&division, &units, seed);
        for (part, share) in division.parts() {
            for class in DensityClass::ALL {
                let total = counts[class.index()] as f64;
                let off = (drawn.count(part, class) as f64 - share * total).abs();
                prop_assert!(off <= 6.0 * (total * share * (1.0 - share)).sqrt() + 6.0, "{part} {class}: {off}");
            }
        }
    }

    /// Running numbers, with each class at a distance of its own as in sets that were numbered class by class or in turns:
    /// the bound of [`super::position`], and one more for each end of an interval that is between two subjects.
    #[test]
    fn classes_of_running_numbers_are_within_six_subjects_of_their_shares(
        count in 4_usize..160, turns in 1_usize..5, division in any_division(), seed: u64
    ) {
        let classes: Vec<usize> = (0..count * turns).map(|number| number % turns).collect();
        let units = subject_units(&numbered(&classes, "s"), &[]);
        let drawn = PartCounts::of(&division, &units, seed);
        prop_assert!(drawn.deviation(&division) <= 6.0, "{drawn:?}");
    }

    #[test]
    fn the_test_subjects_are_the_same_with_folds_and_a_larger_share_adds_to_them(
        classes in prop::collection::vec(0_usize..4, 1..150), seed: u64, test in 0.05_f64..0.3, more in 0.0_f64..0.3
    ) {
        let subjects = numbered(&classes, "");
        let test_of = |division| -> Vec<SubjectId> {
            let parts = parts(&subjects, &[], division, seed);
            parts.into_iter().filter(|(_, part)| *part == Part::Split(Split::Test)).map(|(id, _)| id).collect()
        };
        let of_splits = test_of(Division::Splits { train: 0.9 - test, validation: 0.1, test });
        prop_assert_eq!(&of_splits, &test_of(Division::Folds { folds: 5, test }));
        let larger = test_of(Division::Splits { train: 0.9 - test - more, validation: 0.1, test: test + more });
        prop_assert!(of_splits.iter().all(|subject| larger.contains(subject)));
    }
}
