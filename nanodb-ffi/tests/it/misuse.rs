//! Whatever a program does wrong, as far as C lets the library see it, is an error.

use std::ptr;

use nanodb_ffi::*;

use crate::c::{Db, call};
use crate::entries::{Arguments, ENTRIES, Entry, KINDS, Kind, WITHOUT_ERROR, free};

/// A handle of each kind, all of one database.
struct Handles {
    _db: Db,
    by_kind: [(Kind, u64); 5],
}

fn handles() -> Handles {
    let db = Db::in_memory();
    let all = db.collection("a");
    all.insert_many("[{\"a\": 1}, {\"a\": 2}]").unwrap();
    let mut transaction = nanodb_transaction::default();
    call!(nanodb_db_begin(db.0, &mut transaction)).unwrap();
    let mut snapshot = nanodb_snapshot::default();
    call!(nanodb_db_snapshot(db.0, &mut snapshot)).unwrap();
    let mut cursor = nanodb_cursor::default();
    call!(nanodb_scan(all.0, &mut cursor)).unwrap();
    let collection = all.0.id;
    std::mem::forget(all);
    let by_kind = [
        (Kind::Db, db.0.id),
        (Kind::Collection, collection),
        (Kind::Transaction, transaction.id),
        (Kind::Snapshot, snapshot.id),
        (Kind::Cursor, cursor.id),
    ];
    Handles { _db: db, by_kind }
}

impl Handles {
    fn of(&self, kind: Option<Kind>) -> u64 {
        let found = self.by_kind.iter().find(|(of, _)| Some(*of) == kind);
        found.map_or(0, |(_, handle)| *handle)
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        for (kind, handle) in &self.by_kind[1..] {
            free(*kind, *handle);
        }
    }
}

/// Calls an entry with arguments that are right but for what `change` does.
fn call_with(entry: &Entry, change: impl FnOnce(&mut Arguments<'_>)) -> nanodb_status {
    let handles = handles();
    let mut arguments = Arguments::right(entry, handles.of(entry.handle));
    change(&mut arguments);
    let called = (entry.call)(&arguments);
    if let Some((kind, handle)) = called.made {
        free(kind, handle);
    }
    called.status
}

#[test]
fn the_list_has_every_function() {
    let header = include_str!("../../include/nanodb.h");
    let listed = ENTRIES.iter().map(|entry| entry.name).chain(WITHOUT_ERROR);
    for name in listed.clone() {
        assert!(header.contains(&format!("{name}(")), "{name}");
    }
    let declared = header.lines().filter(|line| {
        let is_code = !line.trim_start().starts_with('*') && !line.starts_with("typedef");
        is_code && line.split_once('(').is_some_and(|(before, _)| before.contains("nanodb_"))
    });
    assert_eq!(declared.count(), listed.count());
}

#[test]
fn every_function_does_its_work_with_right_arguments() {
    for entry in ENTRIES {
        let expected = match entry.name {
            // There is no such file; it is no database.
            "nanodb_db_salvage"
            | "nanodb_db_import_go"
            | "nanodb_convert_go_file"
            | "nanodb_open" => continue,
            // The callback says so.
            "nanodb_db_compact" | "nanodb_db_check" => NANODB_CANCELLED,
            _ => NANODB_OK,
        };
        assert_eq!(call_with(entry, |_| {}), expected, "{}", entry.name);
        assert_eq!(
            call_with(entry, |arguments| arguments.error = false),
            expected,
            "{}",
            entry.name
        );
        assert_eq!(call_with(entry, |arguments| arguments.number = 2), NANODB_OK, "{}", entry.name);
    }
}

#[test]
fn handles_that_stand_for_nothing_are_refused() {
    for entry in ENTRIES {
        let Some(kind) = entry.handle else { continue };
        let with = |handle: u64| call_with(entry, |arguments| arguments.handle = handle);
        for wrong in [0, 1, u64::MAX, 1 << 53, 0x1234_5678_9abc_def0] {
            assert_eq!(with(wrong), NANODB_MISUSE, "{} {wrong:x}", entry.name);
        }
        let others = handles();
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert_eq!(with(others.of(Some(other))), NANODB_MISUSE, "{} {other:?}", entry.name);
        }
        let freed = others.of(Some(kind));
        free(kind, freed);
        assert_eq!(with(freed), NANODB_CLOSED, "{}", entry.name);
        // Freeing it again, or what is no handle, does nothing.
        for handle in [freed, 0, u64::MAX, others.of(Some(KINDS[0]))] {
            if kind != KINDS[0] {
                free(kind, handle);
            }
        }
        assert_eq!(with(freed), NANODB_CLOSED, "{}", entry.name);
    }
}

