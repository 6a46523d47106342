//! Adds commits' notes up to the root that a checkpoint saves.

use std::error::Error;

use nanodb_pager::NoteFolder;

use crate::note::Entries;
use crate::root::{CatalogError, Root};

/// Says the pager how notes are added up. A pure function of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CatalogFolder;

impl NoteFolder for CatalogFolder {
    fn fold(
        &self,
        root: &[u8],
        notes: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut root = Root::decode(root)?;
        for note in notes {
            for entry in Entries::new(note) {
                root.apply(entry.ok_or(CatalogError::MalformedNote)?)?;
            }
        }
        Ok(root.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Entry;

    #[test]
    fn notes_fold_in_order_in_one_go_or_in_several() {
        let notes: Vec<Vec<u8>> = [
            Entry::Create { collection: 1, name: "a" },
            Entry::Create { collection: 2, name: "b" },
            Entry::Drop { collection: 1 },
            Entry::Rename { collection: 2, name: "a" },
        ]
        .iter()
        .map(|entry| {
            let mut note = Vec::new();
            entry.encode(&mut note);
            note
        })
        .collect();
        let fold = |root: &[u8], notes: &[Vec<u8>]| {
            CatalogFolder.fold(root, &mut notes.iter().map(Vec::as_slice)).unwrap()
        };
        let at_once = fold(&[], &notes);
        let step_by_step = notes.chunks(1).fold(Vec::new(), |root, note| fold(&root, note));
        assert_eq!(at_once, step_by_step);
        let root = Root::decode(&at_once).unwrap();
        assert_eq!(root.collections[&2].name, "a");
        assert_eq!(root.collections.len(), 1);
    }

    #[test]
    fn a_note_that_makes_no_sense_is_refused() {
        assert!(CatalogFolder.fold(&[], &mut [&[9_u8, 1][..]].into_iter()).is_err());
    }
}
