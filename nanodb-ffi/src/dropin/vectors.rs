//! The documents whose vectors are nearest.
//!
//! There is no index: all vectors are looked at, where they are stored. An array of floats is nine
//! bytes each, so that the distance is computed from the bytes without decoding anything, and given
//! up as soon as it is larger than those found.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use nanodb::{DocView, IdRef, Value};
use nanodb_msgpack::{Cursor, Token};

use super::state;
use crate::failure::{Failure, Result};

/// Where a document keeps its vector.
const FIELD: &str = "_embeddings";

/// The marker of a float in MessagePack, and how many bytes it takes with that.
const FLOAT: u8 = 0xcb;
const FLOAT_BYTES: usize = 9;

/// So many numbers are added up before it is looked whether the sum is too large already.
const PORTION: usize = 32;

pub(super) fn nearest(collection: &str, vector: &str, top_k: i64) -> Result<String> {
    let wanted = parse(vector)?;
    let collection = state::collection(collection)?;
    let mut best = Best::new(usize::try_from(top_k).unwrap_or(0));
    let mut scan = collection.scan()?;
    while let Some(document) = scan.next()? {
        consider(document, &wanted, &mut best);
    }
    Ok(best.into_json())
}

fn parse(vector: &str) -> Result<Vec<f64>> {
    let value = Value::parse_json(vector)?;
    let numbers = value.as_array().map(|elements| elements.iter().map(Value::as_f64).collect());
    match numbers {
        Some(Some(numbers)) => Ok(numbers),
        _ => Err(Failure::invalid("the vector is no array of numbers")),
    }
}

fn consider(document: &DocView, wanted: &[f64], best: &mut Best) {
    let Some(array) = vector_of(document.as_bytes(), wanted.len()) else { return };
    let Some(squares) = squared_distance(array, wanted, best.worst()) else { return };
    match document.id() {
        Some(IdRef::Int(id)) => best.add(squares, id.cast_unsigned()),
        Some(IdRef::UInt(id)) => best.add(squares, id),
        _ => {}
    }
}

/// Returns where the elements of a document's vector begin, if it has so many. Where they end is
/// not looked for: that would take a step over each.
fn vector_of(document: &[u8], len: usize) -> Option<Cursor<'_>> {
    let mut cursor = Cursor::new(document);
    for _ in 0..cursor.read_map_len()? {
        if cursor.read_string_bytes()? == FIELD.as_bytes() {
            let is_array = matches!(cursor.peek()?, 0x90..=0x9f | 0xdc | 0xdd);
            let found = if is_array { cursor.read_array_len()? } else { return None };
            return (usize::try_from(found) == Ok(len)).then_some(cursor);
        }
        cursor.skip()?;
    }
    None
}

/// Returns the square of the distance; none if it is not below `worst`, or not all are numbers.
fn squared_distance(mut array: Cursor<'_>, wanted: &[f64], worst: f64) -> Option<f64> {
    if let Some(floats) = array.rest().get(..wanted.len() * FLOAT_BYTES)
        && let Some(sum) = of_floats(floats, wanted, worst)
    {
        return sum;
    }
    let mut sum = 0.0;
    for wanted in wanted {
        #[expect(clippy::cast_precision_loss, reason = "as JavaScript has it")]
        let number = match array.read()? {
            Token::Float(number) => number,
            Token::Int(number) => number as f64,
            Token::UInt(number) => number as f64,
            _ => return None,
        };
        let difference = number - wanted;
        sum += difference * difference;
    }
    (sum < worst).then_some(sum)
}

/// The same of floats alone; none within if the sum is too large, none at all if there is something
/// else among them.
fn of_floats(floats: &[u8], wanted: &[f64], worst: f64) -> Option<Option<f64>> {
    let (floats, _) = floats.as_chunks::<FLOAT_BYTES>();
    let mut sum = 0.0;
    for (floats, wanted) in floats.chunks(PORTION).zip(wanted.chunks(PORTION)) {
        // Four sums, which the processor adds up side by side.
        let mut sums = [0.0; 4];
        let mut markers = 0;
        for (floats, wanted) in floats.chunks(4).zip(wanted.chunks(4)) {
            for ((float, wanted), sum) in floats.iter().zip(wanted).zip(&mut sums) {
                let [marker, bytes @ ..] = float;
                markers |= marker ^ FLOAT;
                let difference = f64::from_be_bytes(*bytes) - wanted;
                *sum += difference * difference;
            }
        }
        if markers != 0 {
            return None;
        }
        sum += sums.iter().sum::<f64>();
        if sum >= worst {
            return Some(None);
        }
    }
    // What is not a number is near to nothing.
    Some((sum < worst).then_some(sum))
}

/// The nearest so far.
struct Best {
    count_max: usize,
    /// The farthest of them first.
    heap: BinaryHeap<Found>,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    squares: f64,
    id: u64,
}

impl Best {
    fn new(count_max: usize) -> Self {
        Self { count_max, heap: BinaryHeap::new() }
    }

    /// The distance that the next one must be below.
    fn worst(&self) -> f64 {
        match self.heap.peek() {
            _ if self.count_max == 0 => f64::NEG_INFINITY,
            Some(farthest) if self.heap.len() >= self.count_max => farthest.squares,
            _ => f64::INFINITY,
        }
    }

    fn add(&mut self, squares: f64, id: u64) {
        if self.heap.len() >= self.count_max {
            self.heap.pop();
        }
        self.heap.push(Found { squares, id });
    }

    fn into_json(self) -> String {
        let ids: Vec<String> =
            self.heap.into_sorted_vec().iter().map(|found| found.id.to_string()).collect();
        format!("[{}]", ids.join(","))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.squares.total_cmp(&other.squares).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Found {}
