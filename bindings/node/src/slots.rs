//! Things of a thread of JavaScript that it will come for, by number.
//!
//! Number 0 is never given. There are few at a time, so that a free place is found at once.

/// Things by number.
#[derive(Debug)]
pub(crate) struct Slots<T>(Vec<Option<T>>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Slots<T> {
    /// Keeps a thing, and returns its number.
    pub(crate) fn keep(&mut self, thing: T) -> u32 {
        let at = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(None);
        }
        if let Some(place) = self.0.get_mut(at) {
            *place = Some(thing);
        }
        u32::try_from(at + 1).unwrap_or_default()
    }

    /// Returns the thing of that number.
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.place(number)?.as_mut()
    }

    /// Takes the thing of that number out.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        self.place(number)?.take()
    }

    fn place(&mut self, number: u32) -> Option<&mut Option<T>> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.0.get_mut(at)
    }
}
