//! The data of an archive's members.

use flate2::Crc;

use super::Item;
use crate::bytes::{range, wide};
use crate::expand::{Codec, Failure};
use crate::walk::{EXHAUSTED, Place, Walker};
use crate::{DifferenceKind, Format, GapKind, Loader};

/// How often all bytes of an archive may be used as data, over all its members. Members that share
/// bytes are how a small archive becomes a large one.
const REUSE: u64 = 4;
/// Bytes of data that are always allowed.
const FLOOR: u64 = 1 << 20;

/// The codec of a method; `None` for data as it is.
fn codec(method: u16) -> Result<Option<Codec>, &'static str> {
    match method {
        0 => Ok(None),
        8 => Ok(Some(Codec::Deflate)),
        12 => Ok(Some(Codec::Bzip2)),
        14 => Ok(Some(Codec::ZipLzma)),
        20 | 93 => Ok(Some(Codec::Zstd)),
        95 => Ok(Some(Codec::Xz)),
        9 => Err("deflate64"),
        1..=6 => Err("a method of before 1993"),
        99 => Err("AES encryption"),
        _ => Err("an unknown method"),
    }
}

/// The visits to one archive's members.
pub(super) struct Work<'a> {
    bytes: &'a [u8],
    /// Bytes of data that may still be used.
    left: u64,
}

impl<'a> Work<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            left: wide(bytes.len())
                .saturating_mul(REUSE)
                .saturating_add(FLOOR),
        }
    }

    /// Visits a member. `false` when the archive has used up what it may.
    pub(super) fn visit(
        &mut self,
        walker: &mut Walker<'_>,
        place: &Place,
        archive: Format,
        item: &Item<'_>,
        name: &str,
    ) -> bool {
        let loader = match archive {
            Format::TorchZip => Loader::TorchLoad,
            Format::Npz => Loader::NumpyLoad,
            _ => place.loader,
        };
        let inside = place.inside(name, loader);
        let data = range(self.bytes, item.start, item.length);
        let short = item.exact && wide(data.len()) < item.length;
        match codec(item.method) {
            Ok(None) => {
                if !self.charge(walker, place, item, wide(data.len())) {
                    return false;
                }
                stored(walker, inside, item, data, short);
                true
            }
            Ok(Some(codec)) => self.packed(walker, place, inside, item, codec, data),
            Err(what) => {
                if !self.charge(walker, place, item, wide(data.len())) {
                    return false;
                }
                let reason = format!(
                    "method {} ({what}) is not supported: the member's data was not expanded",
                    item.method
                );
                walker.gap(&inside, 0, &reason, GapKind::Unsupported);
                let inside = Place {
                    partial: Some(reason),
                    ..inside
                };
                walker.visit(&inside, data);
                true
            }
        }
    }

    fn charge(
        &mut self,
        walker: &mut Walker<'_>,
        place: &Place,
        item: &Item<'_>,
        length: u64,
    ) -> bool {
        let Some(left) = self.left.checked_sub(length) else {
            let reason = format!(
                "members share so many bytes that together they are more than {REUSE} times the \
                 archive: the rest was not read"
            );
            walker.gap(place, item.start, &reason, GapKind::Limited);
            return false;
        };
        self.left = left;
        true
    }

    fn packed(
        &mut self,
        walker: &mut Walker<'_>,
        place: &Place,
        mut inside: Place,
        item: &Item<'_>,
        codec: Codec,
        data: &[u8],
    ) -> bool {
        let Some(mut expanded) = walker.expand(codec, data) else {
            walker.gap(place, item.start, EXHAUSTED, GapKind::Limited);
            return false;
        };
        let produced = wide(expanded.bytes.len());
        let mut failure = expanded.failure.take();
        // LZMA data in a zip may have no end mark, only the size in the header.
        if codec == Codec::ZipLzma
            && failure == Some(Failure::Truncated)
            && item.size == Some(produced)
        {
            failure = None;
        }
        if let Some(failure) = failure {
            if item.encrypted && produced == 0 {
                walker.gap(&inside, 0, "the member is encrypted", GapKind::Encrypted);
            } else {
                walker.failed(&inside, wide(expanded.consumed), &failure);
            }
            inside.partial = Some(failure.text());
        } else {
            if item.encrypted {
                not_encrypted(walker, &inside);
            }
            if item.exact && codec != Codec::ZipLzma && expanded.consumed < data.len() {
                let text = format!(
                    "the member's compressed data ends {} bytes before the entry does",
                    data.len().saturating_sub(expanded.consumed)
                );
                let at = wide(expanded.consumed);
                walker.difference(&inside, at, DifferenceKind::Trailing, text);
            }
            check(walker, &inside, item, &expanded.bytes);
        }
        if !self.charge(walker, place, item, wide(expanded.consumed)) {
            return false;
        }
        walker.visit_expanded(&inside, &expanded.bytes);
        true
    }
}

/// Holds the declared size and CRC-32 against expanded data.
fn check(walker: &mut Walker<'_>, inside: &Place, item: &Item<'_>, bytes: &[u8]) {
    let length = wide(bytes.len());
    if let Some(size) = item.size.filter(|size| *size != length) {
        let text = format!(
            "the member is declared as {size} bytes and {length} come out: zipfile gives a loader \
             no more than declared, PyTorch refuses it, a streaming reader gives all"
        );
        walker.difference(inside, 0, DifferenceKind::Size, text);
    } else if let Some(crc) = item.crc {
        let mut sum = Crc::new();
        sum.update(bytes);
        if sum.sum() != crc {
            let reason = "the CRC-32 is wrong: zipfile says so only after a loader has read all";
            walker.gap(inside, length, reason, GapKind::Corrupt);
        }
    }
}

fn stored(walker: &mut Walker<'_>, mut inside: Place, item: &Item<'_>, data: &[u8], short: bool) {
    if short {
        let reason = "the archive ends inside this member";
        walker.gap(&inside, wide(data.len()), reason, GapKind::Corrupt);
        inside.partial = Some(reason.to_owned());
    }
    if item.encrypted {
        // Encryption puts 12 bytes before the data.
        if item.size == Some(item.length) {
            not_encrypted(walker, &inside);
        } else {
            walker.gap(&inside, 0, "the member is encrypted", GapKind::Encrypted);
        }
    } else if let Some(size) = item.size.filter(|size| *size != item.length) {
        let text = format!(
            "the member is stored in {} bytes and declared as {size}: zipfile gives a loader the \
             smaller number, PyTorch refuses it",
            item.length
        );
        walker.difference(&inside, 0, DifferenceKind::Size, text);
    }
    walker.visit(&inside, data);
}

fn not_encrypted(walker: &mut Walker<'_>, inside: &Place) {
    let text = "the member is marked as encrypted and is not: zipfile and PyTorch refuse it, a reader \
                that ignores the flag loads it";
    walker.difference(inside, 0, DifferenceKind::NotEncrypted, text.to_owned());
}
