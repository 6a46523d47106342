//! Options for reading and writing JSON text.

/// How a text is read; by default as strictly as the [dialect](super) says.
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

/// What a `$numberDecimal` becomes, for which there is no type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decimals {
    /// An error.
    #[default]
    Refuse,
    /// A string of its digits, as written.
    String,
    /// The nearest float.
    Double,
}

impl ReadOptions {
    /// Returns the defaults: half surrogates, decimals and unknown forms are refused, and the
    /// number of values is not limited.
    pub const fn new() -> Self {
        Self {
            replace_surrogates: false,
            decimals: Decimals::Refuse,
            operators: false,
            values_max: usize::MAX,
        }
    }

    /// Sets whether half of a surrogate pair, such as `\ud83d` alone, becomes U+FFFD. By default it
    /// is an error.
    pub const fn replace_surrogates(mut self, replace: bool) -> Self {
        self.replace_surrogates = replace;
        self
    }

    /// Sets what a `$numberDecimal` becomes. By default it is an error.
    pub const fn decimals(mut self, decimals: Decimals) -> Self {
        self.decimals = decimals;
        self
    }

    /// Sets whether the text is a query. Then an object that begins with a dollar and is not a
    /// known form may be an operator, and is taken as it is.
    pub const fn operators(mut self, operators: bool) -> Self {
        self.operators = operators;
        self
    }

    /// Sets the most values in a text. By default there is no limit.
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

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct WriteOptions {
    pub(super) format: Format,
    pub(super) inexact: Inexact,
    pub(super) layout: Layout,
}

/// The forms of values that JSON has no type for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The [dialect](super), which has a form for every value and is read back as the same.
    #[default]
    Full,
    /// MongoDB's relaxed Extended JSON, version 2, and nothing that it lacks.
    Relaxed,
    /// MongoDB's canonical Extended JSON, version 2, and nothing that it lacks.
    Canonical,
}

/// What happens to a value that MongoDB's formats can't hold: an integer above 2^63-1, a time finer
/// than a millisecond or with more than 64 bits of them, an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inexact {
    /// It is an error.
    #[default]
    Refuse,
    /// An integer becomes the nearest float, a time the millisecond that contains it; other values
    /// are an error.
    Round,
    /// It becomes a string: the digits, the time as the dialect writes it, or the extension's
    /// base64.
    Text,
}

/// Where white space is written.
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
    /// Returns the defaults: [`Format::Full`], [`Inexact::Refuse`], [`Layout::Compact`].
    pub const fn new() -> Self {
        Self { format: Format::Full, inexact: Inexact::Refuse, layout: Layout::Compact }
    }

    /// Sets the forms in which values are written.
    pub const fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets what happens to a value that MongoDB's formats can't hold.
    pub const fn inexact(mut self, inexact: Inexact) -> Self {
        self.inexact = inexact;
        self
    }

    /// Sets where white space is written.
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }
}
