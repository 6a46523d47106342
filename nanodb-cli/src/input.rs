//! The input of an import: a file or standard input, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::GzDecoder;

const BUFFER_SIZE: usize = 128 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An input, decompressed if it begins with the magic bytes of gzip.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    /// Its name in messages.
    pub(crate) name: String,
    /// The number of bytes, compressed; `None` for a stream.
    pub(crate) size: Option<u64>,
    pub(crate) progress: Progress,
}

/// The number of bytes read from an input, compressed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn bytes(&self) -> u64 {
        // Only displayed; no other data depends on it.
        self.0.load(Ordering::Relaxed)
    }
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::new(io::stdin(), "standard input".to_owned(), None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        let size = metadata.is_file().then_some(metadata.len());
        Self::new(file, path.display().to_string(), size)
    }

    fn new(
        source: impl Read + Send + 'static,
        name: String,
        size: Option<u64>,
    ) -> io::Result<Self> {
        let progress = Progress::default();
        let source = CountingReader { source, progress: progress.clone() };
        Ok(Self { reader: decompress(source, &name)?, name, size, progress })
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

/// Returns a reader of `source`, which decompresses all members if it is gzip; `name` is for a
/// warning.
pub(crate) fn decompress(
    mut source: impl Read + Send + 'static,
    name: &str,
) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    source.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut head)?;
    let is_gzip = head == GZIP_MAGIC;
    let source = io::Cursor::new(head).chain(source);
    if is_gzip {
        let source = BufReader::with_capacity(BUFFER_SIZE, source);
        let member = Some(GzDecoder::new(source));
        return Ok(Box::new(Gzip { member, is_next: false, name: name.to_owned() }));
    }
    Ok(Box::new(source))
}

/// The members of a gzip file, one after the other.
///
/// Data after the last member that is not a member is ignored, as by gzip(1): zeros, which pad
/// tapes, silently, anything else with a warning.
struct Gzip<R: BufRead> {
    /// `None` after the last.
    member: Option<GzDecoder<R>>,
    /// Whether nothing has been read of this member yet, and it is not the first.
    is_next: bool,
    name: String,
}

impl<R: BufRead> Gzip<R> {
    /// Goes to the next member, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(member) = self.member.take() else { return Ok(()) };
        let mut source = member.into_inner();
        loop {
            let bytes = source.fill_buf()?;
            match bytes.iter().position(|&byte| byte != 0) {
                None if bytes.is_empty() => return Ok(()),
                None => {
                    let zeros = bytes.len();
                    source.consume(zeros);
                }
                Some(zeros) => {
                    let first = bytes.get(zeros).copied();
                    source.consume(zeros);
                    if first != Some(GZIP_MAGIC[0]) {
                        self.warn();
                        return Ok(());
                    }
                    (self.member, self.is_next) = (Some(GzDecoder::new(source)), true);
                    return Ok(());
                }
            }
        }
    }

    fn warn(&self) {
        let name = &self.name;
        let _ = writeln!(
            io::stderr(),
            "nanodb: {name}: what follows the end of the gzip data is no gzip and was left out"
        );
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            match member.read(buf) {
                Ok(0) => self.next_member()?,
                Ok(size) => {
                    self.is_next = false;
                    return Ok(size);
                }
                // Its header is not valid.
                Err(error) if self.is_next && error.kind() == io::ErrorKind::InvalidInput => {
                    self.member = None;
                    self.warn();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    let cut_off = error.kind() == io::ErrorKind::UnexpectedEof;
                    let why = if cut_off { "it is cut off".into() } else { error.to_string() };
                    let why = format!("the gzip data can't be decompressed: {why}");
                    return Err(io::Error::new(error.kind(), why));
                }
            }
        }
        Ok(0)
    }
}

struct CountingReader<R> {
    source: R,
    progress: Progress,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.source.read(buf)?;
        self.progress.0.fetch_add(size as u64, Ordering::Relaxed);
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompress(io::Cursor::new(bytes), "a file")?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn all_members_of_a_gzip_are_read_and_other_text_is_as_it_is() {
        assert_eq!(
            read([gzip("{}\n"), gzip(""), gzip("{\"a\":1}\n")].concat()).unwrap(),
            "{}\n{\"a\":1}\n"
        );
        for text in ["", "[", "[]", "{\"a\": 1}\n"] {
            assert_eq!(read(text.into()).unwrap(), text);
        }
    }

    #[test]
    fn what_follows_a_gzip_and_is_none_is_left_out() {
        let rests = [
            &b"junk"[..],
            b"\0\0\0",
            b"\0junk",
            b"\x1fjunk of a length",
            b"\x1f\x8cjunk of a length",
        ];
        for rest in rests {
            for members in [vec![gzip("{}\n")], vec![gzip("{"), gzip("}\n")]] {
                assert_eq!(read([&members.concat(), rest].concat()).unwrap(), "{}\n", "{rest:?}");
            }
        }
        assert_eq!(read([gzip("{"), vec![0; 300_000], gzip("}")].concat()).unwrap(), "{}");
        let error = read([gzip("{}"), gzip("{}")[..7].to_vec()].concat()).unwrap_err();
        assert!(error.to_string().contains("cut off"), "{error}");
    }

    #[test]
    fn a_gzip_cut_off_or_damaged_is_an_error() {
        let mut bytes = gzip(&"{\"a\": 1}\n".repeat(1000));
        let message = read(bytes[..bytes.len() - 9].to_vec()).unwrap_err().to_string();
        assert!(message.contains("cut off"), "{message}");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        let message = read(bytes).unwrap_err().to_string();
        assert!(message.contains("can't be decompressed"), "{message}");
    }
}
