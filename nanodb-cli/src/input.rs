//! Where imported documents come from: a file or standard input, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

const BUFFER_SIZE: usize = 128 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An input, decompressed if it began with the magic bytes of gzip.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    /// What it is called in messages.
    pub(crate) name: String,
    /// How many bytes there are, compressed; `None` for a stream.
    pub(crate) size: Option<u64>,
    pub(crate) progress: Progress,
}

/// How many bytes of an input were read, compressed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn bytes(&self) -> u64 {
        // A figure to be shown; nothing is read by it.
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
        let source = Counted { source, progress: progress.clone() };
        Ok(Self { reader: decompress(source)?, name, size, progress })
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

/// Reads what `source` holds, decompressed where it is gzip, all members of it.
pub(crate) fn decompress(
    mut source: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    source.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut head)?;
    let is_gzip = head == GZIP_MAGIC;
    let source = io::Cursor::new(head).chain(source);
    if is_gzip {
        let source = BufReader::with_capacity(BUFFER_SIZE, source);
        return Ok(Box::new(Gzip(MultiGzDecoder::new(source))));
    }
    Ok(Box::new(source))
}

/// Says that it was decompressing when something failed.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: io::BufRead> Read for Gzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|error| {
            let cut_off = error.kind() == io::ErrorKind::UnexpectedEof;
            let why = if cut_off { "it is cut off".to_owned() } else { error.to_string() };
            io::Error::new(error.kind(), format!("the gzip data can't be decompressed: {why}"))
        })
    }
}

struct Counted<R> {
    source: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.source.read(buf)?;
        self.progress.0.fetch_add(size as u64, Ordering::Relaxed);
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

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
        decompress(io::Cursor::new(bytes))?.read_to_string(&mut text)?;
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
