//! Finding a place in a leaf.

use std::cmp::Ordering;

use super::{GROUP_KEYS, LeafCursor, RawKey};
use crate::bytes::{common_prefix, common_prefix_at, count_below, head};
use crate::error::Damage;

/// A place between two keys: in front of a key or behind it, whether it is there or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Boundary<'k> {
    pub(crate) key: &'k [u8],
    /// Whether the place is behind the key, if it is there.
    pub(crate) is_after: bool,
}

impl Boundary<'_> {
    /// Whether a key that compares so with the boundary's lies in front of it.
    #[inline]
    pub(crate) fn is_behind(self, ordering: Ordering) -> bool {
        ordering == Ordering::Less || (self.is_after && ordering == Ordering::Equal)
    }
}

/// Where all keys of a page lie that is seen from their prefix.
enum Behind<'k> {
    /// The boundary is in front of them.
    None,
    /// The boundary is behind them.
    All,
    /// What follows the prefix decides.
    Some(&'k [u8]),
}

/// What a search in a leaf has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// Whether a key lies behind the boundary; the cursor is at the first one then. Else it may be
    /// anywhere on the page.
    pub(crate) is_found: bool,
    /// The net of all keys in front of the boundary.
    pub(crate) net: i64,
}

impl LeafCursor {
    /// Goes to the first key behind a boundary.
    ///
    /// Of the keys that are passed, the order is not checked: a step does that.
    pub(crate) fn seek(&mut self, body: &[u8], boundary: Boundary<'_>) -> Result<Found, Damage> {
        self.search::<true>(body, boundary)
    }

    /// Returns the net of all keys in front of a boundary. The cursor has no key then.
    pub(crate) fn net_before(
        &mut self,
        body: &[u8],
        boundary: Boundary<'_>,
    ) -> Result<i64, Damage> {
        self.search::<false>(body, boundary).map(|found| found.net)
    }

    /// Searches, and rebuilds the keys on the way if they are wanted.
    fn search<const KEEPS: bool>(
        &mut self,
        body: &[u8],
        boundary: Boundary<'_>,
    ) -> Result<Found, Damage> {
        let groups = match self.behind(body, boundary) {
            Behind::None => 0,
            Behind::All => return self.pass_all(body),
            Behind::Some(wanted) => {
                let groups = self.groups_in_front(body, wanted, boundary)?;
                if let Some(group) = groups.checked_sub(1) {
                    return self.search_group::<KEEPS>(body, group, wanted, boundary);
                }
                groups
            }
        };
        if KEEPS {
            self.enter_group(body, groups)?;
            self.close(body);
        }
        Ok(Found { is_found: true, net: 0 })
    }

