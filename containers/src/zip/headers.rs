//! All local headers: those that central entries point to, those that follow a local header by its own
//! sizes, and those in bytes that no entry covers.

use std::collections::BTreeMap;

use memchr::memmem;

use super::Remarks;
use super::directory::Directory;
use super::records::{Central, LOCAL, Local, is_local};
use crate::GapKind;
use crate::bytes::{range, wide};

/// Where local headers are, with the central entries that point to each.
pub(super) type Headers = BTreeMap<u64, Vec<usize>>;

/// Finds the headers, at most `most`.
pub(super) fn find(
    bytes: &[u8],
    centrals: &[Central<'_>],
    directories: &[Directory],
    most: usize,
    remarks: &mut Remarks,
) -> Headers {
    let mut headers = Headers::new();
    for (index, central) in centrals.iter().enumerate() {
        headers.entry(central.header).or_default().push(index);
    }
    let mut queue: Vec<u64> = headers.keys().copied().collect();
    if is_local(bytes, 0) && !headers.contains_key(&0) {
        headers.insert(0, Vec::new());
        queue.push(0);
    }
    chain(bytes, &mut headers, queue, most);
    let covered = covered(bytes, &headers, centrals);
    let directory = directories.first().map_or(u64::MAX, |d| d.start);
    let mut at = 0_u64;
    for (start, end) in covered.into_iter().chain([(wide(bytes.len()), u64::MAX)]) {
        if at < start {
            scan(bytes, at, start, directory, &mut headers, most);
        }
        at = at.max(end);
    }
    if headers.len() >= most && headers.len() > centrals.len() {
        remarks.gap(at, GapKind::Limited, || {
            format!("the archive has more than {most} local headers: the rest is not read")
        });
    }
    headers
}

/// Follows each header's own sizes to the next one, as a streaming reader does.
fn chain(bytes: &[u8], headers: &mut Headers, mut queue: Vec<u64>, most: usize) {
    while let Some(at) = queue.pop() {
        let Some(end) = Local::parse(bytes, at).and_then(|local| local.end()) else {
            continue;
        };
        // A descriptor has 12 to 24 bytes, and is there more often than its flag.
        for next in [0, 12, 16, 20, 24].map(|length| end.saturating_add(length)) {
            if is_local(bytes, next) && !headers.contains_key(&next) && headers.len() < most {
                headers.insert(next, Vec::new());
                queue.push(next);
            }
        }
    }
}

/// The ranges that an entry covers by all that is said about it, in order.
fn covered(bytes: &[u8], headers: &Headers, centrals: &[Central<'_>]) -> Vec<(u64, u64)> {
    let mut out = Vec::with_capacity(headers.len());
    for (at, entries) in headers {
        let Some(local) = Local::parse(bytes, *at) else {
            continue;
        };
        let lengths = entries
            .iter()
            .filter_map(|index| centrals.get(*index))
            .map(|central| central.packed)
            .chain(local.end().map(|_| local.packed));
        let end = local.data.saturating_add(lengths.min().unwrap_or(0));
        out.push((*at, end));
    }
    out
}

/// Looks for headers that nothing leads to, from `at` up to `end`.
fn scan(bytes: &[u8], at: u64, end: u64, directory: u64, headers: &mut Headers, most: usize) {
    let finder = memmem::Finder::new(LOCAL);
    let mut at = at;
    while at < end && headers.len() < most {
        let window = range(bytes, at, end.saturating_sub(at).saturating_add(3));
        let Some(hit) = finder.find(window) else {
            return;
        };
        let header = at.saturating_add(wide(hit));
        let local = Local::parse(bytes, header).filter(|local| !local.name.is_empty());
        at = header.saturating_add(4);
        if let Some(local) = local {
            headers.entry(header).or_default();
            // What the header's own data holds is its own, unless that is past belief.
            if let Some(data_end) = local.end().filter(|e| *e <= end && header < directory) {
                at = at.max(data_end);
            }
        }
    }
}
