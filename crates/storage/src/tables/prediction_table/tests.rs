use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::runs::run_dir::RunDir;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;

const HEADER: &str = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn table(contents: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, contents).unwrap();
    (folder, path)
}

fn bad_lines(contents: &str) -> Vec<BadLine> {
    let (_folder, path) = table(contents);
    match read_table(&path).unwrap_err() {
        TableError::BadLines { lines, .. } => lines,
        other => panic!("{other}"),
    }
}

fn any_row() -> impl Strategy<Value = PredictionRow> {
    let names = (any::<String>(), "[^\\s\\p{C}]([^\\p{C}]*[^\\s\\p{C}])?", prop::option::of("[a-z0-9,\"]{1,4}"));
    let classes = (prop::option::of(0_usize..4), prop::option::of(0_usize..4));
    (names, classes, prop::array::uniform4(1e-9_f64..1.0)).prop_map(|((file, subject, exam), (view, label), raw)| {
        let sum: f64 = raw.iter().sum();
        let probabilities = Probabilities(raw.map(|value| value / sum));
        PredictionRow {
            file,
            subject: SubjectId::new(&subject),
            exam: exam.map(|exam| ExamId::new(&exam)),
            view: view.map(|view| View::ALL[view]),
            label: label.map(|label| DensityClass::ALL[label]),
            predicted: probabilities.most_probable(),
            probabilities,
        }
    })
}

#[test]
fn split_tables_are_read_back() {
    let folder = folder();
    let run = RunDir::new(folder.path());
    let row = |number: u32| {
        let probabilities = Probabilities([0.1, 0.2, 0.3, 0.4]);
        PredictionRow {
            file: format!("CC_R/D/{number}_1_D_CC_R.png"),
            subject: SubjectId(number.to_string()),
            exam: Some(ExamId("1".to_owned())),
            view: Some(View::CcR),
            label: Some(DensityClass::D),
            predicted: probabilities.most_probable(),
            probabilities,
        }
    };
    let rows = [row(1), row(2)];
    write_split_tables(&run, Split::Validation, &[row(9)]).unwrap();
    write_split_tables(&run, Split::Validation, &rows).unwrap();
    assert_eq!(read_table(&run.prediction_table(Split::Validation, "csv")).unwrap(), rows);
    let columns = read_probability_columns(&run.prediction_table(Split::Validation, "txt")).unwrap();
    assert_eq!(columns, rows.clone().map(|row| row.probabilities));
    assert_eq!(fs::read_dir(run.predictions()).unwrap().count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn tables_are_read_back_to_the_last_bit(rows in prop::collection::vec(any_row(), 1..12)) {
        let folder = folder();
        let mut writer = PredictionWriter::create(folder.path()).unwrap();
        for row in &rows {
            writer.write(row).unwrap();
        }
        writer.finish().unwrap();
        prop_assert_eq!(&read_table(&folder.path().join(FILE_NAME)).unwrap(), &rows);
        for view in View::ALL {
            let of_view: Vec<_> =
                rows.iter().filter(|row| row.view == Some(view)).map(|row| row.probabilities).collect();
            let columns = folder.path().join(format!("predictions_{view}.txt"));
            prop_assert_eq!(columns.exists(), !of_view.is_empty());
            if columns.exists() {
                prop_assert_eq!(read_probability_columns(&columns).unwrap(), of_view);
            }
        }
    }
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let folder = folder();
    let mut writer = PredictionWriter::create(folder.path()).unwrap();
    let probabilities = Probabilities([0.25; 4]);
    let row = PredictionRow {
        file: "1.png".to_owned(),
        subject: SubjectId("1".to_owned()),
        exam: None,
        view: None,
        label: None,
        predicted: DensityClass::A,
        probabilities,
    };
    writer.write(&row).unwrap();
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut writer = PredictionWriter::create(folder.path()).unwrap();
    writer.write(&row).unwrap();
    writer.finish().unwrap();
    assert_eq!(read_probability_columns(&folder.path().join("predictions.txt")).unwrap(), [probabilities]);
}

#[test]
fn columns_may_be_in_any_order_with_byte_order_mark_and_windows_line_ends() {
    let text = "\u{feff}p_D,p_C,p_B,p_A,note,predicted,label,view,exam,subject,file\r\n\
                0,0,.25,0.75,\"a, b\",A,b,cc_r,,7,\"x\r\ny.png\"\r\n";
    let (_folder, path) = table(text);
    let rows = read_table(&path).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].probabilities, Probabilities([0.75, 0.25, 0.0, 0.0]));
    assert_eq!((rows[0].view, rows[0].label), (Some(View::CcR), Some(DensityClass::B)));
    assert_eq!((rows[0].file.as_str(), &rows[0].exam), ("x\r\ny.png", &None));
}

