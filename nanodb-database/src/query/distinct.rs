//! The values at a path, each once, and how many documents have each.

use std::collections::BTreeMap;

use nanodb_document::{Value, ValueRef};
use nanodb_msgpack::encode_key;
use nanodb_query::Path;

use super::find::{Find, matches};
use crate::error::{Result, malformed};

/// A value that a path leads to.
struct Counted {
    value: Value,
    /// How many documents have it.
    documents: u64,
    /// The last of them: a document that has it twice counts once.
    last: u64,
}

/// Returns the values that a path leads to in what a search finds.
pub(crate) fn distinct(find: &Find<'_>, path: &str) -> Result<Vec<Value>> {
    Ok(values(find, path)?.into_values().map(|counted| counted.value).collect())
}

/// Returns the values that a path leads to in what a search finds, and how many documents have
/// each; the most frequent first.
pub(crate) fn count_by(find: &Find<'_>, path: &str) -> Result<Vec<(Value, u64)>> {
    let mut counted: Vec<_> = values(find, path)?.into_values().collect();
    // Values that are equally frequent stay in their order.
    counted.sort_by_key(|counted| std::cmp::Reverse(counted.documents));
    Ok(counted.into_iter().map(|counted| (counted.value, counted.documents)).collect())
}

/// Returns the values by their keys, which sort as the values do.
fn values(find: &Find<'_>, path: &str) -> Result<BTreeMap<Vec<u8>, Counted>> {
    let path = Path::parse(path)?;
    let mut values: BTreeMap<Vec<u8>, Counted> = BTreeMap::new();
    let (mut key, mut document_count) = (Vec::new(), 0);
    let _call = find.enter()?;
    find.candidates()?.try_for_each(|document| {
        if !matches(&find.filter, document)? {
            return Ok(());
        }
        document_count += 1;
        let mut is_unreadable = false;
        let walked = path.for_each_value(document.as_bytes(), |value| {
            key.clear();
            encode_key(Some(value), &mut key)?;
            if let Some(counted) = values.get_mut(&key) {
                if counted.last != document_count {
                    (counted.documents, counted.last) = (counted.documents + 1, document_count);
                }
                return Ok(());
            }
            match ValueRef::from_bytes(value.bytes()?).map(|value| value.to_value()) {
                Some(Ok(value)) => {
                    let counted = Counted { value, documents: 1, last: document_count };
                    values.insert(key.clone(), counted);
                }
                Some(Err(_)) => is_unreadable = true,
                None => return Err(nanodb_msgpack::Malformed),
            }
            Ok(())
        });
        walked.map_err(|_| malformed())?;
        if is_unreadable { Err(malformed()) } else { Ok(()) }
    })?;
    Ok(values)
}
