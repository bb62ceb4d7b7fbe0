//! Tables of splits and folds as they are written.

use super::division::{Division, Part};
use super::unit::SubjectUnit;
use crate::natural_order::natural_order;
use mammoscope_domain::subject::subject_id::SubjectId;

/// The parts of all subjects as CSV with the columns `subject,split` or `subject,fold`, by subject in natural order. A
/// subject who is kept for a final test beside folds has `test` for a fold.
#[must_use]
pub fn split_csv(division: &Division, units: &[SubjectUnit], seed: u64) -> Vec<u8> {
    let mut lines: Vec<(&SubjectId, Part)> = Vec::new();
    for unit in units {
        let part = division.part_of(unit, seed);
        lines.extend(unit.subjects.iter().map(|subject| (subject, part)));
    }
    lines.sort_by(|(one, _), (other, _)| natural_order(&one.0, &other.0).then_with(|| one.cmp(other)));
    let column = if matches!(division, Division::Splits { .. }) { "split" } else { "fold" };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [["subject".to_owned(), column.to_owned()]];
    let lines = lines.into_iter().map(|(subject, part)| [subject.0.clone(), part.to_string()]);
    for line in header.into_iter().chain(lines) {
        writer.write_record(&line).expect("a vector takes every record of two fields");
    }
    writer.into_inner().expect("a vector takes every byte")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::split_table::{FoldChoice, SplitTable};
    use crate::subject_split::subject_units;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::split::Split;

    #[test]
    fn tables_are_read_back() {
        let ids = ["10", "2", "a, \"b\"", "=1"].map(|id| (SubjectId::new(id), DensityClass::A));
        let units = subject_units(&ids.clone().into_iter().collect(), &[]);
        let splits = Division::Splits { train: 0.5, validation: 0.25, test: 0.25 };
        let csv = split_csv(&splits, &units, 3);
        let table = SplitTable::parse(Path::new("s.csv"), &csv, None).unwrap().into_splits();
        assert_eq!(table.len(), 4);
        for unit in &units {
            assert_eq!(Part::Split(table[&unit.subjects[0]]), splits.part_of(unit, 3));
        }
        let text = String::from_utf8(csv).unwrap();
        assert!(text.starts_with("subject,split\n") && text.find("\n2,") < text.find("\n10,"), "{text}");
        let folds = Division::Folds { folds: 2, test: 0.0 };
        let fold = FoldChoice::Fold(1);
        let csv = split_csv(&folds, &units, 1);
        let table = SplitTable::parse(Path::new("s.csv"), &csv, Some(fold)).unwrap().into_splits();
        assert!(
            units
                .iter()
                .all(|unit| { (folds.part_of(unit, 1) == Part::Fold(1)) == (table[&unit.subjects[0]] == Split::Test) })
        );
    }
}
