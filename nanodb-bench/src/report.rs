//! Medians, ratios, and the two ways to print them.

use std::fmt;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::rounds::Results;
use crate::stores::StoreKind;
use crate::workloads::{Unit, Workload};

/// A whole run: what was asked, under which settings, and how everyone did.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    documents: usize,
    document_bytes: usize,
    rounds: u32,
    settings: Vec<Settings>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Settings {
    store: String,
    settings: &'static str,
}

#[derive(Debug, Serialize)]
struct Row {
    workload: Workload,
    title: &'static str,
    unit: Unit,
    stores: Vec<Standing>,
}

/// One store in one row.
#[derive(Debug, Serialize)]
struct Standing {
    store: String,
    median: f64,
    /// How many times as good as the best peer, whichever way is better; above 1 is ahead.
    ratio_to_best_peer: Option<f64>,
    /// The figure of each round, in the order taken.
    rounds: Vec<f64>,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, results: &Results) -> Self {
        let stores = arguments.stores();
        Self {
            documents: results.corpus.len(),
            document_bytes: results.corpus.size(),
            rounds: arguments.rounds,
            settings: stores
                .iter()
                .map(|store| Settings { store: store.to_string(), settings: store.settings() })
                .collect(),
            rows: Workload::ALL
                .into_iter()
                .map(|workload| Row::new(workload, &stores, results))
                .filter(|row| !row.stores.is_empty())
                .collect(),
        }
    }
}

impl Row {
    /// Returns the stores that took part, the best first.
    fn new(workload: Workload, stores: &[StoreKind], results: &Results) -> Self {
        let mut standings: Vec<(StoreKind, f64, Vec<f64>)> = stores
            .iter()
            .filter_map(|&store| {
                let rounds: Vec<f64> = results
                    .figures
                    .iter()
                    .filter(|figure| figure.workload == workload && figure.store == store)
                    .map(|figure| figure.value)
                    .collect();
                Some((store, median(&rounds)?, rounds))
            })
            .collect();

        let unit = workload.unit();
        standings.sort_by(|(_, a, _), (_, b, _)| unit.advantage(*b, *a).total_cmp(&1.0));
        let best_peer =
            standings.iter().find(|(store, ..)| store.is_peer()).map(|&(_, best, _)| best);
        Self {
            workload,
            title: workload.title(),
            unit,
            stores: standings
                .into_iter()
                .map(|(store, median, rounds)| Standing {
                    store: store.to_string(),
                    median,
                    ratio_to_best_peer: best_peer.map(|best| unit.advantage(median, best)),
                    rounds,
                })
                .collect(),
        }
    }
}

impl Unit {
    /// Returns how many times as good `ours` is as `theirs`.
    fn advantage(self, ours: f64, theirs: f64) -> f64 {
        match self {
            Self::DocumentsPerSecond => ours / theirs,
            Self::Milliseconds | Self::FileBytesPerDataByte => theirs / ours,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::DocumentsPerSecond => "documents/s",
            Self::Milliseconds => "ms",
            Self::FileBytesPerDataByte => "bytes/byte",
        }
    }

    fn format(self, value: f64) -> String {
        match self {
            Self::DocumentsPerSecond if value >= 1e6 => format!("{:.2} M", value / 1e6),
            Self::DocumentsPerSecond => format!("{:.0} k", value / 1e3),
            Self::Milliseconds => format!("{value:.2}"),
            Self::FileBytesPerDataByte => format!("{value:.3}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} documents, {} bytes of MessagePack each; medians of {} rounds",
            self.documents,
            self.document_bytes / self.documents,
            self.rounds
        )?;
        writeln!(f, "ratio: times as good as the best peer; above 1 is ahead of it")?;
        for row in &self.rows {
            writeln!(f, "\n{row}")?;
        }
        writeln!(f, "\nsettings")?;
        for Settings { store, settings } in &self.settings {
            writeln!(f, "  {store:<8} {settings}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<60} {:>11} {:>6}   lowest to highest",
            self.title,
            self.unit.name(),
            "ratio"
        )?;
        for Standing { store, median, ratio_to_best_peer, rounds } in &self.stores {
            let ratio = ratio_to_best_peer.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
            let lowest = rounds.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = rounds.iter().copied().fold(0.0, f64::max);
            write!(
                f,
                "\n  {store:<58} {:>11} {ratio:>6}   {} to {}",
                self.unit.format(*median),
                self.unit.format(lowest),
                self.unit.format(highest)
            )?;
        }
        Ok(())
    }
}

/// Returns the middle of the figures, or of its two middle ones; none of none.
fn median(figures: &[f64]) -> Option<f64> {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    let lower = *figures.get((figures.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}
