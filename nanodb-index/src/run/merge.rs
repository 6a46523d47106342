//! Making one run of several.

use crate::change::Change;

/// Merges changes that are in order with newer ones that are in order: of two changes of one
/// entry the newer one counts.
///
/// With `is_whole` there is nothing older than these, so that what was removed is left out.
pub fn merge<E>(
    older: impl Iterator<Item = Result<Change, E>>,
    newer: impl Iterator<Item = Result<Change, E>>,
    is_whole: bool,
) -> impl Iterator<Item = Result<Change, E>> {
    let (mut older, mut newer) = (older.peekable(), newer.peekable());
    std::iter::from_fn(move || {
        loop {
            let next = match (older.peek(), newer.peek()) {
                (Some(Ok(old)), Some(Ok(new))) => {
                    if old.entry() < new.entry() {
                        older.next()
                    } else {
                        if old.entry() == new.entry() {
                            older.next();
                        }
                        newer.next()
                    }
                }
                (Some(_), None) | (Some(Err(_)), _) => older.next(),
                (_, _) => newer.next(),
            };
            match next {
                Some(Ok(change)) if is_whole && change.removed => {}
                next => return next,
            }
        }
    })
}

/// Merges changes in memory like [`merge`]; removed entries stay listed.
#[must_use]
pub fn apply(older: &[Change], newer: &[Change]) -> Vec<Change> {
    let mut merged = Vec::with_capacity(older.len() + newer.len());
    let (mut old, mut new) = (older.iter().peekable(), newer.iter().peekable());
    while let (Some(a), Some(b)) = (old.peek(), new.peek()) {
        if a.entry() < b.entry() {
            merged.extend(old.next());
        } else {
            if a.entry() == b.entry() {
                old.next();
            }
            merged.extend(new.next());
        }
    }
    merged.extend(old);
    merged.extend(new);
    merged
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::key_hash::KeyHash;
    use crate::record_id::RecordId;

    type Map = BTreeMap<(u32, u32), bool>;

    fn listed(map: &Map) -> Vec<Change> {
        let change = |(&(key, page), &removed)| Change {
            key: KeyHash::from_bits(key),
            record_id: RecordId { page, slot: 1 },
            removed,
        };
        map.iter().map(change).collect()
    }

    fn maps() -> impl Strategy<Value = Map> {
        prop::collection::btree_map((1..10_u32, 0..4_u32), any::<bool>(), 0..30)
    }

    proptest! {
        #[test]
        fn the_newest_change_of_an_entry_counts(oldest in maps(), older in maps(), newest in maps()) {
            let mut model = oldest.clone();
            model.extend(older.clone());
            model.extend(newest.clone());
            let runs = [&oldest, &older, &newest].map(listed);
            prop_assert_eq!(apply(&apply(&runs[0], &runs[1]), &runs[2]), listed(&model));

            let [oldest, older, newest] = runs.map(|run| run.into_iter().map(Ok::<_, Infallible>));
            let merged = merge(oldest, merge(older, newest, false), true);
            let merged: Vec<Change> = merged.map(Result::unwrap).collect();
            model.retain(|_, removed| !*removed);
            prop_assert_eq!(merged, listed(&model));
        }
    }

    #[test]
    fn an_error_on_the_way_comes_out() {
        let change = Change {
            key: KeyHash::from_bits(1),
            record_id: RecordId { page: 2, slot: 3 },
            removed: false,
        };
        for failing in 0..2 {
            let side = |fails: bool| [Ok(change), if fails { Err("broken") } else { Ok(change) }];
            let merged =
                merge(side(failing == 0).into_iter(), side(failing == 1).into_iter(), true);
            assert_eq!(merged.filter(Result::is_err).count(), 1);
        }
    }
}
