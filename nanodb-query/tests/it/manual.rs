//! The examples of docs/query.md.

use std::collections::BTreeMap;

use nanodb_query::{Filter, Projection, Sort};

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

#[test]
fn every_example_of_the_manual_is_right() {
    let mut seen = BTreeMap::new();
    for block in examples() {
        let mut query = ("", "");
        let mut sorted = Vec::new();
        for (word, rest) in block {
            let rest = rest.trim();
            *seen.entry(word).or_insert(0) += 1;
            let document = || msgpack(rest);
            match word {
                "filter" | "sort" | "project" => {
                    query = (word, rest);
                    sorted.clear();
                }
                "yes" | "no" => {
                    let filter = Filter::parse_json(query.1).unwrap();
                    let found = filter.matches(&document()).unwrap();
                    assert_eq!(found, word == "yes", "{} on {rest}", query.1);
                }
                "refused" => {
                    let error = Filter::parse_json(query.1).unwrap_err();
                    assert!(error.to_string().starts_with(rest), "{error}");
                }
                "order" => {
                    let key = query.1.parse::<Sort>().unwrap().key(&document()).unwrap();
                    assert!(sorted.iter().all(|before| *before < key), "{} on {rest}", query.1);
                    sorted.push(key);
                }
                "from" => sorted = vec![document()],
                "to" => {
                    let mut out = Vec::new();
                    query.1.parse::<Projection>().unwrap().apply(&sorted[0], &mut out).unwrap();
                    assert_eq!(out, document(), "{}", query.1);
                }
                word => panic!("{word}"),
            }
        }
    }
    assert!(seen["yes"] > 40 && seen["no"] > 40 && seen["order"] > 5 && seen["to"] > 5, "{seen:?}");
}

#[test]
fn every_operator_has_an_example() {
    let operators = "$eq $ne $gt $gte $lt $lte $in $nin $and $or $nor $not $exists $type $regex \
                     $options $size $all $elemMatch $mod $slice $expr $where $regularExpression";
    let text = examples().concat().into_iter().map(|(_, json)| json).collect::<String>();
    for operator in operators.split_whitespace() {
        assert!(text.contains(&format!("\"{operator}\"")), "{operator}");
    }
}
