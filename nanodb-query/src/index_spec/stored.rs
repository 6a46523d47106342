//! A spec as the bytes that the file keeps of it.
//!
//! ```text
//! size  field
//! ----  -------------------------------------------------------------------------------------
//!    1  version of this form: 1
//!    1  version of the bytes of keys: 1
//!    1  flags: 1 unique, 2 sparse, 4 a partial filter, 8 a time to expire; the others are 0
//!    .  name: length, bytes
//!    .  number of fields; for each: 0 or 1 if it is descending, the length of its path, the path
//!    .  if flagged: the length of the partial filter, the filter in MessagePack
//!    .  if flagged: the seconds after which documents expire
//! ```
//!
//! Numbers but for the first three are LEB128: seven bits a byte, the lowest first, the eighth bit
//! in all but the last. Names and paths are UTF-8. Nothing follows.

use super::{Draft, IndexSpec, KEY_FORMAT};
use crate::error::{IndexProblem, Problem, QueryError};
use crate::filter::Filter;

const VERSION: u8 = 1;

const UNIQUE: u8 = 1;
const SPARSE: u8 = 1 << 1;
const PARTIAL: u8 = 1 << 2;
const EXPIRES: u8 = 1 << 3;

impl IndexSpec {
    /// Returns the bytes that [`decode`](Self::decode) reads.
    ///
    /// ```
    /// use nanodb_query::Index;
    ///
    /// let bytes = Index::descending("a").unique().spec()?.encode();
    /// assert_eq!(bytes, b"\x01\x01\x01\x04a_-1\x01\x01\x01a");
    /// # Ok::<(), nanodb_query::Error>(())
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(self.unique, UNIQUE)
            | flag(self.sparse, SPARSE)
            | flag(self.partial.is_some(), PARTIAL)
            | flag(self.expire_after.is_some(), EXPIRES);
        let mut out = vec![VERSION, KEY_FORMAT, flags];
        write_sized(&mut out, self.name.as_bytes());
        write_number(&mut out, self.fields.len() as u64);
        for field in &self.fields {
            out.push(field.descending.into());
            write_sized(&mut out, field.path.as_str().as_bytes());
        }
        if let Some(partial) = &self.partial {
            write_sized(&mut out, partial.bytes());
        }
        if let Some(seconds) = self.expire_after {
            write_number(&mut out, seconds);
        }
        out
    }

    /// Reads the bytes of a spec.
    ///
    /// # Errors
    ///
    /// [`IndexProblem::Stored`], if a newer version wrote them or they are damaged; what
    /// [`Index::spec`](crate::Index::spec) refuses.
    pub fn decode(bytes: &[u8]) -> Result<Self, QueryError> {
        Ok(decode(bytes)?)
    }
}

fn damaged() -> Problem {
    IndexProblem::Stored { problem: "is damaged" }.into()
}

fn decode(bytes: &[u8]) -> Result<IndexSpec, Problem> {
    let newer = || IndexProblem::Stored { problem: "is of a newer version" }.into();
    let (head, rest) = bytes.split_first_chunk::<3>().ok_or_else(damaged)?;
    let [version, key_format, flags] = *head;
    match (version, key_format) {
        (VERSION, KEY_FORMAT) => {}
        (0, _) | (_, 0) => return Err(damaged()),
        _ => return Err(newer()),
    }
    if flags & !(UNIQUE | SPARSE | PARTIAL | EXPIRES) != 0 {
        return Err(newer());
    }
    let mut reader = Reader(rest);
    let draft = reader.draft(flags).ok_or_else(damaged)?;
    if !reader.0.is_empty() {
        return Err(damaged());
    }
    IndexSpec::new(&draft)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn draft(&mut self, flags: u8) -> Option<Draft> {
        let mut draft = Draft {
            name: Some(self.text()?.to_owned()),
            unique: flags & UNIQUE != 0,
            sparse: flags & SPARSE != 0,
            ..Draft::default()
        };
        // A number that is too large ends with the bytes.
        for _ in 0..self.number()? {
            let descending = match self.byte()? {
                0 => false,
                1 => true,
                _ => return None,
            };
            draft.fields.push((self.text()?.to_owned(), descending));
        }
        if flags & PARTIAL != 0 {
            draft.partial = Some(Filter::parse(self.sized()?).ok()?);
        }
        if flags & EXPIRES != 0 {
            draft.expire_after = Some(self.number()?);
        }
        Some(draft)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.sized()?).ok()
    }
}

fn write_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn write_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
