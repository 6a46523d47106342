//! Any bytes to the cursor: reading a value token by token and stepping over it end at one place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_msgpack::{Cursor, Token};

fuzz_target!(|bytes: &[u8]| {
    let (mut reading, mut skipping) = (Cursor::new(bytes), Cursor::new(bytes));
    loop {
        let read = read_value(&mut reading);
        let skipped = skipping.skip();
        assert_eq!(read, skipped);
        if read.is_none() || reading.rest().is_empty() {
            return;
        }
        assert_eq!(reading.rest(), skipping.rest());
    }
});

fn read_value(cursor: &mut Cursor<'_>) -> Option<()> {
    let mut pending = 1_u64;
    while pending > 0 {
        pending -= 1;
        pending += match cursor.read()? {
            Token::Array(len) => u64::from(len),
            Token::Map(len) => 2 * u64::from(len),
            _ => 0,
        };
    }
    Some(())
}
