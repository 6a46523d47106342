//! Random files of both versions, against what was put into them.

use std::collections::BTreeMap;

use nanodb_database::{Document, Id, Value, doc};
use proptest::prelude::*;

use super::writer::{GoWriter, VERSIONS, Version, encoded};
use super::{Contents, skipping, sorted, strictly};

#[derive(Clone, Debug)]
enum Op {
    Create(String),
    Insert(usize, u64, Document),
    Update(usize, usize, Document),
    Delete(usize, usize),
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1e18..1e18_f64).prop_map(Value::Float),
        (-5..5_i8).prop_map(|whole| Value::Float(whole.into())),
        "[a-zü日\u{1f600}]{0,40}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            fields(inner).prop_map(Value::Document),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Document> {
    let names = "[a-d$.é]{0,3}";
    prop::collection::btree_map(names, value, 0..5).prop_map(|fields| fields.into_iter().collect())
}

fn document() -> impl Strategy<Value = Document> {
    // Some fill a page.
    let long = prop_oneof![8 => 0..200_usize, 1 => 3000..3900_usize];
    (fields(value()), long).prop_map(|(mut document, long)| {
        document.insert("long", "x".repeat(long));
        document
    })
}

fn op() -> impl Strategy<Value = Op> {
    let at = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 16));
    prop_oneof![
        1 => "[a-zü ]{1,20}".prop_map(Op::Create),
        12 => (at(), any::<u64>(), document()).prop_map(|(at, id, new)| Op::Insert(at, id, new)),
        3 => (at(), at(), document()).prop_map(|(at, which, new)| Op::Update(at, which, new)),
        3 => (at(), at()).prop_map(|(at, which)| Op::Delete(at, which)),
    ]
}

/// Does it to a file, and to what is expected of it.
fn apply(op: &Op, file: &mut GoWriter, expected: &mut Contents) {
    let name =
        |expected: &Contents, at: usize| expected.keys().nth(at % expected.len().max(1)).cloned();
    let id_at = |documents: &BTreeMap<Id, Document>, at: usize| {
        let id = documents.keys().nth(at % documents.len().max(1)).cloned()?;
        let key = match id {
            Id::Int(id) => id as u64,
            Id::UInt(id) => id,
            ref other => panic!("{other:?}"),
        };
        Some((id, key))
    };
    match op {
        Op::Create(name) if expected.contains_key(name) => {}
        Op::Create(name) => {
            file.create(name.as_bytes());
            expected.insert(name.clone(), BTreeMap::new());
        }
        Op::Insert(at, id, new) => {
            let Some(name) = name(expected, *at) else { return };
            let documents = expected.get_mut(&name).unwrap();
            if fits(new) && !documents.contains_key(&Id::from(*id)) {
                file.insert(&name, *id, new);
                documents.insert(Id::from(*id), with_id(*id, new));
            }
        }
        Op::Update(at, which, new) => {
            let Some(name) = name(expected, *at) else { return };
            let documents = expected.get_mut(&name).unwrap();
            if let Some((id, key)) = id_at(documents, *which).filter(|_| fits(new)) {
                file.delete(&name, key);
                file.insert(&name, key, new);
                documents.insert(id, with_id(key, new));
            }
        }
        Op::Delete(at, which) => {
            let Some(name) = name(expected, *at) else { return };
            let documents = expected.get_mut(&name).unwrap();
            if let Some((id, key)) = id_at(documents, *which) {
                file.delete(&name, key);
                documents.remove(&id);
            }
        }
    }
}

/// Whether the program can store a document without ending up in an endless loop.
fn fits(document: &Document) -> bool {
    encoded(0, document).len() <= 4072
}

fn with_id(id: u64, document: &Document) -> Document {
    let mut with_id = document.clone();
    with_id.insert("_id", Value::from(id));
    sorted(with_id)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_was_stored_and_not_deleted_is_imported(
        ops in prop::collection::vec(op(), 1..120),
        is_tree in any::<bool>(),
    ) {
        let mut file = GoWriter::new(VERSIONS[usize::from(is_tree)]);
        let mut expected = Contents::new();
        for op in &ops {
            apply(op, &mut file, &mut expected);
        }
        let file = file.bytes();
        prop_assert_eq!(&strictly(&file).unwrap(), &expected);
        let (skipped, report) = skipping(&file);
        prop_assert!(report.is_complete(), "{:?}", report.problems);
        prop_assert_eq!(skipped, expected);
    }
}

