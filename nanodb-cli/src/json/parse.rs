//! From the text of one JSON object to a document; errors have the place in the whole input.

use nanodb::Document;
use nanodb::json::{self, JsonProblem, ReadOptions};

use super::{JsonError, Position};

/// Reads the object `text`, which begins at `at`; errors have the place in the input.
pub(crate) fn parse_document(
    text: &[u8],
    at: Position,
    options: &ReadOptions,
) -> Result<Document, JsonError> {
    Document::parse_json_with(text, options).map_err(|error| locate(&error, at))
}

/// Returns what is wrong with `text`, the beginning of an object, apart from its missing end.
pub(super) fn find_error(text: &[u8], at: Position, options: &ReadOptions) -> Option<JsonError> {
    let error = Document::parse_json_with(text, options).err()?;
    match error.problem() {
        JsonProblem::Ended { .. } => None,
        _ => Some(locate(&error, at)),
    }
}

fn locate(error: &json::JsonError, at: Position) -> JsonError {
    let position = error.position();
    JsonError::syntax(at.within(position.line, position.column), error.problem().to_string())
}
