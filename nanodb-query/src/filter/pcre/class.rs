//! Classes: sets of characters in brackets.

use regex_syntax::hir::ClassUnicode;

use super::escape::Escape;
use super::node::{Assert, Edge, Node};
use super::parse::{Parser, folded};
use super::sets;

impl Parser<'_> {
    /// Reads a class, after its bracket.
    pub(super) fn class(&mut self, start: usize) -> Result<Node, String> {
        let unicode = self.unicode;
        for (text, edge) in [("[:<:]]", Edge::Start), ("[:>:]]", Edge::End)] {
            if self.skip(text) {
                return Ok(Node::Assert(Assert::Word { unicode, edge }));
            }
        }
        if let Some((mark, _)) = self.named_form() {
            return Err(format!(
                "the class `[{mark}...{mark}]` at byte {start} stands outside of brackets"
            ));
        }
        let is_negated = self.skip("^");
        // Letters match in both cases if case is ignored; named sets don't change.
        let (mut letters, mut named) = (ClassUnicode::empty(), ClassUnicode::empty());
        let (mut is_first, mut quoted) = (true, false);
        while let Some(item) = self.class_item(start, &mut is_first, &mut quoted)? {
            if self.skip("\\E") {
                quoted = false;
            }
            let before_hyphen = self.at;
            let is_range = !quoted && self.skip("-");
            let ends = is_range && !quoted && self.rest().starts_with(']');
            if !is_range || ends {
                self.at = if ends { before_hyphen } else { self.at };
                match item {
                    Escape::Char(letter) => letters.union(&sets::ranges(&[(letter, letter)])),
                    Escape::Set(set) => named.union(&set),
                }
                continue;
            }
            let last = self.class_item(start, &mut is_first, &mut quoted)?;
            match (item, last) {
                (Escape::Char(first), Some(Escape::Char(last))) if first <= last => {
                    letters.union(&sets::ranges(&[(first, last)]));
                }
                (Escape::Char(_), Some(Escape::Char(_))) => {
                    return Err(format!("a range of the class at byte {start} is out of order"));
                }
                (_, None) => return Err(not_closed(start)),
                _ => {
                    return Err(format!(
                        "a range of the class at byte {start} begins or ends with a set; write the \
                         hyphen last"
                    ));
                }
            }
        }
        let mut set = folded(letters, self.flags.caseless)?;
        set.union(&named);
        self.one(&if is_negated { sets::negated(set) } else { set })
    }

    /// Returns the next character or set of a class; `None` at its end.
    fn class_item(
        &mut self,
        start: usize,
        is_first: &mut bool,
        quoted: &mut bool,
    ) -> Result<Option<Escape>, String> {
        loop {
            if *quoted {
                if self.skip("\\E") {
                    *quoted = false;
                    continue;
                }
            } else if self.skip("\\Q") {
                *quoted = true;
                continue;
            } else if self.skip("\\E")
                || self.flags.spaced_more && (self.skip(" ") || self.skip("\t"))
            {
                continue;
            }
            break;
        }
        let first = std::mem::take(is_first);
        let Some(next) = self.next() else { return Err(not_closed(start)) };
        Ok(Some(match next {
            letter if *quoted => Escape::Char(letter),
            ']' if !first => return Ok(None),
            '\\' => match self.peek() {
                Some('b') => {
                    self.at += 1;
                    Escape::Char('\x08')
                }
                Some(letter @ ('B' | 'R' | 'X')) => {
                    return Err(format!("`\\{letter}` can't be in a class"));
                }
                Some('N') if !self.rest().starts_with("N{U+") => {
                    return Err("`\\N` can't be in a class".to_owned());
                }
                _ => self.common_escape(start)?,
            },
            '[' => match self.named()? {
                Some(set) => Escape::Set(set),
                None => Escape::Char('['),
            },
            letter => Escape::Char(letter),
        }))
    }

    /// Reads `[:alpha:]`, after its bracket.
    fn named(&mut self) -> Result<Option<ClassUnicode>, String> {
        let Some((mark, len)) = self.named_form() else { return Ok(None) };
        if mark != ':' {
            return Err(format!("`[{mark}...{mark}]` is not supported"));
        }
        let name = self.rest().get(1..=len).unwrap_or_default();
        self.at += len + 3;
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        // If case is ignored, a letter of either case matches.
        let name = match name {
            "lower" | "upper" if self.flags.caseless => "alpha",
            name => name,
        };
        let set = sets::posix(name, self.unicode)?;
        Ok(Some(if is_negated { sets::negated(set) } else { set }))
    }

    /// Returns whether `:...:]` or the like comes next: its mark, and its length between the marks.
    fn named_form(&self) -> Option<(char, usize)> {
        let mark = self.peek().filter(|mark| ":.=".contains(*mark))?;
        let inner = self.rest().get(1..)?.as_bytes();
        let mut at = 0;
        loop {
            match (inner.get(at)?, inner.get(at + 1)?) {
                (b'\\', b']' | b'\\') => at += 2,
                (b']', _) => return None,
                (b'[', next) if char::from(*next) == mark => return None,
                (found, b']') if char::from(*found) == mark => return Some((mark, at)),
                _ => at += 1,
            }
        }
    }
}

fn not_closed(start: usize) -> String {
    format!("the class that begins at byte {start} is not closed")
}
