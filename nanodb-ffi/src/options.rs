//! What options mean: a document whose fields are named.
//!
//! A field whose value is null is as one that is not there. One that is not known is refused, lest
//! a misspelt one be taken for the default.

use std::time::Duration;

use nanodb::{
    Database, Durability, Find, FindOneAndModify, GoImportOptions, Options, Projection, Sort,
};

use crate::failure::{Failure, Result};
use crate::part::{Format, Part};

/// Returns the options that are set, in a document that may be missing.
fn set<'a>(bytes: Option<&'a [u8]>, format: Format) -> Result<Vec<(String, Part<'a>)>> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let fields = Part::new(bytes, format, "the options")?.fields();
    let fields = fields.map_err(|failure| within("the options", failure))?;
    let set = fields.into_iter().filter(|(_, value)| !value.is_null());
    Ok(set.map(|(name, value)| (name.into_owned(), value)).collect())
}

/// Says which option a failure is of.
fn within(name: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Own(status, text) => Failure::Own(status, format!("{name}: {text}").into()),
        other => other,
    }
}

fn option<T>(name: &str, read: Result<T>) -> Result<T> {
    read.map_err(|failure| within(&format!("option `{name}`"), failure))
}

#[cold]
fn unknown(name: &str, known: &str) -> Failure {
    Failure::invalid(format!("there is no option `{name}`, only {known}"))
}

fn size(part: &Part<'_>) -> Result<usize> {
    Ok(usize::try_from(part.count()?).unwrap_or(usize::MAX))
}

/// Returns the durability that a name stands for.
pub(crate) fn durability(name: &str) -> Result<Durability> {
    match name {
        "immediate" => Ok(Durability::Immediate),
        "buffered" => Ok(Durability::Buffered),
        "relaxed" => Ok(Durability::Relaxed),
        _ => {
            let text =
                format!("there is no durability `{name}`, only immediate, buffered, relaxed");
            Err(Failure::invalid(text))
        }
    }
}

/// How a database is opened: the options of `nanodb_open`.
pub(crate) fn opening(bytes: Option<&[u8]>, format: Format) -> Result<Options> {
    const KNOWN: &str = "create, read_only, allow_missing_log, lock_timeout_ms, durability, \
        relaxed_flush_interval_ms, background, cache_bytes_max, index_bytes_max, log_bytes_max, \
        transaction_bytes_max, file_bytes_max";
    let mut options = Database::options();
    for (name, part) in set(bytes, format)? {
        let changed = match name.as_str() {
            "create" => part.bool().map(|create| options.create(create)),
            "read_only" => part.bool().map(|read_only| options.read_only(read_only)),
            "allow_missing_log" => part.bool().map(|allow| options.allow_missing_log(allow)),
            "lock_timeout_ms" => {
                part.count().map(|ms| options.lock_timeout(Duration::from_millis(ms)))
            }
            "durability" => {
                part.text().and_then(|name| durability(&name)).map(|all| options.durability(all))
            }
            "relaxed_flush_interval_ms" => {
                part.count().map(|ms| options.relaxed_flush_interval(Duration::from_millis(ms)))
            }
            "background" => part.bool().map(|background| options.background(background)),
            "cache_bytes_max" => size(&part).map(|bytes| options.cache_bytes_max(bytes)),
            "index_bytes_max" => size(&part).map(|bytes| options.index_bytes_max(bytes)),
            "log_bytes_max" => part.count().map(|bytes| options.log_bytes_max(bytes)),
            "transaction_bytes_max" => {
                size(&part).map(|bytes| options.transaction_bytes_max(bytes))
            }
            "file_bytes_max" => part.count().map(|bytes| options.file_bytes_max(bytes)),
            _ => return Err(unknown(&name, KNOWN)),
        };
        options = option(&name, changed)?;
    }
    Ok(options)
}

/// How a file of the Go program is imported: the options of `nanodb_db_import_go`.
pub(crate) fn importing(bytes: Option<&[u8]>, format: Format) -> Result<GoImportOptions> {
    let mut options = GoImportOptions::new();
    for (name, part) in set(bytes, format)? {
        let changed = match name.as_str() {
            "skip_damaged" => part.bool().map(|skip| options.skip_damaged(skip)),
            "lock_timeout_ms" => {
                part.count().map(|ms| options.lock_timeout(Duration::from_millis(ms)))
            }
            _ => return Err(unknown(&name, "skip_damaged, lock_timeout_ms")),
        };
        options = option(&name, changed)?;
    }
    Ok(options)
}

