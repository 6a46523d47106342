//! The methods of documents and values in memory, against a list of pairs.

use nanodb_document::{Document, Encode, Entry, ErrorKind, Value, array, doc};
use proptest::prelude::*;

use super::any::cases;

#[derive(Clone, Debug)]
enum Op {
    Insert(u8, i64),
    Remove(u8),
    RemoveEntry(u8),
    EntryOrInsert(u8, i64),
    EntryModify(u8, i64),
    EntryRemove(u8),
    Index(u8, i64),
    Append(Vec<(u8, i64)>),
    Retain(i64),
    SortKeys,
    SetAll(i64),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0_u8..12;
    let number = || -3_i64..3;
    prop_oneof![
        6 => (key(), number()).prop_map(|(key, number)| Op::Insert(key, number)),
        2 => key().prop_map(Op::Remove),
        1 => key().prop_map(Op::RemoveEntry),
        2 => (key(), number()).prop_map(|(key, number)| Op::EntryOrInsert(key, number)),
        2 => (key(), number()).prop_map(|(key, number)| Op::EntryModify(key, number)),
        1 => key().prop_map(Op::EntryRemove),
        2 => (key(), number()).prop_map(|(key, number)| Op::Index(key, number)),
        1 => prop::collection::vec((key(), number()), 0..30).prop_map(Op::Append),
        1 => number().prop_map(Op::Retain),
        1 => Just(Op::SortKeys),
        1 => number().prop_map(Op::SetAll),
        1 => Just(Op::Clear),
    ]
}

/// The same as a list of pairs.
#[derive(Default)]
struct Model(Vec<(String, i64)>);

impl Model {
    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(other, _)| other == name)
    }

    fn insert(&mut self, name: &str, number: i64) -> Option<i64> {
        match self.position(name) {
            Some(at) => Some(std::mem::replace(&mut self.0[at].1, number)),
            None => {
                self.0.push((name.to_owned(), number));
                None
            }
        }
    }

    fn remove(&mut self, name: &str) -> Option<(String, i64)> {
        self.position(name).map(|at| self.0.remove(at))
    }
}

fn name(key: u8) -> String {
    format!("k{key}")
}

