//! What the parts of an ordered index cost on this machine: time of the processor where the system
//! tells it (Linux), else time on the clock.
//!
//! ```text
//! cargo run --release -p nanodb-sorted --example sorted_rates -- 1000000
//! ```

use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use nanodb_sorted::{
    BODY_LEN, DamagedPage, Delta, Effect, IndexView, KeyRange, NewPages, Operation, PageKind,
    Pages, Pending, RecordId, Refused, Run, RunBuilder, RunCursor,
};

/// Pages in memory, behind a lookup as cheap as a cache's.
struct Memory(Vec<(PageKind, Box<[u8; BODY_LEN]>)>);

#[derive(Debug)]
enum Problem {
    Damaged,
    Refused,
    NoPage,
}

impl From<DamagedPage> for Problem {
    fn from(_: DamagedPage) -> Self {
        Self::Damaged
    }
}

impl From<Refused> for Problem {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl<'m> Pages for &'m Memory {
    type Page = &'m [u8; BODY_LEN];
    type Error = Problem;

    fn page(&self, number: u32, kind: PageKind) -> Result<Self::Page, Problem> {
        let found = self.0.get(number as usize).filter(|(found, _)| *found == kind);
        found.map(|(_, body)| &**body).ok_or(Problem::NoPage)
    }
}

impl NewPages for Memory {
    type Error = Problem;

