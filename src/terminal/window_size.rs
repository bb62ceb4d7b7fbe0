//! The size of the terminal's window in cells, also where the system does not know it.

use super::sizes::Cells;

/// The size of a terminal of which nothing is known.
const USUAL: Cells = Cells { columns: 80, rows: 24 };

/// The size of a window, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowSize {
    pub(crate) cells: Cells,
    /// The system does not know the size, as on a serial line: it is that of `COLUMNS` and `LINES`, or else 80×24.
    pub(crate) is_assumed: bool,
}

impl WindowSize {
    /// The size that the system reports, which is zero where it is unknown, completed by the environment.
    pub(crate) fn of(reported: Cells, variable: impl Fn(&str) -> Option<String>) -> Self {
        let side = |reported: u16, name: &str, usual: u16| {
            let stated = || variable(name)?.trim().parse().ok().filter(|cells| *cells > 0);
            if reported > 0 { reported } else { stated().unwrap_or(usual) }
        };
        let columns = side(reported.columns, "COLUMNS", USUAL.columns);
        let rows = side(reported.rows, "LINES", USUAL.rows);
        Self { cells: Cells { columns, rows }, is_assumed: reported.columns == 0 || reported.rows == 0 }
    }

    /// The size of this process's terminal.
    pub(crate) fn of_terminal() -> Self {
        let reported = crossterm::terminal::size().map_or(Cells { columns: 0, rows: 0 }, Cells::from);
        Self::of(reported, |name| std::env::var(name).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_size_is_that_of_the_environment_or_the_usual_one() {
        let size = |reported: (u16, u16), variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            let size = WindowSize::of(reported.into(), variable);
            ((size.cells.columns, size.cells.rows), size.is_assumed)
        };
        let stated = [("COLUMNS", "132"), ("LINES", "43")];
        assert_eq!(size((100, 30), &stated), ((100, 30), false), "the system knows best");
        assert_eq!(size((0, 0), &stated), ((132, 43), true));
        assert_eq!(size((0, 0), &[]), ((80, 24), true));
        assert_eq!(size((0, 0), &[("COLUMNS", "0"), ("LINES", "many")]), ((80, 24), true));
        assert_eq!(size((100, 0), &stated), ((100, 43), true));
    }
}
