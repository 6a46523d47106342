//! What stands for a compiled expression in a library without the feature `regex`: none is made.

#[derive(Clone)]
pub(super) enum Automaton {}

impl Automaton {
    pub(super) fn new(_text: &str, _options: &str) -> Result<Self, String> {
        Err("the library is built without the feature `regex`".to_owned())
    }

    pub(super) fn is_match(&self, _text: &[u8]) -> bool {
        match *self {}
    }
}

/// Same as with the feature; no expression gets here.
pub(super) fn prefixes(_text: &str, _options: &str) -> Option<Vec<Vec<u8>>> {
    None
}
