//! Colours, where the terminal has them.

use anstyle::{AnsiColor, Style};

/// Names of columns.
pub(crate) const BOLD: Style = Style::new().bold();
/// What matters less: rules, nulls, notes.
pub(crate) const DIM: Style = Style::new().dimmed();
/// The beginning of a message about a failure.
pub(crate) const FAILURE: Style = AnsiColor::Red.on_default().bold();
/// Names of fields.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// Strings.
pub(crate) const STRING: Style = AnsiColor::Green.on_default();

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Painter {
    colours: bool,
}

impl Painter {
    /// Leaves all text as it is.
    pub(crate) const PLAIN: Self = Self { colours: false };

    pub(crate) const fn new(colours: bool) -> Self {
        Self { colours }
    }

    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Paints JSON: names, strings and nulls. All control characters of strings are escaped in it,
    /// so what it holds does not control the terminal.
    pub(crate) fn paint_json(self, json: &str) -> String {
        if !self.colours {
            return json.to_owned();
        }
        let mut painted = String::with_capacity(json.len() * 2);
        let mut rest = json;
        while let Some(start) = rest.find(['"', 'n']) {
            let (before, from) = rest.split_at(start);
            painted.push_str(before);
            let size = if from.starts_with('"') { string_size(from) } else { "null".len() };
            let (token, after) = from.split_at_checked(size).unwrap_or((from, ""));
            let style = match token {
                "null" => DIM,
                _ if after.starts_with(':') => NAME,
                _ => STRING,
            };
            painted.push_str(&self.paint(style, token));
            rest = after;
        }
        painted.push_str(rest);
        painted
    }
}

/// Returns the length of the string that `json` begins with, quotes included.
fn string_size(json: &str) -> usize {
    let mut is_escaped = true;
    for (index, byte) in json.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return index + 1,
            b'\\' if !is_escaped => is_escaped = true,
            _ => is_escaped = false,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_strings_and_nulls_of_json_are_painted_and_nothing_else_changes() {
        let json = r#"{"a\"b": ["x\\", null, 5, true, ""], "n": {"c": -1.5e3}}"#;
        let painted = Painter::new(true).paint_json(json);
        let expected = "{\u{1b}[36m\"a\\\"b\"\u{1b}[0m: [\u{1b}[32m\"x\\\\\"\u{1b}[0m, \
            \u{1b}[2mnull\u{1b}[0m, 5, true, \u{1b}[32m\"\"\u{1b}[0m], \
            \u{1b}[36m\"n\"\u{1b}[0m: {\u{1b}[36m\"c\"\u{1b}[0m: -1.5e3}}";
        assert_eq!(painted, expected);
        assert_eq!(Painter::PLAIN.paint_json(json), json);
    }
}
