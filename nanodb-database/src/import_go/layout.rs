//! Which pages belong to which collection.
//!
//! ```text
//! page 1 -> page -> ...                  the list of collections
//!   |
//!   +-- "users"  -> root -> page -> ...  a chain of pages of records for each
//!   +-- "movies" -> root -> page -> ...
//! ```
//!
//! The index of either version is not read: it is wrong after the program has reopened the file,
//! and the chains have everything.
//!
//! # What shows damage
//!
//! 1. A chain ends with a page that has no next one. It never leads behind the end of the file, or
//!    to a page that something else has led to.
//! 2. The records of each page fill it (see `page`).
//! 3. No page with documents is left over. So a link that was changed shows, wherever it leads now.

use std::collections::BTreeMap;

use nanodb_collection::{COLLECTION_NAME_BYTES_MAX, ProblemKind};

use super::claims::Claims;
use super::file::GoFile;
use super::page::{PAGE_SIZE, PageBytes, Record, RecordPage};
use super::problems::Problems;
use super::record::{self, Listed};
use crate::error::Result;

/// The first page of the list of collections.
const LIST_ROOT: u32 = 1;

/// Where documents go of which nothing says whose they are.
const LOST: &str = "lost documents";

/// A collection, and where its documents are.
pub(super) struct GoCollection {
    pub(super) name: String,
    /// Its chains; more than one if the file has several collections of this name.
    pub(super) chains: Vec<Chain>,
    /// Pages that no chain leads to any more, by number.
    pub(super) lost_pages: Vec<u32>,
    /// Whether a chain does not end where it should.
    is_cut: bool,
}

/// Pages, each of which names the next one.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    pub(super) root: u32,
    pub(super) pages: u32,
    pub(super) has_tree: bool,
}

/// Reads which collections there are and follows their chains.
pub(super) fn read(file: &GoFile<'_>, problems: &mut Problems) -> Result<Vec<GoCollection>> {
    let mut survey = Survey { file, claims: Claims::default(), problems };
    let mut collections = survey.list()?;
    for collection in &mut collections {
        for chain in &mut collection.chains {
            let followed = survey.follow(Some(&collection.name), chain.root, |_, _, _| Ok(()))?;
            chain.pages = followed.pages;
            collection.is_cut |= followed.is_cut;
        }
    }
    let lost_pages = survey.lost_pages()?;
    if !lost_pages.is_empty() {
        survey.assign(lost_pages, &mut collections)?;
    }
    Ok(collections)
}

/// Calls `each` with the pages of a collection, in order, and whether the page is the last one of
/// its chain.
pub(super) fn for_each_page(
    file: &GoFile<'_>,
    collection: &GoCollection,
    mut each: impl FnMut(u32, &RecordPage<'_>, Option<&Chain>) -> Result<()>,
) -> Result<()> {
    let mut bytes: PageBytes = [0; PAGE_SIZE];
    let mut visit = |page: u32, chain: Option<&Chain>| {
        file.read(page, &mut bytes).map_err(|error| super::file::failed_read(error, page))?;
        // It was sound, and if it is not any more, the file is being written to: the counts tell.
        let Ok(read) = RecordPage::parse(&bytes) else { return Ok(0) };
        each(page, &read, chain)?;
        Ok(read.next)
    };
    for chain in &collection.chains {
        let mut page = chain.root;
        for _ in 0..chain.pages {
            page = visit(page, Some(chain))?;
        }
    }
    collection.lost_pages.iter().try_for_each(|&page| visit(page, None).map(drop))
}

struct Survey<'a> {
    file: &'a GoFile<'a>,
    claims: Claims,
    problems: &'a mut Problems,
}

struct Followed {
    pages: u32,
    is_cut: bool,
}

