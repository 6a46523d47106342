//! A chunk: operations in order of key, record and ordinal, immutable.
//!
//! Keys lie in one arena, each once. A search looks at heads alone, eight bytes of each operation's
//! key behind what all keys of the chunk share; they lie side by side.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::bytes::{common_prefix, count_below, head};
use crate::filter::{Filter, FilterHash};
use crate::leaf::Boundary;
use crate::operation::{Effect, KEY_LEN_MAX, Operation};
use crate::record_id::RecordId;

/// Chunks of so many operations and fewer have no filter.
const FILTER_OPERATIONS_MIN: usize = 256;

/// The net of the operations is kept at every so many.
const NET_STEP: usize = 64;

const REMOVED: u16 = 1 << 15;

/// Some operations that follow each other in commit order, sorted. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// The ordinal of the first one in commit order; the others follow it.
    first: u64,
    /// How many there are: beside the pointer, since lists of chunks ask for no more.
    len: usize,
    sorted: Arc<Sorted>,
}

/// An operation but for its key's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Op {
    /// Where the key begins in the arena.
    offset: u32,
    page: u32,
    /// The ordinal, less that of the chunk.
    ordinal: u32,
    slot: u16,
    /// The length of the key; plus `REMOVED`.
    len: u16,
}

impl Op {
    #[inline]
    pub(crate) fn new(offset: u32, len: u16, ordinal: u32, record: RecordId, gone: bool) -> Self {
        let RecordId { page, slot } = record;
        Self { offset, page, ordinal, slot, len: len | if gone { REMOVED } else { 0 } }
    }

    #[inline]
    fn record(&self) -> RecordId {
        RecordId { page: self.page, slot: self.slot }
    }

    #[inline]
    fn is_removed(&self) -> bool {
        self.len & REMOVED != 0
    }

    #[inline]
    fn key<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        let start = self.offset as usize;
        arena.get(start..start + usize::from(self.len & !REMOVED)).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn operation<'a>(&self, arena: &'a [u8]) -> Operation<'a> {
        Operation { key: self.key(arena), record: self.record(), removed: self.is_removed() }
    }

    /// Whether two operations of one chunk have the same key: then they share its bytes.
    #[inline]
    fn has_key_of(&self, other: &Self) -> bool {
        self.offset == other.offset && (self.len ^ other.len) & !REMOVED == 0
    }
}

#[derive(Debug)]
struct Sorted {
    arena: Vec<u8>,
    prefix_len: usize,
    heads: Vec<u64>,
    ops: Vec<Op>,
    /// The net of the first 64 operations, of the first 128, and so on.
    nets: Vec<i32>,
    /// Of a chunk that has a filter, the hash of each operation's key.
    hashes: Vec<u32>,
    filter: Option<Filter>,
    has_long_keys: bool,
}

/// Operations that are to become part of a chunk: those of another one, or unsorted ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) arena: &'a [u8],
    pub(crate) ops: &'a [Op],
    /// The heads of the operations behind so many bytes, if they are known.
    pub(crate) heads: Option<(&'a [u64], usize)>,
    /// The hashes of their keys, or nothing.
    pub(crate) hashes: &'a [u32],
    /// What is to be added to their ordinals.
    pub(crate) ordinal: u32,
}

/// The place of an operation among the parts, to be sorted.
#[derive(Clone, Copy)]
struct Slot {
    head: u64,
    part: u32,
    at: u32,
}

impl Chunk {
    /// Sorts operations that come in the order of their ordinals, part by part.
    pub(crate) fn build(first: u64, parts: &[Part<'_>]) -> Self {
        let sorted = Sorted::build(parts);
        Self { first, len: sorted.ops.len(), sorted: Arc::new(sorted) }
    }

    /// Merges chunks that follow each other, the oldest first; `None` if there are none.
    pub(crate) fn merge(chunks: &[Self]) -> Option<Self> {
        let [only] = chunks else {
            let first = chunks.first()?.first;
            let parts: Vec<Part<'_>> = chunks
                .iter()
                .map(|chunk| chunk.as_part(u32::try_from(chunk.first - first).unwrap_or(0)))
                .collect();
            return Some(Self::build(first, &parts));
        };
        Some(only.clone())
    }

    fn as_part(&self, ordinal: u32) -> Part<'_> {
        let Sorted { arena, prefix_len, heads, ops, hashes, .. } = &*self.sorted;
        Part { arena, ops, heads: Some((heads, *prefix_len)), hashes, ordinal }
    }

