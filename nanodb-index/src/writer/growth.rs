//! How a group gets more room: a segment more each time, and two groups for one at last.
//!
//! Nothing is changed where readers look. The entries are written to other segments, all
//! of them, and then these are put in force by one store; the old segments are recycled.
//! Entries that have no room in the new order (many with one key) go to the stash before
//! that store.

use super::image::Image;
use super::{IndexWriter, Level};
use crate::directory::DEPTH_MAX;
use crate::group::{GroupPosition, SEGMENTS_MAX, SEGMENTS_MIN, UPPER_LEVELS, set_word};
use crate::key_hash::{Entry, KeyHash};
use crate::pool::{SEGMENT_BUCKETS, SMALL_BUCKETS};

/// A group to be laid out: which, how large, and what is to be in it.
#[derive(Debug)]
struct Plan {
    depth: u32,
    prefix: u32,
    buckets: u32,
    segments: Vec<u32>,
    entries: Vec<(KeyHash, Entry)>,
}

impl IndexWriter<'_> {
    /// Gives a group more room; false if it is as large as can be.
    #[cold]
    pub(super) fn grow(&mut self, at: &GroupPosition<'_>) -> bool {
        let mut entries = Vec::with_capacity(self.count(at) as usize);
        self.entries(at, |key, entry| entries.push((key, entry)));

        let done = if at.head.buckets() < SEGMENTS_MAX * SEGMENT_BUCKETS {
            self.widen(at, entries)
        } else {
            self.split(at, entries)
        };
        if done {
            self.recycle(at);
        }
        self.report_memory();
        done
    }

    fn widen(&mut self, at: &GroupPosition<'_>, entries: Vec<(KeyHash, Entry)>) -> bool {
        let buckets = at.head.buckets();
        let larger = SMALL_BUCKETS.into_iter().find(|&small| small > buckets);
        let buckets =
            larger.unwrap_or(buckets / SEGMENT_BUCKETS * SEGMENT_BUCKETS + SEGMENT_BUCKETS);
        let Some(segments) = self.take_segments(buckets) else { return false };
        self.lay_out(Plan { depth: at.depth, prefix: at.prefix, buckets, segments, entries });
        true
    }

    fn split(&mut self, at: &GroupPosition<'_>, entries: Vec<(KeyHash, Entry)>) -> bool {
        if at.depth >= DEPTH_MAX {
            return false;
        }
        let depth = at.depth + 1;
        self.make_level(depth);
        let prefix = at.prefix << 1;
        let (low, high): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| key.prefix(depth) == prefix);
        let (low_buckets, high_buckets) = (buckets_for(low.len()), buckets_for(high.len()));
        let Some(low_segments) = self.take_segments(low_buckets) else { return false };
        let Some(high_segments) = self.take_segments(high_buckets) else {
            self.free_segments(low_segments.into_iter());
            return false;
        };

        // Both halves before the word that leads there.
        let (buckets, segments) = (low_buckets, low_segments);
        self.lay_out(Plan { depth, prefix, buckets, segments, entries: low });
        let (buckets, segments) = (high_buckets, high_segments);
        self.lay_out(Plan { depth, prefix: prefix | 1, buckets, segments, entries: high });
        at.group.mark_split();
        self.note_split(at);
        true
    }

    /// Puts a group in force that had no segments.
    pub(super) fn lay_out_new(
        &mut self,
        depth: u32,
        prefix: u32,
        buckets: u32,
        segments: Vec<u32>,
        entries: Vec<(KeyHash, Entry)>,
    ) {
        self.lay_out(Plan { depth, prefix, buckets, segments, entries });
    }

    /// Writes a group's entries to its new segments and puts those in force.
    fn lay_out(&mut self, plan: Plan) {
        let Some(group) = self.index.directory.group(plan.depth, plan.prefix) else { return };
        let with_uppers = plan.depth < UPPER_LEVELS;
        let stash = &self.index.stash;
        let image =
            Image::new(plan.depth, plan.buckets, with_uppers, &plan.entries, |key, entry| {
                stash.insert(key, entry.record_id());
            });
        let positions = (0..plan.buckets).map(|position| {
            let segment = plan.segments.get((position / SEGMENT_BUCKETS) as usize);
            (segment.copied().unwrap_or_default(), position % SEGMENT_BUCKETS)
        });
        for ((segment, bucket), words) in positions.zip(image.words()) {
            let Some(bucket) = self.index.pool.bucket(segment, bucket) else { continue };
            for (word, &value) in bucket.iter().zip(words) {
                set_word(word, value);
            }
        }
        group.install(plan.buckets, &plan.segments);

        if let Some(level) = self.state.levels.get_mut(plan.depth as usize) {
            if let Some(count) = level.counts.get_mut(plan.prefix as usize) {
                *count = image.count();
            }
            if let Some(uppers) = level.uppers.get_mut(plan.prefix as usize) {
                *uppers = image.into_uppers();
            }
        }
    }

    /// Lets look-ups begin further down once a whole level is split.
    pub(super) fn note_split(&mut self, at: &GroupPosition<'_>) {
        if let Some(level) = self.state.levels.get_mut(at.depth as usize) {
            level.split += 1;
            if let Some(uppers) = level.uppers.get_mut(at.prefix as usize) {
                *uppers = Vec::new();
            }
        }
        let mut start = self.index.directory.start();
        while self.state.levels.get(start as usize).is_some_and(|level| level.split >> start != 0) {
            start += 1;
        }
        self.index.directory.set_start(start);
    }

    pub(super) fn make_level(&mut self, depth: u32) {
        self.index.directory.make(depth);
        while self.state.levels.len() <= depth as usize {
            let depth = u32::try_from(self.state.levels.len()).unwrap_or(u32::MAX);
            let groups = 1usize << depth;
            let uppers = if depth < UPPER_LEVELS { vec![Vec::new(); groups] } else { Vec::new() };
            let used = if self.index.directory.keeps_marks() { groups } else { 0 };
            let (counts, used) = (vec![0; groups], vec![0; used]);
            self.state.levels.push(Level { counts, split: 0, uppers, used });
        }
    }

    /// Segments that nobody uses; `None` when the pool can't hold as many.
    pub(super) fn take_segments(&mut self, buckets: u32) -> Option<Vec<u32>> {
        let small = (0..).zip(SMALL_BUCKETS).find(|(_, small)| *small == buckets);
        if let Some((number, _)) = small {
            return self.index.pool.make_small(number).then(|| vec![number]);
        }
        let segments = self.index.pool.take(buckets / SEGMENT_BUCKETS)?;
        self.state.segments += segments.len();
        Some(segments)
    }

    /// Gives back the segments that a group had when it was looked at.
    pub(super) fn recycle(&mut self, at: &GroupPosition<'_>) {
        self.free_segments(at.group.segments(at.head));
    }

    fn free_segments(&mut self, segments: impl Iterator<Item = u32>) {
        self.state.segments -= self.index.pool.free_segments(segments);
    }
}

/// The size of a new group: room for a quarter more than it has, if there is.
pub(super) fn buckets_for(entries: usize) -> u32 {
    let entries = u32::try_from(entries).unwrap_or(u32::MAX);
    // Six and a half entries a bucket leave it some steps from growing again.
    let segments = (entries.saturating_mul(2) / 13).div_ceil(SEGMENT_BUCKETS);
    segments.clamp(SEGMENTS_MIN, SEGMENTS_MAX) * SEGMENT_BUCKETS
}
