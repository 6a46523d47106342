use clap::Parser as _;

use crate::arguments::Arguments;
use crate::corpus::Corpus;
use crate::report::Report;
use crate::rounds;
use crate::stores::StoreKind;
use crate::workloads::{Unit, Workload};

fn arguments(line: &str) -> Arguments {
    Arguments::try_parse_from(std::iter::once("nanodb-bench").chain(line.split_whitespace()))
        .unwrap()
}

/// A wrong sum of any workload in any store is an error of the run.
#[test]
fn every_store_takes_every_workload_and_gives_back_every_byte() {
    let arguments = arguments("--documents 1000 --rounds 2");
    let results = rounds::run(&arguments, |_| ()).unwrap();
    for workload in Workload::ALL {
        for store in StoreKind::all() {
            let figures: Vec<f64> = results
                .figures
                .iter()
                .filter(|figure| figure.workload == workload && figure.store == store)
                .map(|figure| figure.value)
                .collect();
            let takes_part = match workload {
                Workload::InsertSynced => store.has_synced_commits(),
                Workload::InsertUnsynced
                | Workload::Read
                | Workload::ReadTwoThreads
                | Workload::Scan => true,
                _ => store.has_files(),
            };
            assert_eq!(figures.len(), if takes_part { 2 } else { 0 }, "{store} {workload:?}");
            assert!(figures.iter().all(|figure| figure.is_finite() && *figure > 0.0));
        }
    }
}

#[test]
fn the_report_ranks_the_stores_that_were_asked_for() {
    let arguments = arguments("--documents 10 --rounds 1 --only hashmap");
    let results = rounds::run(&arguments, |_| ()).unwrap();
    let report = serde_json::to_value(Report::new(&arguments, &results)).unwrap();
    assert_eq!(report["documents"], 10);
    assert_eq!(report["settings"].as_array().unwrap().len(), 1);
    let row = &report["rows"][0];
    assert_eq!(row["workload"], "insert_unsynced");
    assert_eq!(row["stores"][0]["store"], "HashMap");
    assert_eq!(row["stores"][0]["rounds"].as_array().unwrap().len(), 1);
    assert!(row["stores"][0]["ratio_to_best_peer"].is_null());
}

#[test]
fn a_single_document_is_shared_out_among_two_threads() {
    let results = rounds::run(&arguments("--documents 1 --rounds 1"), |_| ()).unwrap();
    assert!(results.figures.iter().any(|figure| figure.workload == Workload::ReadTwoThreads));
}

#[test]
fn the_documents_are_the_same_each_time_and_of_the_size_promised() {
    let [one, two] = [(); 2].map(|()| Corpus::generate(10_000).unwrap());
    assert_eq!(one.documents(), two.documents());
    let mean = one.size() / one.len();
    assert!((160..=170).contains(&mean), "{mean} bytes a document");
    assert!(one.documents().iter().zip(1..).all(|((id, _), expected)| *id == expected));
}

#[test]
fn only_rates_are_better_when_higher() {
    assert_eq!(Workload::Scan.unit(), Unit::DocumentsPerSecond);
    assert_eq!(Workload::OpenAndFirstRead.unit(), Unit::Milliseconds);
    assert_eq!(Workload::FileSize.unit(), Unit::FileBytesPerDataByte);
}