#[test]
fn null_pointers_and_lengths_that_cannot_be_are_refused() {
    for entry in ENTRIES {
        for (at, (name, _)) in entry.inputs.iter().enumerate() {
            let with = |pointer: *const u8, len: usize| {
                call_with(entry, |arguments| arguments.inputs[at] = (pointer, len))
            };
            let text = b"{}\0";
            let too_long = usize::try_from(isize::MAX).unwrap() + 1;
            assert_eq!(with(text.as_ptr(), too_long), NANODB_MISUSE, "{} {name}", entry.name);
            assert_eq!(with(text.as_ptr(), usize::MAX - 1), NANODB_MISUSE, "{} {name}", entry.name);
            assert_eq!(with(ptr::null(), 5), NANODB_MISUSE, "{} {name}", entry.name);
            let none = with(ptr::null(), 0);
            assert_eq!(none == NANODB_MISUSE, !name.starts_with('?'), "{} {name}", entry.name);
            assert_eq!(with(ptr::null(), NANODB_NUL_TERMINATED), none, "{} {name}", entry.name);
        }
        if entry.has_format {
            for format in [0, 3, -1, i32::MAX] {
                let refused = call_with(entry, |arguments| arguments.format = format);
                assert_eq!(refused, NANODB_MISUSE, "{} {format}", entry.name);
            }
        }
        let without_place = call_with(entry, |arguments| arguments.out = false);
        assert_eq!(without_place == NANODB_MISUSE, entry.needs_out, "{}", entry.name);
    }
    let handle = nanodb_transaction::default();
    assert_eq!(
        call!(nanodb_transaction_set_durability(handle, ptr::null())).unwrap_err().status,
        NANODB_MISUSE
    );
    // SAFETY: null may be freed.
    unsafe {
        nanodb_buf_free(ptr::null_mut());
        nanodb_error_free(ptr::null_mut());
        nanodb_buf_free(&mut nanodb_buf::default());
        nanodb_error_free(&mut nanodb_error::default());
    }
}

#[test]
fn places_that_are_not_aligned_are_refused() {
    let db = Db::in_memory();
    let all = db.collection("a");
    let mut room = [0_u64; 8];
    // SAFETY: it lies within the room.
    let odd = unsafe { room.as_mut_ptr().cast::<u8>().add(1) };
    let refused = call!(nanodb_count(all.0, odd.cast()));
    assert_eq!(refused.unwrap_err().status, NANODB_MISUSE);
    let mut count = 0;
    // SAFETY: an error that is not aligned is not written to.
    assert_eq!(unsafe { nanodb_count(all.0, &mut count, odd.cast()) }, NANODB_MISUSE);
    assert_eq!(room, [0; 8]);
    // SAFETY: what is not aligned is left alone.
    unsafe {
        nanodb_buf_free(odd.cast());
        nanodb_error_free(odd.cast());
    }
}

