//! NanoDB beside its peers: the same documents, the same work, one run.
//!
//! Every round gives each workload to every store in turn, in an order that rotates, so that a
//! disk or a neighbour that changes its mind over minutes meets all of them alike. The figures
//! printed are medians over the rounds.
//!
//! ```text
//! cargo run --release -p nanodb-bench --features peers
//! ```
//!
//! Where to start reading: [`workloads`] says what is measured, [`stores`] what a store has to
//! do, [`rounds`] in which order things happen.

mod arguments;
mod corpus;
mod report;
mod rounds;
mod stores;
#[cfg(test)]
mod tests;
mod workloads;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nanodb-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &arguments::Arguments) -> stores::Result<()> {
    let results = rounds::run(arguments, |step| eprintln!("{step}"))?;
    let report = report::Report::new(arguments, &results);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
