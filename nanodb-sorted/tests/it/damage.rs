//! Damaged and forged pages: refused or usable, never a panic, a loop, or work without bound.

use std::ops::Bound;
use std::sync::Arc;

use nanodb_sorted::{
    BODY_LEN, Effect, IndexView, KeyRange, Operation, PageKind, RecordId, Run, RunCursor,
    SavedPageBuilder, decode_saved_page, verify_run,
};

use crate::support::{Entries, INDEX, Memory, Problem, build};

/// Runs that between them have all that pages can have.
fn runs() -> Vec<(Memory, Run)> {
    let mut lists = Vec::new();
    let record = |number: u32| RecordId { page: number / 20, slot: (number % 20) as u16 };
    let mut numbers = Entries::new();
    let mut strings = Entries::new();
    for number in 0..4_200_u32 {
        let key = [&f64::from(number).to_bits().to_be_bytes()[..], &[0, 0]].concat();
        numbers.insert((key, record(number)), Effect::Added);
        if number % 6 > 0 {
            continue;
        }
        let key = format!("user{}@example.com\0\0", number.wrapping_mul(0x9e37_79b9));
        let effect = [Effect::Added, Effect::Removed, Effect::Restored, Effect::Vanished];
        strings.insert((key.into(), record(number)), effect[number as usize / 6 % 4]);
    }
    lists.push(numbers);
    lists.push(strings);
    let mut few = Entries::new();
    for number in 0..2_500_u32 {
        few.insert((vec![7, (number % 3) as u8, 0, 0], record(number)), Effect::Added);
    }
    lists.push(few);
    let mut long = Entries::new();
    for number in 0..40_u32 {
        let mut key = vec![(number / 20) as u8; 1024 - number as usize % 2];
        key[500] = number as u8;
        long.insert((key, record(number)), Effect::Added);
    }
    lists.push(long);
    let build = |entries: &Entries| {
        let mut memory = Memory::default();
        let run = build(&mut memory, entries).unwrap();
        (memory, run)
    };
    lists.iter().map(build).collect()
}

/// Does all that can be done with a run; the results mean nothing.
fn use_all(memory: &Memory, run: &Run, random: &mut fastrand::Rng) {
    memory.reads.set(0);
    let steps_max = 20_000;
    let mut cursor = RunCursor::new(memory, INDEX, run);
    for is_forward in [true, false] {
        let mut steps = 0;
        let mut last: Option<(Vec<u8>, RecordId)> = None;
        let found = if is_forward { cursor.first() } else { cursor.last() };
        let mut found = found.unwrap_or(false);
        while found {
            let record = cursor.posting().expect("a cursor that found something is at it").0;
            let entry = (cursor.key(), record);
            // A walk goes on in order, so it ends.
            let in_order = last.as_ref().is_none_or(|(key, record)| match is_forward {
                true => (&**key, *record) < entry,
                false => (&**key, *record) > entry,
            });
            assert!(in_order, "{last:?} {entry:?}");
            let (mut key, _) = last.unwrap_or_default();
            key.clear();
            key.extend_from_slice(cursor.key());
            last = Some((key, record));
            steps += 1;
            assert!(steps <= steps_max);
            let step = if is_forward { cursor.next_entry() } else { cursor.previous_entry() };
            found = step.unwrap_or(false);
        }
    }
    let mut keys: Vec<Vec<u8>> =
        (0..4).map(|_| (0..random.usize(0..12)).map(|_| random.u8(..)).collect()).collect();
    keys.push(f64::from(random.u16(..6_000)).to_bits().to_be_bytes().to_vec());
    keys.push(format!("user{}", random.u32(..)).into_bytes());
    keys.push(vec![7, random.u8(..4)]);
    keys.push(vec![random.u8(..3); 1000]);
    let view = IndexView::new(memory, INDEX, Arc::from([run.clone()]));
    for key in &keys {
        for is_after in [false, true] {
            if cursor.seek(key, is_after).is_ok_and(|found| found) {
                assert!(cursor.key() > &**key || (!is_after && cursor.key() == &**key));
                let _ = cursor.next_key();
                let _ = cursor.previous_key();
            }
            let _ = cursor.seek_back(key, is_after);
            let _ = cursor.skip_to(key, is_after);
        }
        let range = KeyRange { start: Bound::Included(key), end: Bound::Unbounded };
        let _ = view.count(range);
        let mut merged = view.cursor();
        let _ = merged.find(key);
        let _ = merged.seek(Bound::Included(key));
        let _ = merged.previous_key();
    }
    // Key by key, forward and backward.
    for is_forward in [true, false] {
        let (mut steps, mut merged) = (0, view.cursor());
        let found = if is_forward {
            merged.seek(Bound::Unbounded)
        } else {
            merged.seek_back(Bound::Unbounded)
        };
        let mut found = found.unwrap_or(false);
        while found {
            steps += 1;
            assert!(steps <= steps_max);
            let step = if is_forward { merged.next_key() } else { merged.previous_key() };
            found = step.unwrap_or(false);
        }
    }
    let _ = verify_run(&memory, INDEX, run, &mut |_, _, _| ());
    assert!(memory.reads.get() < 200_000, "{}", memory.reads.get());
}

