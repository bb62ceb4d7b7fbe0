//! Tables in CSV.

/// A table in CSV with these columns and lines; fields are quoted where they must be.
pub(super) fn csv_text<const N: usize>(columns: [&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect("memory takes every record of as many fields");
    for line in lines {
        writer.write_record(line).expect("memory takes every record of as many fields");
    }
    let bytes = writer.into_inner().expect("memory has no errors to flush");
    String::from_utf8(bytes).expect("text makes text")
}
