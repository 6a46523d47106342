//! From the text of one JSON object to a document; errors have the place in the whole input.

use nanodb::Document;
use nanodb::json::ReadOptions;

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
    (!error.is_incomplete()).then(|| locate(&error, at))
}

fn locate(error: &nanodb::Error, at: Position) -> JsonError {
    let text = error.to_string();
    let Some(position) = error.position() else { return JsonError::syntax(at, text) };
    // Without its place within the object.
    let problem = text.strip_suffix(&format!(" at {position}")).unwrap_or(&text);
    JsonError::syntax(at.within(position.line, position.column), problem.to_owned())
}
