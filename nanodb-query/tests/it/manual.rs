//! The examples of docs/query.md.

use std::collections::BTreeMap;

use nanodb_msgpack::{RawValue, compare};
use nanodb_query::bytes::{FilterBytes, ProjectionBytes, SortBytes, UpdateBytes};
use nanodb_query::{Filter, Projection, Sort, Update, UpdateContext};

use crate::json::Json;

const MANUAL: &str = include_str!("../../../docs/query.md");

/// The lines of the blocks of examples: a word, and JSON after it.
fn examples() -> Vec<Vec<(&'static str, &'static str)>> {
    let blocks = MANUAL.split("\n```json\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(|block| block.lines().map(|line| line.split_once(' ').unwrap()).collect()).collect()
}

fn msgpack(json: &str) -> Vec<u8> {
    serde_json::from_str::<Json>(json)
        .unwrap_or_else(|error| panic!("{json}: {error}"))
        .to_msgpack()
}

/// A value as a query has it, `$date` and the like read.
fn value(json: &str) -> Vec<u8> {
    let filter = format!(r#"{{"$set": {{"a": {json}}}}}"#);
    let mut out = Vec::new();
    let update = Update::parse_json(&filter).unwrap();
    update.apply(b"\x80", &UpdateContext::default(), &mut out).unwrap();
    RawValue::new(&out).field("a").unwrap().unwrap().bytes().unwrap().to_vec()
}

/// The lines of a block so far.
#[derive(Default)]
struct Example {
    query: (&'static str, &'static str),
    document: Vec<u8>,
    sorted: Vec<Vec<u8>>,
    array_filters: &'static str,
    matching: &'static str,
    upsert: &'static str,
}

impl Example {
    fn read(&mut self, word: &'static str, rest: &'static str) {
        match word {
            "filter" | "sort" | "project" | "update" => {
                self.query = (word, rest);
                self.sorted.clear();
            }
            "yes" | "no" => {
                let filter = Filter::parse_json(self.query.1).unwrap();
                let found = filter.matches(&msgpack(rest)).unwrap();
                assert_eq!(found, word == "yes", "{} on {rest}", self.query.1);
            }
            "refused" => {
                let error = match self.query {
                    ("update", text) => Update::parse_json(text).unwrap_err(),
                    ("project", text) => Projection::parse_json(text).unwrap_err(),
                    (_, text) => Filter::parse_json(text).unwrap_err(),
                };
                assert!(error.to_string().starts_with(rest), "{error}");
            }
            "order" => {
                let key = self.query.1.parse::<Sort>().unwrap().key(&msgpack(rest)).unwrap();
                let below = self.sorted.iter().all(|before| *before < key);
                assert!(below, "{} on {rest}", self.query.1);
                self.sorted.push(key);
            }
            "from" => self.document = msgpack(rest),
            // A field that is an array of so many elements like the one there.
            "many" => {
                let (count, one) = rest.split_once(' ').unwrap();
                let many: serde_json::Map<_, _> = serde_json::from_str(one).unwrap();
                let fields = many
                    .into_iter()
                    .map(|(name, element)| (name, vec![element; count.parse().unwrap()].into()));
                let fields: serde_json::Map<String, serde_json::Value> = fields.collect();
                self.document = msgpack(&serde_json::to_string(&fields).unwrap());
            }
            "differs" => {}
            "filters" => self.array_filters = rest,
            "matching" => self.matching = rest,
            "upsert" => self.upsert = rest,
            "to" if self.query.0 == "project" => {
                let projection = self.query.1.parse::<Projection>().unwrap();
                let matching = std::mem::take(&mut self.matching);
                let matching = if matching.is_empty() { "{}" } else { matching };
                let filter = Filter::parse_json(matching).unwrap();
                assert!(filter.matches(&self.document).unwrap());
                let matched = filter.matched_element(&self.document).unwrap();
                let mut out = Vec::new();
                projection.apply_matched(&self.document, matched, &mut out).unwrap();
                assert_eq!(out, msgpack(rest), "{}", self.query.1);
            }
            "to" => {
                let found = self.update().unwrap();
                let equal = compare(RawValue::new(&found), RawValue::new(&value(rest))).unwrap();
                assert!(equal.is_eq(), "{}: {}", self.query.1, crate::json::show(&[found]));
            }
            "fails" => assert_eq!(self.update().unwrap_err(), rest),
            word => panic!("{word}"),
        }
    }

    /// What becomes of the document; the lines that say how are used up by it.
    fn update(&mut self) -> Result<Vec<u8>, String> {
        let text = |text: &'static str, otherwise| if text.is_empty() { otherwise } else { text };
        let filters = text(std::mem::take(&mut self.array_filters), "[]");
        let update = Update::parse_json_with_filters(self.query.1, filters).unwrap();
        let matching = Filter::parse_json(text(std::mem::take(&mut self.matching), "{}")).unwrap();
        assert!(matching.matches(&self.document).unwrap_or(true));
        let matched = matching.matched_element(&self.document).unwrap_or(None);
        let context = UpdateContext { matched, ..UpdateContext::default() };
        let mut out = Vec::new();
        let upsert = std::mem::take(&mut self.upsert);
        let changed = if upsert.is_empty() {
            update.apply(&self.document, &context, &mut out)
        } else {
            let filter = Filter::parse_json(upsert).unwrap();
            update.upsert(&filter, &context, &mut out).map(|()| true)
        };
        match changed {
            Ok(true) => Ok(out),
            Ok(false) => Ok(self.document.clone()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[test]
fn every_example_of_the_manual_is_right() {
    let mut seen = BTreeMap::new();
    for block in examples() {
        let mut example = Example::default();
        for (word, rest) in block {
            *seen.entry(word).or_insert(0) += 1;
            example.read(word, rest.trim());
        }
    }
    assert!(
        seen["yes"] > 40 && seen["no"] > 40 && seen["order"] > 5 && seen["to"] > 30,
        "{seen:?}"
    );
}

const OPERATORS: &str = "$eq $ne $gt $gte $lt $lte $in $nin $and $or $nor $not $exists $type $regex \
    $options $size $all $elemMatch $mod $slice $expr $where $regularExpression $set $unset $inc \
    $mul $min $max $rename $setOnInsert $currentDate $push $each $position $sort $addToSet $pull \
    $pullAll $pop $bit $mergePatch $replaceWith $bitsAllSet $bitsAllClear $bitsAnySet \
    $bitsAnyClear $comment";

#[test]
fn every_operator_has_an_example() {
    let text = examples().concat().into_iter().map(|(_, json)| json).collect::<String>();
    for operator in OPERATORS.split_whitespace() {
        assert!(text.contains(&format!("\"{operator}\"")), "{operator}");
    }
}

#[test]
fn the_page_on_operators_lists_them() {
    let page = include_str!("../../src/operators.rs");
    // Not supported, or the form of a value.
    let others = ["$expr", "$where", "$regularExpression"];
    for operator in OPERATORS.split_whitespace().filter(|name| !others.contains(name)) {
        assert!(page.contains(&format!("`{operator}`")), "{operator}");
    }
}

#[test]
fn every_difference_from_mongodb_has_an_example() {
    let table = MANUAL.split("## What differs from MongoDB").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let rows: Vec<&str> = rows.filter(|cell| cell.parse::<u32>().is_ok()).collect();
    let mut with_example = Vec::new();
    for block in examples() {
        let numbers = block.iter().enumerate().filter(|(_, (word, _))| *word == "differs");
        for (at, (_, number)) in numbers {
            let checks = ["yes", "no", "refused", "fails", "to", "order"];
            let own = block[at + 1..].iter().take_while(|(word, _)| *word != "differs");
            assert!(own.clone().any(|(word, _)| checks.contains(word)), "{number}");
            with_example.push(*number);
        }
    }
    assert!(rows.len() > 20);
    assert_eq!(rows, with_example);
}
