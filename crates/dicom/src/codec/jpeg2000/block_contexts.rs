//! The contexts of a coefficient's bits, from the significance and signs of its neighbours (T.800 D.3).

use super::geometry::Orientation;

/// Bits of a coefficient's state: the significance of the neighbours above, below, right and left, then of those diagonal
/// to it; then the signs of the first four.
pub(super) const ABOVE: u16 = 1;
pub(super) const BELOW: u16 = 1 << 1;
pub(super) const RIGHT: u16 = 1 << 2;
pub(super) const LEFT: u16 = 1 << 3;
pub(super) const ABOVE_RIGHT: u16 = 1 << 4;
pub(super) const ABOVE_LEFT: u16 = 1 << 5;
pub(super) const BELOW_RIGHT: u16 = 1 << 6;
pub(super) const BELOW_LEFT: u16 = 1 << 7;
pub(super) const NEIGHBOURS: u16 = 0xFF;
/// Shifts the bits of the first four neighbours to those of their signs.
pub(super) const TO_SIGN: u32 = 8;
/// The coefficient itself is significant.
pub(super) const SIGNIFICANT: u16 = 1 << 12;
/// It was coded in the significance pass of this bit plane.
pub(super) const VISITED: u16 = 1 << 13;
/// Its magnitude was refined before.
pub(super) const REFINED: u16 = 1 << 14;
/// It is negative.
pub(super) const NEGATIVE: u16 = 1 << 15;

const FIRST_SIGN: u8 = 9;
const FIRST_MAGNITUDE: u8 = 14;
pub(super) const RUN: u8 = 17;
pub(super) const UNIFORM: u8 = 18;

/// The context of significance per state of the neighbours, for a subband (T.800 table D.1).
pub(super) fn significance_contexts(orientation: Orientation) -> &'static [u8; 256] {
    static HIGH_ACROSS: [u8; 256] = significance_table(true, false);
    static HIGH_BOTH: [u8; 256] = significance_table(false, true);
    static OTHER: [u8; 256] = significance_table(false, false);
    match orientation {
        Orientation::HighAcross => &HIGH_ACROSS,
        Orientation::HighBoth => &HIGH_BOTH,
        Orientation::Low | Orientation::HighDown => &OTHER,
    }
}

const fn significance_table(exchanged: bool, diagonal_first: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut state = 0;
    while state < 256 {
        let bits = state as u16;
        let down = (bits & (ABOVE | BELOW)).count_ones();
        let across = (bits & (LEFT | RIGHT)).count_ones();
        let diagonal = (bits & (ABOVE_LEFT | ABOVE_RIGHT | BELOW_LEFT | BELOW_RIGHT)).count_ones();
        let (first, second) = if exchanged { (down, across) } else { (across, down) };
        table[state] = if diagonal_first {
            match (diagonal, across + down) {
                (3.., _) => 8,
                (2, 1..) => 7,
                (2, 0) => 6,
                (1, 2..) => 5,
                (1, 1) => 4,
                (1, 0) => 3,
                (0, 2..) => 2,
                (0, straight) => straight as u8,
            }
        } else {
            match (first, second, diagonal) {
                (2.., _, _) => 8,
                (1, 1.., _) => 7,
                (1, 0, 1..) => 6,
                (1, 0, 0) => 5,
                (0, 2.., _) => 4,
                (0, 1, _) => 3,
                (0, 0, 2..) => 2,
                (0, 0, diagonal) => diagonal as u8,
            }
        };
        state += 1;
    }
    table
}

/// The context of a sign, and the bit to exclusive-or the decoded one with (T.800 table D.3).
#[inline]
pub(super) fn sign_context(state: u16) -> (u8, u32) {
    static TABLE: [(u8, u8); 256] = sign_table();
    let (context, flip) = TABLE[usize::from((state & 0xF) | (state >> 4 & 0xF0))];
    (context, u32::from(flip))
}

const fn sign_table() -> [(u8, u8); 256] {
    let mut table = [(0, 0); 256];
    let mut index = 0;
    while index < 256 {
        let (significant, negative) = (index as u16 & 0xF, index as u16 >> 4);
        let across = contribution(significant, negative, LEFT) + contribution(significant, negative, RIGHT);
        let down = contribution(significant, negative, ABOVE) + contribution(significant, negative, BELOW);
        let (across, down) = (across.signum(), down.signum());
        let (offset, flip) = match (across, down) {
            (1, 1) => (4, 0),
            (1, 0) => (3, 0),
            (1, _) => (2, 0),
            (0, 1) => (1, 0),
            (0, 0) => (0, 0),
            (0, _) => (1, 1),
            (_, 1) => (2, 1),
            (_, 0) => (3, 1),
            (_, _) => (4, 1),
        };
        table[index] = (FIRST_SIGN + offset, flip);
        index += 1;
    }
    table
}

const fn contribution(significant: u16, negative: u16, neighbour: u16) -> i32 {
    match (significant & neighbour != 0, negative & neighbour != 0) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    }
}

/// The context of a further bit of a magnitude (T.800 table D.4).
#[inline]
pub(super) fn magnitude_context(state: u16) -> u8 {
    if state & REFINED != 0 { FIRST_MAGNITUDE + 2 } else { FIRST_MAGNITUDE + u8::from(state & NEIGHBOURS != 0) }
}
