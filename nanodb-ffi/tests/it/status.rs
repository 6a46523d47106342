//! The numbers of the statuses are frozen.

use std::ffi::CStr;

use nanodb_ffi::*;

/// Numbers that were given out. They never change; new ones are added.
const FROZEN: [(&str, i32); 25] = [
    ("NANODB_OK", 0),
    ("NANODB_INVALID", 1),
    ("NANODB_DUPLICATE_ID", 2),
    ("NANODB_NOT_FOUND", 3),
    ("NANODB_ALREADY_EXISTS", 4),
    ("NANODB_WRONG_TYPE", 5),
    ("NANODB_EXHAUSTED", 6),
    ("NANODB_QUOTA_EXCEEDED", 7),
    ("NANODB_CONFLICT", 8),
    ("NANODB_TRANSACTION_OVER", 9),
    ("NANODB_TOO_LARGE", 10),
    ("NANODB_DAMAGED", 11),
    ("NANODB_LOCKED", 12),
    ("NANODB_CLOSED", 13),
    ("NANODB_READ_ONLY", 14),
    ("NANODB_NOT_A_DATABASE", 15),
    ("NANODB_NEWER_FORMAT", 16),
    ("NANODB_OLDER_FORMAT", 17),
    ("NANODB_MISPLACED", 18),
    ("NANODB_IO", 19),
    ("NANODB_POISONED", 20),
    ("NANODB_MISUSE", 100),
    ("NANODB_CANCELLED", 101),
    ("NANODB_PANIC", 102),
    ("NANODB_OTHER", 103),
];

fn text(text: *const std::os::raw::c_char) -> &'static str {
    // SAFETY: the library's texts are static.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

#[test]
fn every_status_keeps_its_number_and_has_a_name_and_a_sentence() {
    for (name, number) in FROZEN {
        assert_eq!(text(nanodb_status_name(number)), name);
        assert!(!text(nanodb_strerror(number)).is_empty());
    }
    for number in [-1, 21, 99, 104, i32::MAX, i32::MIN] {
        assert_eq!(text(nanodb_status_name(number)), "NANODB_UNKNOWN");
        assert_eq!(text(nanodb_strerror(number)), "no status of this library");
    }
    let header = include_str!("../../include/nanodb.h");
    let defined = header.lines().filter(|line| {
        line.starts_with("#define NANODB_")
            && FROZEN.iter().any(|(name, number)| *line == format!("#define {name} {number}"))
    });
    assert_eq!(defined.count(), FROZEN.len());
}

#[test]
fn every_kind_of_error_has_a_number_of_its_own_in_its_order() {
    let source = include_str!("../../../nanodb-document/src/error.rs");
    let list = source.split_once("pub enum ErrorKind {").unwrap().1.split_once("\n}").unwrap().0;
    let kinds: Vec<&str> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.is_empty())
        .map(|line| line.trim_end_matches(','))
        .collect();
    let expected: Vec<String> = kinds
        .iter()
        .map(|kind| {
            let mut name = "NANODB".to_owned();
            for letter in kind.chars() {
                if letter.is_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        })
        .collect();
    let numbered: Vec<&str> = FROZEN
        .iter()
        .filter(|(_, number)| (1..100).contains(number))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(expected, numbered);
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(text(nanodb_version()), env!("CARGO_PKG_VERSION"));
}

/// What programs were compiled with stays where it is.
#[cfg(target_pointer_width = "64")]
#[test]
fn types_keep_their_layout() {
    use std::mem::{align_of, offset_of, size_of};
    let handles = [
        (size_of::<nanodb_db>(), align_of::<nanodb_db>()),
        (size_of::<nanodb_collection>(), align_of::<nanodb_collection>()),
        (size_of::<nanodb_transaction>(), align_of::<nanodb_transaction>()),
        (size_of::<nanodb_snapshot>(), align_of::<nanodb_snapshot>()),
        (size_of::<nanodb_cursor>(), align_of::<nanodb_cursor>()),
    ];
    assert_eq!(handles, [(8, 8); 5]);
    assert_eq!((size_of::<nanodb_status>(), size_of::<nanodb_format>()), (4, 4));
    assert_eq!((NANODB_MSGPACK, NANODB_JSON), (1, 2));
    assert_eq!(NANODB_NUL_TERMINATED, usize::MAX);
    assert_eq!(size_of::<nanodb_buf>(), 16);
    assert_eq!((offset_of!(nanodb_buf, data), offset_of!(nanodb_buf, len)), (0, 8));
    assert_eq!(size_of::<nanodb_error>(), 24);
    let error = [
        offset_of!(nanodb_error, status),
        offset_of!(nanodb_error, message),
        offset_of!(nanodb_error, details),
    ];
    assert_eq!(error, [0, 8, 16]);
    assert_eq!(size_of::<nanodb_update_result>(), 32);
    let result = [
        offset_of!(nanodb_update_result, matched),
        offset_of!(nanodb_update_result, modified),
        offset_of!(nanodb_update_result, upserted_id),
    ];
    assert_eq!(result, [0, 8, 16]);
    assert_eq!(size_of::<nanodb_progress>(), 32);
    let progress = [
        offset_of!(nanodb_progress, round),
        offset_of!(nanodb_progress, pages_done),
        offset_of!(nanodb_progress, pages),
        offset_of!(nanodb_progress, file_bytes),
    ];
    assert_eq!(progress, [0, 8, 16, 24]);
}
