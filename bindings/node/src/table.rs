//! The objects of a thread of JavaScript, by number.
//!
//! A number is that of an entry, in the lower 24 bits, and in the upper ones how often the entry
//! was used before: a number that was given back finds nothing, until 255 others were in its place.
//! Number 0 is never given.

use crate::object::Object;

const INDEX_BITS: u32 = 24;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

#[derive(Debug, Default)]
struct Entry {
    generation: u8,
    object: Option<Object>,
}

/// Objects by number.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

impl Table {
    /// Puts an object in; none if there is no number left.
    pub(crate) fn insert(&mut self, object: Object) -> Option<u32> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.entries.len()).ok()?;
                // The last index and the last generation make no number of their own.
                if index >= INDEX_MASK {
                    return None;
                }
                self.entries.push(Entry::default());
                index
            }
        };
        let entry = self.entries.get_mut(usize::try_from(index).ok()?)?;
        entry.object = Some(object);
        Some((u32::from(entry.generation) << INDEX_BITS) | (index + 1))
    }

    /// Returns the object of that number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&Object> {
        let index = usize::try_from((number & INDEX_MASK).checked_sub(1)?).ok()?;
        let entry = self.entries.get(index)?;
        if u32::from(entry.generation) != number >> INDEX_BITS {
            return None;
        }
        entry.object.as_ref()
    }

    /// Returns how many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Takes the object of that number out.
    pub(crate) fn remove(&mut self, number: u32) -> Option<Object> {
        self.get(number)?;
        let index = (number & INDEX_MASK).checked_sub(1)?;
        let entry = self.entries.get_mut(usize::try_from(index).ok()?)?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        entry.object.take()
    }
}
