//! Which parts of the paths of an index have led to arrays.

/// For each field of an index, the parts of its path at which an array was met.
///
/// Those of an index are the union over all documents that it ever had entries of: a bit is never
/// taken back.
///
/// ```text
/// size  field of the bytes
/// ----  -----------------------------------------------------------------------------------
///    1  the number of fields with a bit
///    .  for each: its position, the number of bytes, and the bits, the lowest first
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultikeyPaths {
    /// A bit for each part, the lowest for the first; fields behind the last one have none.
    fields: Vec<u128>,
}

impl MultikeyPaths {
    /// Returns whether the path of a field led to or through an array, in any document.
    #[must_use]
    pub fn is_multikey(&self, field: usize) -> bool {
        self.bits(field) != 0
    }

    /// Returns whether any path did.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.fields.iter().any(|&bits| bits != 0)
    }

    /// Returns the parts of the path of a field that led to arrays, by their positions.
    ///
    /// ```
    /// use nanodb_query::{Index, IndexKeys};
    ///
    /// let spec = Index::ascending("a.b").spec()?;
    /// let mut keys = IndexKeys::default();
    /// keys.enumerate(&spec, b"\x81\xa1a\x91\x81\xa1b\x07")?; // {"a": [{"b": 7}]}
    /// assert_eq!(keys.multikey().parts(0).collect::<Vec<_>>(), [0]);
    /// # Ok::<(), nanodb_query::Error>(())
    /// ```
    pub fn parts(&self, field: usize) -> impl Iterator<Item = usize> {
        let bits = self.bits(field);
        (0..128).filter(move |part| bits >> part & 1 == 1)
    }

    /// Adds what another one has. Returns whether that changed anything.
    pub fn add(&mut self, other: &Self) -> bool {
        let mut is_changed = false;
        for (field, &bits) in other.fields.iter().enumerate() {
            is_changed |= self.set_bits(field, bits);
        }
        is_changed
    }

    /// Returns the bytes that [`decode`](Self::decode) reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let with_bits = || self.fields.iter().enumerate().filter(|(_, bits)| **bits != 0);
        // At most 32 fields, and 16 bytes of each.
        let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        let mut out = vec![byte(with_bits().count())];
        for (field, bits) in with_bits() {
            let bits = bits.to_le_bytes();
            let len = bits.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            out.extend_from_slice(&[byte(field), byte(len)]);
            out.extend(bits.iter().take(len));
        }
        out
    }

    /// Reads the bytes of what [`encode`](Self::encode) wrote, and returns what follows them.
    /// Returns `None` if they are damaged.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&count, mut rest) = bytes.split_first()?;
        let mut paths = Self::default();
        for _ in 0..count {
            let ([field, len], after) = rest.split_first_chunk::<2>()?;
            let (bits, after) = after.split_at_checked(usize::from(*len))?;
            let mut whole = [0; 16];
            whole.get_mut(..bits.len())?.copy_from_slice(bits);
            let field = usize::from(*field);
            if field >= crate::index_spec::INDEX_FIELDS_MAX {
                return None;
            }
            paths.set_bits(field, u128::from_le_bytes(whole));
            rest = after;
        }
        Some((paths, rest))
    }

    pub(crate) fn bits(&self, field: usize) -> u128 {
        self.fields.get(field).copied().unwrap_or(0)
    }

    /// Returns whether one of them is new.
    fn set_bits(&mut self, field: usize, bits: u128) -> bool {
        if bits == 0 {
            return false;
        }
        if self.fields.len() <= field {
            self.fields.resize(field + 1, 0);
        }
        self.fields.get_mut(field).is_some_and(|own| {
            let before = *own;
            *own |= bits;
            *own != before
        })
    }

    pub(super) fn set(&mut self, field: usize, part: usize) {
        // A path has at most 100 parts.
        let bit = u32::try_from(part).ok().and_then(|part| 1_u128.checked_shl(part));
        self.set_bits(field, bit.unwrap_or(0));
    }

    pub(super) fn clear(&mut self) {
        self.fields.clear();
    }
}
