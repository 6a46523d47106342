//! Exact bytes, so that files written today are read tomorrow.

use nanodb_document::{DocView, Id, IdRef, ObjectId, Timestamp, Uuid, Value, doc};

use super::encode;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn keys_of_ids_have_these_bytes() {
    let cases: [(Id, &str); 23] = [
        (0.into(), "00"),
        (127.into(), "7f"),
        (128.into(), "cc80"),
        (255.into(), "ccff"),
        (256.into(), "cd0100"),
        (65_535.into(), "cdffff"),
        (65_536.into(), "ce00010000"),
        (u32::MAX.into(), "ceffffffff"),
        ((1_u64 << 32).into(), "cf0000000100000000"),
        (i64::MAX.into(), "cf7fffffffffffffff"),
        (u64::MAX.into(), "cfffffffffffffffff"),
        ((-1).into(), "ff"),
        ((-32).into(), "e0"),
        ((-33).into(), "d0df"),
        ((-129).into(), "d1ff7f"),
        ((-32_769).into(), "d2ffff7fff"),
        (i64::MIN.into(), "d38000000000000000"),
        ("".into(), "a0"),
        ("abc".into(), "a3616263"),
        (
            "é".repeat(16).into(),
            "d920c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9",
        ),
        (Id::Binary(vec![]), "c400"),
        ([1_u8; 12].into(), "c40c010101010101010101010101"),
        (ObjectId::from_bytes([1; 12]).into(), "c70c07010101010101010101010101"),
    ];
    for (id, expected) in cases {
        assert_eq!(hex(&id.to_key()), expected, "{id}");
        let record = encode(&doc! { "_id": id.clone() }).unwrap();
        assert_eq!(hex(&record), format!("81a35f6964{expected}"));
        assert_eq!(Id::from_key(&id.to_key()), Some(id));
    }
    // A UUID has the key of its bytes, and only its record says that it is one.
    let uuid = Id::from(Uuid::from_bytes([1; 16]));
    assert_eq!(hex(&uuid.to_key()), format!("c410{}", "01".repeat(16)));
    let record = encode(&doc! { "_id": uuid }).unwrap();
    assert_eq!(hex(&record), format!("81a35f6964d804{}", "01".repeat(16)));
    assert_eq!(
        hex(&IdRef::UInt(5).to_key()),
        "05",
        "a hand-made id is brought to its shortest form"
    );
}

#[test]
fn a_document_has_these_bytes() {
    let document = doc! {
        "name": "Zürich",
        "_id": 8001,
        "population": 443_037,
        "area": 87.88,
        "lake": true,
        "twin": null,
        "lines": [2, -40, { "x": "y" }],
        "seal": Value::Binary(vec![0xde, 0xad]),
        "founded": Timestamp::new(-1, 500_000_000).unwrap(),
        "seen": Timestamp::new(1_700_000_000, 0).unwrap(),
        "exact": Timestamp::new(1_700_000_000, 1).unwrap(),
        "ext": Value::Ext(7, vec![1]),
    };
    let expected = [
        "8c",                                             // twelve fields
        "a35f6964cd1f41",                                 // "_id": 8001, though given second
        "a46e616d65a75ac3bc72696368",                     // "name": "Zürich"
        "aa706f70756c6174696f6ece0006c29d",               // "population": 443037
        "a461726561cb4055f851eb851eb8",                   // "area": 87.88
        "a46c616b65c3",                                   // "lake": true
        "a47477696ec0",                                   // "twin": null
        "a56c696e65739302d0d881a178a179",                 // "lines": [2, -40, {"x": "y"}]
        "a47365616cc402dead",                             // "seal": two bytes
        "a7666f756e646564c70cff1dcd6500ffffffffffffffff", // half a second before 1970
        "a47365656ed6ff6553f100",                         // "seen": seconds in four bytes
        "a56578616374d7ff000000046553f100", // "exact": nanoseconds and seconds in eight
        "a3657874d40701",                   // "ext": type 7, one byte
    ]
    .concat();
    let record = encode(&document).unwrap();
    assert_eq!(hex(&record), expected);
    assert_eq!(
        DocView::from_bytes(&record).to_string(),
        "{\"_id\": 8001, \"name\": \"Zürich\", \"population\": 443037, \"area\": 87.88, \
         \"lake\": true, \"twin\": null, \"lines\": [2, -40, {\"x\": \"y\"}], \"seal\": h'dead', \
         \"founded\": t'1969-12-31T23:59:59.5Z', \"seen\": t'2023-11-14T22:13:20Z', \
         \"exact\": t'2023-11-14T22:13:20.000000001Z', \"ext\": ext(7, h'01')}"
    );
}
