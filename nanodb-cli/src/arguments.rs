//! The command line: commands and their arguments.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes:
  0  success, also if the reader of the output closed it early
  1  failure, or not found
  2  invalid command line
  3  another process has the database open and keeps this one out
  4  the database is damaged";

const IMPORT: &str = "\
Store the documents of a JSON file in a collection.

The file is a JSON array of objects or JSON Lines (objects one after the other), plain or \
compressed by gzip. It is read as a stream, so it may be larger than memory. The database and the \
collection are created if they don't exist.

Documents are stored in batches, in the order of the input. Each batch is stored as a whole or \
not at all, and survives a crash once it is stored. If the import fails, all batches before the one \
that failed are stored; the message says how many documents that is. With --on-conflict replace, a \
batch is stored in two steps: first its new documents, then those that replace others. The whole \
batch is checked before the first step.

If the import makes the file and stores nothing in it, the file is removed.

A document without an `_id` is given the next integer. If a later document of the input has that \
integer as its own `_id`, the first is given another one.

JSON has fewer types than documents. All forms of MongoDB's Extended JSON are read, such as \
{\"$date\": \"2023-11-14T22:13:20.5Z\"}, {\"$numberDouble\": \"NaN\"} and \
{\"$binary\": {\"base64\": \"AQID\", \"subType\": \"00\"}}. In addition, \
{\"$ext\": {\"type\": 5, \"base64\": \"\"}} is an extension, and {\"$literal\": {…}} an object that \
only looks like one of these forms. 5 is an integer and 5.0 a float. Integers that exceed 64 bits \
become floats. A field that occurs twice is an error.";

const EXPORT: &str = "\
Print all documents of a collection, in the order in which they are stored: as JSON Lines, unless \
--format says otherwise. If documents were only added to the collection, that is the order of their \
insertion.

`nanodb import` reads every value of JSON Lines back unchanged, unless --format asks for MongoDB's \
forms only. Documents on damaged pages are left out, with a message for each and exit code 4.";

const FIND: &str = "\
Print the documents that match a filter, as JSON Lines, or as a table on a terminal.

A table is as wide as the terminal: long texts are cut, and columns that don't fit are left out and \
named below it. It ends after 50 documents and says how many more there are; --limit sets how many \
are printed. --format lines prints everything.

Filters and projections are those of MongoDB, written as JSON. Values that JSON lacks have \
the forms that `nanodb import` reads. Without a sort, documents are printed in the order in which \
they are stored.";

const UPDATE: &str = "\
Change the documents that match a filter: all of them or, if one can't be changed, none.