impl Survey<'_> {
    /// Reads the list of collections.
    fn list(&mut self) -> Result<Vec<GoCollection>> {
        // The header's page is nobody's.
        self.claims.claim(0);
        self.claims.claim(LIST_ROOT);
        let mut listed = Vec::new();
        let _ = self.follow(None, LIST_ROOT, |page, record, problems| {
            let entry = Listed::read(record.data).filter(|_| record.id == 0);
            let Some(entry) = entry else {
                let why = format!("slot {}: this is no collection", record.slot);
                return problems.record(None, page, why);
            };
            let name = match str::from_utf8(entry.name) {
                Ok(name) if is_name(name) => name.to_owned(),
                _ => {
                    let lossy = String::from_utf8_lossy(entry.name);
                    let why = format!("{lossy:?} cannot name a collection");
                    problems.record(None, page, why)?;
                    format!("collection {}", entry.root)
                }
            };
            listed.push((name, Chain { root: entry.root, pages: 0, has_tree: entry.has_tree }));
            Ok(())
        })?;
        let mut collections: Vec<GoCollection> = Vec::new();
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        for (name, chain) in listed {
            let may_be_followed = self.may_follow(Some(&name), chain.root)?;
            let at = *by_name.entry(name.clone()).or_insert(collections.len());
            if at == collections.len() {
                let (chains, lost_pages) = (Vec::new(), Vec::new());
                collections.push(GoCollection { name, chains, lost_pages, is_cut: false });
            }
            let Some(collection) = collections.get_mut(at) else { continue };
            match may_be_followed {
                true => collection.chains.push(chain),
                false => collection.is_cut = true,
            }
        }
        Ok(collections)
    }

    /// Claims the page that something leads to; returns whether it can be followed.
    fn may_follow(&mut self, collection: Option<&str>, page: u32) -> Result<bool> {
        let wrong = match page {
            page if page >= self.file.page_count => ProblemKind::OutOfBounds,
            page if !self.claims.claim(page) => ProblemKind::ClaimedTwice,
            _ => return Ok(true),
        };
        self.problems.add(collection, page, wrong)?;
        Ok(false)
    }

    /// Follows a chain from a page that is claimed, holds all of it against the rules, and calls
    /// `each` with the records that are not deleted.
    fn follow(
        &mut self,
        collection: Option<&str>,
        root: u32,
        mut each: impl FnMut(u32, &Record<'_>, &mut Problems) -> Result<()>,
    ) -> Result<Followed> {
        let mut bytes: PageBytes = [0; PAGE_SIZE];
        let mut followed = Followed { pages: 0, is_cut: true };
        let mut at = root;
        loop {
            if at >= self.file.page_count {
                self.problems.add(collection, at, ProblemKind::OutOfBounds)?;
                return Ok(followed);
            }
            if let Err(error) = self.file.read(at, &mut bytes) {
                self.problems.unreadable(collection, at, error)?;
                return Ok(followed);
            }
            let page = match RecordPage::parse(&bytes) {
                Ok(page) => page,
                Err(why) => {
                    self.problems.add(collection, at, ProblemKind::DamagedPage { why })?;
                    return Ok(followed);
                }
            };
            if page.is_blank() {
                let why = "nothing was ever written to it, or what was is lost".to_owned();
                self.problems.add(collection, at, ProblemKind::DamagedPage { why })?;
            }
            let mut slots = page.slots();
            for slot in slots.by_ref() {
                match slot {
                    Ok(record) if record.is_deleted => {}
                    Ok(record) => each(at, &record, self.problems)?,
                    Err(why) => self.problems.record(collection, at, why)?,
                }
            }
            if let Err(why) = slots.finish() {
                self.problems.record(collection, at, why)?;
            }
            followed.pages += 1;
            match page.next {
                0 => {
                    // A page that was lost leads nowhere, whatever was behind it.
                    followed.is_cut = page.is_blank();
                    return Ok(followed);
                }
                next if self.may_follow(collection, next)? => at = next,
                _ => return Ok(followed),
            }
        }
    }

    /// Finds the pages with documents that nothing leads to.
    fn lost_pages(&mut self) -> Result<Vec<u32>> {
        let mut lost = Vec::new();
        let mut bytes: PageBytes = [0; PAGE_SIZE];
        let mut document = Vec::new();
        for at in 0..self.file.page_count {
            if self.claims.contains(at) {
                continue;
            }
            match self.file.read(at, &mut bytes) {
                Ok(()) if has_documents(&bytes, &mut document) => lost.push(at),
                Ok(()) => {}
                Err(error) => self.problems.unreadable(None, at, error)?,
            }
        }
        Ok(lost)
    }

    /// Gives pages that nothing leads to to the one collection of which a part is missing; to one
    /// of their own, if that may be any of several.
    fn assign(&mut self, pages: Vec<u32>, collections: &mut Vec<GoCollection>) -> Result<()> {
        let Some(&first) = pages.first() else { return Ok(()) };
        let mut cut = collections.iter_mut().filter(|collection| collection.is_cut);
        let at = match (cut.next(), cut.next()) {
            (Some(only), None) => only,
            _ => {
                let is_taken = |name: &str| collections.iter().any(|other| other.name == name);
                let numbered = (2_u64..).map(|n| format!("{LOST} {n}"));
                let name = std::iter::once(LOST.to_owned()).chain(numbered);
                let name = name.into_iter().find(|name| !is_taken(name));
                let (name, chains) = (name.unwrap_or_default(), Vec::new());
                collections.push(GoCollection {
                    name,
                    chains,
                    lost_pages: Vec::new(),
                    is_cut: true,
                });
                match collections.last_mut() {
                    Some(last) => last,
                    None => return Ok(()),
                }
            }
        };
        let why = format!(
            "no collection leads to it, nor to {} others with documents; they count as {:?}",
            pages.len() - 1,
            at.name,
        );
        at.lost_pages = pages;
        self.problems.add(None, first, ProblemKind::DamagedFile { why })
    }
}

/// Whether documents are on a page, all of which is as it should be.
fn has_documents(bytes: &PageBytes, document: &mut Vec<u8>) -> bool {
    let Ok(page) = RecordPage::parse(bytes) else { return false };
    let mut slots = page.slots();
    let mut has_documents = false;
    for slot in slots.by_ref() {
        match slot {
            Ok(record) if record.is_deleted => {}
            Ok(record) => has_documents |= record::read(record.id, record.data, document).is_ok(),
            Err(_) => return false,
        }
    }
    has_documents && slots.finish().is_ok()
}

fn is_name(name: &str) -> bool {
    (1..=COLLECTION_NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0')
}
