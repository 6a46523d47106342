//! Any bytes as the pages of an ordered index: no panic, no endless walk, and what is found is in
//! order.
#![no_main]

use std::ops::Bound;
use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use nanodb_sorted::{
    BODY_LEN, DamagedPage, Effect, IndexView, KeyRange, NewPages, PageKind, Pages, RecordId,
    Refused, Run, RunBuilder, decode_saved_page, verify_run,
};

const INDEX: u32 = 1;

#[derive(Arbitrary, Debug)]
struct Input {
    /// What a sound run is built of, as far as it is in order.
    entries: Vec<(Vec<u8>, u32, u16, u8)>,
    /// Bytes that are put over its pages: page, offset, bytes.
    patches: Vec<(u8, u16, Vec<u8>)>,
    root: Option<(u8, u8)>,
    keys: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Stop;

impl From<DamagedPage> for Stop {
    fn from(_: DamagedPage) -> Self {
        Self
    }
}

impl From<Refused> for Stop {
    fn from(_: Refused) -> Self {
        Self
    }
}

#[derive(Default)]
struct Memory(Vec<[u8; BODY_LEN]>);

impl<'m> Pages for &'m Memory {
    type Page = &'m [u8; BODY_LEN];
    type Error = Stop;

    fn page(&self, number: u32, _: PageKind) -> Result<Self::Page, Stop> {
        self.0.get(number as usize).ok_or(Stop)
    }
}

impl NewPages for Memory {
    type Error = Stop;

    fn write(&mut self, _: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Stop> {
        self.0.push(*body);
        u32::try_from(self.0.len() - 1).map_err(|_| Stop)
    }
}

fn built(memory: &mut Memory, entries: &[(Vec<u8>, u32, u16, u8)]) -> Option<Run> {
    let mut builder = RunBuilder::new(INDEX, 5_000);
    let mut last = None;
    for (key, page, slot, effect) in entries {
        let record = RecordId { page: *page, slot: *slot };
        let effects = [Effect::Added, Effect::Removed, Effect::Restored, Effect::Vanished];
        if last.is_none_or(|last| last < (key, record)) && key.len() <= 1024 {
            builder.push(memory, key, record, effects[usize::from(effect % 4)]).expect("in order");
            last = Some((key, record));
        }
    }
    builder.finish(memory).expect("nothing fails")
}

fuzz_target!(|input: Input| {
    let mut memory = Memory::default();
    let Some(mut run) = built(&mut memory, &input.entries) else { return };
    verify_run(&&memory, INDEX, &run, &mut |_, _, _| ()).expect("what was built is sound");
    for (page, at, bytes) in &input.patches {
        let page = usize::from(*page) % memory.0.len();
        let at = usize::from(*at) % BODY_LEN;
        memory.0[page].iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    }
    if let Some((root, height)) = input.root {
        (run.root, run.height) = (root.into(), height);
    }

    // Errors are answers; only panics, and walks that go back, are findings.
    let view = IndexView::new(&memory, INDEX, Arc::from([run.clone()]));
    let mut cursor = view.cursor();
    let mut last: Option<(Vec<u8>, RecordId)> = None;
    while cursor.next_entry().unwrap_or(false) {
        let (key, record) = cursor.entry().expect("it is at an entry");
        assert!(last.is_none_or(|(last, id)| (&*last, id) < (key, record)));
        last = Some((key.to_vec(), record));
    }
    if cursor.seek_back(Bound::Unbounded).unwrap_or(false) {
        while cursor.previous_entry().unwrap_or(false) {}
    }
    for key in &input.keys {
        let _ = cursor.find(key);
        if cursor.seek(Bound::Excluded(key)).unwrap_or(false) {
            assert!(cursor.entry().is_some_and(|(found, _)| found > &**key));
            let _ = cursor.next_key();
            let _ = cursor.previous_key();
        }
        let _ = cursor.skip_to(Bound::Included(key));
        let _ = view.count(KeyRange { start: Bound::Included(key), end: Bound::Unbounded });
    }
    let _ = verify_run(&&memory, INDEX, &run, &mut |_, _, _| ());
    for body in &memory.0 {
        let _ = decode_saved_page(body, INDEX, |_, operation| drop(operation.key.to_vec()));
    }
});