    /// The same operations with other ordinals.
    pub(crate) fn at(&self, first: u64) -> Self {
        Self { first, ..self.clone() }
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The ordinal behind the last one.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.len() as u64
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn arena_len(&self) -> usize {
        self.sorted.arena.len()
    }

    /// The memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let Sorted { arena, heads, ops, nets, hashes, filter, .. } = &*self.sorted;
        arena.capacity()
            + size_of::<u64>() * heads.capacity()
            + size_of::<Op>() * ops.capacity()
            + size_of::<i32>() * nets.capacity()
            + size_of::<u32>() * hashes.capacity()
            + filter.as_ref().map_or(0, Filter::bytes)
            + size_of::<Sorted>()
    }

    /// How far ordinals, less that of the chunk, are below one.
    #[inline]
    pub(crate) fn visible(&self, until: u64) -> u32 {
        u32::try_from(until.saturating_sub(self.first)).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(crate) fn may_contain(&self, hash: FilterHash) -> bool {
        let hash = FilterHash::of_upper(hash.upper());
        self.sorted.filter.as_ref().is_none_or(|filter| filter.may_contain(hash))
    }

    pub(crate) fn has_long_keys(&self) -> bool {
        self.sorted.has_long_keys
    }

    pub(crate) fn has_filter(&self) -> bool {
        self.sorted.filter.is_some()
    }

    #[inline]
    pub(crate) fn key(&self, at: usize) -> &[u8] {
        self.sorted.key(at)
    }

    /// The position of the first operation behind a boundary.
    #[inline]
    pub(crate) fn position(&self, boundary: Boundary<'_>) -> usize {
        self.sorted.position(boundary)
    }

    /// The position of the first operation with another key than that at `at`, from there on.
    pub(crate) fn next_key(&self, at: usize) -> usize {
        let ops = self.sorted.ops.get(at..).unwrap_or(&[]);
        let Some(op) = ops.first() else { return at };
        let near = ops.iter().take(8).take_while(|other| other.has_key_of(op)).count();
        if near < 8 {
            return at + near;
        }
        self.position(Boundary { key: self.key(at), is_after: true })
    }

    /// The position of the first operation with the key of that at `at`.
    pub(crate) fn first_of_key(&self, at: usize) -> usize {
        self.position(Boundary { key: self.key(at), is_after: false })
    }

    /// What the operations on one entry come to, from position `at` on, which is that of the first:
    /// the entry, its effect if any of the operations is visible, and the position behind them.
    #[inline]
    pub(crate) fn entry(&self, at: usize, visible: u32) -> (RecordId, Option<Effect>, usize) {
        let ops = self.sorted.ops.get(at..).unwrap_or(&[]);
        let Some(first) = ops.first() else { return (RecordId::default(), None, at) };
        let mut effect: Option<Effect> = None;
        let mut count = 0;
        for op in ops {
            if count > 0 && !(op.has_key_of(first) && op.record() == first.record()) {
                break;
            }
            count += 1;
            if op.ordinal < visible {
                let newer = Effect::of(op.is_removed());
                effect = Some(effect.map_or(newer, |effect| effect.then(newer)));
            }
        }
        (first.record(), effect, at + count)
    }

    /// The position of the first operation on the entry that the one at `at` is of.
    #[inline]
    pub(crate) fn entry_start(&self, at: usize) -> usize {
        let ops = self.sorted.ops.get(..=at).unwrap_or(&[]);
        let Some((last, before)) = ops.split_last() else { return at };
        let same = before
            .iter()
            .rev()
            .take_while(|op| op.has_key_of(last) && op.record() == last.record());
        at - same.count()
    }

    /// The net of the visible operations between two boundaries given as positions.
    pub(crate) fn net(&self, start: usize, end: usize, visible: u32) -> i64 {
        if visible as usize >= self.len() {
            return self.sorted.net_before(end) - self.sorted.net_before(start);
        }
        let ops = self.sorted.ops.get(start..end).unwrap_or(&[]);
        let visible = ops.iter().filter(|op| op.ordinal < visible);
        visible.map(|op| i64::from(Effect::of(op.is_removed()).net())).sum()
    }

    /// Calls `visit` for each operation from an ordinal on, in the order of ordinals.
    pub(crate) fn for_each_in_order(&self, from: u64, visit: &mut dyn FnMut(u64, Operation<'_>)) {
        let skipped = self.visible(from);
        let Sorted { arena, ops, .. } = &*self.sorted;
        let mut positions = vec![0_usize; ops.len()];
        for (at, op) in ops.iter().enumerate() {
            if let Some(position) = positions.get_mut(op.ordinal as usize) {
                *position = at;
            }
        }
        let in_order = positions.iter().skip(skipped as usize).filter_map(|&at| ops.get(at));
        for op in in_order {
            visit(self.first + u64::from(op.ordinal), op.operation(arena));
        }
    }
}

impl Sorted {
    fn build(parts: &[Part<'_>]) -> Self {
        if let [part] = parts
            && let [op] = part.ops
        {
            return Self::build_single(op.key(part.arena), *op, part.ordinal);
        }
        let prefix_len = prefix_len(parts);
        let mut slots = Vec::with_capacity(parts.iter().map(|part| part.ops.len()).sum());
        for (number, part) in (0..).zip(parts) {
            let slot = |(at, head)| Slot { head, part: number, at };
            match part.heads {
                Some((heads, len)) if len == prefix_len => {
                    slots.extend((0..).zip(heads.iter().copied()).map(slot));
                }
                _ => {
                    let key = |op: &Op| head(op.key(part.arena).get(prefix_len..).unwrap_or(&[]));
                    slots.extend((0..).zip(part.ops.iter().map(key)).map(slot));
                }
            }
        }
        let op_of = |slot: &Slot| {
            let part = parts.get(slot.part as usize)?;
            part.ops.get(slot.at as usize).map(|op| (part, op))
        };
        // Stable, so that operations on one entry stay in order; and quick where parts are sorted.
        slots.sort_by_key(|slot| slot.head);
        for alike in slots.chunk_by_mut(|a, b| a.head == b.head) {
            if alike.len() > 1 {
                alike.sort_by(|a, b| match (op_of(a), op_of(b)) {
                    (Some((a_part, a)), Some((b_part, b))) => compare(a_part, a, b_part, b),
                    _ => Ordering::Equal,
                });
            }
        }

        let len = slots.len();
        let has_filter = len > FILTER_OPERATIONS_MIN;
        let mut sorted = Self {
            arena: Vec::with_capacity(parts.iter().map(|part| part.arena.len()).sum()),
            prefix_len,
            heads: Vec::with_capacity(len),
            ops: Vec::with_capacity(len),
            nets: Vec::with_capacity(len / NET_STEP),
            hashes: Vec::with_capacity(if has_filter { len } else { 0 }),
            filter: has_filter.then(|| Filter::new(len as u64)),
            has_long_keys: false,
        };
        let mut net = 0;
        for slot in &slots {
            let Some((part, op)) = op_of(slot) else { continue };
            sorted.push(slot, part, *op);
            net += Effect::of(op.is_removed()).net();
            if sorted.ops.len().is_multiple_of(NET_STEP) {
                sorted.nets.push(net);
            }
        }
        sorted
    }

    /// A chunk of one operation: what single commits add.
    fn build_single(key: &[u8], op: Op, ordinal: u32) -> Self {
        Self {
            arena: key.to_vec(),
            prefix_len: key.len(),
            heads: vec![0],
            ops: vec![Op { offset: 0, ordinal: op.ordinal + ordinal, ..op }],
            nets: Vec::new(),
            hashes: Vec::new(),
            filter: None,
            has_long_keys: key.len() == KEY_LEN_MAX,
        }
    }

    /// Appends an operation that is not below the last one.
    #[inline]
    fn push(&mut self, slot: &Slot, part: &Part<'_>, op: Op) {
        let key = op.key(part.arena);
        let last =
            self.ops.last().copied().filter(|last| {
                self.heads.last() == Some(&slot.head) && last.key(&self.arena) == key
            });
        let offset = match last {
            Some(last) => last.offset,
            None => {
                let offset = u32::try_from(self.arena.len()).unwrap_or(u32::MAX);
                self.arena.extend_from_slice(key);
                self.has_long_keys |= key.len() == KEY_LEN_MAX;
                offset
            }
        };
        if let Some(filter) = &mut self.filter {
            let known = part.hashes.get(slot.at as usize).copied();
            let hash = known.unwrap_or_else(|| FilterHash::of(key).upper());
            self.hashes.push(hash);
            if last.is_none() {
                filter.insert(FilterHash::of_upper(hash));
            }
        }
        self.heads.push(slot.head);
        self.ops.push(Op { offset, ordinal: op.ordinal + part.ordinal, ..op });
    }

    #[inline]
    fn key(&self, at: usize) -> &[u8] {
        self.ops.get(at).map_or(&[], |op| op.key(&self.arena))
    }

    fn position(&self, boundary: Boundary<'_>) -> usize {
        let prefix = self.key(0).get(..self.prefix_len).unwrap_or(&[]);
        let Some(wanted) = boundary.key.strip_prefix(prefix) else {
            return if prefix < boundary.key { self.ops.len() } else { 0 };
        };
        let wanted_head = head(wanted);
        let head = |at: usize| self.heads.get(at).copied().unwrap_or(u64::MAX);
        let below = count_below(self.ops.len(), |at| head(at) < wanted_head);
        if below == self.ops.len() || head(below) != wanted_head {
            return below;
        }
        let same = count_below(self.ops.len() - below, |at| head(below + at) <= wanted_head);
        // As a rule they all have one key.
        if let [first, .., last] = self.ops.get(below..below + same).unwrap_or(&[])
            && first.has_key_of(last)
        {
            let key = self.key(below).get(self.prefix_len..).unwrap_or(&[]);
            return if boundary.is_behind(key.cmp(wanted)) { below + same } else { below };
        }
        below
            + count_below(same, |at| {
                let key = self.key(below + at).get(self.prefix_len..).unwrap_or(&[]);
                boundary.is_behind(key.cmp(wanted))
            })
    }

    fn net_before(&self, position: usize) -> i64 {
        let steps = (position / NET_STEP).min(self.nets.len());
        let ops = self.ops.get(steps * NET_STEP..position).unwrap_or(&[]);
        let net: i32 = ops.iter().map(|op| Effect::of(op.is_removed()).net()).sum();
        let before = steps.checked_sub(1).and_then(|step| self.nets.get(step));
        i64::from(before.copied().unwrap_or(0)) + i64::from(net)
    }
}

/// The bytes that all keys of all parts share at the front.
fn prefix_len(parts: &[Part<'_>]) -> usize {
    let Some((part, op)) = parts.iter().find_map(|part| Some((part, part.ops.first()?))) else {
        return 0;
    };
    let first = op.key(part.arena);
    let mut shared = first.len();
    for part in parts {
        match (part.heads, part.ops.first()) {
            // All its keys share their prefix, and perhaps one of them no more with the others.
            (Some((_, len)), Some(op)) => {
                shared = shared.min(len).min(common_prefix(first, op.key(part.arena)));
            }
            _ => {
                for op in part.ops {
                    let key = op.key(part.arena);
                    let front = first.get(..shared).unwrap_or(&[]);
                    if !key.starts_with(front) {
                        shared = common_prefix(front, key);
                    }
                }
            }
        }
    }
    shared
}

fn compare(a_part: &Part<'_>, a: &Op, b_part: &Part<'_>, b: &Op) -> Ordering {
    let keys = a.key(a_part.arena).cmp(b.key(b_part.arena));
    keys.then_with(|| a.record().cmp(&b.record()))
}
