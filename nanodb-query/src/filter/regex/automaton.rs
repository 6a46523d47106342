//! A compiled expression.

use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::{Look, literal::Extractor};

use crate::filter::pcre::translate;

/// The most memory for a compiled expression, and again for its automaton built while matching.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Each level of groups becomes several levels in the translation.
const NEST_LIMIT: u32 = 2_000;

/// Searches bytes: what is stored is not checked to be UTF-8 a second time.
#[derive(Clone)]
pub(super) struct Automaton(Regex);

impl Automaton {
    pub(super) fn new(text: &str, options: &str) -> Result<Self, String> {
        let config = Config::new()
            .nfa_size_limit(Some(REGEX_BYTES_MAX))
            .hybrid_cache_capacity(REGEX_BYTES_MAX)
            .utf8_empty(false);
        Regex::builder()
            .configure(config)
            .syntax(syntax::Config::new().nest_limit(NEST_LIMIT).utf8(false))
            .build(&translate(text, options)?)
            .map(Self)
            .map_err(|error| reason(&error))
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

/// The most texts that a match may begin with for them to be worth looking for.
const PREFIXES_MAX: usize = 64;

/// Returns texts of which every match begins with one; see
/// [`Pattern::prefixes`](super::Pattern::prefixes).
pub(super) fn prefixes(text: &str, options: &str) -> Option<Vec<Vec<u8>>> {
    let translated = translate(text, options).ok()?;
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(NEST_LIMIT).utf8(false).build();
    let hir = parser.parse(&translated).ok()?;
    // Every way through the expression begins at the start of the text.
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let found = Extractor::new().extract(&hir);
    let literals = found.literals()?;
    let is_useful = (1..=PREFIXES_MAX).contains(&literals.len())
        && literals.iter().all(|literal| !literal.is_empty());
    is_useful.then(|| literals.iter().map(|literal| literal.as_bytes().to_vec()).collect())
}

/// Why a translated expression can't be compiled.
fn reason(error: &BuildError) -> String {
    match (error.size_limit(), error.syntax_error()) {
        (Some(_), _) => format!("compiled, it takes more than {REGEX_BYTES_MAX} bytes"),
        // The translation has no other errors.
        (None, Some(error)) => error.to_string(),
        (None, None) => error.to_string(),
    }
}
