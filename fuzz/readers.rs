//! The readers of external image files and tables, through the functions that the program calls.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use mammoscope_dataset::split_table::{FoldChoice, SplitTable};
use mammoscope_dataset::stated::LabelFile;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_imaging::decode::decode;
use mammoscope_imaging::image_header::read_header;
use mammoscope_imaging::network_input::load_input;
use mammoscope_storage::tables::prediction_table::{read_probability_columns, read_table};

/// Side of a small network's input in pixels.
const SIZE: usize = 64;

thread_local! {
    /// A file for readers that take a path.
    static FILE: RefCell<tempfile::NamedTempFile> =
        RefCell::new(tempfile::NamedTempFile::new().expect("a temporary file"));
}

fn with_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    FILE.with_borrow(|file| {
        fs::write(file.path(), bytes).expect("a file that can be written");
        read(file.path());
    });
}

/// Reads an image file: its header, its pixels, and the network's input with its findings. For a readable image the header
/// and the decoder must agree.
pub(crate) fn read_image(bytes: &[u8]) {
    with_file(bytes, |path| {
        let header = read_header(path);
        let _ = load_input(path, SIZE, InputRoute::Training, GreyRange::Auto);
        let Ok(image) = decode(bytes) else { return };
        let _ = image.doubts();
        let header = header.expect("the header of an image that can be decoded");
        assert_eq!((header.facts.width, header.facts.height), (image.facts.width, image.facts.height));
    });
}

/// Reads tables of splits, labels and predictions, and the reference's prediction columns.
pub(crate) fn read_tables(bytes: &[u8]) {
    let name = Path::new("table.csv");
    let _ = SplitTable::parse(name, bytes, None);
    let _ = SplitTable::parse(name, bytes, Some(FoldChoice::Fold(1)));
    let _ = LabelFile::parse(name, bytes);
    with_file(bytes, |path| {
        let _ = read_table(path);
        let _ = read_probability_columns(path);
    });
}
