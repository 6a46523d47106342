//! What tells a file of collections from any other.

use nanodb_pager::{Application, OtherFormat};

/// The application whose files hold collections of documents.
pub const APPLICATION: Application = Application {
    id: *b"document",
    other_formats: &[OtherFormat {
        magic: b"AAMN",
        name: "a file of the Go program NanoDB (magic AAMN); `nanodb import-go`, or \
               Database::import_go, makes a new file of it",
    }],
};
