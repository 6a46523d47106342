//! How a text is to be read.

/// How a text is to be read; by default as strictly as the [dialect](super) says.
///
/// ```
/// # extern crate nanodb_msgpack as nanodb;
/// use nanodb::json::{Decimals, ReadOptions};
///
/// let options = ReadOptions::new().replace_surrogates(true).decimals(Decimals::Double);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ReadOptions {
    pub(super) replace_surrogates: bool,
    pub(super) decimals: Decimals,
    pub(super) operators: bool,
    pub(super) values_max: usize,
}

/// What a `$numberDecimal` becomes: there is no such type here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decimals {
    /// An error.
    #[default]
    Refuse,
    /// A string of its digits, as they stand.
    String,
    /// The nearest float.
    Double,
}

impl ReadOptions {
    /// Half surrogates, decimals and unknown forms are refused; there may be any number of values.
    pub const fn new() -> Self {
        Self {
            replace_surrogates: false,
            decimals: Decimals::Refuse,
            operators: false,
            values_max: usize::MAX,
        }
    }

    /// Whether half of a surrogate pair, such as `\ud83d` alone, becomes U+FFFD; it is an error
    /// otherwise.
    pub const fn replace_surrogates(mut self, replace: bool) -> Self {
        self.replace_surrogates = replace;
        self
    }

    /// What a `$numberDecimal` becomes.
    pub const fn decimals(mut self, decimals: Decimals) -> Self {
        self.decimals = decimals;
        self
    }

    /// Whether the text is a query: an object whose first name begins with a dollar and is no form
    /// may then be an operator, and is taken as it is.
    pub const fn operators(mut self, operators: bool) -> Self {
        self.operators = operators;
        self
    }

    /// How many values there may be at most.
    pub const fn values_max(mut self, values_max: usize) -> Self {
        self.values_max = values_max;
        self
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// How values are to be written.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct WriteOptions {
    pub(super) format: Format,
    pub(super) inexact: Inexact,
    pub(super) layout: Layout,
}

/// In which forms values are written that JSON has no type for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The [dialect](super), which has a form for everything and is read back as it was.
    #[default]
    Full,
    /// MongoDB's relaxed Extended JSON, version 2, and nothing that it lacks.
    Relaxed,
    /// MongoDB's canonical Extended JSON, version 2, and nothing that it lacks.
    Canonical,
}

/// What is done with a value that MongoDB's formats can't hold: an integer above 2^63-1, a time
/// finer than a millisecond or beyond 64 bits of them, an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inexact {
    /// It is an error.
    #[default]
    Refuse,
    /// An integer becomes the nearest float, a time the millisecond that it lies in; others are
    /// an error.
    Round,
    /// It becomes a string: the digits, the time as the dialect writes it, the extension's base64.
    Text,
}

/// Where white space goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Nowhere.
    #[default]
    Compact,
    /// After commas and colons.
    Spaced,
    /// Each field and element on a line of its own, indented by two spaces a level.
    Lines,
}

impl WriteOptions {
    /// In full, without white space.
    pub const fn new() -> Self {
        Self { format: Format::Full, inexact: Inexact::Refuse, layout: Layout::Compact }
    }

    /// In which forms values are written.
    pub const fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// What is done with a value that MongoDB's formats can't hold.
    pub const fn inexact(mut self, inexact: Inexact) -> Self {
        self.inexact = inexact;
        self
    }

    /// Where white space goes.
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }
}
