//! Text: digits, hexadecimal, printable names, tables, and files that are not what their names say.

pub mod bad_lines;
pub mod contained_panic;
pub mod foreign_file;
pub mod grouped_digits;
pub mod hexadecimal;
pub mod printable;
pub mod table;
