//! From the text of an expression to its tree, by PCRE's rules.

use std::collections::HashSet;

use regex_syntax::hir::ClassUnicode;

use super::TRANSLATED_BYTES_MAX;
use super::node::{Assert, Node};
use super::sets;

/// How deep groups nest, as in PCRE.
const GROUPS_DEPTH_MAX: usize = 250;

/// The largest number of a quantifier, as in PCRE.
const REPEAT_MAX: u32 = 65_535;

/// The longest name of a group, as in PCRE.
const NAME_LEN_MAX: usize = 32;

/// The options in force.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) caseless: bool,
    pub(super) lines: bool,
    pub(super) dot_all: bool,
    /// Whether spaces and comments are ignored; and spaces in classes.
    pub(super) spaced: bool,
    pub(super) spaced_more: bool,
}

/// Reads an expression.
pub(super) struct Parser<'p> {
    pub(super) pattern: &'p str,
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) unicode: bool,
    /// The number of capturing groups so far.
    pub(super) captures: usize,
    names: HashSet<&'p str>,
    may_repeat_names: bool,
    depth: usize,
    /// The length of the translation so far.
    size: usize,
}

impl<'p> Parser<'p> {
    pub(super) fn new(pattern: &'p str, options: &str) -> Self {
        let flags = Flags {
            caseless: options.contains('i'),
            lines: options.contains('m'),
            dot_all: options.contains('s'),
            spaced: options.contains('x'),
            spaced_more: false,
        };
        Self {
            pattern,
            at: 0,
            flags,
            unicode: false,
            captures: 0,
            names: HashSet::new(),
            may_repeat_names: false,
            depth: 0,
            size: 0,
        }
    }

