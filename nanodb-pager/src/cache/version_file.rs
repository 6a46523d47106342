//! The temporary file that older page versions go to when memory is short.
//!
//! It has no name and is gone with the process, so what is in it needs neither a format nor
//! a sync. But bytes that were on a disk are checked like all others: each version is sealed
//! on its way out, with the file's checksum, its page and its commit, and verified on its
//! way in. Places of versions that have gone are used again; the file goes with the last.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Corruption, Error, Result};
use crate::file::page::{Checksummer, Frame};
use crate::file::storage::Storage;
use crate::ids::{PAGE_SIZE, PageId, Seq};

/// One temporary file.
#[derive(Debug)]
pub(crate) struct VersionFile {
    file: Arc<dyn Storage>,
    free: Mutex<Free>,
}

/// Which places are free. Nothing is locked while this is.
#[derive(Debug, Default)]
struct Free {
    places: Vec<u32>,
    /// How many places the file has.
    end: u32,
}

/// Where one version is in a temporary file. The place is free again when this is dropped;
/// a reader keeps it until it has read.
#[derive(Debug)]
pub(crate) struct SpilledVersion {
    number: u32,
    version_file: Arc<VersionFile>,
}

impl VersionFile {
    pub(crate) fn new(file: Arc<dyn Storage>) -> Arc<Self> {
        Arc::new(Self { file, free: Mutex::default() })
    }

    /// Whether no version is in it.
    pub(crate) fn is_empty(&self) -> bool {
        let free = self.free.lock();
        free.places.len() == free.end as usize
    }

    /// Writes a version to a free place. If that fails, the place is free again.
    pub(crate) fn write(
        self: &Arc<Self>,
        frame: &Frame,
        checksummer: Checksummer,
    ) -> std::io::Result<SpilledVersion> {
        let number = {
            let mut free = self.free.lock();
            match free.places.pop() {
                Some(number) => number,
                None => {
                    let number = free.end;
                    free.end = number.checked_add(1).ok_or(std::io::ErrorKind::StorageFull)?;
                    number
                }
            }
        };
        let place = SpilledVersion { number, version_file: Arc::clone(self) };
        let mut sealed = *frame;
        checksummer.seal(frame.id(), &mut sealed.bytes);
        self.file.write_at(&sealed.bytes, place.offset())?;
        Ok(place)
    }
}

impl SpilledVersion {
    fn offset(&self) -> u64 {
        u64::from(self.number) * PAGE_SIZE as u64
    }

    /// Reads the version of `page` that `written_at` wrote.
    pub(crate) fn read(
        &self,
        page: PageId,
        written_at: Seq,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> Result<()> {
        self.version_file.file.read_at(&mut frame.bytes, self.offset()).map_err(|e| {
            Error::io(format!("reading an older version of {page} from the temporary file"), e)
        })?;
        let sound = checksummer.verify(page, frame).is_ok() && frame.seq() == written_at;
        if !sound {
            return Err(Corruption::Spilled { page, seq: written_at.get() }.into());
        }
        Ok(())
    }
}

impl Drop for SpilledVersion {
    fn drop(&mut self) {
        self.version_file.free.lock().places.push(self.number);
    }
}

/// The temporary file of a pager, and whether it is of use now.
#[derive(Default)]
pub(crate) struct VersionSpill {
    /// Made when it is first needed.
    pub(crate) file: Option<Arc<VersionFile>>,
    /// How many times spilling is still left out.
    pub(crate) skips: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::storage::MemoryStorage;
    use crate::ids::{Owner, PageKind};

    const SUMMER: Checksummer = Checksummer::HEADER;

    fn frame(page: u32, seq: u64) -> Frame {
        let mut frame = Frame::ZERO;
        frame.init(PageId::new(page), PageKind::FIRST_FREE, Owner::new(1));
        frame.set_seq(Seq::new(seq));
        frame
    }

    #[test]
    fn a_place_is_used_again_once_nobody_has_it() {
        let file = Arc::new(MemoryStorage::new());
        let version_file = VersionFile::new(file.clone());
        let places = [5, 6, 7].map(|page| version_file.write(&frame(page, 9), SUMMER).unwrap());
        let mut read = Frame::ZERO;
        places[1].read(PageId::new(6), Seq::new(9), SUMMER, &mut read).unwrap();
        assert_eq!((read.id().get(), read.seq().get()), (6, 9));
        assert!(!version_file.is_empty());
        drop(places);
        assert!(version_file.is_empty());
        let again = [5, 6, 7].map(|page| version_file.write(&frame(page, 10), SUMMER).unwrap());
        assert_eq!(file.len().unwrap(), 3 * PAGE_SIZE as u64);
        assert!(again[0].read(PageId::new(5), Seq::new(10), SUMMER, &mut read).is_ok());
    }

    #[test]
    fn a_version_of_another_page_or_commit_is_refused() {
        let version_file = VersionFile::new(Arc::new(MemoryStorage::new()));
        let place = version_file.write(&frame(5, 9), SUMMER).unwrap();
        for (page, seq) in [(6, 9), (5, 8)] {
            let page = PageId::new(page);
            let mut read = Frame::ZERO;
            let error = place.read(page, Seq::new(seq), SUMMER, &mut read).err();
            let Some(Error::Corrupt(corruption)) = error else { panic!("{error:?}") };
            assert_eq!(corruption, Corruption::Spilled { page, seq });
        }
    }
}
