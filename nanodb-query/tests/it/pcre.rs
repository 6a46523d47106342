//! Regular expressions against what PCRE2 itself said: `tests/data/pcre.txt`, of random expressions
//! and texts, recorded from version 10.42 with `PCRE2_UTF`. A line is an expression, its options,
//! and texts with whether it finds something in them; `null` for an expression that PCRE2 refuses.

use nanodb_query::bytes::FilterBytes;
use nanodb_query::{Problem, field};

use super::HasProblem as _;

const CASES: &str = include_str!("../data/pcre.txt");

type Case = (String, String, Option<Vec<(String, bool)>>);

#[test]
fn expressions_find_what_pcre_finds_or_are_refused() {
    let (mut compared, mut refused, mut both) = (0, 0, 0);
    let mut wrong = Vec::new();
    // Longer lists are made the same way.
    let more = std::env::var("NANODB_PCRE_CASES").ok();
    let more = more.map(|path| std::fs::read_to_string(path).unwrap());
    for line in more.as_deref().unwrap_or(CASES).lines() {
        let (pattern, options, texts): Case = serde_json::from_str(line).unwrap();
        let filter = field("a").regex(&pattern, &options);
        if let Err(error) = filter.check() {
            let Problem::Regex { reason, .. } = error.problem() else { panic!("{error}") };
            if texts.is_none() {
                both += 1;
            } else {
                if !reason.contains("not supported") {
                    wrong.push(format!("{pattern:?} {options:?} is refused: {reason}"));
                }
                refused += 1;
            }
            continue;
        }
        let Some(texts) = texts else {
            wrong.push(format!("{pattern:?} {options:?} is refused by PCRE"));
            continue;
        };
        for (text, found) in texts {
            let mut document = b"\x81\xa1a".to_vec();
            assert!(nanodb_msgpack::write_string(&mut document, &text));
            let matches = filter.matches(&document).unwrap();
            if matches != found {
                wrong.push(format!("{pattern:?} {options:?} in {text:?}: {matches}"));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    assert!(
        compared > 8_000 && both > 200,
        "{compared} compared, {refused} refused, {both} by both"
    );
    println!("{compared} compared, {refused} refused, {both} refused by both");
}
