//! Documents as CSV, as RFC 4180 has it.

use std::collections::HashSet;
use std::io::Write;

use nanodb::{DocView, ValueRef};

use super::cell::plain;
use crate::failure::Result;

/// The columns of CSV: known before its first line, which names them.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    known: HashSet<String>,
}

impl Columns {
    /// Adds the fields of a document that no earlier one has.
    pub(crate) fn add(&mut self, document: &DocView) -> Result<()> {
        for field in document {
            let (name, _) = field?;
            self.add_name(name);
        }
        Ok(())
    }

    /// Adds a field.
    pub(crate) fn add_name(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.names.push(name.to_owned());
        }
    }

    /// Writes the line that names the columns, if there are any.
    pub(super) fn write_names(&self, out: &mut dyn Write) -> Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        write_record(self.names.iter().map(|name| Some(name.clone())), out)
    }

    /// Writes a document; a field that it lacks, and null, are empty.
    pub(super) fn write(&self, document: &DocView, out: &mut dyn Write) -> Result<()> {
        let mut values: Vec<Option<String>> = vec![None; self.names.len()];
        for field in document {
            let (name, value) = field?;
            let at = self.names.iter().position(|known| known == name);
            if let Some(place) = at.and_then(|at| values.get_mut(at)) {
                *place = text(value)?;
            }
        }
        write_record(values.into_iter(), out)
    }
}

/// Returns a value as programs expect it: binary as JSON, which `import` reads; null as nothing.
fn text(value: ValueRef<'_>) -> Result<Option<String>> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Binary(_) => Some(value.to_json()?),
        value => Some(plain(value)?),
    })
}

fn write_record(values: impl Iterator<Item = Option<String>>, out: &mut dyn Write) -> Result<()> {
    let mut line = String::new();
    for (index, value) in values.enumerate() {
        if index > 0 {
            line.push(',');
        }
        match value {
            // An empty string can be told from nothing.
            Some(value) if value.is_empty() || value.contains([',', '"', '\r', '\n']) => {
                line.push('"');
                line.push_str(&value.replace('"', "\"\""));
                line.push('"');
            }
            Some(value) => line.push_str(&value),
            None => {}
        }
    }
    line.push_str("\r\n");
    out.write_all(line.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use nanodb::{Encode as _, Timestamp, doc};

    use super::*;

    #[test]
    fn values_are_quoted_where_they_must_be_and_missing_ones_are_empty() {
        let documents = [
            doc! { "_id": 1, "text": "a, \"b\"\r\nc", "at": (Timestamp::new(0, 0)), "none": () },
            doc! { "_id": 2, "list": [1, "x"], "text": "" },
        ];
        let mut columns = Columns::default();
        let mut buffers = Vec::new();
        for document in &documents {
            let mut buffer = Vec::new();
            let record = document.encode(None, &mut buffer).unwrap().record(&buffer).to_vec();
            columns.add(DocView::from_bytes(&record)).unwrap();
            buffers.push(record);
        }
        let mut out = Vec::new();
        columns.write_names(&mut out).unwrap();
        buffers.iter().for_each(|d| columns.write(DocView::from_bytes(d), &mut out).unwrap());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "_id,text,at,none,list\r\n\
             1,\"a, \"\"b\"\"\r\nc\",1970-01-01T00:00:00Z,,\r\n\
             2,\"\",,,\"[1,\"\"x\"\"]\"\r\n"
        );
    }
}
