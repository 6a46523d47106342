//! Specs as bytes, and what is refused.

use super::*;
use crate::field;

#[test]
fn a_stored_spec_has_these_bytes_for_ever() {
    let spec = Index::ascending("city")
        .then_descending("age")
        .unique()
        .partial(field("n").gt(1))
        .name("by")
        .spec()
        .unwrap();
    let expected = b"\x01\x01\x05\x02by\x02\x00\x04city\x01\x03age\x0b\x81\xa1n\x81\xa3$gt\x01";
    // The length of the filter comes before it.
    let mut expected = expected.to_vec();
    let filter = expected.iter().position(|&byte| byte == 0x0b).unwrap();
    expected[filter] = u8::try_from(expected.len() - filter - 1).unwrap();
    assert_eq!(spec.encode(), expected);
    assert_eq!(IndexSpec::decode(&expected).unwrap(), spec);

    let expires = Index::descending("seen").sparse().expire_after(300).spec().unwrap();
    assert_eq!(expires.encode(), b"\x01\x01\x0a\x07seen_-1\x01\x01\x04seen\xac\x02");
    assert_eq!(IndexSpec::decode(&expires.encode()).unwrap(), expires);
}

#[test]
fn bytes_of_a_newer_version_and_damaged_ones_are_told_apart() {
    let bytes = Index::ascending("a").spec().unwrap().encode();
    let refused = |bytes: &[u8]| match IndexSpec::decode(bytes).unwrap_err().problem() {
        Problem::Index(IndexProblem::Stored { problem }) => *problem,
        other => panic!("{other:?}"),
    };
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        refused(&bytes)
    };
    assert_eq!(with(0, 2), "is of a newer version");
    assert_eq!(with(1, 2), "is of a newer version");
    assert_eq!(with(2, 16), "is of a newer version");
    assert_eq!(with(0, 0), "is damaged");
    for cut in 0..bytes.len() {
        assert_eq!(refused(&bytes[..cut]), "is damaged");
    }
    assert_eq!(refused(&[&bytes[..], &[0]].concat()), "is damaged");
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            // Refused or another spec, which is stored as these bytes.
            if let Ok(spec) = IndexSpec::decode(&bytes) {
                assert_eq!(spec.encode(), bytes);
            }
        }
    }
}
