//! The values at a path, each once.

use std::collections::BTreeMap;

use nanodb_document::{Value, ValueRef};
use nanodb_msgpack::encode_key;
use nanodb_query::Path;

use super::find::{Find, matches};
use crate::error::{Result, malformed};

/// Returns the values that a path leads to in what a search finds.
pub(crate) fn distinct(find: &Find<'_>, path: &str) -> Result<Vec<Value>> {
    let path = Path::parse(path)?;
    // By their keys, which sort as the values do.
    let mut values: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    let mut key = Vec::new();
    let _call = find.enter()?;
    find.candidates()?.try_for_each(|document| {
        if !matches(&find.filter, document)? {
            return Ok(());
        }
        let mut is_unreadable = false;
        let walked = path.for_each_value(document.as_bytes(), |value| {
            key.clear();
            encode_key(Some(value), &mut key)?;
            if !values.contains_key(&key) {
                match ValueRef::from_bytes(value.bytes()?).map(|value| value.to_value()) {
                    Some(Ok(value)) => drop(values.insert(key.clone(), value)),
                    Some(Err(_)) => is_unreadable = true,
                    None => return Err(nanodb_msgpack::Malformed),
                }
            }
            Ok(())
        });
        walked.map_err(|_| malformed())?;
        if is_unreadable { Err(malformed()) } else { Ok(()) }
    })?;
    Ok(values.into_values().collect())
}
