//! Checking a run as a whole.

use super::{HEIGHT_MAX, Run};
use crate::error::{Damage, DamagedPage};
use crate::filter::{FilterHash, verify_page};
use crate::inner::InnerHeader;
use crate::leaf::{GOES_ON, HAS_EFFECTS, HAS_LONG_KEYS, LeafCursor};
use crate::operation::{Effect, KEY_LEN_MAX, Posting};
use crate::pages::{PageKind, Pages};
use crate::record_id::RecordId;

/// Walks over all of a run, calls `visit` for each entry in order, and checks every field of every
/// page against what it describes.
///
/// Each page is read once, in memory there is one of each level. The filter is asked for each key.
///
/// # Errors
///
/// Whatever a page can't be read for, or [`DamagedPage`] for the first one that is wrong.
pub fn verify_run<P: Pages>(
    pages: &P,
    index: u32,
    run: &Run,
    visit: &mut dyn FnMut(&[u8], RecordId, Effect),
) -> Result<(), P::Error> {
    if run.height == 0 || run.height > HEIGHT_MAX {
        return Err(DamagedPage { page: run.root, damage: Damage::Level }.into());
    }
    let mut walk = Walk {
        pages,
        index,
        run,
        visit,
        counted: Run { filter: run.filter.clone(), ..Run::new(run.root, run.height) },
        floor: None,
        last_key: Vec::new(),
        last_record: None,
        last_page: None,
        postings: Vec::new(),
    };
    walk.subtree(run.root, run.height - 1)?;
    if let Some(filter) = &run.filter {
        for number in 0..filter.blocks.div_ceil(crate::filter::BLOCKS_PER_PAGE) {
            let Some(page) = filter.page(number) else {
                return Err(DamagedPage { page: run.root, damage: Damage::Count }.into());
            };
            let body = pages.page(page, PageKind::Filter)?;
            verify_page(body.as_ref(), index, number)
                .map_err(|damage| DamagedPage { page, damage })?;
            walk.counted.pages += 1;
        }
    }
    if walk.counted == *run {
        Ok(())
    } else {
        Err(DamagedPage { page: run.root, damage: Damage::Count }.into())
    }
}

struct Walk<'a, P> {
    pages: &'a P,
    index: u32,
    run: &'a Run,
    visit: &'a mut dyn FnMut(&[u8], RecordId, Effect),
    /// What the run's description should be.
    counted: Run,
    /// The separator on the left of the next leaf, and whether it is shared.
    floor: Option<(Vec<u8>, bool)>,
    last_key: Vec<u8>,
    last_record: Option<RecordId>,
    last_page: Option<u32>,
    postings: Vec<Posting>,
}

impl<P: Pages> Walk<'_, P> {
    /// Checks a page and all below it. Recursion ends with the levels.
    fn subtree(&mut self, number: u32, level: u8) -> Result<(), P::Error> {
        self.counted.pages += 1;
        let damaged = |damage| P::Error::from(DamagedPage { page: number, damage });
        if level == 0 {
            let page = self.pages.page(number, PageKind::Leaf)?;
            return self.leaf(page.as_ref(), number);
        }
        let page = self.pages.page(number, PageKind::Inner)?;
        let body = page.as_ref();
        let header = InnerHeader::parse(body, self.index, level).map_err(damaged)?;
        header.verify(body).map_err(damaged)?;
        let net = self.counted.net;
        for child in 0..header.children {
            let before = header.before(body, child).map_err(damaged)?;
            if before != self.counted.net - net {
                return Err(damaged(Damage::Count));
            }
            if let Some(at) = child.checked_sub(1) {
                let mut separator = Vec::new();
                let is_shared = header.separator_key(body, at, &mut separator).map_err(damaged)?;
                let is_above = match is_shared {
                    true => separator == self.last_key,
                    false => separator > self.last_key,
                };
                if !is_above {
                    return Err(damaged(Damage::Order));
                }
                self.floor = Some((separator, is_shared));
            }
            self.subtree(header.page(body, child).map_err(damaged)?, level - 1)?;
        }
        let is_counted = header.net == self.counted.net - net;
        if is_counted { Ok(()) } else { Err(damaged(Damage::Count)) }
    }

    fn leaf(&mut self, body: &[u8], number: u32) -> Result<(), P::Error> {
        let damaged = |damage| P::Error::from(DamagedPage { page: number, damage });
        let mut cursor = LeafCursor::default();
        cursor.open(body, self.index).map_err(damaged)?;
        cursor.enter_first_key(body).map_err(damaged)?;
        self.check_left(&cursor).map_err(damaged)?;
        let goes_on = cursor.header().goes_on();
        let (mut net, mut page_base, mut flags) = (0, u32::MAX, cursor.header().flags & GOES_ON);
        for number in 0.. {
            self.postings.clear();
            let mut records = cursor.records();
            let header = cursor.header();
            header.unpack(body, &mut records, usize::MAX, &mut self.postings).map_err(damaged)?;
            let is_new = number > 0 || !goes_on;
            if is_new {
                self.last_record = None;
                self.counted.distinct += 1;
            }
            if cursor.key().len() == KEY_LEN_MAX {
                flags |= HAS_LONG_KEYS;
                self.counted.has_long_keys = true;
            }
            cursor.check_before(body, net).map_err(damaged)?;
            net += cursor.net();
            for &Posting { record, effect } in &self.postings {
                if self.last_record.is_some_and(|last| last >= record) {
                    return Err(damaged(Damage::Order));
                }
                self.last_record = Some(record);
                page_base = page_base.min(record.page);
                flags |= if effect == Effect::Added { 0 } else { HAS_EFFECTS };
                self.counted.entries += 1;
                self.counted.removed += u64::from(!effect.is_there());
                if self.last_page != Some(record.page) {
                    self.counted.switches += 1;
                    self.last_page = Some(record.page);
                }
                (self.visit)(cursor.key(), record, effect);
            }
            if is_new && !self.has_in_filter(cursor.key())? {
                return Err(damaged(Damage::Count));
            }
            if !cursor.step(body).map_err(damaged)? {
                break;
            }
        }
        self.counted.net += net;
        self.last_key.clear();
        self.last_key.extend_from_slice(cursor.key());
        let header = cursor.header();
        let behind = body.get(header.end..).unwrap_or(&[]);
        let is_sound = page_base == header.page_base
            && flags == header.flags
            && behind.iter().all(|&byte| byte == 0);
        if is_sound { Ok(()) } else { Err(damaged(Damage::Header)) }
    }

    /// Checks the first key of a leaf against the last one of the leaf before, and against the
    /// separator between them.
    fn check_left(&mut self, cursor: &LeafCursor) -> Result<(), Damage> {
        let (key, goes_on) = (cursor.key(), cursor.header().goes_on());
        let is_above = match self.floor.take() {
            Some((separator, is_shared)) => {
                goes_on == is_shared && if goes_on { key == separator } else { key >= &*separator }
            }
            None => !goes_on,
        };
        if is_above { Ok(()) } else { Err(Damage::Order) }
    }

    fn has_in_filter(&self, key: &[u8]) -> Result<bool, P::Error> {
        match self.run.filter {
            Some(_) => self.run.may_contain_hash(self.pages, self.index, FilterHash::of(key)),
            None => Ok(true),
        }
    }
}