#[test]
fn every_id_is_kept_and_a_document_without_one_has_that_of_its_record() {
    let ids = [0, 1, 127, 1 << 48, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    for version in VERSIONS {
        let mut file = GoWriter::new(version);
        file.create(b"c");
        for id in ids {
            file.insert("c", id, &doc! { "n": (id as f64) });
        }
        file.insert_bytes("c", 7, &[0x80]);
        let imported = &strictly(&file.bytes()).unwrap()["c"];
        let expected = ids.map(|id| (Id::from(id), with_id(id, &doc! { "n": (id as f64) })));
        let mut expected = BTreeMap::from(expected);
        expected.insert(Id::from(7), doc! { "_id": 7 });
        assert_eq!(*imported, expected);
    }
}

#[test]
fn more_collections_than_a_page_lists_are_found() {
    for version in VERSIONS {
        let mut file = GoWriter::new(version);
        let names: Vec<String> = (0..400).map(|n| format!("collection {n}")).collect();
        for (n, name) in (0..).zip(&names) {
            file.create(name.as_bytes());
            file.insert(name, n, &doc! {});
        }
        let imported = strictly(&file.bytes()).unwrap();
        assert_eq!(imported.len(), 400);
        let ids = names.iter().map(|name| imported[name].keys().next().cloned().unwrap());
        assert!(ids.eq((0..400_u64).map(Id::from)));
    }
}

#[test]
fn a_list_of_vectors_is_left_out_and_what_only_looks_like_one_is_not() {
    let vectors = |root: &[u8], number: &[u8]| {
        let mut list = b"\x83\xa3_id\xcf\0\0\0\0\0\0\0\x01\xa4type\xadbucket_config".to_vec();
        list.extend(b"\xa7buckets\x91\x82\xa4root");
        list.extend(root);
        list.extend(b"\xa3vec\x92");
        list.extend([number, number].concat());
        list
    };
    let list = vectors(b"\xce\0\0\0\x05", b"\xca\x3f\x80\0\0");
    let mut file = GoWriter::new(Version::Tree);
    file.create(b"c");
    file.insert("c", 50, &doc! { "_embeddings": [1.0, 2.0] });
    file.insert_bytes("c", 1, &list);
    // One that was written before stays if the program does not find it.
    file.insert_bytes("c", 1, &list);
    let (imported, report) = skipping(&file.bytes());
    assert!(report.is_complete());
    assert_eq!(imported["c"].keys().cloned().collect::<Vec<_>>(), [Id::from(50)]);
    assert_eq!((report.collections[0].vector_lists, report.collections[0].documents), (2, 1));

    // What a user has stored has floats of 8 bytes only.
    let (root, number) = (b"\xcb\x40\x14\0\0\0\0\0\0", b"\xcb\x3f\xf0\0\0\0\0\0\0");
    for list in [vectors(root, b"\xca\x3f\x80\0\0"), vectors(b"\x05", number)] {
        let mut file = GoWriter::new(Version::Tree);
        file.create(b"c");
        file.insert_bytes("c", 1, &list);
        assert_eq!(strictly(&file.bytes()).unwrap()["c"].len(), 1);
    }
}

#[test]
fn collections_of_one_name_become_one_which_the_report_says() {
    let mut file = GoWriter::new(Version::Hash);
    for id in [1, 2] {
        file.create(b"twice");
        file.insert("twice", id, &doc! { "n": (id as f64) });
    }
    let (imported, report) = skipping(&file.bytes());
    assert_eq!(imported["twice"].len(), 2);
    assert_eq!((report.collections[0].same_name, report.is_complete()), (2, true));
    assert_eq!(strictly(&file.bytes()).unwrap(), imported);
}
