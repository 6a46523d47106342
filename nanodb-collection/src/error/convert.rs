//! From the engine's errors to the one that users get: a text that says the whole reason.

use std::error::Error as StdError;
use std::path::Path;

use nanodb_document::{Error, ErrorBuilder};

use super::{EngineError, OfFile, damaged};

/// What the pager was doing when a file could not be opened, which the text says already.
pub(crate) const OPENING: &str = "opening the file";

impl From<EngineError> for Error {
    #[cold]
    fn from(error: EngineError) -> Self {
        let kind = error.kind();
        let mut builder = match &error {
            EngineError::DamagedDocument { collection, id, page } => {
                ErrorBuilder::before(damaged(collection, id.as_ref(), *page).into(), "")
            }
            EngineError::Open { path, source } => {
                ErrorBuilder::new(kind, format!("opening {}: {}", path.display(), reason(source)))
            }
            EngineError::Storage(source) => ErrorBuilder::new(kind, reason(source)),
            other => ErrorBuilder::new(kind, all_causes(other)),
        };
        if let Some(page) = error.page() {
            builder = builder.page(page);
        }
        if let Some(collection) = collection(&error) {
            builder = builder.collection(collection);
        }
        if let Some(file) = file(&error) {
            builder = builder.file(file);
        }
        if let EngineError::DuplicateId { id, .. } = &error {
            builder = builder.id(id.as_ref());
        }
        builder.source(error).into()
    }
}

fn collection(error: &EngineError) -> Option<&str> {
    match error {
        EngineError::DuplicateId { collection: name, .. }
        | EngineError::IdsExhausted { collection: name }
        | EngineError::Conflict { collection: name }
        | EngineError::CollectionName { name }
        | EngineError::NoCollection { name }
        | EngineError::CollectionExists { name } => Some(name),
        _ => None,
    }
}

fn file(error: &EngineError) -> Option<&Path> {
    match error {
        EngineError::Open { path, .. }
        | EngineError::QuotaExceeded { path: Some(path), .. }
        | EngineError::ReadOnly { path: Some(path) }
        | EngineError::Closed { path: Some(path) }
        | EngineError::Storage(
            nanodb_pager::Error::Displaced { path }
            | nanodb_pager::Error::Io { path: Some(path), .. }
            | nanodb_pager::Error::Poisoned { path: Some(path), .. },
        ) => Some(path),
        _ => None,
    }
}

/// Says why the pager failed, with the system's words where those are the reason.
fn reason(error: &nanodb_pager::Error) -> String {
    use nanodb_pager::Error as Pager;
    match error {
        Pager::Io { doing, source, .. } if doing == OPENING => all_causes(source),
        Pager::Io { path, doing, source } => {
            format!("{}{doing}: {}", OfFile(path), all_causes(source))
        }
        Pager::Poisoned { cause, .. } => match &**cause {
            // The file is named already.
            Pager::Io { doing, source, .. } => format!("{error}: {doing}: {}", all_causes(source)),
            cause => format!("{error}: {}", reason(cause)),
        },
        other => all_causes(other),
    }
}

/// Says an error, and the causes behind it that it does not say.
fn all_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_error_of_the_operating_system_and_what_follows_from_it_name_the_file_once() {
        let path = Some(PathBuf::from("data.nanodb"));
        let failed = |doing: &str| nanodb_pager::Error::Io {
            path: path.clone(),
            doing: doing.to_owned(),
            source: io::Error::other("no answer"),
        };
        let unread = Error::from(EngineError::Storage(failed("reading page 7")));
        assert_eq!(unread.to_string(), "data.nanodb: reading page 7: no answer");
        let cause = Arc::new(failed("syncing the log"));
        let poisoned = nanodb_pager::Error::Poisoned { path: path.clone(), cause };
        let refused = Error::from(EngineError::Storage(poisoned));
        assert_eq!(
            refused.to_string(),
            "data.nanodb: writes are refused until the file is reopened, since an earlier one \
             failed: syncing the log: no answer"
        );
        assert_eq!([unread.file(), refused.file()], [path.as_deref(); 2]);
    }
}
