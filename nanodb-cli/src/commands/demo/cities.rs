//! The demo's data: all cities of the world with more than 1,000 inhabitants.
//!
//! It is part of the program (3.6 MB, compressed), so that the demo runs from wherever the program
//! is.

use std::io::Read;

use nanodb::{Document, ID_FIELD};

use crate::failure::{Failure, Result};
use crate::input;
use crate::json::{Elements, JsonError};

/// The data, and its source.
pub(super) const CITIES: &str = "cities of the world, from GeoNames (geonames.org, CC BY 4.0)";

/// The number of cities.
pub(super) const COUNT: u64 = 135_233;

/// How many are stored at once.
pub(super) const BATCH: usize = 5000;

static DATA: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/cities.jsonl.gz"));

/// An iterator over the cities, batch by batch.
pub(super) struct Cities {
    elements: Elements<Box<dyn Read + Send>>,
    json_bytes: u64,
}

impl Cities {
    pub(super) fn new() -> Result<Self> {
        let reader =
            input::decompress(DATA, "the cities").map_err(|error| fail(JsonError::Read(error)))?;
        Ok(Self { elements: Elements::new(reader, None), json_bytes: 0 })
    }

    /// Returns the next cities, `_id` first; none at the end.
    pub(super) fn next_batch(&mut self) -> Result<Vec<Document>> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some(element) = self.elements.next().map_err(fail)? else { break };
            self.json_bytes += element.text.len() as u64;
            batch.push(with_id(element.parse().map_err(fail)?));
        }
        Ok(batch)
    }

    /// Returns the size of the cities so far, as JSON without line ends.
    pub(super) fn json_bytes(&self) -> u64 {
        self.json_bytes
    }
}

/// Uses GeoNames' number of a city, `cityId` in the data, as its `_id`.
fn with_id(city: Document) -> Document {
    let name = |name: String| if name == "cityId" { ID_FIELD.to_owned() } else { name };
    city.into_iter().map(|(field, value)| (name(field), value)).collect()
}

fn fail(source: JsonError) -> Failure {
    Failure::Input { name: "the cities within this program".to_owned(), source }
}