/// Damages a body in one of several ways.
fn damage(body: &mut [u8; BODY_LEN], others: &[[u8; BODY_LEN]], random: &mut fastrand::Rng) {
    let end = body.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1).max(32);
    match random.u8(..8) {
        0 | 1 => body[random.usize(..end)] ^= 1 << random.u8(..8),
        2 => body[random.usize(..end)] = random.u8(..),
        // The header and what follows it lead to all else.
        3 => body[random.usize(..40)] = random.u8(..),
        4 => {
            let at = random.usize(..end - 1);
            body[at..at + 2].copy_from_slice(&random.u16(..5_000).to_le_bytes());
        }
        5 => {
            let (from, to) = (random.usize(..end - 8), random.usize(..end - 8));
            body.copy_within(from..from + random.usize(1..8), to);
        }
        6 => {
            let other = others[random.usize(..others.len())];
            let at = random.usize(..end);
            body[at..].copy_from_slice(&other[at..]);
        }
        _ => body.iter_mut().skip(random.usize(..end)).for_each(|byte| *byte = random.u8(..)),
    }
}

/// How many pages are damaged: 10,000 in the suite, a million in the long form.
fn count() -> usize {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 1_000_000 } else { 10_000 }
}

#[test]
fn damaged_pages_of_runs_are_refused_or_usable() {
    let seed = std::env::var("NANODB_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut runs = runs();
    let others: Vec<[u8; BODY_LEN]> =
        runs.iter().flat_map(|(memory, _)| memory.pages.iter().map(|(_, body)| **body)).collect();
    let (mut refused, first) = (0, seed.unwrap_or(0));
    let number = count() as u64;
    for seed in first..first + number {
        let mut random = fastrand::Rng::with_seed(seed);
        // The first one is by far the largest.
        let which = if random.u8(..8) == 0 { 0 } else { random.usize(1..runs.len()) };
        let (memory, run) = &mut runs[which];
        let page = random.usize(..memory.pages.len());
        let before = memory.pages[page].1.clone();
        damage(&mut memory.pages[page].1, &others, &mut random);
        // The seed of what fails is the last one printed.
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            use_all(memory, run, &mut random);
            verify_run(&&*memory, INDEX, run, &mut |_, _, _| ()).is_err()
        }));
        match seen {
            Ok(is_refused) => refused += u64::from(is_refused),
            Err(panic) => {
                eprintln!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
        memory.pages[page].1 = before;
    }
    // Without checksums: the check knows what a page should say, but not what keys should be.
    assert!(refused > number / 2, "{refused} of {number}");
}

#[test]
fn damaged_pages_of_saved_operations_are_refused_or_usable() {
    let keys: Vec<Vec<u8>> = (0..1_000_u32).map(|id| format!("user{id}\0\0").into()).collect();
    let mut builder = SavedPageBuilder::new(INDEX);
    for (page, key) in (0..).zip(&keys) {
        let (record, removed) = (RecordId { page: page * 7, slot: 3 }, page % 3 == 0);
        if !builder.push(u64::from(page), Operation { key, record, removed }) {
            break;
        }
    }
    let mut sound = [0; BODY_LEN];
    builder.finish(&mut sound);
    decode_saved_page(&sound, INDEX, |_, _| ()).unwrap();
    for seed in 0..count() as u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut body = sound;
        damage(&mut body, &[sound], &mut random);
        let mut seen = 0;
        let _ = decode_saved_page(&body, INDEX, |_, operation| {
            assert!(operation.key.len() <= 1024);
            seen += 1;
        });
        assert!(seen <= BODY_LEN);
    }
}

#[test]
fn pages_that_lead_back_to_themselves_end() {
    for (mut memory, run) in runs() {
        if run.height < 2 {
            continue;
        }
        // Every four bytes that could be a child become the root, then the first leaf.
        for target in [run.root, 100] {
            let body = memory.body_mut(run.root);
            let before = *body;
            for at in (20..BODY_LEN - 4).step_by(4) {
                body[at..at + 4].copy_from_slice(&target.to_le_bytes());
            }
            use_all(&memory, &run, &mut fastrand::Rng::with_seed(1));
            *memory.body_mut(run.root) = before;
        }
    }
}

#[test]
fn a_page_of_another_kind_or_index_is_refused() {
    for (memory, run) in runs() {
        let other = INDEX + 1;
        let mut cursor = RunCursor::new(&memory, other, &run);
        assert!(matches!(cursor.first(), Err(Problem::Damaged(_))));
        assert!(verify_run(&&memory, other, &run, &mut |_, _, _| ()).is_err());
        let mut wrong = run.clone();
        wrong.height = if run.height == 1 { 2 } else { run.height - 1 };
        assert!(RunCursor::new(&memory, INDEX, &wrong).first().is_err());
        for height in [0, 25, 255] {
            wrong.height = height;
            assert!(RunCursor::new(&memory, INDEX, &wrong).first().is_err());
        }
        assert!(memory.pages.iter().any(|(kind, _)| *kind == PageKind::Leaf));
    }
}
