//! tar archives: every header with a right checksum, in order, also behind the end-of-archive mark.
//!
//! Source: POSIX `pax`, the GNU tar manual and Python's `tarfile`.

use crate::bytes::{from, has, narrow, range, wide};
use crate::name::escape;
use crate::walk::{Place, Walker};
use crate::{DifferenceKind, GapKind};

const BLOCK: u64 = 512;
/// Names longer than this are cut.
const NAME_LIMIT: u64 = 64 << 10;

/// A number in a header: octal text, or base 256 when the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        return rest.iter().try_fold(u64::from(first & 0x3f), |n, byte| {
            n.checked_mul(256)?.checked_add((*byte).into())
        });
    }
    field
        .iter()
        .skip_while(|byte| **byte == b' ')
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .try_fold(0_u64, |n, byte| {
            n.checked_mul(8)?
                .checked_add(u64::from(byte.saturating_sub(b'0')))
        })
}

/// Whether the checksum of a header block is right, taken with signed or unsigned bytes.
pub(crate) fn checksum_is_right(block: &[u8; 512]) -> bool {
    let stored = block
        .get(148..156)
        .filter(|field| field.iter().any(u8::is_ascii_digit))
        .and_then(number);
    let bytes = || {
        block.iter().enumerate().map(|(at, byte)| {
            if (148..156).contains(&at) {
                b' '
            } else {
                *byte
            }
        })
    };
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    stored
        .and_then(|stored| i64::try_from(stored).ok())
        .is_some_and(|stored| stored == unsigned || stored == signed)
}

/// The bytes of a field up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The value of a key in a pax header.
fn pax<'a>(records: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    let mut rest = records;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length: usize = str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
        let record = rest.get(space.checked_add(1)?..length)?;
        rest = rest.get(length..)?;
        let value = record
            .strip_prefix(key)
            .and_then(|record| record.strip_prefix(b"="));
        if let Some(value) = value {
            found = Some(value.strip_suffix(b"\n").unwrap_or(value));
        }
    }
    found
}

/// Visits the members.
pub(crate) fn walk(walker: &mut Walker<'_>, place: &Place, bytes: &[u8]) {
    let end = wide(bytes.len());
    let mut at = 0_u64;
    let mut ended = false;
    let mut reported = false;
    let mut long_name: Option<&[u8]> = None;
    let mut long_size: Option<u64> = None;
    while at < end && !walker.is_full() {
        let rest = from(bytes, at);
        let Some(block) = rest.first_chunk::<512>() else {
            break;
        };
        if block.iter().all(|byte| *byte == 0) {
            ended = true;
            // Whole zero blocks are skipped at memory speed.
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            at = at.saturating_add(wide(zeros) & !(BLOCK.saturating_sub(1)));
            continue;
        }
        if !checksum_is_right(block) {
            let reason =
                "a tar header whose checksum is wrong: what follows was not read as members";
            walker.gap(place, at, reason, GapKind::Corrupt);
            return;
        }
        if ended && !reported {
            reported = true;
            let text = "members follow the end of the tar archive: Python's tarfile stops before \
                        them, a reader that ignores zero blocks goes on";
            walker.difference(place, at, DifferenceKind::Trailing, text.to_owned());
        }
        let declared = number(block.get(124..136).unwrap_or_default());
        let kind = block.get(156).copied().unwrap_or(0);
        let Some(size) = long_size
            .filter(|_| !matches!(kind, b'L' | b'K' | b'x' | b'g'))
            .or(declared)
        else {
            walker.gap(
                place,
                at,
                "a tar header with a size out of range",
                GapKind::Corrupt,
            );
            return;
        };
        let start = at.saturating_add(BLOCK);
        // Links, devices and folders have no data, whatever their size says.
        let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
        let data = range(bytes, start, size);
        match kind {
            b'L' => long_name = Some(text(range(data, 0, NAME_LIMIT))),
            b'x' => {
                let records = range(data, 0, NAME_LIMIT);
                long_name = pax(records, b"path").or(long_name);
                long_size =
                    pax(records, b"size").and_then(|size| str::from_utf8(size).ok()?.parse().ok());
            }
            b'K' | b'g' => {}
            _ => {
                if !matches!(kind, b'1'..=b'6') {
                    member(walker, place, long_name, block, data, size);
                }
                long_name = None;
                long_size = None;
            }
        }
        at = start.saturating_add(size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX));
    }
    if !ended && !walker.is_full() {
        let reason = "the tar archive ends without its end mark";
        walker.gap(place, end, reason, GapKind::Corrupt);
    }
}

/// Whether one member of the archive holds all bytes from `first` to `last`.
pub(crate) fn has_member_around(bytes: &[u8], (first, last): (u64, u64)) -> bool {
    let mut at = 0_u64;
    while let Some(block) = from(bytes, at).first_chunk::<512>() {
        if !checksum_is_right(block) {
            return false;
        }
        let Some(size) = number(block.get(124..136).unwrap_or_default()) else {
            return false;
        };
        let start = at.saturating_add(BLOCK);
        let end = start.saturating_add(size);
        if start <= first && last <= end {
            return matches!(block.get(156), Some(0 | b'0'));
        }
        let Some(next) = end.checked_next_multiple_of(BLOCK) else {
            return false;
        };
        at = next;
    }
    false
}

fn member(
    walker: &mut Walker<'_>,
    place: &Place,
    long_name: Option<&[u8]>,
    block: &[u8; 512],
    data: &[u8],
    size: u64,
) {
    let name = text(block.get(..100).unwrap_or_default());
    let prefix = text(block.get(345..500).unwrap_or_default());
    let name = match long_name {
        Some(name) => escape(name),
        None if has(block, 257, b"ustar\0") && !prefix.is_empty() => {
            format!("{}/{}", escape(prefix), escape(name))
        }
        None => escape(name),
    };
    let mut inside = place.inside(&name, place.loader);
    if data.len() < narrow(size) {
        let reason = "the archive ends inside this member";
        inside.partial = Some(reason.to_owned());
        walker.gap(&inside, wide(data.len()), reason, GapKind::Corrupt);
    }
    walker.visit(&inside, data);
}

#[cfg(test)]
mod tests;
