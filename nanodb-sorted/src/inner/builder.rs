//! Packing as many children as fit into an inner page.

use super::{CHILD_SIZE, HEADER_SIZE, SEPARATOR_SIZE, SHARED};
use crate::BODY_LEN;
use crate::bytes::{common_prefix, head};

/// Takes children from the left to the right until the next one would not fit.
#[derive(Debug, Default)]
pub(crate) struct InnerBuilder {
    /// What separates the first child from its left sibling, which is on another page.
    first: Vec<u8>,
    is_first_shared: bool,
    separators: Vec<Separator>,
    bytes: Vec<u8>,
    children: Vec<(u32, i64)>,
    prefix_len: usize,
    out: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Separator {
    start: usize,
    len: usize,
    is_shared: bool,
}

/// What is known of a page when its parent takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child<'k> {
    /// What separates it from its left sibling; nothing for the first page of its level.
    pub(crate) separator: &'k [u8],
    pub(crate) is_shared: bool,
    pub(crate) page: u32,
    pub(crate) net: i64,
}

impl InnerBuilder {
    /// Forgets all children.
    pub(crate) fn clear(&mut self) {
        self.first.clear();
        self.separators.clear();
        self.bytes.clear();
        self.children.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Returns the page of the only child, if there is just one.
    pub(crate) fn only_child(&self) -> Option<u32> {
        match *self.children {
            [(page, _)] => Some(page),
            _ => None,
        }
    }

    /// What separates the page from its left sibling, and whether that is shared.
    pub(crate) fn separator(&self) -> (&[u8], bool) {
        (&self.first, self.is_first_shared)
    }

    pub(crate) fn net(&self) -> i64 {
        self.children.iter().map(|(_, net)| net).sum()
    }

    fn bytes_of(&self, separator: &Separator) -> &[u8] {
        self.bytes.get(separator.start..separator.start + separator.len).unwrap_or(&[])
    }

    /// Takes a child, if it fits.
    pub(crate) fn push(&mut self, child: Child<'_>) -> bool {
        let Child { separator, is_shared, page, net } = child;
        if self.children.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(separator);
            self.is_first_shared = is_shared;
            self.children.push((page, net));
            return true;
        }
        let prefix_len = match self.separators.first() {
            Some(first) => common_prefix(self.bytes_of(first), separator).min(self.prefix_len),
            None => separator.len(),
        };
        let tail = |len: usize| (len - prefix_len).saturating_sub(8);
        let tails: usize = self.separators.iter().map(|separator| tail(separator.len)).sum();
        let children = self.children.len() + 1;
        let size = HEADER_SIZE
            + prefix_len
            + SEPARATOR_SIZE * (children - 1)
            + CHILD_SIZE * children
            + tails
            + tail(separator.len());
        if size > BODY_LEN {
            return false;
        }
        self.prefix_len = prefix_len;
        let start = self.bytes.len();
        self.separators.push(Separator { start, len: separator.len(), is_shared });
        self.bytes.extend_from_slice(separator);
        self.children.push((page, net));
        true
    }

    /// Writes the page into a body.
    pub(crate) fn encode(&mut self, index: u32, level: u8, body: &mut [u8; BODY_LEN]) {
        let low_u16 = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let prefix_len = if self.separators.is_empty() { 0 } else { self.prefix_len };
        let behind: Vec<(&[u8], bool)> = self
            .separators
            .iter()
            .map(|separator| {
                let bytes = self.bytes_of(separator).get(prefix_len..).unwrap_or(&[]);
                (bytes, separator.is_shared)
            })
            .collect();
        let tail = |bytes: &'_ [u8]| bytes.len().saturating_sub(8);
        let fixed = SEPARATOR_SIZE * behind.len() + CHILD_SIZE * self.children.len();
        let tails_at = HEADER_SIZE + prefix_len + fixed;
        let end = tails_at + behind.iter().map(|(bytes, _)| tail(bytes)).sum::<usize>();

        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&low_u16(self.children.len()).to_le_bytes());
        out.extend_from_slice(&[level, 0]);
        out.extend_from_slice(&self.net().to_le_bytes());
        out.extend_from_slice(&low_u16(prefix_len).to_le_bytes());
        out.extend_from_slice(&low_u16(end).to_le_bytes());
        let first = self.separators.first().map_or(&[][..], |first| self.bytes_of(first));
        out.extend_from_slice(first.get(..prefix_len).unwrap_or(&[]));
        behind.iter().for_each(|(bytes, _)| out.extend_from_slice(&head(bytes).to_be_bytes()));
        for (bytes, is_shared) in &behind {
            let word = low_u16(bytes.len()) | if *is_shared { SHARED } else { 0 };
            out.extend_from_slice(&word.to_le_bytes());
        }
        let mut at = tails_at;
        for (bytes, _) in &behind {
            out.extend_from_slice(&low_u16(at).to_le_bytes());
            at += tail(bytes);
        }
        for (page, _) in &self.children {
            out.extend_from_slice(&page.to_le_bytes());
        }
        let mut before = 0_i64;
        for (_, net) in &self.children {
            out.extend_from_slice(&before.to_le_bytes());
            before += net;
        }
        for (bytes, _) in &behind {
            out.extend_from_slice(bytes.get(8..).unwrap_or(&[]));
        }
        debug_assert_eq!(out.len(), end, "the parts are as long as they were counted");
        body.fill(0);
        for (to, from) in body.iter_mut().zip(&out) {
            *to = *from;
        }
        self.out = out;
    }
}
