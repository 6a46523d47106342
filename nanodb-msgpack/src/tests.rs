//! The cursor against the tables, and against `rmp` on everything near a boundary.

use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// Integers around every change of form.
fn boundary_integers() -> Vec<i128> {
    let mut numbers = vec![i128::from(i64::MIN), i128::from(u64::MAX)];
    for bits in [0, 5, 7, 8, 15, 16, 31, 32, 63] {
        let power = 1_i128 << bits;
        for near in -2..=2 {
            numbers.extend([power + near, -power + near]);
        }
    }
    let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
    numbers.retain(|number| range.contains(number));
    numbers
}

#[test]
fn integers_are_written_as_rmp_writes_them_and_read_back() {
    for number in boundary_integers() {
        let mut expected = Vec::new();
        let (ours, token) = match i64::try_from(number) {
            Ok(number) => {
                rmp::encode::write_sint(&mut expected, number).unwrap();
                (written(|out| write_int(out, number)), Token::Int(number))
            }
            Err(_) => {
                let number = u64::try_from(number).unwrap();
                rmp::encode::write_uint(&mut expected, number).unwrap();
                (written(|out| write_uint(out, number)), Token::UInt(number))
            }
        };
        assert_eq!(ours, expected, "{number}");
        let mut cursor = Cursor::new(&ours);
        assert_eq!(cursor.read(), Some(token));
        assert!(cursor.rest().is_empty());
        assert!(token.is_canonical(&ours));
    }
}

#[test]
fn payloads_and_headers_are_written_as_rmp_writes_them() {
    for len in [0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 255, 256, 65_535, 65_536, 70_000] {
        let text = "x".repeat(len);
        let count = u32::try_from(len).unwrap();
        let pairs: [(Vec<u8>, Vec<u8>); 5] = [
            (written(|out| assert!(write_string(out, &text))), {
                written(|out| rmp::encode::write_str(out, &text).unwrap())
            }),
            (written(|out| assert!(write_binary(out, text.as_bytes()))), {
                written(|out| rmp::encode::write_bin(out, text.as_bytes()).unwrap())
            }),
            (written(|out| assert!(write_ext(out, 5, text.as_bytes()))), {
                written(|out| {
                    rmp::encode::write_ext_meta(out, count, 5).unwrap();
                    out.extend_from_slice(text.as_bytes());
                })
            }),
            (written(|out| write_array_len(out, count)), {
                written(|out| assert!(rmp::encode::write_array_len(out, count).is_ok()))
            }),
            (written(|out| write_map_len(out, count)), {
                written(|out| assert!(rmp::encode::write_map_len(out, count).is_ok()))
            }),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(ours, theirs, "length {len}");
            let mut cursor = Cursor::new(&ours);
            let token = cursor.read().unwrap();
            assert!(cursor.rest().is_empty());
            assert!(token.is_canonical(&ours), "length {len}");
        }
    }
}

#[test]
fn longer_forms_are_read_and_known_as_not_canonical() {
    let cases: [(&[u8], Token<'_>); 12] = [
        (&[0xcc, 5], Token::Int(5)),
        (&[0xd0, 5], Token::Int(5)),
        (&[0xd0, 0xff], Token::Int(-1)),
        (&[0xd1, 1, 0x2c], Token::Int(300)),
        (&[0xcf, 0, 0, 0, 0, 0, 0, 0, 1], Token::Int(1)),
        (&[0xca, 0x3f, 0x80, 0, 0], Token::Float(1.0)),
        (&[0xd9, 1, b'x'], Token::String(b"x")),
        (&[0xc5, 0, 1, 7], Token::Binary(&[7])),
        (&[0xdc, 0, 2], Token::Array(2)),
        (&[0xdf, 0, 0, 0, 1], Token::Map(1)),
        (&[0xc7, 1, 3, 9], Token::Ext(3, &[9])),
        (&[0xd3, 0, 0, 0, 1, 0, 0, 0, 0], Token::Int(1 << 32)),
    ];
    for (bytes, token) in cases {
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.read(), Some(token));
        assert!(!token.is_canonical(bytes), "{bytes:02x?}");
    }
}

#[test]
fn the_byte_that_messagepack_never_uses_is_refused() {
    assert_eq!(Cursor::new(&[0xc1]).read(), None);
    assert_eq!(Cursor::new(&[0xc1]).skip(), None);
}

#[test]
fn every_first_byte_is_skipped_exactly_as_it_is_read() {
    for marker in 0..=u8::MAX {
        let bytes: Vec<u8> = std::iter::once(marker).chain([0_u8; 40]).collect();
        let mut reader = Cursor::new(&bytes);
        let children = match reader.read() {
            Some(Token::Array(len)) => Some(u64::from(len)),
            Some(Token::Map(len)) => Some(2 * u64::from(len)),
            Some(_) => Some(0),
            None => None,
        };
        let read = children.and_then(|children| reader.skip_many(children));
        let mut skipper = Cursor::new(&bytes);
        assert_eq!(skipper.skip(), read, "{marker:02x}");
        if read.is_some() {
            assert_eq!(skipper.rest().len(), reader.rest().len(), "{marker:02x}");
        } else {
            assert_eq!(skipper.rest().len(), bytes.len(), "a failed skip moves nothing");
        }
    }
}

#[test]
fn every_cut_of_every_form_is_refused() {
    for marker in (0xa1..=0xbf).chain(0xc4..=0xdf).chain(0x81..=0x9f) {
        let bytes: Vec<u8> = std::iter::once(marker).chain([1_u8; 64]).collect();
        let mut cursor = Cursor::new(&bytes);
        let size = match cursor.skip() {
            Some(()) => bytes.len() - cursor.rest().len(),
            None => continue,
        };
        for cut in 0..size {
            assert_eq!(Cursor::new(&bytes[..cut]).skip(), None, "{marker:02x} cut at {cut}");
        }
    }
}

#[test]
fn nesting_of_a_million_levels_is_skipped_on_a_flat_stack() {
    let mut bytes = vec![0x91; 1_000_000];
    assert_eq!(Cursor::new(&bytes).skip(), None);
    bytes.push(0xc0);
    let mut cursor = Cursor::new(&bytes);
    assert_eq!(cursor.skip(), Some(()));
    assert!(cursor.rest().is_empty());
}

#[test]
fn lengths_that_lie_are_refused_at_once() {
    let claims = [0xdf, 0xff, 0xff, 0xff, 0xff];
    let bytes: Vec<u8> = claims.iter().copied().cycle().take(50_000).collect();
    assert_eq!(Cursor::new(&bytes).skip(), None);
    assert_eq!(Cursor::new(&[0xdb, 0xff, 0xff, 0xff, 0xff, 0]).read(), None);
    assert_eq!(Cursor::new(&[0xc9, 0xff, 0xff, 0xff, 0xff, 0]).skip(), None);
}
