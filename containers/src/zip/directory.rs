//! The central directories that some reader would use, and all their entries.

use std::collections::HashSet;

use memchr::memmem;

use super::records::{CENTRAL, Central, END, End, Local};
use super::{Remarks, TAIL};
use crate::bytes::{from, has, tail, u64_at, wide};
use crate::{DifferenceKind, GapKind};

/// End records that are followed up.
const CANDIDATES: usize = 8;

/// A central directory as a reader finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    /// Where its first entry stands.
    pub(super) start: u64,
    /// What is added to the offsets in it.
    adjust: i64,
    size: u64,
    entries: u64,
}

/// The directories that hold together, that of Python's `zipfile` first, and the entries of all.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    most: usize,
    remarks: &mut Remarks,
) -> (Vec<Directory>, Vec<Central<'a>>) {
    let ends = ends(bytes);
    let mut directories: Vec<Directory> = Vec::new();
    let mut python = None;
    for (rank, end) in ends.iter().enumerate() {
        for (way, directory) in readings(bytes, *end).into_iter().enumerate() {
            if rank == 0 && way == 0 {
                python = Some(directory);
            }
            if directory.is_sound(bytes) && !directories.contains(&directory) {
                directories.push(directory);
            }
        }
    }
    if let Some(end) = ends.first() {
        about_the_end(bytes, *end, python, &directories, remarks);
    } else if has(bytes, 0, super::records::LOCAL) {
        remarks.gap(wide(bytes.len()), GapKind::Corrupt, || {
            "the archive has no end record: zipfile and PyTorch refuse it, a reader of local \
             headers does not"
                .to_owned()
        });
    }
    let mut centrals: Vec<Central<'a>> = Vec::new();
    let mut seen = HashSet::new();
    let mut rank = 0_usize;
    while let Some(directory) = directories.get(rank).copied() {
        // An archive in an archive, stored near its end, has a directory of its own; it is walked as
        // the member that it is.
        if rank > 0 && is_in_stored(bytes, &centrals, directory.start) {
            directories.remove(rank);
            continue;
        }
        let added = entries(bytes, directory, most, &mut seen, &mut centrals, remarks);
        if rank > 0 && added > 0 {
            remarks.difference(directory.start, DifferenceKind::Directory, || {
                format!(
                    "a second central directory at {} lists {added} entries that zipfile's choice \
                     does not: readers that search or count otherwise see those",
                    directory.start
                )
            });
        }
        rank = rank.saturating_add(1);
    }
    (directories, centrals)
}

