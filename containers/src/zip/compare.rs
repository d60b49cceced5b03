//! From headers to items: what each reader takes for a member, and where they disagree.

use std::collections::HashMap;

use memchr::memmem;

use super::directory::Directory;
use super::headers::Headers;
use super::records::{Central, DESCRIPTOR_SIGNATURE, ENCRYPTED, Local};
use super::{Item, Remarks, shown};
use crate::bytes::{from, range, u32_at, wide};
use crate::{DifferenceKind, GapKind};

/// The items of an archive: those of the central directories in their order, then those that only
/// local headers know.
pub(super) fn items<'a>(
    bytes: &'a [u8],
    headers: &Headers,
    centrals: &[Central<'a>],
    directories: &[Directory],
    remarks: &mut Remarks,
) -> Vec<Item<'a>> {
    let mut out = Vec::with_capacity(headers.len());
    let mut locals = Vec::new();
    for central in centrals {
        let Some(local) = Local::parse(bytes, central.header) else {
            remarks.gap(central.record, GapKind::Corrupt, || {
                format!(
                    "the entry {} points to {}, where no local header is: its data was not read",
                    shown(central.name),
                    central.header
                )
            });
            continue;
        };
        compare(central, &local, remarks);
        out.push(Item {
            name: central.name,
            start: local.data,
            length: central.packed,
            exact: true,
            method: central.method,
            size: Some(central.size),
            crc: Some(central.crc),
            encrypted: central.flags & ENCRYPTED != 0,
        });
        let length_differs = !local.is_open() && local.packed != central.packed;
        if length_differs || local.method != central.method {
            locals.push(Item {
                length: if local.is_open() {
                    central.packed
                } else {
                    local.packed
                },
                method: local.method,
                size: (!local.is_open()).then_some(local.size),
                crc: (!local.is_open()).then_some(local.crc),
                ..item_of(&local)
            });
        }
    }
    duplicates(centrals, remarks);
    overlaps(bytes, centrals, remarks);
    for (at, entries) in headers {
        if entries.is_empty()
            && let Some(local) = Local::parse(bytes, *at)
        {
            if !centrals.is_empty() {
                remarks.difference(*at, DifferenceKind::LocalOnly, || {
                    format!(
                        "the local header of {} is in no central directory: zipfile and PyTorch do \
                         not see it, a reader of local headers does",
                        shown(local.name)
                    )
                });
            }
            locals.push(local_only(bytes, *at, &local, headers, directories));
        }
    }
    out.append(&mut locals);
    out
}

/// The item that a reader of local headers sees.
fn item_of<'a>(local: &Local<'a>) -> Item<'a> {
    Item {
        name: local.name,
        start: local.data,
        length: local.packed,
        exact: true,
        method: local.method,
        size: Some(local.size),
        crc: Some(local.crc),
        encrypted: local.flags & ENCRYPTED != 0,
    }
}

/// A header that is in no directory. Where it leaves its sizes to a descriptor, compressed data ends
/// itself; stored data ends at a descriptor that fits, or at the next header.
fn local_only<'a>(
    bytes: &'a [u8],
    at: u64,
    local: &Local<'a>,
    headers: &Headers,
    directories: &[Directory],
) -> Item<'a> {
    if !local.is_open() {
        return item_of(local);
    }
    let close = directories
        .iter()
        .map(|directory| directory.start)
        .filter(|start| *start > at)
        .min()
        .unwrap_or_else(|| wide(bytes.len()));
    let next = headers
        .range(local.data..)
        .next()
        .map_or(close, |(next, _)| (*next).min(close));
    let end = match local.method {
        0 => stored_end(bytes, local.data, next),
        _ => close,
    };
    Item {
        length: end.saturating_sub(local.data),
        exact: local.method == 0,
        size: None,
        crc: None,
        ..item_of(local)
    }
}

