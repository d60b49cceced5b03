//! zip archives, in all the ways in which they can be read.
//!
//! A zip archive says three times what is in it: in the end record, in the central directory and in
//! the local headers. Readers differ in whom they believe. Python's `zipfile` takes the last end record
//! within 64 KiB, moves all offsets by what was put before the archive, and of two members with one
//! name opens the last. PyTorch's reader does not move offsets, and opens the first. A streaming
//! reader sees local headers only. So every entry that any of them could see is an item here, and
//! every disagreement is a difference.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10, `CPython`'s `Lib/zipfile`, PyTorch's `caffe2/serialize` (miniz).

mod compare;
mod data;
mod directory;
mod headers;
mod records;

use std::collections::{HashMap, HashSet};

use crate::name::escape;
use crate::walk::{Place, Walker};
use crate::{DifferenceKind, Format, GapKind, Limits};

/// The longest tail in which an end record can begin: its own 22 bytes and a comment.
pub(crate) const TAIL: usize = 22 + 0xffff;

/// Remarks about one archive that are reported; more of them say nothing new.
const REMARKS: usize = 1_000;

/// Bytes that one reader, or more, takes for a member.
#[derive(Debug, Clone)]
struct Item<'a> {
    name: &'a [u8],
    /// Where the data begins.
    start: u64,
    /// How long it is; the most that it can be, when `exact` is not set.
    length: u64,
    exact: bool,
    method: u16,
    /// The declared size of the expanded data.
    size: Option<u64>,
    /// The declared CRC-32 of the expanded data.
    crc: Option<u32>,
    encrypted: bool,
}

/// Something to be said about an archive.
#[derive(Debug, Clone)]
enum Remark {
    Difference(DifferenceKind, String),
    Gap(GapKind, String),
}

/// A list of remarks with their offsets that does not grow without end.
#[derive(Debug, Default)]
struct Remarks {
    list: Vec<(u64, Remark)>,
    dropped: u64,
}

impl Remarks {
    fn difference(&mut self, offset: u64, kind: DifferenceKind, text: impl FnOnce() -> String) {
        self.push(offset, || Remark::Difference(kind, text()));
    }

    fn gap(&mut self, offset: u64, kind: GapKind, text: impl FnOnce() -> String) {
        self.push(offset, || Remark::Gap(kind, text()));
    }

    fn push(&mut self, offset: u64, remark: impl FnOnce() -> Remark) {
        if self.list.len() < REMARKS {
            self.list.push((offset, remark()));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }
}

/// An archive that was read: what is in it, by any reader.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    items: Vec<Item<'a>>,
    remarks: Remarks,
    format: Format,
    extents: Vec<(u64, u64)>,
}

impl Archive<'_> {
    /// For each central directory, from the first byte that it points to, to its end.
    pub(crate) fn extents(&self) -> &[(u64, u64)] {
        &self.extents
    }

    /// The kind of archive: zip, torch-zip or npz.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

/// Reads an archive's records; `None` if no reader would take the bytes for one. Does not look at
/// the data of entries whose two headers agree.
pub(crate) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Archive<'a>> {
    let mut remarks = Remarks::default();
    let most = crate::bytes::narrow(limits.members);
    let (directories, centrals) = directory::read(bytes, most, &mut remarks);
    if directories.is_empty() && records::Local::parse(bytes, 0).is_none() {
        return None;
    }
    let headers = headers::find(bytes, &centrals, &directories, most, &mut remarks);
    let items = compare::items(bytes, &headers, &centrals, &directories, &mut remarks);
    let format = classify(&items);
    let mut extents: Vec<(u64, u64)> = Vec::new();
    for central in &centrals {
        match extents.last_mut() {
            // Entries of one directory stand behind each other.
            Some((first, last)) if *last == central.record => {
                *first = central.header.min(*first);
                *last = central.next;
            }
            _ => extents.push((central.header, central.next)),
        }
    }
    Some(Archive {
        items,
        remarks,
        format,
        extents,
    })
}

/// The kind of archive, by the names in it.
fn classify(items: &[Item<'_>]) -> Format {
    let last = |name: &'_ [u8]| {
        name.rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    let is_torch_marker = |name: &[u8]| {
        let parent = name.rsplit(|byte| *byte == b'/').nth(1);
        parent == Some(b"data")
            || matches!(
                last(name).as_slice(),
                b"version" | b".format_version" | b"byteorder" | b"constants.pkl"
            )
    };
    let mut files = items
        .iter()
        .map(|item| item.name)
        .filter(|name| !name.ends_with(b"/"));
    if items.iter().any(|item| last(item.name) == b"data.pkl")
        && items.iter().any(|item| is_torch_marker(item.name))
    {
        return Format::TorchZip;
    }
    if files.clone().next().is_some() && files.all(|name| name.ends_with(b".npy")) {
        return Format::Npz;
    }
    Format::Zip
}

/// Reports what there is to say about an archive, and visits its members.
pub(crate) fn walk(walker: &mut Walker<'_>, place: &Place, bytes: &[u8], archive: &Archive<'_>) {
    for (offset, remark) in &archive.remarks.list {
        match remark {
            Remark::Difference(kind, text) => {
                walker.difference(place, *offset, *kind, text.clone());
            }
            Remark::Gap(kind, text) => walker.gap(place, *offset, text, *kind),
        }
    }
    if archive.remarks.dropped > 0 {
        let reason = format!(
            "{} more remarks about this archive are not listed",
            archive.remarks.dropped
        );
        walker.gap(place, 0, &reason, GapKind::Limited);
    }
    let mut seen = HashSet::new();
    let mut names: HashMap<&[u8], u32> = HashMap::new();
    let mut work = data::Work::new(bytes);
    for item in &archive.items {
        if walker.is_full() {
            return;
        }
        if item.name.ends_with(b"/") && item.length == 0 {
            continue;
        }
        if !seen.insert((item.start, item.length, item.method)) {
            continue;
        }
        let count = names.entry(item.name).or_default();
        *count = count.saturating_add(1);
        let name = match *count {
            1 => escape(item.name),
            n => format!("{}#{n}", escape(item.name)),
        };
        if !work.visit(walker, place, archive.format, item, &name) {
            return;
        }
    }
}

/// A name for a message: escaped, and cut.
fn shown(name: &[u8]) -> String {
    let mut text = escape(crate::bytes::head(name, 200));
    if name.len() > 200 {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