/// How a search goes: the options of `nanodb_find` and its siblings.
#[derive(Debug, Default)]
pub(crate) struct Searching {
    sort: Option<Sort>,
    projection: Option<Projection>,
    skip: u64,
    limit: u64,
    threads: Option<usize>,
    sort_bytes_max: Option<usize>,
    /// Whether a search that is explained is carried out.
    pub(crate) analyze: bool,
}

impl Searching {
    pub(crate) fn new(bytes: Option<&[u8]>, format: Format) -> Result<Self> {
        Self::read(bytes, format, false)
    }

    /// The same of `nanodb_explain`.
    pub(crate) fn explaining(bytes: Option<&[u8]>, format: Format) -> Result<Self> {
        Self::read(bytes, format, true)
    }

    fn read(bytes: Option<&[u8]>, format: Format, explains: bool) -> Result<Self> {
        const KNOWN: &str = "sort, projection, skip, limit, threads, sort_bytes_max";
        let mut all = Self::default();
        for (name, part) in set(bytes, format)? {
            let read = match name.as_str() {
                "sort" => part.sort().map(|sort| all.sort = Some(sort)),
                "projection" => part.projection().map(|wanted| all.projection = Some(wanted)),
                "skip" => part.count().map(|count| all.skip = count),
                "limit" => part.count().map(|count| all.limit = count),
                "threads" => size(&part).map(|count| all.threads = Some(count)),
                "sort_bytes_max" => size(&part).map(|bytes| all.sort_bytes_max = Some(bytes)),
                "analyze" if explains => part.bool().map(|analyze| all.analyze = analyze),
                _ => return Err(unknown(&name, KNOWN)),
            };
            option(&name, read)?;
        }
        Ok(all)
    }

    pub(crate) fn apply<'c>(&self, mut find: Find<'c>) -> Find<'c> {
        if let Some(sort) = &self.sort {
            find = find.sort(sort);
        }
        if let Some(projection) = &self.projection {
            find = find.projection(projection);
        }
        if let Some(count) = self.threads {
            find = find.threads(count);
        }
        if let Some(bytes) = self.sort_bytes_max {
            find = find.sort_bytes_max(bytes);
        }
        find.skip(self.skip).limit(self.limit)
    }
}

/// How documents are changed: the options of `nanodb_update_one` and its siblings, and of
/// `nanodb_find_one_and_update` and its siblings.
#[derive(Debug, Default)]
pub(crate) struct Changing<'a> {
    pub(crate) upsert: bool,
    pub(crate) array_filters: Option<Part<'a>>,
    sort: Option<Sort>,
    projection: Option<Projection>,
    return_new: bool,
}

/// Which options a verb has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Update,
    Replace,
    FindAndUpdate,
    FindAndReplace,
    FindAndDelete,
}

impl Verb {
    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Update => &["upsert", "array_filters"],
            Self::Replace => &["upsert"],
            Self::FindAndUpdate => &["upsert", "array_filters", "sort", "projection", "return_new"],
            Self::FindAndReplace => &["upsert", "sort", "projection", "return_new"],
            Self::FindAndDelete => &["sort", "projection"],
        }
    }
}

impl<'a> Changing<'a> {
    pub(crate) fn new(bytes: Option<&'a [u8]>, format: Format, verb: Verb) -> Result<Self> {
        let mut all = Self::default();
        for (name, part) in set(bytes, format)? {
            all.set(&name, part, verb)?;
        }
        Ok(all)
    }

    /// Sets an option of a verb.
    pub(crate) fn set(&mut self, name: &str, part: Part<'a>, verb: Verb) -> Result<()> {
        if !verb.known().contains(&name) {
            return Err(unknown(name, &verb.known().join(", ")));
        }
        let read = match name {
            "upsert" => part.bool().map(|upsert| self.upsert = upsert),
            "array_filters" => {
                self.array_filters = Some(part);
                Ok(())
            }
            "sort" => part.sort().map(|sort| self.sort = Some(sort)),
            "projection" => part.projection().map(|wanted| self.projection = Some(wanted)),
            _ => part.bool().map(|new| self.return_new = new),
        };
        option(name, read)
    }

    pub(crate) fn apply<'c>(&self, mut change: FindOneAndModify<'c>) -> FindOneAndModify<'c> {
        if let Some(sort) = &self.sort {
            change = change.sort(sort);
        }
        if let Some(projection) = &self.projection {
            change = change.projection(projection);
        }
        if self.upsert {
            change = change.upsert();
        }
        if self.return_new { change.return_new() } else { change }
    }
}
