//! Finding where an object ends: counting brackets, skipping strings.

/// What a byte means to the scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Quote,
    Backslash,
    Open,
    Close,
    /// Not allowed within a string.
    Control,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = Class::Control;
        byte += 1;
    }
    classes[b'"' as usize] = Class::Quote;
    classes[b'\\' as usize] = Class::Backslash;
    classes[b'{' as usize] = Class::Open;
    classes[b'[' as usize] = Class::Open;
    classes[b'}' as usize] = Class::Close;
    classes[b']' as usize] = Class::Close;
    classes
};

/// Finds the end of one object, in a text that may come piece by piece.
///
/// It ignores which bracket closes which, and what is between them: the parser reads the object
/// afterwards and refuses what is wrong. A string that contains a line's end is always wrong, so
/// the object ends there: a forgotten quote costs one line and not all that follow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanner {
    /// How far earlier calls have come.
    scanned: usize,
    depth: usize,
    in_string: bool,
}

impl Scanner {
    /// Returns the object's size, if it ends within `text`, which must begin as in earlier calls.
    pub(super) fn scan(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = self.scanned;
        while let Some(&byte) = text.get(at) {
            match (self.in_string, class(byte)) {
                (true, Class::Quote) => self.in_string = false,
                (true, Class::Control) => return Some(at + 1),
                (true, Class::Backslash) => {
                    if at + 1 == text.len() {
                        // The escaped character has not come yet: both are read next time.
                        break;
                    }
                    at += 1;
                }
                (false, Class::Quote) => self.in_string = true,
                (false, Class::Open) => self.depth += 1,
                (false, Class::Close) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.scanned = at;
        None
    }
}

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Other)
}