The update consists of MongoDB's operators, written as JSON: \
'{\"$set\": {\"city\": \"Berlin\"}, \"$inc\": {\"visits\": 1}}'.";

const INSERT: &str = "\
Store documents that are written on the command line, and print their ids.

Each argument is a JSON object, an array of them, or objects one after the other; - reads them from \
standard input. All of them are stored, or none. The database and the collection are created if they \
don't exist. Values that JSON lacks have the forms that `nanodb import` reads, which is for large \
inputs, too.";

const DELETE: &str = "\
Delete the documents that match a filter: all of them or, if one can't be deleted, none.

If the filter matches every document, as {} does, the command asks before it deletes. Where nobody \
can be asked, it wants --yes.";

const COMPACT: &str = "\
Make the file as short as possible.

Documents are moved from the end of the file to free space nearer the front, and the file is \
truncated. Nothing is lost if the command is interrupted: what has been moved stays moved. Prints \
the length of the file before and after.";

const CHECK: &str = "\
Read the whole file and list what is wrong with it.

Every page's checksum, every document and the id index are checked. Nothing is changed. The exit \
code is 4 if something is wrong.";

const SALVAGE: &str = "\
Copy everything that can be read of a damaged database to a new one, and list what can't.

Nothing is written to the damaged file, so permission to read it is enough. If its header or its \
list of collections is lost, each page is read by what it says of itself. The copy may then contain \
documents that were deleted or never committed, which a message says, and collections whose names \
are lost are named by numbers. The exit code is 4 if not everything could be copied.";

const IMPORT_GO: &str = "\
Make a new database of a file of the Go program NanoDB, of either of its versions.

All collections are imported, and documents keep their ids. Numbers stay the floats that the Go \
program made of them. Nothing is written to the old file; end the Go program first. The new file \
is complete, or it is not there.

The Go program, when it changed a document, did not always delete the old one: then the newer one \
is imported, and the table says how many others were left out. So is the document in which it kept \
a collection's list of vectors.

If something is damaged, the command says on which page, and makes nothing. With --skip-damaged, \
it imports the rest, lists what it has skipped, and ends with exit code 4.";

/// Imports, searches, changes, exports and checks NanoDB files
#[derive(Clone, Debug, Parser)]
#[command(name = "nanodb", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// How long to wait while another process keeps the database open
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, default_value = "0")]
    pub(crate) wait: Duration,
    /// When to use colours: by default on a terminal that has them, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When output is coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// A number of seconds, such as 5 or 0.5.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is needed".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Store the documents of a JSON file in a collection
    #[command(long_about = IMPORT)]
    Import(Import),
    /// Make a new database of a file of the Go program NanoDB
    #[command(long_about = IMPORT_GO)]
    ImportGo(ImportGo),
    /// Store documents that are written on the command line
    #[command(long_about = INSERT)]
    Insert(Insert),
    /// Print the document that has an id
    Get(Get),
    /// Print all documents of a collection, in the order they are stored
    #[command(long_about = EXPORT)]
    Export(Export),
    /// List the collections and how many documents they have
    Collections(Whole),
    /// Print how many documents a collection has, or how many match a filter
    Count(Count),
    /// Print the documents that match a filter
    #[command(long_about = FIND)]
    Find(Find),
    /// Print the values of a field without duplicates, or how often each occurs
    Distinct(Distinct),
    /// Change the documents that match a filter, all or none
    #[command(long_about = UPDATE)]
    Update(Update),
    /// Delete the documents that match a filter, all or none
    #[command(long_about = DELETE)]
    Delete(Delete),
    /// Delete a collection with all its documents
    Drop(Drop),
    /// Give a collection another name
    Rename(Rename),
    /// Print the sizes of the file and of its collections
    Stats(Whole),
    /// Read the whole file and list what is wrong with it
    #[command(long_about = CHECK)]
    Check(Whole),
    /// Make the file as short as possible
    #[command(long_about = COMPACT)]
    Compact(Whole),
    /// Copy everything that can be read of a damaged database to a new one
    #[command(long_about = SALVAGE)]
    Salvage(Salvage),
    /// Load 135,233 real cities, look them up, scan, reopen and verify them
    Demo(Demo),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Import {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// The JSON file, or - for standard input
    pub(crate) file: PathBuf,
    /// How the documents are separated
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub(crate) format: Format,
    /// The field that holds the id: it becomes `_id`
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,
    /// What to do about a document whose id is taken
    #[arg(long, value_enum, default_value_t = OnConflict::Error)]
    pub(crate) on_conflict: OnConflict,
    /// What the ids are that the JSON has as strings; by default they stay strings
    #[arg(long, value_enum)]
    pub(crate) id_type: Option<IdType>,
    /// Fields, or paths such as a.b, whose strings are times such as 2023-11-14T22:13:20Z; several
    /// with commas between them
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub(crate) dates: Vec<String>,
    /// What half of a surrogate pair becomes, such as \ud83d alone
    #[arg(long, value_enum, default_value_t = Surrogates::Refuse)]
    pub(crate) surrogates: Surrogates,
    /// What a $numberDecimal becomes, for which there is no type
    #[arg(long, value_enum, default_value_t = Decimals::Refuse)]
    pub(crate) decimals: Decimals,
    /// Write documents that can't be read or stored to this file, which must not exist yet, and
    /// continue; by default the first one stops the import
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// How many documents are stored at once; fewer if they exceed 4 MiB of JSON
    #[arg(long, value_name = "N", default_value = "5000")]
    pub(crate) batch_size: NonZeroUsize,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// An array if the first byte is a bracket, else lines
    Auto,
    /// One JSON array of objects
    Array,
    /// Objects one after the other, one a line or not
    Lines,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OnConflict {
    /// Stop
    Error,
    /// Keep the document that is stored
    Skip,
    /// Store the new document in its place
    Replace,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Surrogates {
    /// Stop
    Refuse,
    /// U+FFFD, the replacement character
    Replace,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Decimals {
    /// Stop
    Refuse,
    /// A string of its digits
    String,
    /// The nearest float
    Double,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Get {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// The document's id
    #[arg(allow_negative_numbers = true)]
    pub(crate) id: String,
    /// What the id is
    #[arg(long, value_enum, default_value_t = IdType::Auto)]
    pub(crate) id_type: IdType,
    /// The same as --format pretty
    #[arg(long)]
    pub(crate) pretty: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum IdType {
    /// An integer if it looks like one, else a string
    Auto,
    /// An integer
    Integer,
    /// A string
    String,
    /// Binary, given as base64
    Binary,
    /// An ObjectId, given as 24 hexadecimal digits
    #[value(alias = "objectid")]
    ObjectId,
    /// A UUID
    Uuid,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Export {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How documents are printed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Output {
    /// How documents are printed
    #[arg(long, alias = "output", value_enum, default_value_t = OutputFormat::Auto)]
    pub(crate) format: OutputFormat,
    /// What a value becomes that MongoDB's forms can't hold
    #[arg(long, value_enum, default_value_t = Inexact::Refuse)]
    pub(crate) inexact: Inexact,
    /// How wide a table may be; by default as wide as the terminal, or 80 characters
    #[arg(long, value_name = "N")]
    pub(crate) width: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OutputFormat {
    /// What suits a terminal on one: `find` prints a table, `get` indents; else lines
    Auto,
    /// A table for people
    Table,
    /// JSON Lines: one document a line, which `nanodb import` reads back unchanged
    #[value(alias = "full")]
    Lines,
    /// One JSON array; of `get`, one document
    Json,
    /// JSON on several lines, indented
    Pretty,
    /// CSV; containers are JSON within it
    Csv,
    /// Lines with only MongoDB's relaxed Extended JSON
    Relaxed,
    /// Lines with only MongoDB's canonical Extended JSON
    Canonical,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Inexact {
    /// Stop
    Refuse,
    /// An integer becomes the nearest float, a time the millisecond that contains it
    Round,
    /// A string: the digits, the time, an extension's base64
    Text,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Count {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// Which documents, in MongoDB's language as JSON; all by default
    pub(crate) filter: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Find {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// Which documents, in MongoDB's language as JSON; all by default
    #[arg(default_value = "{}")]
    pub(crate) filter: String,
    /// The order: age, or -age,name with - for descending, or JSON: {"age": -1, "name": 1}
    #[arg(long, value_name = "FIELDS|JSON", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// How many documents to leave out at the start
    #[arg(long, value_name = "N")]
    pub(crate) skip: Option<u64>,
    /// The most documents to print, 0 for all; by default 50 in a table, and all in other formats
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// The fields to print, such as {"name": 1, "_id": 0}
    #[arg(long, value_name = "JSON")]
    pub(crate) projection: Option<String>,
    /// Instead of the documents, print how they are found and how many are examined
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Distinct {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// The field, or a path such as address.city
    pub(crate) path: String,
    /// Which documents, in MongoDB's language as JSON; all by default
    #[arg(default_value = "{}")]
    pub(crate) filter: String,
    /// Print how many documents have each value, the most frequent first
    #[arg(long)]
    pub(crate) count: bool,
    /// The most values to print; 0 is no limit
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Update {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// Which documents, in MongoDB's language as JSON
    pub(crate) filter: String,
    /// What to change, such as {"$set": {"city": "Berlin"}}
    pub(crate) update: String,
    /// Change the first one only
    #[arg(long)]
    pub(crate) one: bool,
    /// Insert a document if none matches; otherwise change the first one only
    #[arg(long)]
    pub(crate) upsert: bool,
    /// The filters that $[name] in the update refers to, as an array
    #[arg(long, value_name = "JSON")]
    pub(crate) array_filters: Option<String>,
    /// Change nothing; print how many documents would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Insert {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// The documents, as JSON, or - for standard input
    #[arg(required = true, value_name = "JSON")]
    pub(crate) documents: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Drop {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// Delete it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Delete nothing; print how many documents would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Rename {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) from: String,
    /// Its name from now on, which no other collection may have
    pub(crate) to: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Delete {
    /// The database's file
    pub(crate) database: PathBuf,
    /// The collection
    pub(crate) collection: String,
    /// Which documents, in MongoDB's language as JSON; {} for all
    pub(crate) filter: String,
    /// Delete the first one only
    #[arg(long)]
    pub(crate) one: bool,
    /// Delete all documents without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Delete nothing; print how many documents would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of a command about the whole database.
#[derive(Clone, Debug, Args)]
pub(crate) struct Whole {
    /// The database's file
    pub(crate) database: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Salvage {
    /// The damaged database's file
    pub(crate) damaged: PathBuf,
    /// The new database's file, which must not exist yet
    pub(crate) new: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ImportGo {
    /// The Go program's file
    pub(crate) old: PathBuf,
    /// The new database's file, which must not exist yet
    pub(crate) new: PathBuf,
    /// Skip damaged pages and documents, and list them
    #[arg(long)]
    pub(crate) skip_damaged: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    /// Create the database here and keep it; by default it is in a temporary directory
    #[arg(long, value_name = "PATH")]
    pub(crate) keep: Option<PathBuf>,
    /// How many ids to look up
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) lookups: usize,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
