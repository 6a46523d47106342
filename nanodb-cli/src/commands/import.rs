//! `nanodb import`: stores the documents of a JSON file in a collection.
//!
//! One thread reads and parses, this one stores:
//!
//! ```text
//! Input -> Elements -> Batch  ==channel==>  Writer -> Collection
//! ```
//!
//! The channel holds one batch, so at most four are in memory: one being read, one waiting, one
//! being stored, one stored. A stored batch goes back to the thread that made it: freeing a million
//! small pieces of memory where they were allocated takes half the time.

mod batch;
mod id_set;
mod meter;
mod rejects;
mod typed;
mod writer;

use std::io::Write;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nanodb::{Database, Document, doc, json};

use self::batch::{Batch, Batches};
use self::meter::Meter;
use self::rejects::Rejects;
use self::writer::{Tally, Writer};
use super::print_json;
use crate::arguments::{Decimals, Format, Import, Surrogates};
use crate::database::{NewFile, Opener};
use crate::failure::{Failure, Result};
use crate::figures;
use crate::input::Input;
use crate::json::{Elements, Layout};

pub(crate) fn run(arguments: &Import, opener: Opener, out: &mut impl Write) -> Result<()> {
    // First, so that a mistyped path does not leave an empty database behind.
    let input = Input::open(&arguments.file)
        .map_err(|source| Failure::OpenInput { path: arguments.file.clone(), source })?;
    let rejects = arguments.rejects.as_deref().map(Rejects::new).transpose()?;
    let start = Instant::now();
    let new_file = NewFile::watch(&arguments.database);
    let database = opener.make(&arguments.database)?;
    let (tally, loaded) = load(arguments, input, &database, rejects);
    // Closing writes what was stored to the file, so it counts in the time. After a failure, too:
    // the batches before it are kept.
    let closed = database.close().map(drop).map_err(Failure::from);
    let result = loaded.and(closed);
    let time = start.elapsed();
    if result.is_err() {
        new_file.remove_if_empty();
    }

    if arguments.json {
        print_json(&summary(arguments, tally, time, result.as_ref().err()), out)?;
        return result;
    }
    let rate = figures::rate(tally.total(), time);
    match result {
        Ok(()) => writeln!(out, "{tally} in {}, {rate} documents/s", figures::Time(time))?,
        Err(failure) => {
            writeln!(out, "{tally} before the import failed")?;
            return Err(failure);
        }
    }
    Ok(())
}

/// Returns the result for programs.
fn summary(
    arguments: &Import,
    tally: Tally,
    time: Duration,
    failure: Option<&Failure>,
) -> Document {
    let mut summary = doc! {
        "collection": (&arguments.collection),
        "inserted": (tally.inserted),
        "replaced": (tally.replaced),
        "skipped": (tally.skipped),
        "rejected": (tally.rejected),
        "seconds": (time.as_secs_f64()),
    };
    if let Some(failure) = failure {
        summary.insert("error", failure.message());
        if let Some(line) = failure.line() {
            summary.insert("line", line);
        }
    }
    summary
}

/// Moves everything from the input to the collection; after an error, the batches before it are
/// kept.
fn load(
    arguments: &Import,
    input: Input,
    database: &Database,
    rejects: Option<Rejects>,
) -> (Tally, Result<()>) {
    let name = input.name.clone();
    let mut meter = Meter::new(&input);
    let layout = match arguments.format {
        Format::Auto => None,
        Format::Array => Some(Layout::Array),
        Format::Lines => Some(Layout::Lines),
    };
    let mut writer = Writer::new(database.clone(), arguments, name.clone(), rejects.clone());
    let rejected = rejects.clone();
    let elements = Elements::new(input, layout).reading(read_options(arguments));
    let mut batches = Batches::new(elements, name, arguments, rejects);
    let result = thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Result<Batch>>(1);
        let (stored, to_free) = channel::<Batch>();
        scope.spawn(move || {
            while let Some(batch) = batches.next() {
                to_free.try_iter().for_each(drop);
                // An error is the last message; if the receiver is gone, it failed itself.
                if batch.is_err() | sender.send(batch).is_err() {
                    break;
                }
            }
        });
        for batch in receiver {
            let mut batch = batch?;
            writer.write(&mut batch)?;
            meter.show(writer.tally().total());
            // The sender is gone only after the last batch was read.
            let _ = stored.send(batch);
        }
        Ok(())
    });
    meter.finish();
    let result = result.and_then(|()| make_collection(database, &arguments.collection));
    let synced = rejected.as_ref().map_or(Ok(()), Rejects::sync);
    let result = result.and(synced);
    (writer.tally(), result)
}

/// Returns the options for reading documents.
fn read_options(arguments: &Import) -> json::ReadOptions {
    let decimals = match arguments.decimals {
        Decimals::Refuse => json::Decimals::Refuse,
        Decimals::String => json::Decimals::String,
        Decimals::Double => json::Decimals::Double,
    };
    json::ReadOptions::new()
        .replace_surrogates(arguments.surrogates == Surrogates::Replace)
        .decimals(decimals)
}

/// Creates the collection if the input contained no document.
fn make_collection(database: &Database, name: &str) -> Result<()> {
    if database.collections()?.iter().any(|collection| collection.name == name) {
        return Ok(());
    }
    // Otherwise the first document creates it.
    database.write(|tx| {
        let collection = tx.collection(name);
        let id = collection.insert(doc! { "_id": "" })?;
        collection.delete(&id).map(drop)
    })?;
    Ok(())
}