/// Whether a position is in the data of a stored entry, by both of its headers.
fn is_in_stored(bytes: &[u8], centrals: &[Central<'_>], at: u64) -> bool {
    centrals.iter().any(|central| {
        central.method == 0
            && central.header < at
            && Local::parse(bytes, central.header).is_some_and(|local| {
                let end = local.data.saturating_add(central.packed);
                local.method == 0
                    && (local.is_open() || local.packed == central.packed)
                    && (local.data..end).contains(&at)
            })
    })
}

/// All end records, the one that `zipfile` takes first: a record without a comment at the very end,
/// or the last signature in the tail.
fn ends(bytes: &[u8]) -> Vec<End> {
    let window = tail(bytes, TAIL);
    let base = wide(bytes.len().saturating_sub(window.len()));
    let mut found: Vec<End> = memmem::rfind_iter(window, END)
        .take(CANDIDATES)
        .filter_map(|at| End::parse(bytes, base.checked_add(wide(at))?))
        .map(|(end, _)| end)
        .collect();
    let last = wide(bytes.len()).saturating_sub(22);
    let closing = End::parse(bytes, last).filter(|(_, comment)| *comment == 0);
    if let Some((closing, _)) = closing
        && let Some(at) = found.iter().position(|end| *end == closing)
    {
        found.swap(0, at);
    }
    found
}

/// The ways to read an end record: as `zipfile` does, then as a reader that trusts offsets does; with
/// its zip64 record, and without.
fn readings(bytes: &[u8], end: End) -> Vec<Directory> {
    let mut ends = Vec::with_capacity(3);
    let locator = end
        .at
        .checked_sub(20)
        .filter(|at| has(bytes, *at, b"PK\x06\x07"));
    if let Some(locator) = locator {
        // zipfile looks right before the locator; others go where it points.
        let before = locator.checked_sub(56);
        let pointed = u64_at(from(bytes, locator), 8);
        ends.extend(
            [before, pointed]
                .into_iter()
                .flatten()
                .filter_map(|at| End::parse_64(bytes, at)),
        );
    }
    ends.push(end);
    let mut out: Vec<Directory> = Vec::with_capacity(6);
    for end in ends {
        let moved = end.at.checked_sub(end.size).and_then(|start| {
            Some(Directory {
                start,
                adjust: i64::try_from(start)
                    .ok()?
                    .checked_sub(i64::try_from(end.offset).ok()?)?,
                size: end.size,
                entries: end.entries,
            })
        });
        let trusted = Directory {
            start: end.offset,
            adjust: 0,
            size: end.size,
            entries: end.entries,
        };
        for directory in moved.into_iter().chain([trusted]) {
            if !out.contains(&directory) {
                out.push(directory);
            }
        }
    }
    out
}

impl Directory {
    /// Whether entries stand where the directory should be, or it is the empty directory of an
    /// archive that is nothing else.
    fn is_sound(&self, bytes: &[u8]) -> bool {
        has(bytes, self.start, CENTRAL)
            || (self.entries == 0 && self.size == 0 && self.adjust == 0 && has(bytes, 0, END))
    }
}

/// What the end record itself says wrong.
fn about_the_end(
    bytes: &[u8],
    end: End,
    python: Option<Directory>,
    sound: &[Directory],
    remarks: &mut Remarks,
) {
    let Some(python) = python.filter(|directory| sound.contains(directory)) else {
        remarks.gap(end.at, GapKind::Corrupt, || {
            "the end record does not lead to a central directory in the way that zipfile looks for \
             it: zipfile refuses the archive or sees it empty, other readers may not"
                .to_owned()
        });
        return;
    };
    if python.adjust != 0 {
        remarks.difference(0, DifferenceKind::Prepended, || {
            format!(
                "offsets in the archive are {} bytes off, as if bytes were put before it: zipfile \
                 makes up for that, PyTorch does not",
                python.adjust
            )
        });
    }
    let comment = End::parse(bytes, end.at).map_or(0, |(_, comment)| u64::from(comment));
    let close = end.at.saturating_add(22).saturating_add(comment);
    let length = wide(bytes.len());
    if close != length {
        remarks.difference(close.min(length), DifferenceKind::Trailing, || {
            format!(
                "the archive's comment should end at {close} and the bytes end at {length}: zipfile \
                 does not mind, stricter readers look for another end record"
            )
        });
    }
}

/// Adds the entries of a directory, past its declared size as long as there are any.
fn entries<'a>(
    bytes: &'a [u8],
    directory: Directory,
    most: usize,
    seen: &mut HashSet<(u64, u64)>,
    out: &mut Vec<Central<'a>>,
    remarks: &mut Remarks,
) -> usize {
    let close = directory.start.saturating_add(directory.size);
    let before = out.len();
    let mut at = directory.start;
    let mut listed = 0_u64;
    let mut behind = 0_u64;
    while let Some(entry) = Central::parse(bytes, at, directory.adjust) {
        if out.len() >= most {
            remarks.gap(at, GapKind::Limited, || {
                format!("the archive has more than {most} entries: the rest is not read")
            });
            break;
        }
        let counter = if at < close { &mut listed } else { &mut behind };
        *counter = counter.saturating_add(1);
        at = entry.next;
        if seen.insert((entry.record, entry.header)) {
            out.push(entry);
        }
    }
    if at < close {
        remarks.gap(at, GapKind::Corrupt, || {
            format!("the central directory breaks off at {at}, before its end at {close}: zipfile refuses it")
        });
    }
    // The 16-bit count wraps in archives of old writers.
    if listed != directory.entries && listed & 0xffff != directory.entries || behind > 0 {
        remarks.difference(directory.start, DifferenceKind::Count, || {
            format!(
                "the end record counts {} entries, {listed} stand in the central directory and \
                 {behind} behind it: zipfile goes by the size, PyTorch by the count",
                directory.entries
            )
        });
    }
    out.len().saturating_sub(before)
}
