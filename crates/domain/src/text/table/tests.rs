use proptest::prelude::*;

use super::*;

const COLUMNS: [Column; 3] =
    [Column::required(&["subject"]), Column::required(&["split"]), Column::optional(&["note", "remark"])];

/// The line number and the fields of every row.
fn rows(bytes: &[u8]) -> Result<Vec<(u64, [String; 3])>, TableFault> {
    let text = TableText::of(bytes)?;
    let mut table = text.table(&COLUMNS)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row() {
        rows.push((row.line, [0, 1, 2].map(|column| row.text(column).unwrap().to_owned())));
    }
    Ok(rows)
}

fn row(line: u64, fields: [&str; 3]) -> (u64, [String; 3]) {
    (line, fields.map(str::to_owned))
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn separators_encodings_and_spellings_are_recognised() {
    let plain = "subject,split,note\n1,train,\n2,test,a b\n";
    let expected = [row(2, ["1", "train", ""]), row(3, ["2", "test", "a b"])];
    assert_eq!(rows(plain.as_bytes()).unwrap(), expected);
    for separator in ["\t", ";"] {
        assert_eq!(rows(plain.replace(',', separator).as_bytes()).unwrap(), expected);
    }
    assert_eq!(rows(&utf16(plain, u16::to_le_bytes)).unwrap(), expected);
    assert_eq!(rows(&utf16(&plain.replace(',', "\t"), u16::to_be_bytes)).unwrap(), expected);
    assert_eq!(rows(format!("\u{feff}{plain}").as_bytes()).unwrap(), expected);
    assert_eq!(rows(plain.replace("subject,split", " Subject ,SPLIT").as_bytes()).unwrap(), expected);
    let stated = format!("sep=;\r\n{}", plain.replace(',', ";"));
    assert_eq!(rows(stated.as_bytes()).unwrap()[0].0, 3);
    assert_eq!(rows(b"split,subject\ntrain,1").unwrap(), [row(2, ["1", "train", ""])]);
    assert_eq!(rows(b"split,Remark,subject\ntrain,x,1").unwrap(), [row(2, ["1", "train", "x"])]);
}

#[test]
fn lines_are_numbered_as_in_an_editor() {
    for ending in ["\n", "\r\n", "\r"] {
        let text = ["subject,split", "1,train", ",", "", "2,\"te", "st\"", "3,val"].join(ending);
        let lines: Vec<u64> = rows(text.as_bytes()).unwrap().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 5, 7], "{ending:?}");
    }
}

#[test]
fn unreadable_tables_are_refused_with_a_reason() {
    let fault = |bytes: &[u8]| rows(bytes).unwrap_err().to_string();
    assert_eq!(fault(b""), "the file is empty");
    assert_eq!(fault(b"\r\n \n"), "the file is empty");
    assert!(fault(b"PK\x03\x04xl/").starts_with("it is a zip archive"));
    assert!(fault(b"<!doctype html>").starts_with("it is an HTML page"));
    assert!(fault(&utf16("subject,split\n", u16::to_le_bytes)[2..]).contains("UTF-16"));
    assert!(fault(&utf16("subject,split\n", u16::to_le_bytes)[..9]).contains("UTF-16"));
    assert!(fault(b"subject,split\n1,train\0\n").starts_with("it is not text"));
    assert_eq!(
        fault(b"subjekt,split\n"),
        "the column subject (did you mean subjekt?) is missing; the first line has subjekt, split"
    );
    assert_eq!(fault(b"a;b\n"), "the columns subject, split are missing; the first line has a, b");
    assert_eq!(fault(b"subject,split,subject\n"), "the column subject occurs twice");
    assert_eq!(fault(b"Subject,split,SUBJECT\n"), "the column subject occurs twice");
    assert!(rows(b"subject,split,Subject\n1,train,2").is_ok(), "the exact name takes precedence");
}

#[test]
fn a_field_that_is_not_text_spoils_only_itself() {
    let text = TableText::of(b"subject,split\nZo\xeb,train\n7\n1,2,3").unwrap();
    let mut table = text.table(&COLUMNS).unwrap();
    let first = table.next_row().unwrap();
    assert!(first.text(0).unwrap_err().to_string().starts_with("column subject: not UTF-8 text"));
    assert_eq!((first.line, first.text(1)), (2, Ok("train")));
    let second = table.next_row().unwrap();
    assert_eq!(second.text(1).unwrap_err().to_string(), "the line ends before column split");
    assert!(second.check_length().is_ok());
    let fault = table.next_row().unwrap().check_length().unwrap_err();
    assert_eq!(fault.to_string(), "3 fields, but the header has 2 columns");
    assert!(table.next_row().is_none());
}

proptest! {
    #[test]
    fn any_bytes_give_rows_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200), header: bool) {
        let bytes = if header { [b"subject,split\r\n", bytes.as_slice()].concat() } else { bytes };
        if let Ok(text) = TableText::of(&bytes)
            && let Ok(mut table) = text.table(&COLUMNS)
        {
            let mut last = 0;
            while let Some(row) = table.next_row() {
                prop_assert!(row.line > last);
                last = row.line;
            }
        }
    }
}