/// The end of stored data with a descriptor: where one stands that gives this very length.
fn stored_end(bytes: &[u8], data: u64, close: u64) -> u64 {
    let window = range(bytes, data, close.saturating_sub(data));
    memmem::find_iter(window, DESCRIPTOR_SIGNATURE)
        .map(wide)
        .find(|at| {
            let length = u32_at(from(window, *at), 8);
            length.map(u64::from) == Some(*at)
        })
        .map_or(close, |at| data.saturating_add(at))
}

/// Reports in what the two headers of an entry differ.
fn compare(central: &Central<'_>, local: &Local<'_>, remarks: &mut Remarks) {
    let at = central.header;
    let name = central.name;
    if name != local.name {
        remarks.difference(at, DifferenceKind::Name, || {
            format!(
                "an entry is {} in the central directory and {} in its local header: zipfile refuses \
                 it, PyTorch opens it by the first, a reader of local headers by the second",
                shown(name),
                shown(local.name)
            )
        });
    } else if name.contains(&0) {
        remarks.difference(at, DifferenceKind::Name, || {
            format!(
                "the name {} has a NUL in it: zipfile ends the name there",
                shown(name)
            )
        });
    }
    if central.method != local.method {
        remarks.difference(at, DifferenceKind::Method, || {
            format!(
                "the method of {} is {} in the central directory, which zipfile and PyTorch use, and \
                 {} in the local header",
                shown(name),
                central.method,
                local.method
            )
        });
    }
    let sizes_differ = local.packed != central.packed || local.size != central.size;
    if sizes_differ && !(local.is_open() && local.size == 0) {
        remarks.difference(at, DifferenceKind::Size, || {
            format!(
                "{} has {} bytes, {} expanded, by the central directory, which zipfile and PyTorch \
                 use, and {} and {} by its local header",
                shown(name),
                central.packed,
                central.size,
                local.packed,
                local.size
            )
        });
    }
    if (central.flags ^ local.flags) & ENCRYPTED != 0 {
        remarks.difference(at, DifferenceKind::Flags, || {
            format!(
                "{} is marked as encrypted in one of its two headers only: zipfile goes by the \
                 central directory",
                shown(name)
            )
        });
    }
}

/// Reports names that occur twice. Upper and lower case are one to PyTorch's reader.
fn duplicates(centrals: &[Central<'_>], remarks: &mut Remarks) {
    let mut seen: HashMap<Vec<u8>, &[u8]> = HashMap::new();
    for central in centrals {
        let folded = central.name.to_ascii_lowercase();
        let Some(first) = seen.insert(folded, central.name) else {
            continue;
        };
        remarks.difference(central.record, DifferenceKind::DuplicateName, || {
            if first == central.name {
                format!(
                    "more than one entry has the name {}: zipfile opens the last, PyTorch the first",
                    shown(first)
                )
            } else {
                format!(
                    "the names {} and {} differ in case only: PyTorch takes one for the other, \
                     zipfile does not",
                    shown(first),
                    shown(central.name)
                )
            }
        });
    }
}

/// Reports the first overlap of entries, and how many there are.
fn overlaps(bytes: &[u8], centrals: &[Central<'_>], remarks: &mut Remarks) {
    let mut ranges: Vec<(u64, u64)> = centrals
        .iter()
        .filter_map(|central| {
            let data = Local::parse(bytes, central.header)?.data;
            Some((central.header, data.saturating_add(central.packed)))
        })
        .collect();
    ranges.sort_unstable();
    let mut end = 0_u64;
    let mut first = None;
    let mut count = 0_u64;
    for (start, close) in ranges {
        if start < end {
            first = first.or(Some(start));
            count = count.saturating_add(1);
        }
        end = end.max(close);
    }
    if let Some(first) = first {
        remarks.difference(first, DifferenceKind::Overlap, || {
            format!(
                "{count} entries begin inside the data of another one: zipfile refuses those since \
                 3.12.2, PyTorch and older releases read them"
            )
        });
    }
}
