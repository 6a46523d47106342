//! The extents of a collection, as many hold them at once: each as of another commit.
//!
//! A commit that takes pages adds an extent while the state of the commit before still has what was
//! there. Kept in one piece that would be copied whole each time, so that a collection in many
//! extents costs the square of their number to write. Here they are in parts that are shared, each
//! at least twice as long as the one behind it; what is added is a part of its own at first, and is
//! joined with those before it when it has grown as long as half of them. So an extent is copied a
//! few times in its life, and no more often than the logarithm of their number.
//!
//! The last extent is by itself, for it grows in place.

use std::sync::Arc;

use nanodb_pager::Extent;

/// ExtentList in order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtentList {
    /// All but the last.
    parts: Arc<Vec<Part>>,
    last: Option<Extent>,
}

#[derive(Clone, Debug)]
struct Part {
    /// How many extents come before it.
    before: usize,
    extents: Arc<Vec<Extent>>,
}

impl Part {
    fn end(&self) -> usize {
        self.before + self.extents.len()
    }
}

impl ExtentList {
    pub(crate) fn len(&self) -> usize {
        self.parts.last().map_or(0, Part::end) + usize::from(self.last.is_some())
    }

    pub(crate) fn last(&self) -> Option<&Extent> {
        self.last.as_ref()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Extent> {
        self.last.as_mut()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Extent> {
        let part = self.parts.partition_point(|part| part.end() <= index);
        match self.parts.get(part) {
            Some(part) => part.extents.get(index.checked_sub(part.before)?),
            None if index + 1 == self.len() => self.last.as_ref(),
            None => None,
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Extent> {
        self.parts.iter().flat_map(|part| part.extents.iter()).chain(&self.last)
    }

    pub(crate) fn to_vec(&self) -> Vec<Extent> {
        self.iter().copied().collect()
    }

    pub(super) fn push(&mut self, extent: Extent) {
        let Some(former) = self.last.replace(extent) else { return };
        let parts = Arc::make_mut(&mut self.parts);
        let mut new = vec![former];
        while let Some(part) = parts.pop_if(|part| part.extents.len() < 2 * new.len()) {
            let mut joined = Arc::unwrap_or_clone(part.extents);
            joined.append(&mut new);
            new = joined;
        }
        let before = parts.last().map_or(0, Part::end);
        parts.push(Part { before, extents: Arc::new(new) });
    }

    /// Takes the last one out.
    pub(super) fn pop(&mut self) -> Option<Extent> {
        let popped = self.last.take()?;
        if !self.parts.is_empty() {
            let parts = Arc::make_mut(&mut self.parts);
            if let Some(part) = parts.last_mut() {
                self.last = Arc::make_mut(&mut part.extents).pop();
            }
            parts.pop_if(|part| part.extents.is_empty());
        }
        Some(popped)
    }
}

impl PartialEq for ExtentList {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ExtentList {}

impl Extend<Extent> for ExtentList {
    fn extend<I: IntoIterator<Item = Extent>>(&mut self, extents: I) {
        extents.into_iter().for_each(|extent| self.push(extent));
    }
}

#[cfg(test)]
mod tests {
    use nanodb_pager::PageId;
    use proptest::prelude::*;

    use super::*;

    fn extent(number: u32) -> Extent {
        Extent::new(PageId::new(2 * number), 1)
    }

    /// How many extents are in parts that the other does not share.
    fn copied(new: &ExtentList, old: &ExtentList) -> usize {
        let is_shared =
            |part: &&Part| old.parts.iter().any(|old| Arc::ptr_eq(&old.extents, &part.extents));
        let own = new.parts.iter().filter(|part| !is_shared(part));
        own.map(|part| part.extents.len()).sum()
    }

    #[test]
    fn extents_that_others_hold_are_hardly_ever_copied_when_some_are_added() {
        let (mut extents, mut sum, mut parts) = (ExtentList::default(), 0, 0);
        let count = 20_000;
        for number in 0..count {
            // As the state of a commit has it.
            let held = extents.clone();
            extents.push(extent(number));
            sum += copied(&extents, &held);
            parts = parts.max(extents.parts.len());
            let held = extents.clone();
            // One that grows costs nothing.
            extents.last_mut().unwrap().pages = 2;
            sum += copied(&extents, &held);
        }
        let doublings = count.ilog2() as usize + 1;
        assert!(sum <= count as usize * doublings, "{sum} for {count}");
        assert!(parts <= doublings, "{parts} parts");
        assert_eq!(extents.len(), count as usize);
    }

    proptest! {
        #[test]
        fn extents_in_parts_are_what_they_are_in_one_piece(
            steps in prop::collection::vec((0..10_u8, any::<bool>()), 0..300),
        ) {
            let (mut extents, mut model) = (ExtentList::default(), Vec::new());
            let mut held: Vec<(ExtentList, Vec<Extent>)> = Vec::new();
            for (number, (step, is_held)) in (0..).zip(steps) {
                if is_held {
                    held.push((extents.clone(), model.clone()));
                }
                match step {
                    0..7 => {
                        extents.push(extent(number));
                        model.push(extent(number));
                    }
                    7 => extents.last_mut().into_iter().chain(model.last_mut()).for_each(|last| {
                        last.pages = 7;
                    }),
                    _ => prop_assert_eq!(extents.pop(), model.pop()),
                }
                held.truncate(9);
            }
            held.push((extents, model));
            for (extents, model) in held {
                prop_assert_eq!(extents.to_vec(), &model[..]);
                prop_assert_eq!(extents.len(), model.len());
                prop_assert_eq!(extents.last(), model.last());
                prop_assert!(extents.iter().rev().eq(model.iter().rev()));
                for index in 0..model.len() + 3 {
                    prop_assert_eq!(extents.get(index), model.get(index));
                }
            }
        }
    }
}
