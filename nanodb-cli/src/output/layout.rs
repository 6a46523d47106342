//! How wide the columns of a table are, and which are left out: a function of numbers.
//!
//! Each column is as wide as its widest cell, a column of text at most [`TEXT_WIDTH_MAX`]. If that
//! is too wide for the line, the widest columns of text shrink first, down to [`TEXT_WIDTH_MIN`].
//! If it still is, columns are left out from the right; the first two stay. Numbers, times and ids
//! are never cut: a part of them is something else.

/// The most places for a column of text, however much room there is.
pub(crate) const TEXT_WIDTH_MAX: usize = 30;

/// The fewest places that a column of text shrinks to before columns are left out.
const TEXT_WIDTH_MIN: usize = 12;

/// The fewest places that the last two columns of text shrink to.
const TEXT_WIDTH_LEAST: usize = 3;

/// The columns that always stay: `_id`, which names the document, and one to tell what it is.
const COLUMNS_MIN: usize = 2;

/// The spaces between two columns.
pub(super) const GAP: usize = 2;

/// What a column holds, as far as its width is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Numbers: at the right, never cut.
    Number,
    /// Times, ids, booleans: never cut.
    Whole,
    /// Anything else: long cells are cut.
    Text,
}

/// A column as it would like to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Column {
    pub(super) kind: Kind,
    /// The places that its name takes.
    pub(super) name_width: usize,
    /// The places that its widest cell takes.
    pub(super) cell_width: usize,
}

/// The columns that are shown, which are the first ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Layout {
    /// The width of each column shown.
    pub(super) widths: Vec<usize>,
    /// How many columns are left out at the right.
    pub(super) left_out: usize,
}

impl Column {
    /// Returns the width of this column if text may take `text_width` places.
    fn width(self, text_width: usize) -> usize {
        match self.kind {
            Kind::Text => self.name_width.max(self.cell_width).min(text_width),
            // A long name is cut; what is below it is not.
            Kind::Number | Kind::Whole => self.name_width.min(text_width).max(self.cell_width),
        }
    }
}

/// Returns how `columns` share a line of `width` places.
pub(super) fn layout(columns: &[Column], width: usize) -> Layout {
    let mut shown = columns;
    while shown.len() > COLUMNS_MIN && total(shown, TEXT_WIDTH_MIN) > width {
        shown = shown.split_last().map_or(shown, |(_, rest)| rest);
    }
    // Cutting the widest columns one place at a time ends with all of them at one width, or one
    // place more.
    let fits = |&text_width: &usize| total(shown, text_width) <= width;
    let text_width =
        (TEXT_WIDTH_LEAST..=TEXT_WIDTH_MAX).rev().find(fits).unwrap_or(TEXT_WIDTH_LEAST);
    let mut widths: Vec<usize> = shown.iter().map(|column| column.width(text_width)).collect();
    let mut rest = width.saturating_sub(total(shown, text_width));
    for (column, width) in shown.iter().zip(&mut widths) {
        let wanted = column.width(text_width + 1);
        if rest > 0 && text_width < TEXT_WIDTH_MAX && wanted > *width {
            *width += 1;
            rest -= 1;
        }
    }
    Layout { widths, left_out: columns.len() - shown.len() }
}

