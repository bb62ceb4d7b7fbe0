//! Random splits by subject, 80 : 10 : 10 within each class.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;

/// The smallest class that is represented in every split.
const IN_EVERY_SPLIT: usize = 3;

/// Assigns subjects to splits.
///
/// The split of a subject depends only on the ids in its class and on the seed: neither on files and their order nor on
/// the other classes. Subjects whose ids look the same ([`IdKey`]) are treated as one, of the densest class among them.
pub(super) fn draw(classes: &BTreeMap<SubjectId, DensityClass>, seed: u64) -> BTreeMap<SubjectId, Split> {
    let mut distinct: BTreeMap<IdKey, (&SubjectId, DensityClass)> = BTreeMap::new();
    for (subject, &class) in classes {
        let (_, densest) = distinct.entry(IdKey::of(&subject.0)).or_insert((subject, class));
        *densest = class.max(*densest);
    }
    let by_first = draw_distinct(&distinct.values().copied().collect(), seed);
    classes.keys().map(|subject| (subject.clone(), by_first[distinct[&IdKey::of(&subject.0)].0])).collect()
}

fn draw_distinct<'s>(classes: &BTreeMap<&'s SubjectId, DensityClass>, seed: u64) -> BTreeMap<&'s SubjectId, Split> {
    let mut splits = BTreeMap::new();
    for class in DensityClass::ALL {
        let mut numbers = generator(seed, class);
        let mut subjects: Vec<_> = classes
            .iter()
            .filter(|(_, of_subject)| **of_subject == class)
            .map(|(&subject, _)| (numbers.next_u64(), subject))
            .collect();
        // Not the `rand` crate's shuffle, which may change between versions.
        subjects.sort_unstable();
        let [_, validation, test] = shares(subjects.len());
        for (rank, (_, subject)) in subjects.into_iter().enumerate() {
            let split = match rank {
                rank if rank < validation => Split::Validation,
                rank if rank < validation + test => Split::Test,
                _ => Split::Train,
            };
            splits.insert(subject, split);
        }
    }
    splits
}

/// The number of a class's subjects for training, validation and test.
///
/// Both held-out splits together get a fifth and validation gets a tenth, each rounded to the nearest number (halves up);
/// test gets the difference, so that neither is off by more than one subject. With at least three subjects both have at
/// least one; with fewer, all are for training.
fn shares(subjects: usize) -> [usize; 3] {
    let least = usize::from(subjects >= IN_EVERY_SPLIT);
    let validation = (subjects + 5) / 10;
    let held_out = (2 * subjects + 5) / 10;
    let (validation, test) = (validation.max(least), (held_out - validation).max(least));
    [subjects - validation - test, validation, test]
}

fn generator(seed: u64, class: DensityClass) -> ChaCha8Rng {
    let mut key = *b"mammoscope splits, by subject...";
    key[24..].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(class.index() as u64);
    generator
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subjects(count: usize, class: impl Fn(usize) -> DensityClass) -> BTreeMap<SubjectId, DensityClass> {
        (0..count).map(|number| (SubjectId(format!("s{number}")), class(number))).collect()
    }

    #[test]
    fn shares_match_hand_computed_values() {
        for (subjects, expected) in [
            (0, [0, 0, 0]),
            (1, [1, 0, 0]),
            (2, [2, 0, 0]),
            (3, [1, 1, 1]),
            (5, [3, 1, 1]),
            (10, [8, 1, 1]),
            (14, [11, 1, 2]),
            (15, [12, 2, 1]),
            (100, [80, 10, 10]),
        ] {
            assert_eq!(shares(subjects), expected, "{subjects} subjects");
        }
    }

    #[test]
    fn the_draw_of_a_seed_never_changes() {
        // A change here means that data sets would be split differently from earlier versions.
        let drawn = draw(&subjects(10, |_| DensityClass::B), 1);
        let held_out: Vec<_> =
            drawn.iter().filter(|(_, split)| **split != Split::Train).map(|(id, split)| (&*id.0, *split)).collect();
        assert_eq!(held_out, [("s5", Split::Test), ("s7", Split::Validation)]);
        let other = draw(&subjects(10, |_| DensityClass::B), 2);
        assert_ne!(drawn, other);
    }

    #[test]
    fn ids_that_look_the_same_are_in_the_same_split() {
        let id = |text: String| SubjectId(text);
        let mut classes = subjects(30, |_| DensityClass::B);
        let alone = draw(&classes, 3);
        for number in 0..30 {
            classes.insert(id(format!("S0{number}")), DensityClass::A);
            classes.insert(id(format!("s {number}")), DensityClass::B);
        }
        let together = draw(&classes, 3);
        assert_eq!(together.len(), 90);
        for number in 0..30 {
            let splits =
                [format!("s{number}"), format!("S0{number}"), format!("s {number}")].map(|text| together[&id(text)]);
            assert!(splits.iter().all(|split| *split == splits[0]), "{splits:?}");
        }
        let held_out =
            |splits: &BTreeMap<SubjectId, Split>| splits.values().filter(|split| **split != Split::Train).count();
        assert_eq!(held_out(&together), 3 * held_out(&alone), "30 subjects are drawn, not 90");
    }

    proptest! {
        #[test]
        fn every_subject_has_a_split_and_every_split_its_share(
            classes in prop::collection::vec(0_usize..4, 0..120), seed: u64
        ) {
            let classes = subjects(classes.len(), |number| DensityClass::ALL[classes[number]]);
            let drawn = draw(&classes, seed);
            prop_assert!(drawn.keys().eq(classes.keys()));
            for class in DensityClass::ALL {
                let total = classes.values().filter(|of_subject| **of_subject == class).count();
                for (split, share) in Split::ALL.into_iter().zip([0.8, 0.1, 0.1]) {
                    let count = classes.iter().filter(|(id, of_subject)| **of_subject == class && drawn[id] == split).count();
                    prop_assert!((count as f64 - share * total as f64).abs() <= 1.5, "{class} {split}: {count} of {total}");
                    prop_assert!(total < 3 || count >= 1);
                }
            }
        }

        #[test]
        fn other_classes_do_not_matter(count in 1_usize..60, others in 0_usize..60, seed: u64) {
            let alone = draw(&subjects(count, |_| DensityClass::C), seed);
            let mut together = subjects(count, |_| DensityClass::C);
            together.extend((0..others).map(|number| (SubjectId(format!("other{number}")), DensityClass::D)));
            let together = draw(&together, seed);
            prop_assert!(alone.iter().all(|(id, split)| together[id] == *split));
        }
    }
}