    /// Reads the whole expression.
    pub(super) fn parse(mut self) -> Result<Node, String> {
        self.read_settings()?;
        let node = self.alternatives()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(format!("the `)` at byte {} closes no group", self.at)),
        }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Steps over a text, if it comes next.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Reads up to a text, and steps over that too.
    pub(super) fn until(&mut self, end: &str) -> Option<&'p str> {
        let (text, _) = self.rest().split_once(end)?;
        self.at += text.len() + end.len();
        Some(text)
    }

    /// Returns a character of a set.
    pub(super) fn one(&mut self, set: &ClassUnicode) -> Result<Node, String> {
        let mut text = String::new();
        match set.ranges() {
            [only] if only.start() == only.end() => push_char(&mut text, only.start()),
            [] => text.push_str(r"[^\x{0}-\x{10FFFF}]"),
            ranges => {
                text.push('[');
                for range in ranges {
                    push_char(&mut text, range.start());
                    text.push('-');
                    push_char(&mut text, range.end());
                }
                text.push(']');
            }
        }
        self.size += text.len();
        if self.size > TRANSLATED_BYTES_MAX {
            return Err("it is too large".to_owned());
        }
        let newline =
            set.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'));
        Ok(Node::One { text, newline })
    }

    /// Returns a character that stands for itself.
    pub(super) fn literal(&mut self, letter: char) -> Result<Node, String> {
        let set = folded(sets::ranges(&[(letter, letter)]), self.flags.caseless)?;
        self.one(&set)
    }

    /// Reads `(*UCP)` and the like, which may only be at the start.
    fn read_settings(&mut self) -> Result<(), String> {
        while self.rest().starts_with("(*") {
            let start = self.at;
            self.at += 2;
            let name = self.until(")").unwrap_or_default();
            match name {
                "UCP" => self.unicode = true,
                "UTF" | "UTF8" | "LF" | "BSR_UNICODE" | "NO_JIT" | "NO_START_OPT"
                | "NO_AUTO_POSSESS" | "NO_DOTSTAR_ANCHOR" => {}
                _ => {
                    self.at = start;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads branches up to the end, or to a closing parenthesis.
    fn alternatives(&mut self) -> Result<Node, String> {
        let (mut branches, mut branch) = (Vec::new(), Vec::new());
        let mut repeatable = false;
        loop {
            self.skip_blank()?;
            let Some(next) = self.peek() else { break };
            match next {
                ')' => break,
                '|' => {
                    self.at += 1;
                    branches.push(Node::Sequence(std::mem::take(&mut branch)));
                    repeatable = false;
                }
                '\\' if self.skip("\\Q") => {
                    while !self.skip("\\E") {
                        let Some(letter) = self.next() else { break };
                        branch.push(self.literal(letter)?);
                        repeatable = true;
                    }
                }
                _ => match self.quantifier()? {
                    Some((min, max)) => {
                        let Some(node) = branch.pop().filter(|_| repeatable) else {
                            return Err(format!(
                                "the quantifier before byte {} repeats nothing",
                                self.at
                            ));
                        };
                        branch.push(Node::Repeat { node: Box::new(node), min, max });
                        repeatable = false;
                    }
                    None => {
                        let item = self.item()?;
                        repeatable = !matches!(item, None | Some(Node::Assert(_)));
                        branch.extend(item);
                    }
                },
            }
        }
        if branches.is_empty() {
            return Ok(Node::Sequence(branch));
        }
        branches.push(Node::Sequence(branch));
        Ok(Node::Either(branches))
    }

    /// Steps over comments, a `\E` that ends nothing, and with `x` over spaces.
    fn skip_blank(&mut self) -> Result<(), String> {
        loop {
            let start = self.at;
            if self.skip("(?#") && self.until(")").is_none() {
                return Err(format!("the comment that begins at byte {start} is not closed"));
            }
            self.skip("\\E");
            if self.flags.spaced {
                if self.peek().is_some_and(is_pattern_space) {
                    self.next();
                } else if self.skip("#") && self.until("\n").is_none() {
                    self.at = self.pattern.len();
                }
            }
            if self.at == start {
                return Ok(());
            }
        }
    }

    /// Reads a quantifier, if there is one; greedy and lazy ones are the same here.
    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let start = self.at;
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.counts()? {
                Some(counts) => counts,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        if self.at == start {
            self.at += 1;
        }
        self.skip_blank()?;
        if self.rest().starts_with('+') {
            return Err(format!("the quantifier before byte {} is possessive", self.at)
                + ", which is not supported");
        }
        self.skip("?");
        Ok(Some((min, max)))
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`; any other brace stands for itself.
    pub(super) fn counts(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let Some((inner, _)) = self.rest().get(1..).and_then(|rest| rest.split_once('}')) else {
            return Ok(None);
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (first, last) = match inner.split_once(',') {
            None => (inner, Some(inner)),
            Some((first, "")) => (first, None),
            Some((first, last)) => (first, Some(last)),
        };
        if !is_number(first) || !last.is_none_or(is_number) {
            return Ok(None);
        }
        let number = |text: &str| {
            let number = text.parse().ok().filter(|&number: &u32| number <= REPEAT_MAX);
            number.ok_or_else(|| format!("`{{{inner}}}` repeats more than {REPEAT_MAX} times"))
        };
        let (min, max) = (number(first)?, last.map(number).transpose()?);
        if max.is_some_and(|max| max < min) {
            return Err(format!("the numbers of `{{{inner}}}` are out of order"));
        }
        self.at += inner.len() + 2;
        Ok(Some((min, max)))
    }

    /// Reads one item that is not a quantifier; nothing if it sets options.
    fn item(&mut self) -> Result<Option<Node>, String> {
        let start = self.at;
        let Some(next) = self.next() else { return Ok(None) };
        Ok(Some(match next {
            '(' => return self.group(start),
            '[' => self.class(start)?,
            '\\' => return self.escape(start),
            '^' if self.flags.lines => Node::Assert(Assert::LineStart),
            '^' => Node::Assert(Assert::Start),
            '$' if self.flags.lines => Node::Assert(Assert::LineEnd),
            '$' => Node::Assert(Assert::LastLineEnd),
            '.' if self.flags.dot_all => self.one(&sets::negated(ClassUnicode::empty()))?,
            '.' => self.one(&sets::negated(sets::ranges(&[('\n', '\n')])))?,
            letter => self.literal(letter)?,
        }))
    }

    /// Reads what follows a `(`.
    fn group(&mut self, start: usize) -> Result<Option<Node>, String> {
        let unsupported = |what: &str| Err(format!("{what} at byte {start} is not supported"));
        let flags = self.flags;
        if self.rest().starts_with("*") {
            return unsupported("the verb `(*...)`");
        }
        if !self.skip("?") {
            self.captures += 1;
            return self.group_body(start, flags).map(Some);
        }
        for look in ["=", "!", "*", "<=", "<!", "<*"] {
            if self.rest().starts_with(look) {
                return unsupported("look-around");
            }
        }
        let quote = if self.skip("P<") || self.skip("<") {
            Some(">")
        } else {
            self.skip("'").then_some("'")
        };
        if let Some(quote) = quote {
            self.name(start, quote)?;
            self.captures += 1;
            return self.group_body(start, flags).map(Some);
        }
        match self.peek() {
            Some(':' | '|') => {
                self.at += 1;
                self.group_body(start, flags).map(Some)
            }
            Some('>') => unsupported("an atomic group"),
            Some('(') => unsupported("a condition"),
            Some('C') => unsupported("a callout"),
            Some('P') if self.rest().starts_with("P=") => unsupported("a back-reference"),
            Some('R' | '&' | 'P' | '+' | '0'..='9') => unsupported("recursion"),
            Some('-') if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => {
                unsupported("recursion")
            }
            _ => self.options(start),
        }
    }

    /// Reads the name of a group, up to its end.
    fn name(&mut self, start: usize, end: &str) -> Result<(), String> {
        let name = self.until(end).unwrap_or_default();
        let is_name = name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
            && !name.starts_with(|first: char| first.is_numeric())
            && (1..=NAME_LEN_MAX).contains(&name.chars().count());
        if !is_name {
            return Err(format!("the group at byte {start} has no name that a group may have"));
        }
        if !self.names.insert(name) && !self.may_repeat_names {
            return Err(format!("two groups have the name `{name}`"));
        }
        Ok(())
    }

    /// Reads the branches of a group; options set within end with it.
    fn group_body(&mut self, start: usize, flags: Flags) -> Result<Node, String> {
        if self.depth == GROUPS_DEPTH_MAX {
            return Err(format!("its groups nest deeper than {GROUPS_DEPTH_MAX} levels"));
        }
        self.depth += 1;
        let node = self.alternatives()?;
        self.depth -= 1;
        self.flags = flags;
        if !self.skip(")") {
            return Err(format!("the group that begins at byte {start} is not closed"));
        }
        // A group, even of an assertion, may be repeated.
        Ok(match node {
            Node::Assert(_) => Node::Sequence(vec![node]),
            node => node,
        })
    }

    /// Reads `(?i)`, or `(?i:` of a group.
    fn options(&mut self, start: usize) -> Result<Option<Node>, String> {
        let before = self.flags;
        let mut wanted = true;
        if self.skip("^") {
            self.flags = Flags::default();
        }
        loop {
            match self.next() {
                Some('i') => self.flags.caseless = wanted,
                Some('m') => self.flags.lines = wanted,
                Some('s') => self.flags.dot_all = wanted,
                Some('x') => {
                    self.flags.spaced_more = self.skip("x") && wanted;
                    self.flags.spaced = wanted;
                }
                Some('J') => self.may_repeat_names = wanted,
                // Capturing and greediness make no difference.
                Some('n' | 'U') => {}
                Some('-') if wanted => wanted = false,
                Some(')') => return Ok(None),
                Some(':') => return self.group_body(start, before).map(Some),
                None => {
                    return Err(format!("the group that begins at byte {start} is not closed"));
                }
                Some(_) => return Err(format!("there is no group like that at byte {start}")),
            }
        }
    }
}

/// Returns a set, with both cases of its letters if case is ignored.
pub(super) fn folded(mut set: ClassUnicode, caseless: bool) -> Result<ClassUnicode, String> {
    if caseless {
        set.try_case_fold_simple().map_err(|error| error.to_string())?;
    }
    Ok(set)
}

fn push_char(out: &mut String, letter: char) {
    if letter.is_ascii_alphanumeric() {
        out.push(letter);
    } else {
        out.push_str(&format!(r"\x{{{:X}}}", u32::from(letter)));
    }
}

/// Returns whether `x` ignores this character.
fn is_pattern_space(letter: char) -> bool {
    matches!(
        letter,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
    )
}
