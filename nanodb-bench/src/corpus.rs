//! The documents all stores are given: encoded once, the same on every machine.
//!
//! Each is a MessagePack map of nine fields whose first is `_id`, in its shortest form. That is
//! the form NanoDB stores, so the bytes read back have the same sum from every store.

use std::io;

use fastrand::Rng;
use rmp::encode;

/// Any fixed number will do: it is what makes two runs comparable.
const SEED: u64 = 0x6e61_6e6f;

const NAMES: [&str; 8] =
    ["Ada", "Barbara", "Edsger", "Grace", "Katherine", "Ken", "Niklaus", "Radia"];
const CITIES: [&str; 8] =
    ["Aarhus", "Bogota", "Kyoto", "Marrakesh", "Oslo", "Porto", "Vancouver", "Wellington"];

/// Encoded documents with the ids `1..=len`, end to end in one piece of memory.
#[derive(Debug)]
pub(crate) struct Corpus {
    bytes: Vec<u8>,
    /// Where document `id` ends; document `id + 1` begins there.
    ends: Vec<usize>,
}

impl Corpus {
    pub(crate) fn generate(documents: u64) -> io::Result<Self> {
        let mut rng = Rng::with_seed(SEED);
        let mut corpus = Self { bytes: Vec::new(), ends: Vec::new() };
        for id in 1..=documents {
            encode_document(&mut corpus.bytes, id, &mut rng)?;
            corpus.ends.push(corpus.bytes.len());
        }
        Ok(corpus)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all documents together: what a store without any overhead would need.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the sum that reading or scanning everything has to arrive at.
    pub(crate) fn sum(&self) -> u64 {
        sum_bytes(&self.bytes)
    }

    /// Returns all documents with their ids, in the order of insertion.
    pub(crate) fn documents(&self) -> Vec<(u64, &[u8])> {
        let mut rest = self.bytes.as_slice();
        let mut start = 0;
        let mut documents = Vec::with_capacity(self.len());
        for (&end, id) in self.ends.iter().zip(1..) {
            let (document, tail) = rest.split_at(end - start);
            documents.push((id, document));
            (rest, start) = (tail, end);
        }
        documents
    }

    /// Returns all ids in an order without pattern, another one each round.
    pub(crate) fn shuffled_ids(&self, round: u32) -> Vec<u64> {
        let mut ids: Vec<u64> = (1..=self.len() as u64).collect();
        Rng::with_seed(SEED + u64::from(round)).shuffle(&mut ids);
        ids
    }
}

/// Adds up every byte, so that no store gets away with handing out bytes it never touched.
pub(crate) fn sum_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

fn encode_document(out: &mut Vec<u8>, id: u64, rng: &mut Rng) -> io::Result<()> {
    let name = NAMES[rng.usize(..NAMES.len())];
    encode::write_map_len(out, 9)?;
    encode::write_str(out, "_id")?;
    encode::write_uint(out, id)?;
    encode::write_str(out, "name")?;
    encode::write_str(out, name)?;
    encode::write_str(out, "email")?;
    encode::write_str(out, &format!("{}.{id}@example.org", name.to_lowercase()))?;
    encode::write_str(out, "city")?;
    encode::write_str(out, CITIES[rng.usize(..CITIES.len())])?;
    encode::write_str(out, "age")?;
    encode::write_uint(out, rng.u64(18..100))?;
    encode::write_str(out, "score")?;
    encode::write_f64(out, rng.f64() * 100.0)?;
    encode::write_str(out, "active")?;
    encode::write_bool(out, rng.bool())?;
    encode::write_str(out, "tags")?;
    encode::write_array_len(out, 2)?;
    encode::write_str(out, "embedded")?;
    encode::write_str(out, "document")?;
    encode::write_str(out, "note")?;
    let letters: String = (0..rng.usize(30..56)).map(|_| rng.lowercase()).collect();
    encode::write_str(out, &letters)?;
    Ok(())
}