    /// What lies in front of the boundary, as far as the keys' common prefix tells.
    #[inline]
    fn behind<'k>(&self, body: &[u8], boundary: Boundary<'k>) -> Behind<'k> {
        let prefix = self.header.prefix(body);
        match boundary.key.strip_prefix(prefix) {
            Some(rest) => Behind::Some(rest),
            None if prefix < boundary.key => Behind::All,
            None => Behind::None,
        }
    }

    /// How many groups begin with a key in front of the boundary.
    #[inline]
    fn groups_in_front(
        &self,
        body: &[u8],
        wanted: &[u8],
        boundary: Boundary<'_>,
    ) -> Result<usize, Damage> {
        let (header, wanted_head) = (self.header, head(wanted));
        let below = count_below(header.groups, |group| header.head(body, group) < wanted_head);
        if below == header.groups || header.head(body, below) != wanted_head {
            return Ok(below);
        }
        // Keys that are alike in eight bytes are compared as a whole, each in its place.
        let same = count_below(header.groups - below, |group| {
            header.head(body, below + group) <= wanted_head
        });
        let mut damage = None;
        let in_front = count_below(same, |group| {
            let ordering = self.compare_first(body, below + group, wanted);
            let ordering = ordering.map_err(|found| damage = Some(found));
            boundary.is_behind(ordering.unwrap_or(Ordering::Greater))
        });
        damage.map_or(Ok(below + in_front), Err)
    }

    /// Compares the first key of a group, without the prefix, with what is wanted.
    fn compare_first(&self, body: &[u8], group: usize, wanted: &[u8]) -> Result<Ordering, Damage> {
        let raw = self.header.raw_key(body, self.header.group_at(body, group)?)?;
        let head_bytes = self.header.head(body, group).to_be_bytes();
        let shared = head_bytes.get(..raw.shared).ok_or(Damage::Offset)?;
        let key = shared.iter().chain(raw.rest).chain(self.header.suffix(body));
        Ok(key.cmp(wanted))
    }

    /// Searches a group that begins in front of a boundary: what is behind it is one of the group,
    /// or the first one of the next.
    fn search_group<const KEEPS: bool>(
        &mut self,
        body: &[u8],
        group: usize,
        wanted: &[u8],
        boundary: Boundary<'_>,
    ) -> Result<Found, Damage> {
        let header = self.header;
        let suffix = header.suffix(body);
        // How many bytes the middle of the key in front of the boundary shares with the wanted one.
        let mut matched = if KEEPS {
            self.enter_group(body, group)?;
            common_prefix(self.middle(), wanted)
        } else {
            let raw = self.pass_group(body, group)?;
            let head_bytes = header.head(body, group).to_be_bytes();
            let front = head_bytes.get(..raw.shared).ok_or(Damage::Offset)?;
            match common_prefix(front, wanted) {
                all if all == front.len() => {
                    all + common_prefix(raw.rest, wanted.get(all..).unwrap_or(&[]))
                }
                some => some,
            }
        };
        let mut net = header.before_group(body, group)? + self.records.net;
        let last = (header.keys - 1).min(group * GROUP_KEYS + GROUP_KEYS - 1);
        while self.number < last {
            let raw = header.raw_key(body, self.records.end)?;
            if KEEPS {
                self.append(body, &raw)?;
            }
            self.records = raw.records;
            self.number += 1;
            // A key that shares more than that differs from the wanted one where the key before
            // does, so it is in front as well. One that shares less is above it, there.
            let is_in_front = if raw.shared > matched {
                true
            } else if raw.shared < matched && !raw.rest.is_empty() {
                false
            } else {
                let behind = wanted.get(raw.shared..).unwrap_or(&[]);
                let shared = common_prefix_at(body, raw.rest_at, raw.rest.len(), behind);
                matched = raw.shared + shared;
                let ordering = match (raw.rest.get(shared), behind.get(shared)) {
                    (Some(key), Some(wanted)) => key.cmp(wanted),
                    (Some(_), None) => Ordering::Greater,
                    (None, _) => suffix.cmp(behind.get(shared..).unwrap_or(&[])),
                };
                boundary.is_behind(ordering)
            };
            if !is_in_front {
                if KEEPS {
                    self.close(body);
                }
                return Ok(Found { is_found: true, net });
            }
            net += self.records.net;
        }
        let next = group + 1;
        if next == header.groups {
            return Ok(Found { is_found: false, net });
        }
        if header.before_group(body, next)? != net {
            return Err(Damage::Count);
        }
        if KEEPS {
            self.enter_group(body, next)?;
            self.close(body);
        }
        Ok(Found { is_found: true, net })
    }

    /// Reads the first key of a group, and rebuilds nothing.
    fn pass_group<'b>(&mut self, body: &'b [u8], group: usize) -> Result<RawKey<'b>, Damage> {
        let raw = self.header.raw_key(body, self.header.group_at(body, group)?)?;
        self.records = raw.records;
        self.number = group * GROUP_KEYS;
        Ok(raw)
    }

    /// Finds that all keys are in front, and what their net is.
    fn pass_all(&mut self, body: &[u8]) -> Result<Found, Damage> {
        let group = self.header.groups - 1;
        self.pass_group(body, group)?;
        let mut net = self.header.before_group(body, group)? + self.records.net;
        while self.number + 1 < self.header.keys {
            self.records = self.header.raw_key(body, self.records.end)?.records;
            self.number += 1;
            net += self.records.net;
        }
        Ok(Found { is_found: false, net })
    }
}