/// Returns how many places a line takes.
fn total(columns: &[Column], text_width: usize) -> usize {
    let gaps = GAP * columns.len().saturating_sub(1);
    columns.iter().map(|column| column.width(text_width)).sum::<usize>() + gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: Kind, name_width: usize, cell_width: usize) -> Column {
        Column { kind, name_width, cell_width }
    }

    fn text(cell_width: usize) -> Column {
        column(Kind::Text, 4, cell_width)
    }

    fn number(cell_width: usize) -> Column {
        column(Kind::Number, 3, cell_width)
    }

    #[test]
    fn columns_are_as_wide_as_their_content_and_names() {
        let columns = [number(1), text(8), text(2), column(Kind::Whole, 4, 20)];
        assert_eq!(layout(&columns, 80), Layout { widths: vec![3, 8, 4, 20], left_out: 0 });
        // Exactly that much room is enough.
        assert_eq!(layout(&columns, 3 + 8 + 4 + 20 + 6).widths, [3, 8, 4, 20]);
        assert_eq!(layout(&[], 80), Layout::default());
    }

    #[test]
    fn text_takes_thirty_places_at_most_and_the_rest_what_it_needs() {
        let columns = [column(Kind::Whole, 3, 36), text(500), number(40), text(30)];
        assert_eq!(layout(&columns, 500).widths, [36, 30, 40, 30]);
        assert_eq!(layout(&[column(Kind::Number, 90, 4), text(1)], 500).widths, [30, 4]);
    }

    #[test]
    fn the_widest_text_shrinks_first_and_numbers_never() {
        let columns = [number(10), text(30), text(20), text(8)];
        let all = 10 + 30 + 20 + 8 + 3 * GAP;
        assert_eq!(layout(&columns, all).widths, [10, 30, 20, 8]);
        assert_eq!(layout(&columns, all - 1).widths, [10, 29, 20, 8]);
        assert_eq!(layout(&columns, all - 10).widths, [10, 20, 20, 8]);
        assert_eq!(layout(&columns, all - 11).widths, [10, 20, 19, 8]);
        assert_eq!(layout(&columns, all - 12).widths, [10, 19, 19, 8]);
        assert_eq!(layout(&columns, all - 26), Layout { widths: vec![10, 12, 12, 8], left_out: 0 });
    }

    #[test]
    fn columns_that_do_not_fit_go_from_the_right_and_the_room_is_used() {
        let columns = [number(10), text(30), text(20), text(8)];
        let least = 10 + 12 + 12 + 8 + 3 * GAP;
        let one_less = layout(&columns, least - 1);
        assert_eq!(one_less, Layout { widths: vec![10, 17, 16], left_out: 1 });
        // A wide one may hide narrow ones behind it: the order of the columns stays.
        let columns = [number(3), text(4), column(Kind::Whole, 4, 50), text(4)];
        assert_eq!(layout(&columns, 40), Layout { widths: vec![3, 4], left_out: 2 });
    }

    #[test]
    fn two_columns_stay_however_narrow_the_terminal_is() {
        let columns = [number(6), text(30), text(30)];
        assert_eq!(layout(&columns, 16), Layout { widths: vec![6, 8], left_out: 1 });
        assert_eq!(layout(&columns, 1), Layout { widths: vec![6, 3], left_out: 1 });
        assert_eq!(layout(&[column(Kind::Whole, 3, 36)], 20).widths, [36]);
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_if_two_columns_fit() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..5_000 {
            let columns: Vec<Column> = (0..random.usize(0..9))
                .map(|_| {
                    let kind = random.choice([Kind::Number, Kind::Whole, Kind::Text]);
                    let kind = kind.unwrap_or(Kind::Text);
                    column(kind, random.usize(0..40), random.usize(0..60))
                })
                .collect();
            let width = random.usize(1..200);
            let Layout { widths, left_out } = layout(&columns, width);
            assert_eq!(widths.len() + left_out, columns.len());
            assert!(widths.len() >= columns.len().min(COLUMNS_MIN));
            let line = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
            if widths.len() > COLUMNS_MIN {
                assert!(line <= width, "{columns:?} at {width}: {widths:?}");
            }
            for (column, &width) in columns.iter().zip(&widths) {
                assert!(column.kind == Kind::Text || width >= column.cell_width);
            }
            // Whoever is cut takes all the room there is.
            let is_cut = |(column, &width): (&Column, &usize)| width < column.width(30);
            if columns.iter().zip(&widths).any(is_cut) {
                assert!(line >= width, "{columns:?} at {width}: {widths:?}");
            }
        }
    }
}