fn run(document: &mut Document, model: &mut Model, op: Op) {
    match op {
        Op::Insert(key, number) => {
            let old = document.insert(name(key), number);
            assert_eq!(old, model.insert(&name(key), number).map(Value::from));
        }
        Op::Remove(key) => {
            let removed = document.remove(&name(key));
            assert_eq!(removed, model.remove(&name(key)).map(|(_, number)| number.into()));
        }
        Op::RemoveEntry(key) => {
            let removed = document.remove_entry(&name(key));
            let expected = model.remove(&name(key)).map(|(name, number)| (name, number.into()));
            assert_eq!(removed, expected);
        }
        Op::EntryOrInsert(key, number) => {
            let expected = model.position(&name(key)).map_or(number, |at| model.0[at].1);
            assert_eq!(*document.entry(name(key)).or_insert(number), expected);
            model.insert(&name(key), expected);
        }
        Op::EntryModify(key, number) => {
            let entry = document.entry(name(key)).and_modify(|value| *value = number.into());
            assert_eq!(entry.key(), name(key));
            let expected = if model.position(&name(key)).is_some() { number } else { 7 };
            assert_eq!(*entry.or_insert_with(|| 7.into()), expected);
            model.insert(&name(key), expected);
        }
        Op::EntryRemove(key) => match document.entry(name(key)) {
            Entry::Occupied(mut entry) => {
                let (found, number) = model.remove(&name(key)).unwrap();
                assert_eq!((entry.key(), entry.get().as_i64()), (&*found, Some(number)));
                assert_eq!(entry.insert(8), number);
                assert_eq!(entry.remove_entry(), (found, 8.into()));
            }
            Entry::Vacant(entry) => {
                assert_eq!(entry.key(), name(key));
                assert_eq!(model.position(&name(key)), None);
            }
        },
        Op::Index(key, number) => {
            document[name(key).as_str()] = number.into();
            model.insert(&name(key), number);
        }
        Op::Append(fields) => {
            let mut other: Document = fields.iter().map(|(key, n)| (name(*key), *n)).collect();
            document.append(&mut other);
            assert!(other.is_empty());
            // The last of a name that occurs twice in the other document.
            for (key, number) in fields {
                model.insert(&name(key), number);
            }
        }
        Op::Retain(number) => {
            document.retain(|_, value| *value != number);
            model.0.retain(|(_, other)| *other != number);
        }
        Op::SortKeys => {
            document.sort_keys();
            model.0.sort();
        }
        Op::SetAll(number) => {
            document.values_mut().for_each(|value| *value = number.into());
            model.0.iter_mut().for_each(|(_, value)| *value = number);
        }
        Op::Clear => {
            document.clear();
            model.0.clear();
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn documents_do_what_a_list_of_pairs_does(ops in prop::collection::vec(op(), 0..40)) {
        let (mut document, mut model) = (Document::new(), Model::default());
        for op in ops {
            run(&mut document, &mut model, op);
            let pairs: Vec<_> = model.0.iter().map(|(name, n)| (name.as_str(), *n)).collect();
            let numbers: Vec<_> = pairs.iter().map(|(_, n)| Value::from(*n)).collect();
            prop_assert!(document.keys().eq(pairs.iter().map(|(name, _)| *name)));
            prop_assert!(document.values().eq(&numbers));
            prop_assert!(document.clone().into_values().eq(numbers.iter().cloned()));
            prop_assert!(document.clone().into_keys().eq(document.keys()));
            let ends = (model.0.first(), model.0.last());
            let own = |(name, number): &(String, i64)| (name.clone(), Value::from(*number));
            let owned = |(name, value): (&str, &Value)| (name.to_owned(), value.clone());
            prop_assert_eq!(document.first().map(owned), ends.0.map(own));
            prop_assert_eq!(document.last().map(owned), ends.1.map(own));
            for key in 0..12 {
                let there = pairs.iter().find(|(other, _)| *other == name(key));
                prop_assert_eq!(document.contains_key(&name(key)), there.is_some());
                prop_assert_eq!(document.get_i64(&name(key)).ok(), there.map(|(_, n)| *n));
            }
        }
    }
}

#[test]
fn a_path_sets_what_it_leads_to_and_makes_what_is_missing() {
    let mut document = doc! { "a": { "b": [1, { "c": 2 }] } };
    assert_eq!(document.set_path("a.b.1.c", 3).unwrap(), Some(2.into()));
    assert_eq!(document.set_path("a.b.2", "end").unwrap(), None);
    assert_eq!(document.set_path("a.b.3.x.y", 4).unwrap(), None);
    assert_eq!(document.set_path("n.o", array![5]).unwrap(), None);
    assert_eq!(document.set_path("n", 6).unwrap(), Some(doc! { "o": [5] }.into()));
    assert_eq!(
        document,
        doc! { "a": { "b": [1, { "c": 3 }, "end", { "x": { "y": 4 } }] }, "n": 6 }
    );
}

#[test]
fn a_path_that_leads_nowhere_changes_nothing_and_says_where_it_ends() {
    let before = doc! { "a": { "b": [1, null] }, "s": "text" };
    for (path, kind, text) in [
        ("s.x", ErrorKind::WrongType, "`s` is a string, which has no fields"),
        ("a.b.0.x.y", ErrorKind::WrongType, "`a.b.0` is an integer, which has no fields"),
        ("a.b.1.x", ErrorKind::WrongType, "`a.b.1` is null, which has no fields"),
        ("a.b.x", ErrorKind::WrongType, "`a.b` is an array, which has no element `x`"),
        ("a.b.01", ErrorKind::WrongType, "`a.b` is an array, which has no element `01`"),
        ("a.b.3", ErrorKind::NotFound, "`a.b` has 2 elements, and none to come before 3"),
    ] {
        let mut document = before.clone();
        let error = document.set_path(path, 1).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
        assert!(path.starts_with(error.path().unwrap()));
        assert_eq!(document, before);
        assert_eq!(document.remove_path(path), None);
        assert_eq!(document.get_path_mut(path), None);
    }
}

#[test]
fn an_integer_is_read_as_the_type_that_holds_it() {
    let document = doc! { "big": u64::MAX, "negative": -1, "small": 5, "float": 5.0, "null": null };
    let mut buffer = Vec::new();
    let draft = document.encode(Some(1.into()), &mut buffer).unwrap();
    let view = nanodb_document::DocView::from_bytes(draft.record(&buffer));
    for (error, text) in [
        (document.get_i64("big"), "`big` is 18446744073709551615, which does not fit into an i64"),
        (document.get_i64("float"), "`float` is a float, not an integer"),
        (document.get_i64("null"), "`null` is null, not an integer"),
        (view.get_i64("big"), "`big` is 18446744073709551615, which does not fit into an i64"),
        (view.get_i64("float"), "`float` is a float, not an integer"),
    ] {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::WrongType, text));
    }
    for error in [document.get_u64("negative"), view.get_u64("negative")] {
        let text = "`negative` is -1, which does not fit into a u64";
        assert_eq!(error.unwrap_err().to_string(), text);
    }
    assert_eq!(document.get_u64("big").unwrap(), u64::MAX);
    assert_eq!(view.get_u64("big").unwrap(), u64::MAX);
    assert_eq!(document.get_f64("small").unwrap(), 5.0);
    assert_eq!(view.get_f64("small").unwrap(), 5.0);
}

#[test]
fn what_is_not_there_lists_what_there_is_and_damage_is_not_said_to_be_missing() {
    let many: Document = (0..30).map(|n| (format!("f{n}"), n)).collect();
    let text = many.get_str("x").unwrap_err().to_string();
    assert!(text.starts_with("there is no field `x`; there are: `f0`, `f1`, "), "{text}");
    assert!(text.ends_with("`f19`, and 10 more"), "{text}");
    let error = Document::new().get_str("x").unwrap_err();
    assert_eq!(error.to_string(), "there is no field `x`; the document is empty");
    let view = nanodb_document::DocView::from_bytes(&[0x82, 0xa1, b'a', 1, 0xa1]);
    assert_eq!(view.get_i64("a").unwrap(), 1);
    assert_eq!(view.get_i64("b").unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn null_becomes_a_document_by_setting_a_field_of_it() {
    let mut document = Document::new();
    document["a"]["b"]["c"] = 1.into();
    assert_eq!(document, doc! { "a": { "b": { "c": 1 } } });
}

#[test]
#[should_panic(expected = "an integer has no field `b`")]
fn setting_a_field_of_a_number_is_a_mistake_of_the_program() {
    let mut document = doc! { "a": 1 };
    document["a"]["b"] = 2.into();
}
