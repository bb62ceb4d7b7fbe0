//! Text: numbers and nouns, hexadecimal, printable names, tables, and files that are not what their names say.

pub mod bad_lines;
pub mod contained_panic;
pub mod counted;
pub mod file_problem;
pub mod foreign_file;
pub mod grouped_digits;
pub mod hexadecimal;
pub(crate) mod named_choice;
pub mod printable;
pub mod table;
