//! Any bytes as a slotted page, then any operations on it: no panic, and what
//! `verify` accepts stays acceptable.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use nanodb_page::{PageMut, PageRef, RecordKind, SlotId};

#[derive(Arbitrary, Debug)]
enum Op {
    Insert { len: u16, byte: u8 },
    Replace { slot: u16, len: u16, byte: u8 },
    Remove { slot: u16 },
    Compact,
}

#[derive(Arbitrary, Debug)]
struct Input {
    fresh: bool,
    body: Vec<u8>,
    ops: Vec<Op>,
}

fuzz_target!(|input: Input| {
    let mut body = input.body;
    body.resize(4064, 0);
    if input.fresh {
        PageMut::format(&mut body, |_| ()).expect("4064 bytes are a body");
    }
    let sound = PageRef::parse(&body).is_ok_and(|page| page.verify().is_ok());
    for op in input.ops {
        let Ok(mut page) = PageMut::parse(&mut body, |_| ()) else { return };
        let bytes = |len: u16, byte| vec![byte; usize::from(len % 4200)];
        // Errors are answers; only panics and unsound pages are findings.
        match op {
            Op::Insert { len, byte } => {
                let _ = page.insert(RecordKind::Document, &[&bytes(len, byte)]);
            }
            Op::Replace { slot, len, byte } => {
                if let Some(slot) = SlotId::new(slot) {
                    let _ = page.replace(slot, RecordKind::Document, &[&bytes(len, byte)]);
                }
            }
            Op::Remove { slot } => {
                if let Some(slot) = SlotId::new(slot) {
                    let _ = page.remove(slot);
                }
            }
            Op::Compact => {
                let _ = page.compact();
            }
        }
    }
    let Ok(page) = PageRef::parse(&body) else { return };
    page.records().for_each(drop);
    if sound {
        page.verify().expect("operations keep a sound page sound");
    }
});
