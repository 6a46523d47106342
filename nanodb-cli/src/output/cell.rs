//! Values as text for people: what stands in the cells of a table, and of CSV.

use nanodb::{Uuid, ValueRef};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::layout::Kind;
use crate::failure::Result;

/// The most characters of a text that are looked at for each place that it may take: letters may
/// carry any number of marks that take none.
const CHARS_PER_PLACE_MAX: usize = 8;

/// The mark of what is cut.
const CUT: char = '…';

/// A value for people, on one line.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    /// What a column of such values is.
    pub(super) kind: Kind,
    pub(super) is_null: bool,
}

impl Cell {
    /// Returns what is printed of a value; a text of more than `text_width_max` places is cut.
    pub(super) fn new(value: ValueRef<'_>, text_width_max: usize) -> Result<Self> {
        let kind = match value {
            ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Float(_) => Kind::Number,
            ValueRef::Bool(_)
            | ValueRef::Timestamp(_)
            | ValueRef::ObjectId(_)
            | ValueRef::Uuid(_) => Kind::Whole,
            // The UUIDs of other databases.
            ValueRef::Binary(bytes) if bytes.len() == 16 => Kind::Whole,
            _ => Kind::Text,
        };
        let text = match value.as_str() {
            Some(text) => cut(text, text_width_max),
            None => {
                let text = plain(value)?;
                if kind == Kind::Text { cut(&text, text_width_max) } else { text }
            }
        };
        Ok(Self { text, kind, is_null: value.is_null() })
    }
}

/// Returns a value as the text that says most to people: strings and times as they are, containers
/// as JSON.
pub(super) fn plain(value: ValueRef<'_>) -> Result<String> {
    Ok(match value {
        ValueRef::String(text) => text.to_owned(),
        ValueRef::Timestamp(time) => time.to_string(),
        ValueRef::ObjectId(id) => id.to_string(),
        ValueRef::Uuid(id) => id.to_string(),
        ValueRef::Float(number) if !number.is_finite() => number.to_string(),
        ValueRef::Binary(bytes) => match <[u8; 16]>::try_from(bytes) {
            Ok(bytes) => Uuid::from_bytes(bytes).to_string(),
            Err(_) => value.to_string(),
        },
        other => other.to_json()?,
    })
}

/// Returns the places that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns `text` on one line of `width_max` places at most. What does not fit is cut, which a mark
/// says.
pub(super) fn cut(text: &str, width_max: usize) -> String {
    let chars_max = width_max.saturating_mul(CHARS_PER_PLACE_MAX);
    let mut shown = String::new();
    // The longest beginning with which a mark still fits.
    let mut fitting = 0;
    for (index, letter) in text.chars().enumerate() {
        shown.push(harmless(letter));
        let width = shown.width();
        if index >= chars_max || width > width_max {
            shown.truncate(fitting);
            shown.push(CUT);
            return shown;
        }
        if width < width_max {
            fitting = shown.len();
        }
    }
    shown
}

/// Returns a character that does not control the terminal: the content of a document must not.
fn harmless(letter: char) -> char {
    match letter {
        // Those change the direction of what follows, or end the line.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        '\u{2028}' | '\u{2029}' => ' ',
        letter if letter.is_control() => ' ',
        // Unassigned, or with a width that terminals do not agree on.
        letter if letter.width().is_none() => ' ',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_width_on_the_screen() {
        for (text, width_max, expected) in [
            ("Meier", 5, "Meier"),
            ("Meierhofer", 5, "Meie…"),
            ("", 5, ""),
            ("東京都", 6, "東京都"),
            ("東京都庁", 6, "東京…"),
            // A wide letter that half fits does not.
            ("東京都庁", 7, "東京都…"),
            ("東京都庁", 5, "東京…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e\u{301}e", 3, "e\u{301}e\u{301}…"),
            ("ab", 1, "…"),
        ] {
            let shown = cut(text, width_max);
            assert_eq!(shown, expected, "{text} in {width_max}");
            assert!(width(&shown) <= width_max);
        }
        let marks = format!("e{}", "\u{301}".repeat(100_000));
        assert!(cut(&marks, 5).len() < 200);
    }

    #[test]
    fn no_text_controls_the_terminal() {
        assert_eq!(cut("a\u{1b}[1m\nb\u{202e}c\u{7f}\u{9b}1m", 30), "a [1m b c  1m");
    }

    #[test]
    fn a_value_says_what_it_is_to_people() {
        let uuid = Uuid::from_bytes([0x11; 16]);
        let text = "11111111-1111-1111-1111-111111111111";
        for (value, expected, kind) in [
            (ValueRef::Int(-5), "-5", Kind::Number),
            (ValueRef::Float(5.0), "5.0", Kind::Number),
            (ValueRef::Float(f64::NAN), "NaN", Kind::Number),
            (ValueRef::Float(f64::NEG_INFINITY), "-inf", Kind::Number),
            (ValueRef::Bool(true), "true", Kind::Whole),
            (ValueRef::Null, "null", Kind::Text),
            (ValueRef::String("a \"b\""), "a \"b\"", Kind::Text),
            (ValueRef::Uuid(uuid), text, Kind::Whole),
            (ValueRef::Binary(&[0x11; 16]), text, Kind::Whole),
            (ValueRef::Binary(&[1, 2]), "h'0102'", Kind::Text),
        ] {
            let cell = Cell::new(value, 30).unwrap();
            assert_eq!((cell.text.as_str(), cell.kind), (expected, kind), "{value:?}");
        }
    }
}
