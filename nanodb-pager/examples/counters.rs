//! A storage engine of one's own in a hundred lines: named counters in a file.
//!
//! The counters lie in pages, sixteen bytes of name and eight of number each. Which
//! pages those are is kept in the root: every commit that takes a new page says so in its
//! metadata, and [`PageList`] lists them all. Nothing else is needed to find everything
//! again after reopening, or after a power cut: an addition that has returned is there for
//! good, and none is ever there by half. `tests/it/example.rs` cuts the power at every call.
//!
//! ```text
//! cargo run -p nanodb-pager --example counters
//! ```

use std::error::Error;
use std::sync::Arc;

use nanodb_pager::{
    BODY_SIZE, CheckpointHooks, FileStorage, Options, Owner, PageId, PageKind, Pager, Snapshot,
    Storage,
};

const KIND: PageKind = PageKind::FIRST_FREE;
const OWNER: Owner = Owner::new(1);
const NAME_SIZE: usize = 16;
const COUNTER_SIZE: usize = NAME_SIZE + 8;
const COUNTERS_A_PAGE: usize = BODY_SIZE / COUNTER_SIZE;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A commit's metadata is the numbers of new pages; the root is all of them, one after the other.
struct PageList;

impl CheckpointHooks for PageList {
    fn apply(&self, root: &[u8], metadata: &mut dyn Iterator<Item = &[u8]>) -> Result<Vec<u8>> {
        let mut root = root.to_vec();
        metadata.for_each(|metadata| root.extend_from_slice(metadata));
        Ok(root)
    }
}

/// Named counters in a file.
pub(crate) struct Counters {
    pub(crate) pager: Pager,
    pages: Vec<PageId>,
}

impl Counters {
    pub(crate) fn open(storage: Arc<dyn Storage>) -> Result<Self> {
        let pager = Pager::open(storage, Arc::new(PageList), Options::default())?;
        let root = pager.metadata_root();
        let numbers = root.chunks_exact(4).filter_map(|number| number.first_chunk());
        let pages = numbers.map(|number| PageId::new(u32::from_le_bytes(*number))).collect();
        Ok(Self { pager, pages })
    }

    /// Adds to a counter, which begins at zero, and returns what it is now.
    pub(crate) fn add(&mut self, name: &str, amount: u64) -> Result<u64> {
        let name = padded(name)?;
        let mut tx = self.pager.begin();
        for &page in &self.pages {
            let found = position(tx.page(page)?.body(), &name);
            if let Some((place, number)) = found {
                let number = number + amount;
                let mut page = tx.page_mut(page)?;
                if page.write(place, &name) && page.write(place + NAME_SIZE, &number.to_le_bytes())
                {
                    tx.commit(&[])?;
                    return Ok(number);
                }
            }
        }
        // All pages are full of others: a new one, whose number goes into the metadata.
        let page = tx.allocate(KIND, OWNER)?;
        let mut fresh = tx.page_mut(page)?;
        if fresh.write(0, &name) && fresh.write(NAME_SIZE, &amount.to_le_bytes()) {
            tx.commit(&page.get().to_le_bytes())?;
            self.pages.push(page);
        }
        Ok(amount)
    }

    /// All counters as of one commit, whatever is added meanwhile.
    pub(crate) fn all(&self, snapshot: &Snapshot) -> Result<Vec<(String, u64)>> {
        let mut all = Vec::new();
        for &page in &self.pages {
            let page = match snapshot.page(page) {
                // The page is newer than the snapshot.
                Err(nanodb_pager::Error::NoVersion { .. }) => break,
                page => page?,
            };
            for entry in page.body().chunks_exact(COUNTER_SIZE).take_while(|e| e[0] != 0) {
                let (name, number) = entry.split_at(NAME_SIZE);
                let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
                all.push((name, u64::from_le_bytes(number.try_into()?)));
            }
        }
        Ok(all)
    }
}

/// Where the counter of that name is on a page, or the first place that is free, and its number.
fn position(body: &[u8], name: &[u8; NAME_SIZE]) -> Option<(usize, u64)> {
    let entries = body.chunks_exact(COUNTER_SIZE).take(COUNTERS_A_PAGE);
    entries.enumerate().find_map(|(index, entry)| {
        let (found, number) = entry.split_first_chunk::<NAME_SIZE>()?;
        let number = u64::from_le_bytes(*number.first_chunk()?);
        (found == name || found[0] == 0).then_some((index * COUNTER_SIZE, number))
    })
}

fn padded(name: &str) -> Result<[u8; NAME_SIZE]> {
    let mut padded = [0; NAME_SIZE];
    match padded.get_mut(..name.len()) {
        Some(start) if !name.is_empty() => start.copy_from_slice(name.as_bytes()),
        _ => return Err(format!("a name has 1 to {NAME_SIZE} bytes: {name:?}").into()),
    }
    Ok(padded)
}

fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("counters.pages");

    let mut counters = Counters::open(Arc::new(FileStorage::open(&path)?))?;
    for (name, amount) in [("apples", 3), ("pears", 4), ("apples", 2)] {
        println!("{name} + {amount} = {}", counters.add(name, amount)?);
    }
    let before = counters.pager.snapshot();
    for number in 0..400 {
        counters.add(&format!("basket {number}"), number)?;
    }
    let then = counters.all(&before)?;
    let now = counters.all(&counters.pager.snapshot())?;
    println!("the snapshot still has {} counters; by now there are {}", then.len(), now.len());
    drop(before);
    counters.pager.close()?;

    let mut counters = Counters::open(Arc::new(FileStorage::open(&path)?))?;
    println!("reopened: apples are {}", counters.add("apples", 0)?);
    let stats = counters.pager.stats()?;
    println!(
        "{} counters on {} pages, a file of {} bytes after {} checkpoints, {} damaged",
        counters.all(&counters.pager.snapshot())?.len(),
        counters.pages.len(),
        stats.file_bytes,
        stats.checkpoints,
        counters.pager.verify()?.len(),
    );
    Ok(())
}
