//! The first pass: which kinds of values the fields of the documents hold.
//!
//! What is noted does not depend on the order of the documents, but for the order of the fields,
//! which is that in which they first appear.

use nanodb::{DOCUMENT_DEPTH_MAX, StoredDoc};
use nanodb_msgpack::{Cursor, Number, TIMESTAMP_EXT, Token, UnixTime};

use super::Refused;
use super::names::Names;

/// How many fields all documents may have together. Each is a column, whichever documents have it.
const FIELDS_MAX: usize = 10_000;

/// What a value is, as Python names it. Null is none of these: every column may hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Binary,
    Time,
    ObjectId,
    Uuid,
    Ext,
    List,
    Document,
}

impl Kind {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Bool, "bool"),
        (Self::Int, "int"),
        (Self::Float, "float"),
        (Self::Text, "str"),
        (Self::Binary, "bytes"),
        (Self::Time, "datetime"),
        (Self::ObjectId, "ObjectId"),
        (Self::Uuid, "UUID"),
        (Self::Ext, "Ext"),
        (Self::List, "list"),
        (Self::Document, "dict"),
    ];
}

/// Several kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Kinds(u16);

impl Kinds {
    fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u16;
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    pub(super) fn are(self, kinds: &[Kind]) -> bool {
        let mut all = Self::default();
        kinds.iter().for_each(|kind| all.add(*kind));
        self == all
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Lists them: `int, float and str`.
    pub(super) fn listed(self) -> String {
        let all = Kind::ALL.iter().filter(|(kind, _)| self.has(*kind));
        let names: Vec<_> = all.map(|(_, name)| *name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "nothing".to_owned(),
        }
    }
}

/// What the values of a field are.
#[derive(Default)]
pub(super) struct Values {
    pub(super) kinds: Kinds,
    /// Whether an integer is below 0; above the largest of 64 bits with a sign; or one that no
    /// float equals.
    pub(super) has_negative: bool,
    pub(super) has_large: bool,
    pub(super) has_inexact: bool,
    /// Whether a time is so far that 64 bits do not count its microseconds.
    pub(super) has_far: bool,
    /// What the elements of arrays are.
    pub(super) elements: Option<Box<Values>>,
    /// What the fields of documents are.
    pub(super) fields: Option<Box<Fields>>,
}

/// What the fields of documents are.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) names: Names,
    pub(super) values: Vec<Values>,
}

/// What a search finds.
#[derive(Default)]
pub(super) struct Shape {
    pub(super) fields: Fields,
    /// How many fields there are, within each other too.
    pub(super) count: usize,
}

/// Why a document could not be added.
enum Wrong {
    Damaged,
    TooManyFields,
}

impl Shape {
    /// Adds a document.
    pub(super) fn add(&mut self, document: &StoredDoc) -> Result<(), Refused> {
        let mut cursor = Cursor::new(document.as_bytes());
        let added = match cursor.read_map_len() {
            Some(len) => self.fields.add(&mut cursor, len, 1, &mut self.count),
            None => Err(Wrong::Damaged),
        };
        match added {
            Ok(()) if cursor.rest().is_empty() => Ok(()),
            Ok(()) | Err(Wrong::Damaged) => Err(damaged(document)),
            Err(Wrong::TooManyFields) => Err(Refused::Fields(format!(
                "the documents have more than {FIELDS_MAX} different fields, each of which would \
                 be a column; name the wanted ones in a projection"
            ))),
        }
    }
}

/// Says that a stored document can't be read.
#[cold]
pub(super) fn damaged(document: &StoredDoc) -> Refused {
    Refused::Damaged(match document.id() {
        Some(id) => format!("the document with the id {id} is damaged"),
        None => "a document is damaged".to_owned(),
    })
}

impl Fields {
    fn add(
        &mut self,
        cursor: &mut Cursor<'_>,
        len: u32,
        depth: usize,
        count: &mut usize,
    ) -> Result<(), Wrong> {
        if depth > DOCUMENT_DEPTH_MAX {
            return Err(Wrong::Damaged);
        }
        let mut guess = 0;
        for _ in 0..len {
            let name = cursor.read_string_bytes().ok_or(Wrong::Damaged)?;
            let at = match self.names.find(name, guess) {
                Some(at) => at,
                None => {
                    *count += 1;
                    if *count > FIELDS_MAX {
                        return Err(Wrong::TooManyFields);
                    }
                    self.values.push(Values::default());
                    self.names.add(name)
                }
            };
            guess = at + 1;
            let values = self.values.get_mut(at).ok_or(Wrong::Damaged)?;
            values.add(cursor, depth, count)?;
        }
        Ok(())
    }
}

impl Values {
    fn add(
        &mut self,
        cursor: &mut Cursor<'_>,
        depth: usize,
        count: &mut usize,
    ) -> Result<(), Wrong> {
        let token = cursor.read().ok_or(Wrong::Damaged)?;
        let kind = match token {
            Token::Null => return Ok(()),
            Token::Bool(_) => Kind::Bool,
            Token::Int(number) => {
                self.has_negative |= number < 0;
                self.has_inexact |= !is_exact(number as f64, number.into());
                Kind::Int
            }
            Token::UInt(number) => {
                self.has_large = true;
                self.has_inexact |= !is_exact(number as f64, number.into());
                Kind::Int
            }
            Token::Float(_) => Kind::Float,
            Token::String(_) => Kind::Text,
            Token::Binary(_) => Kind::Binary,
            Token::Array(len) => {
                self.kinds.add(Kind::List);
                let elements = self.elements.get_or_insert_default();
                if depth >= DOCUMENT_DEPTH_MAX {
                    return Err(Wrong::Damaged);
                }
                for _ in 0..len {
                    elements.add(cursor, depth + 1, count)?;
                }
                return Ok(());
            }
            Token::Map(len) => {
                self.kinds.add(Kind::Document);
                let fields = self.fields.get_or_insert_default();
                return fields.add(cursor, len, depth + 1, count);
            }
            Token::Ext(TIMESTAMP_EXT, data) => {
                let time = UnixTime::from_ext(data).ok_or(Wrong::Damaged)?;
                self.has_far |= microseconds(time).is_none();
                Kind::Time
            }
            Token::Ext(..) => match (token.object_id(), token.uuid()) {
                (Some(_), _) => Kind::ObjectId,
                (_, Some(_)) => Kind::Uuid,
                _ => Kind::Ext,
            },
        };
        self.kinds.add(kind);
        Ok(())
    }
}

/// Returns whether a float is exactly an integer.
fn is_exact(float: f64, integer: i128) -> bool {
    Number::Float(float).as_whole() == Some(integer)
}

/// Returns the microseconds since the beginning of 1970, rounded down, if 64 bits count them.
pub(super) fn microseconds(time: UnixTime) -> Option<i64> {
    let whole = i128::from(time.secs()) * 1_000_000 + i128::from(time.nanos() / 1000);
    i64::try_from(whole).ok()
}