#[test]
fn a_file_name_need_not_be_utf8() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"a\xff.png,1,1,CC_R,A,A,1,0,0,0\n");
    let (_folder, path) = table(bytes);
    assert_eq!(read_table(&path).unwrap()[0].file, "a\u{fffd}.png");
}

#[test]
fn each_invalid_line_names_its_column_and_reason() {
    let cases = [
        ("a,1,1,CC_R,A,A,NaN,0,0,1", "p_A is NaN"),
        ("a,1,1,CC_R,A,A,x,0,0,1", "column p_A: 'x' is not a number"),
        ("a,1,1,CC_R,A,A,0.5,0.2,0.2,0.2", "sum to 1.1"),
        ("a,1,1,CC_R,A,A,1.5,-0.5,0,0", "p_A is 1.5, outside 0 to 1"),
        ("a,1,1,CC_R,E,A,1,0,0,0", "column label: 'E' is not a density class"),
        ("a,1,1,CC_X,A,A,1,0,0,0", "column view: 'CC_X' is not a view"),
        ("a,1,1,CC_R,A,B,1,0,0,0", "column predicted: B though A is the most probable"),
        ("a,,1,CC_R,A,A,1,0,0,0", "column subject: empty"),
        ("a,1,1,CC_R,A,A,1,0,0", "the line ends before column p_D"),
    ];
    for (line, reason) in cases {
        let lines = bad_lines(&format!("{HEADER}b,2,1,CC_R,A,A,1,0,0,0\n{line}\n"));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].line == 3 && lines[0].reason.contains(reason), "{}", lines[0]);
    }
}

#[test]
fn up_to_ten_invalid_lines_are_listed_and_the_rest_counted() {
    let text = format!("{HEADER}{}", "a,1,1,CC_R,A,A,2,0,0,0\n".repeat(14));
    assert_eq!(bad_lines(&text).len(), 14);
    let (_folder, path) = table(text);
    let message = read_table(&path).unwrap_err().to_string();
    assert_eq!(message.matches("outside 0 to 1").count(), 10);
    assert!(message.ends_with("; and 4 more bad lines") && !message.contains('\n'), "{message}");
}

#[test]
fn files_that_are_not_tables_are_identified() {
    let message = |contents: &[u8]| {
        let (_folder, path) = table(contents);
        read_table(&path).unwrap_err().to_string()
    };
    assert!(message(b"").contains("the file is empty"));
    assert!(message(HEADER.as_bytes()).contains("no predictions"));
    assert!(message(b"file,subject,exam,view,predicted,p_A,p_B,p_C\n").contains("the columns label, p_D are missing"));
    assert!(message(b"\x89PNG\r\n\x1a\n\x00\x00").contains("not a table of predictions: it is a PNG image"));
    let (_folder, path) = table("version https://git-lfs.github.com/spec/v1\n");
    let pointer = format!("{:#}", anyhow::Error::from(read_table(&path).unwrap_err()));
    assert!(pointer.ends_with("is a Git LFS pointer; fetch the file itself with `git lfs pull`"), "{pointer}");
    let decimal_commas = format!("{}a;1;1;CC_R;A;A;0,97;0,01;0,01;0,01\n", HEADER.replace(',', ";"));
    assert!(
        message(decimal_commas.as_bytes()).contains(":2: column p_A: '0,97' is not a number; write a decimal point")
    );
}

#[test]
fn tables_of_spreadsheets_are_read_and_their_lines_numbered_correctly() {
    let text = format!("{HEADER}a,1,1,CC_R,A,A,1,0,0,0\n,,,,,,,,,\nb, 2 ,1,CC_R,A,A,1,0,0,0\n");
    let (_folder, path) = table(&text);
    let rows = read_table(&path).unwrap();
    assert_eq!(rows.iter().map(|row| &*row.subject.0).collect::<Vec<_>>(), ["1", "2"]);
    for variant in [text.replace('\n', "\r\n"), text.replace(',', ";"), text.replace(',', "\t")] {
        let (_folder, path) = table(&variant);
        assert_eq!(read_table(&path).unwrap(), rows);
        let wrong = variant.replace(" 2 ", "  ");
        assert_eq!(bad_lines(&wrong)[0].line, 4, "{wrong:?}");
    }
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (_folder, path) = table(utf16);
    assert_eq!(read_table(&path).unwrap(), rows);
}

#[test]
fn invalid_probability_columns_are_located() {
    let (_folder, path) = table("0.25\t0.25  0.25 0.25\r\n\n1 0 0\n0 0 0 inf\n0.5 0.5 x 0\n0.5 0.4 0 0\n");
    let message = read_probability_columns(&path).unwrap_err().to_string();
    for part in
        [":3: 3 columns", ":4: p_D is inf", ":5: column 3: 'x' is not a number", ":6: the probabilities sum to 0.9"]
    {
        assert!(message.contains(part), "{part} in {message}");
    }
}
