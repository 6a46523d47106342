//! What follows a backslash.

use regex_syntax::hir::ClassUnicode;

use super::node::{Assert, Edge, Node};
use super::parse::Parser;
use super::sets;

/// What an escape means, inside a class and outside.
pub(super) enum Escape {
    Char(char),
    Set(ClassUnicode),
}

impl Parser<'_> {
    /// Reads an escape outside of a class, after the backslash. Returns nothing for one that only
    /// says where a match begins.
    pub(super) fn escape(&mut self, start: usize) -> Result<Option<Node>, String> {
        let unicode = self.unicode;
        let word = |edge| Ok(Some(Node::Assert(Assert::Word { unicode, edge })));
        let unsupported = |what: &str| Err(format!("{what} at byte {start} is not supported"));
        match self.peek() {
            Some('b') => {
                self.at += 1;
                return word(Edge::Any);
            }
            Some('B') => {
                self.at += 1;
                return word(Edge::None);
            }
            Some('A' | 'G') => {
                self.at += 1;
                return Ok(Some(Node::Assert(Assert::Start)));
            }
            Some('z') => {
                self.at += 1;
                return Ok(Some(Node::Assert(Assert::End)));
            }
            Some('Z') => {
                self.at += 1;
                return Ok(Some(Node::Assert(Assert::LastLineEnd)));
            }
            Some('K') => {
                self.at += 1;
                return Ok(None);
            }
            Some('R') => {
                self.at += 1;
                return Ok(Some(Node::LineBreak));
            }
            Some('N') if !self.rest().starts_with("N{U+") => {
                self.at += 1;
                let after = self.at;
                if self.rest().starts_with('{') && self.counts()?.is_none() {
                    return unsupported("`\\N{...}` with a name");
                }
                self.at = after;
                return self.one(&sets::negated(sets::ranges(&[('\n', '\n')]))).map(Some);
            }
            Some('X') => return unsupported("`\\X`"),
            Some('C') => return unsupported("`\\C`"),
            Some('k' | 'g') => return unsupported("a back-reference or recursion"),
            Some(digit @ '1'..='9') => {
                let digits: String =
                    self.rest().chars().take_while(char::is_ascii_digit).take(9).collect();
                let number: usize = digits.parse().unwrap_or(usize::MAX);
                if number < 10 || digit >= '8' || number <= self.captures {
                    return unsupported("a back-reference");
                }
            }
            _ => {}
        }
        match self.common_escape(start)? {
            Escape::Char(letter) => self.literal(letter).map(Some),
            // Sets contain both cases already, or neither.
            Escape::Set(set) => self.one(&set).map(Some),
        }
    }

    /// Reads an escape that means the same inside a class and outside.
    pub(super) fn common_escape(&mut self, start: usize) -> Result<Escape, String> {
        let Some(letter) = self.next() else { return Err("it ends in a backslash".to_owned()) };
        let unknown = || Err(format!("there is no escape `\\{letter}`, at byte {start}"));
        Ok(match letter {
            'a' => Escape::Char('\x07'),
            'e' => Escape::Char('\x1b'),
            'f' => Escape::Char('\x0c'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'd' | 's' | 'w' => Escape::Set(sets::of_letter(letter, self.unicode)?),
            'D' | 'S' | 'W' => {
                let letter = letter.to_ascii_lowercase();
                Escape::Set(sets::negated(sets::of_letter(letter, self.unicode)?))
            }
            'h' => Escape::Set(sets::horizontal()),
            'H' => Escape::Set(sets::negated(sets::horizontal())),
            'v' => Escape::Set(sets::vertical()),
            'V' => Escape::Set(sets::negated(sets::vertical())),
            'p' | 'P' => Escape::Set(self.property(letter == 'P')?),
            'c' => match self.next() {
                Some(control @ ' '..='~') => {
                    let control = u32::from(control.to_ascii_uppercase()) ^ 0x40;
                    Escape::Char(character(control)?)
                }
                _ => return Err("`\\c` is followed by no character of ASCII".to_owned()),
            },
            'x' if self.skip("{") => Escape::Char(self.number_in_braces(16)?),
            'x' => Escape::Char(character(self.digits(16, 2))?),
            'o' if self.skip("{") => Escape::Char(self.number_in_braces(8)?),
            'N' if self.skip("{U+") => Escape::Char(self.number_in_braces(16)?),
            '0' => Escape::Char(character(self.digits(8, 2))?),
            '1'..='7' => {
                self.at -= 1;
                Escape::Char(character(self.digits(8, 3))?)
            }
            // Where it can't be a back-reference.
            '8' | '9' => Escape::Char(letter),
            letter if letter.is_ascii_alphanumeric() => return unknown(),
            letter => Escape::Char(letter),
        })
    }

    /// Reads a number of at most `len_max` digits of a base; 0 if there is none.
    fn digits(&mut self, base: u32, len_max: usize) -> u32 {
        let mut number = 0;
        for _ in 0..len_max {
            let Some(digit) = self.peek().and_then(|letter| letter.to_digit(base)) else { break };
            number = number * base + digit;
            self.at += 1;
        }
        number
    }

    fn number_in_braces(&mut self, base: u32) -> Result<char, String> {
        let text = self.until("}").unwrap_or_default();
        let is_number = !text.is_empty() && text.chars().all(|letter| letter.is_digit(base));
        if !is_number {
            return Err(format!("`{{{text}` is no number of a character"));
        }
        character(u32::from_str_radix(text, base).unwrap_or(u32::MAX))
    }

    /// Reads the property after `\p`: one letter, or a name in braces.
    fn property(&mut self, is_negated: bool) -> Result<ClassUnicode, String> {
        let name = if self.skip("{") {
            self.until("}").ok_or_else(|| "`\\p{` is not closed".to_owned())?
        } else {
            let start = self.at;
            self.next();
            self.pattern.get(start..self.at).unwrap_or_default()
        };
        let name = name.trim();
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) => (name, !is_negated),
            None => (name, is_negated),
        };
        let set = sets::property(name)?;
        Ok(if is_negated { sets::negated(set) } else { set })
    }
}

fn character(number: u32) -> Result<char, String> {
    char::from_u32(number).ok_or_else(|| format!("there is no character {number:#x}"))
}
