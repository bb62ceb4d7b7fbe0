use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<SplitTable, String> {
    SplitTable::parse(Path::new("s.csv"), text.as_bytes(), None).map_err(|error| error.to_string())
}

#[test]
fn columns_in_any_order_synonyms_and_repeated_lines_are_accepted() {
    let table = parse("\u{feff}split,age,subject\r\ntrain,40, 12\nVAL,,7_a\ntest,1,3\ntest,2,3\n").unwrap();
    let splits = table.into_splits();
    let splits: Vec<_> = splits.iter().map(|(subject, split)| (&*subject.0, *split)).collect();
    assert_eq!(splits, [("12", Split::Train), ("3", Split::Test), ("7_a", Split::Validation)]);
}

#[test]
fn all_invalid_lines_are_reported_in_one_message() {
    assert_eq!(
        parse("subject,split\n1,train\n2,holdout\n,test\n4\n1,test\n"),
        Err("s.csv:3: column split: 'holdout' is not a split; the splits are train, validation and test; \
             s.csv:4: column subject: empty; s.csv:5: the line ends before column split; \
             s.csv:6: subject 1 is test here and train in line 2"
            .to_owned())
    );
    let many = "subject,split\n".to_owned() + &"1,none\n".repeat(13);
    assert!(parse(&many).unwrap_err().ends_with("; and 3 more bad lines"));
    assert!(parse("subject,split\n1,\"\u{1b}[31m\"\n").unwrap_err().contains("\\u{1b}"));
}

#[test]
fn files_that_are_not_tables_are_errors() {
    let reason = |text: &str| parse(text).unwrap_err();
    assert!(reason("").contains("the file is empty"));
    assert!(reason("1,train\n2,test\n").contains("the columns subject, split are missing"));
    assert!(reason("subject,split,subject\n").contains("the column subject occurs twice"));
    assert_eq!(
        reason("subject,split\n"),
        "s.csv: not a table of splits: there are no lines after the first; its first line should be subject,split or \
             subject,fold"
    );
}

const FOLDS: &str = "subject,fold\na,1\nb,2\nc,3\nd,test\ne,3.0\na,1\n";

/// The splits of a to e, by their first letters; a dash for a subject that is set aside.
fn of_fold(text: &str, fold: &str) -> Result<String, String> {
    let table = SplitTable::parse(Path::new("x/f.csv"), text.as_bytes(), Some(fold.parse()?));
    let table = table.map_err(|error| error.to_string())?;
    assert_eq!(table.file().name, "f.csv");
    assert_eq!(table.file().fold, fold.parse().ok());
    let splits = table.into_splits();
    let split = |id| splits.get(&SubjectId::new(id)).map_or("-", |split: &Split| &split.name()[..2]);
    Ok(["a", "b", "c", "d", "e"].map(split).join(" "))
}

#[test]
fn a_fold_is_held_out_the_next_validates_and_the_others_train() {
    let of = |fold| of_fold(FOLDS, fold).unwrap();
    assert_eq!(of("1"), "te va tr - tr");
    assert_eq!(of("2"), "tr te va - va");
    assert_eq!(of("3"), "va tr te - te");
    assert_eq!(of("test"), "va tr tr te tr");
    assert_eq!(of_fold("subject,fold\na,0\nb,1\n", "0"), Ok("te tr - - -".to_owned()), "of two, one trains");
    let both = "subject,fold,split\na,1,train\nb,2,test\nc,3,validation\n";
    assert_eq!(of_fold(both, "2"), Ok("tr te va - -".to_owned()));
    assert_eq!(parse(both).unwrap().count(Split::Test), 1, "without --fold its splits count");
    let table = SplitTable::parse(Path::new("f.csv"), FOLDS.as_bytes(), Some(FoldChoice::Fold(3))).unwrap();
    assert_eq!((table.set_aside().len(), &table.file().folds[..]), (1, &[1, 2, 3][..]));
    assert_eq!(table.file().sha256.len(), 64);
}

#[test]
fn wrong_folds_are_refused() {
    let error = |text: &str, fold| of_fold(text, fold).unwrap_err();
    assert_eq!(error(FOLDS, "4"), "--fold 4: x/f.csv has the folds 1 to 3");
    assert_eq!(error("subject,fold\na,1\nb,5\n", "test"), "--fold test: x/f.csv has the folds 1, 5");
    assert_eq!(error("subject,fold\na,1\n", "1"), "x/f.csv: all subjects are in fold 1, so none is left to train on");
    assert_eq!(
        error("subject,split\na,train\n", "1"),
        "--fold: x/f.csv has splits, not folds; its first line should be subject,fold"
    );
    assert_eq!(error(FOLDS, "one"), "'one' is neither the number of a fold nor test");
    assert_eq!(parse(FOLDS).unwrap_err(), "s.csv: it has the folds 1 to 3; choose the one to hold out with --fold");
    assert_eq!(
        error("subject,fold\na,1\nb,\na,2\n", "1"),
        "x/f.csv:3: column fold: '' is neither a number nor test; x/f.csv:4: subject a is in fold 2 here and in fold 1 in \
         line 2"
    );
}
