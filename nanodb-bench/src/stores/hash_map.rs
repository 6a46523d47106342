//! The standard library's `HashMap`: no file, no transaction, no order. A ceiling, not a peer.

use std::collections::HashMap;

use super::{Reader, Result, Store, missing};
use crate::corpus::sum_bytes;

pub(super) const SETTINGS: &str = "std HashMap<u64, Vec<u8>>, in memory only; a ceiling, no peer";

#[derive(Debug, Default)]
pub(super) struct InMemory {
    documents: HashMap<u64, Vec<u8>>,
}

impl Store for InMemory {
    fn insert_batch(&mut self, batch: &[(u64, &[u8])]) -> Result<()> {
        self.documents.extend(batch.iter().map(|&(id, document)| (id, document.to_vec())));
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<()> {
        Ok(())
    }

    fn read_with(&self, work: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        work(&mut InMemoryReader { documents: &self.documents })
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

struct InMemoryReader<'a> {
    documents: &'a HashMap<u64, Vec<u8>>,
}

impl Reader for InMemoryReader<'_> {
    fn read(&mut self, id: u64, sum: &mut u64) -> Result<()> {
        *sum += sum_bytes(self.documents.get(&id).ok_or_else(|| missing(id))?);
        Ok(())
    }

    fn scan(&mut self, sum: &mut u64) -> Result<()> {
        *sum += self.documents.values().map(|document| sum_bytes(document)).sum::<u64>();
        Ok(())
    }
}
