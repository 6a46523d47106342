//! What tells a file of collections from any other.

use nanodb_pager::{Application, OtherFormat};

/// The application whose files hold collections of documents.
pub const APPLICATION: Application = Application {
    id: *b"document",
    other_formats: &[OtherFormat {
        magic: b"AAMN",
        name: "a file of the Go program NanoDB (magic AAMN), which this library does not open; \
               export its documents as JSON and import them into a new file",
    }],
};
