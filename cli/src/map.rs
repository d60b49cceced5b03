//! The bytes of a file: small ones read, large ones mapped into memory.
//!
//! The only unsafe code of the project. A model file is gigabytes of tensors around a few
//! kilobytes of pickle. Mapped, the pages that nobody looks at are never read from the disk, and
//! the others can be dropped from memory at any time. To read the file instead costs its whole size
//! in memory for each thread, and, where it is not hashed, many times the time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// A file of at least this many bytes is mapped. For a smaller one a read is cheaper.
const MAPPED_FROM: u64 = 64 << 10;

/// At most this much is read into memory: standard input, and files that hide their size.
pub(crate) const READ_LIMIT: u64 = 1 << 30;

/// Bytes to look at.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// In memory of our own.
    Read(Vec<u8>),
    /// In the file.
    Mapped(Mmap),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

impl Bytes {
    /// The bytes of a regular file. What is no regular file is not opened, for to open a named
    /// pipe can wait for ever, and to open a device can do anything.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        expect_regular(&fs::metadata(path)?)?;
        let file = File::open(path)?;
        // It may be another file by now.
        let metadata = file.metadata()?;
        expect_regular(&metadata)?;
        if metadata.len() < MAPPED_FROM {
            // A file of /proc has no size and yet has bytes: what counts is the end, not the size.
            return Self::of_reader(file);
        }
        map(&file).map(Self::Mapped)
    }

    /// All bytes up to the end.
    pub(crate) fn of_reader(reader: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        reader
            .take(READ_LIMIT.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > READ_LIMIT {
            return Err(io::Error::other(format!(
                "more than {READ_LIMIT} bytes; save them as a file and scan that",
            )));
        }
        Ok(Self::Read(bytes))
    }
}

#[expect(
    unsafe_code,
    reason = "to read a model costs its size in memory and many times the time; see the module"
)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is private to us and read-only, and it is handed out only as a borrow of the
    // `Mmap` that keeps it alive. What the type system can't promise is that nobody else changes
    // the file meanwhile:
    // - If it is written to, bytes change behind a `&[u8]`. The language promises nothing for that.
    //   In practice the parsers, which check each access against a length that does not change and
    //   trust no byte to stay as it was, report about mixed bytes, as after a read during a write.
    // - If it is truncated, a page behind the new end has no bytes, and the system ends the process
    //   by SIGBUS. The scan then has no result and its exit status is that of a signal: a gate that
    //   is closed. Who can truncate a file in the folder can as well keep it from being scanned.
    unsafe { Mmap::map(file) }
}

/// An error for what is neither a file nor a link to one.
fn expect_regular(metadata: &fs::Metadata) -> io::Result<()> {
    match special(metadata.file_type()) {
        None => Ok(()),
        Some(what) => Err(io::Error::other(format!(
            "{what}, not a regular file: not opened"
        ))),
    }
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt as _;

    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        Some("a special file")
    }
}

#[cfg(not(unix))]
fn special(kind: fs::FileType) -> Option<&'static str> {
    (!kind.is_file()).then_some("a special file")
}