#[test]
fn bytes_that_are_no_text_or_no_document_are_refused() {
    let wrong: [&[u8]; 6] =
        [b"\xff\xfe", b"{\"a\": \"\xc3\"}", b"", b"\xc1", b"\x81\xa1a", b"{\"a\""];
    // What is no text may be a path, and a file of that name would be made.
    let is_path = |entry: &&Entry| entry.inputs.iter().any(|(name, _)| *name == "path");
    for entry in ENTRIES.iter().filter(|entry| !is_path(entry)) {
        for (at, (name, _)) in entry.inputs.iter().enumerate() {
            for bytes in wrong {
                for format in [NANODB_JSON, NANODB_MSGPACK] {
                    let refused = call_with(entry, |arguments| {
                        arguments.inputs[at] = (bytes.as_ptr(), bytes.len());
                        arguments.format = format;
                        // All others are JSON.
                        if format == NANODB_MSGPACK {
                            for input in &mut arguments.inputs {
                                if input.1 == 2 {
                                    *input = (b"\x80".as_ptr(), 1);
                                }
                            }
                            arguments.inputs[at] = (bytes.as_ptr(), bytes.len());
                        }
                    });
                    // A path or a name may be nearly anything.
                    let may_be = ["field", "name", "from", "to"].contains(name);
                    let may_be_empty = bytes.is_empty() && *name == "documents";
                    assert!(refused != NANODB_PANIC);
                    if !may_be && !may_be_empty {
                        assert_eq!(
                            refused, NANODB_INVALID,
                            "{} {name} {bytes:x?} {format}",
                            entry.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_length_may_be_left_to_the_zero_byte() {
    let db = Db::in_memory();
    let mut all = nanodb_collection::default();
    call!(nanodb_db_collection(db.0, c"a".as_ptr().cast(), NANODB_NUL_TERMINATED, &mut all))
        .unwrap();
    let all = crate::c::Coll(all);
    let (mut id, document) = (nanodb_buf::default(), c"{\"a\": 1}");
    call!(nanodb_insert(
        all.0,
        document.as_ptr().cast(),
        NANODB_NUL_TERMINATED,
        NANODB_JSON,
        &mut id
    ))
    .unwrap();
    assert_eq!(crate::c::text(id).unwrap(), "1");
    assert_eq!(all.get("1").unwrap().unwrap(), r#"{"_id":1,"a":1}"#);
}

#[test]
fn no_zero_byte_ends_messagepack() {
    // What lies behind an end that is none belongs to nobody: this must not be looked for.
    let document = [0x81_u8, 0xa1, b'a', 1];
    for entry in ENTRIES.iter().filter(|entry| entry.has_format) {
        for (at, (name, _)) in entry.inputs.iter().enumerate() {
            if ["path", "field", "name", "from", "to"].contains(&name.trim_start_matches('?')) {
                continue;
            }
            let refused = call_with(entry, |arguments| {
                arguments.format = NANODB_MSGPACK;
                for input in &mut arguments.inputs {
                    *input = (document.as_ptr(), document.len());
                }
                arguments.inputs[at].1 = NANODB_NUL_TERMINATED;
            });
            // Another input may be no document, and is looked at first.
            let expected = [NANODB_MISUSE, NANODB_INVALID];
            assert!(expected.contains(&refused), "{} {name}: {refused}", entry.name);
        }
    }
    let db = Db::in_memory();
    let all = db.collection("a");
    let at: *const std::os::raw::c_void = document.as_ptr().cast();
    let refused =
        call!(nanodb_insert(all.0, at, NANODB_NUL_TERMINATED, NANODB_MSGPACK, ptr::null_mut()));
    let refused = refused.unwrap_err();
    assert_eq!(refused.status, NANODB_MISUSE);
    assert!(refused.message.contains("no zero byte ends MessagePack"), "{refused:?}");
}

#[test]
fn a_field_that_occurs_twice_in_options_or_operations_is_refused() {
    let db = Db::in_memory();
    let all = db.collection("a");
    all.insert_many("[{}, {}]").unwrap();
    let refused = all.find("", r#"{"limit": 1, "skip": 0, "limit": 2}"#).err().unwrap();
    assert_eq!(refused.status, NANODB_INVALID);
    assert_eq!(refused.message, "the options: the field `limit` occurs twice");
    let operations = r#"[{"delete_many": {"filter": {"a": 1}, "filter": {}}}]"#;
    let refused = call!(nanodb_bulk_write(
        all.0,
        operations.as_ptr().cast(),
        operations.len(),
        NANODB_JSON,
        ptr::null_mut()
    ));
    assert_eq!(refused.unwrap_err().status, NANODB_INVALID);
    assert_eq!(all.count().unwrap(), 2);
}

#[test]
fn a_reason_is_one_whole_line_whatever_is_named_in_it() {
    let db = Db::in_memory();
    let all = db.collection("a");
    for (refused, expected) in [
        (all.find("", r#"{"a\nb\u0000c": 1}"#).err(), r"no option `a\nb\0c`, only"),
        (all.find(r#"{"$a\nb\u0000c": 1}"#, "").err(), r"`$a\nb\0c`"),
        (all.insert(r#"{"a": {"$x\r\u0000z": 1}}"#).err(), r"`$x\r\0z`"),
        (Db::open(std::path::Path::new("/no\n where/\u{7f}x"), "").err(), r"/no\n where/\u{7f}x: "),
    ] {
        // Whoever calls for the test checks that no line ends.
        let message = refused.unwrap().message;
        assert!(message.contains(expected), "{message:?}");
    }
}