    fn write(&mut self, kind: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Problem> {
        self.0.push((kind, Box::new(*body)));
        u32::try_from(self.0.len() - 1).map_err(|_| Problem::NoPage)
    }
}

type KeyOf = fn(u32) -> Vec<u8>;

/// Keys as an index has them: of a number, and of a string.
fn number(id: u32) -> Vec<u8> {
    let float = f64::from(id.wrapping_mul(0x9e37_79b9) >> 4).to_bits() | 1 << 63;
    [&[0x18][..], &float.to_be_bytes(), &[0, 0]].concat()
}

fn email(id: u32) -> Vec<u8> {
    let id = id.wrapping_mul(0x9e37_79b9) >> 4;
    [format!("\x20user{id:010}@example.com").as_bytes(), &[0, 0]].concat()
}

fn age(id: u32) -> Vec<u8> {
    number(id.wrapping_mul(0x9e37_79b9) >> 8 & 63)
}

/// Twenty documents a page.
fn record(number: u32) -> RecordId {
    RecordId { page: number / 20, slot: u16::try_from(number % 20).unwrap_or_default() }
}

fn main() -> Result<(), Problem> {
    let count: u32 =
        std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let kinds =
        [("unique numbers", number as KeyOf), ("unique strings", email), ("64 numbers", age)];
    for (name, key) in kinds {
        println!("{name}");
        delta(key)?;
        run(count, key)?;
    }
    Ok(())
}

fn delta(key: KeyOf) -> Result<(), Problem> {
    const COMMIT: u32 = 1_000;
    const OPERATIONS: u32 = 100_000;
    let keys: Vec<Vec<u8>> = (0..OPERATIONS).map(key).collect();
    let add = |pending: &mut Pending, id: u32| {
        let key = &keys[id as usize];
        pending.push(Operation { key, record: record(id), removed: false })
    };
    report("pending, an operation", OPERATIONS, || {
        let mut pending = Pending::new();
        (0..OPERATIONS).try_for_each(|id| add(&mut pending, id))
    })?;
    let mut pendings = Vec::new();
    for first in (0..OPERATIONS).step_by(COMMIT as usize) {
        let mut pending = Pending::new();
        (first..first + COMMIT).try_for_each(|id| add(&mut pending, id))?;
        pendings.push(pending);
    }
    let delta = Delta::new(0);
    report("delta, an operation in commits of 1,000", OPERATIONS, || {
        pendings.iter_mut().try_for_each(|pending| delta.append(pending).map(drop))
    })?;
    println!("{:>8.1} bytes an operation", delta.bytes() as f64 / f64::from(OPERATIONS));
    let single = Delta::new(0);
    report("delta, an operation in commits of one", OPERATIONS, || {
        let mut pending = Pending::new();
        (0..OPERATIONS).try_for_each(|id| {
            add(&mut pending, id)?;
            single.append(&mut pending).map(drop)
        })
    })?;

    let memory = Memory(Vec::new());
    let view = IndexView::new(&memory, 1, Arc::from([])).with_delta(&delta, delta.end());
    let mut cursor = view.cursor();
    report("find, a key of the delta", OPERATIONS, || {
        (0..OPERATIONS).try_for_each(|id| {
            let id = id.wrapping_mul(7_919) % OPERATIONS;
            black_box(cursor.find(&keys[id as usize])).map(drop)
        })
    })?;
    report("find, with a cursor of its own", OPERATIONS, || {
        (0..OPERATIONS).try_for_each(|id| {
            let id = id.wrapping_mul(7_919) % OPERATIONS;
            black_box(view.find(&keys[id as usize])).map(drop)
        })
    })?;
    report("next, all of the delta", OPERATIONS, || walk(&mut view.cursor()))?;
    let mut flushed = Memory(Vec::new());
    report("flush, an operation", OPERATIONS, || view.merge(false).finish(&mut flushed).map(drop))
}

fn run(count: u32, key: KeyOf) -> Result<(), Problem> {
    let mut entries: Vec<(Vec<u8>, RecordId)> =
        (0..count).map(|id| (key(id), record(id))).collect();
    entries.sort_unstable();
    let mut memory = Memory(Vec::new());
    let mut built = None;
    report("build, an entry", count, || {
        let mut builder = RunBuilder::new(1, count.into());
        for (key, record) in &entries {
            builder.push(&mut memory, key, *record, Effect::Added)?;
        }
        built = builder.finish(&mut memory)?;
        Ok::<_, Problem>(())
    })?;
    let Some(run) = built else { return Ok(()) };
    let bytes = run.pages as f64 * 4096.0 / f64::from(count);
    println!("{bytes:>8.2} bytes an entry, {} levels", run.height);

    let places: Vec<usize> = (0..count as usize).map(|id| id * 7_919 % count as usize).collect();
    let mut cursor = RunCursor::new(&memory, 1, &run);
    report("seek, a key of the run", count, || {
        places.iter().try_for_each(|&at| black_box(cursor.seek(&entries[at].0, false)).map(drop))
    })?;
    report("next, all of the run", count, || {
        let mut cursor = RunCursor::new(&memory, 1, &run);
        while cursor.next_entry()? {
            black_box(cursor.posting());
        }
        Ok::<_, Problem>(())
    })?;
    report("previous, all of the run", count, || {
        let mut cursor = RunCursor::new(&memory, 1, &run);
        cursor.last()?;
        while cursor.previous_entry()? {
            black_box(cursor.posting());
        }
        Ok::<_, Problem>(())
    })?;
    let view = view(&memory, &run);
    let mut cursor = view.cursor();
    report("find, a key of the run", count, || {
        places.iter().try_for_each(|&at| black_box(cursor.find(&entries[at].0)).map(drop))
    })?;
    report("find, with a cursor of its own", count, || {
        places.iter().try_for_each(|&at| black_box(view.find(&entries[at].0)).map(drop))
    })?;
    report("find, a key that is not there", count, || {
        let mut absent = Vec::new();
        places.iter().try_for_each(|&at| {
            absent.clear();
            absent.extend_from_slice(&entries[at].0);
            absent.push(1);
            black_box(cursor.find(&absent)).map(drop)
        })
    })?;
    report("next, all of the index", count, || walk(&mut view.cursor()))?;
    report("count, a range", count, || {
        places.iter().try_for_each(|&at| {
            let range = KeyRange { start: Bound::Included(&entries[at].0), end: Bound::Unbounded };
            black_box(view.count(range)).map(drop)
        })
    })?;
    let mut merged = Memory(Vec::new());
    report("merge, an entry", count, || view.merge(true).finish(&mut merged).map(drop))
}

fn view<'m>(memory: &'m Memory, run: &Run) -> IndexView<&'m Memory> {
    IndexView::new(memory, 1, Arc::from([run.clone()]))
}

fn walk(cursor: &mut nanodb_sorted::MergeCursor<&Memory>) -> Result<(), Problem> {
    while cursor.next_entry()? {
        black_box(cursor.entry());
    }
    Ok(())
}

fn report<E>(what: &str, count: u32, run: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    let (started, used) = (Instant::now(), processor_time());
    run()?;
    let elapsed = match (used, processor_time()) {
        (Some(before), Some(after)) => after - before,
        _ => started.elapsed().as_secs_f64(),
    };
    println!("{:>8.1} ns {what}", elapsed * 1e9 / f64::from(count));
    Ok(())
}

/// The seconds for which this thread has had a processor.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
