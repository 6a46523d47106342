//! What the command line may say.

use std::path::PathBuf;

use clap::Parser;

use crate::stores::StoreKind;

/// Measures NanoDB and its peers on the same work, interleaved.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// How many documents of about 165 bytes to store
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) documents: u64,

    /// How many times to measure everything; the median is printed
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Measure these stores only
    #[arg(long, value_name = "STORE,STORE", value_delimiter = ',')]
    only: Vec<StoreKind>,

    /// Print JSON, every round's figure included
    #[arg(long)]
    pub(crate) json: bool,

    /// Where to put the stores' files, which are removed afterwards; in memory, synced rows mean
    /// nothing
    #[arg(long, value_name = "FOLDER", default_value_os_t = std::env::temp_dir())]
    pub(crate) folder: PathBuf,
}

impl Arguments {
    /// Returns the stores to measure, each once, in the order of the report.
    pub(crate) fn stores(&self) -> Vec<StoreKind> {
        let mut stores = StoreKind::all();
        stores.retain(|store| self.only.is_empty() || self.only.contains(store));
        stores
    }
}
