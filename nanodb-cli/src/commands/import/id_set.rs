//! The ids that this import has assigned to documents without one.
//!
//! A later document of the same input may have such an id of its own. The id in the file counts:
//! the document that was given it gets another one. So both are stored, in either order.

use std::collections::BTreeMap;

use nanodb::Id;

/// A set of integers. Adjacent ones, such as assigned ids, take the space of one.
#[derive(Clone, Debug, Default)]
pub(super) struct IdSet {
    /// The first and last number of each range; no two ranges touch.
    runs: BTreeMap<i64, i64>,
}

impl IdSet {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns whether this import has assigned the id.
    pub(super) fn contains(&self, id: &Id) -> bool {
        integer(id).is_some_and(|id| self.run_around(id).is_some())
    }

    pub(super) fn insert(&mut self, id: &Id) {
        let Some(id) = integer(id) else { return };
        if self.run_around(id).is_some() {
            return;
        }
        let before = id.checked_sub(1).and_then(|before| self.run_around(before));
        let first = before.map_or(id, |(first, _)| first);
        let after = id.checked_add(1).and_then(|after| self.runs.remove(&after));
        self.runs.insert(first, after.unwrap_or(id));
    }

    pub(super) fn remove(&mut self, id: &Id) {
        let Some(id) = integer(id) else { return };
        let Some((first, last)) = self.run_around(id) else { return };
        self.runs.remove(&first);
        if first < id {
            self.runs.insert(first, id - 1);
        }
        if id < last {
            self.runs.insert(id + 1, last);
        }
    }

    fn run_around(&self, id: i64) -> Option<(i64, i64)> {
        let (&first, &last) = self.runs.range(..=id).next_back()?;
        (id <= last).then_some((first, last))
    }
}

fn integer(id: &Id) -> Option<i64> {
    id.as_i64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set_of_integers_whatever_the_order() {
        let mut random = fastrand::Rng::with_seed(1);
        let (mut set, mut model) = (IdSet::default(), BTreeSet::new());
        for _ in 0..5_000 {
            let id = random.i64(0..60);
            if random.bool() {
                set.insert(&Id::from(id));
                model.insert(id);
            } else {
                set.remove(&Id::from(id));
                model.remove(&id);
            }
            for id in 0..60 {
                assert_eq!(set.contains(&Id::from(id)), model.contains(&id), "{id} in {set:?}");
            }
            let gaps = model.iter().filter(|&&id| !model.contains(&(id + 1))).count();
            assert_eq!(set.runs.len(), gaps);
        }
        assert!(!set.contains(&Id::from("1")) && !set.is_empty());
    }
}
