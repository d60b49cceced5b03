//! `NumPy` array files. An array of objects is a pickle behind the header; any other is data, and
//! what stands behind the data belongs to nothing.
//!
//! Source: `numpy/lib/_format_impl.py`.

mod descr;

use crate::bytes::{from, narrow, u16_at, u32_at, wide};

/// The longest header that is read. `NumPy` itself refuses more than 10,000 characters unless it is
/// told to trust the file.
const HEADER_LIMIT: usize = 1 << 20;

/// What is behind the header of an array file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    /// A pickle of the objects, at this offset.
    Objects { at: usize },
    /// Data that ends at this offset.
    Data { end: u64 },
    /// Data of a size that is not known.
    Unsized,
    /// The header is not all there, or too long.
    Broken,
}

/// Reads the header of an array file that begins with the signature.
pub(crate) fn contents(bytes: &[u8]) -> Contents {
    let (length, start) = match bytes.get(6) {
        Some(1) => (u16_at(bytes, 8).map(usize::from), 10_usize),
        Some(2 | 3) => (u32_at(bytes, 8).map(|n| narrow(n.into())), 12),
        _ => (None, 0),
    };
    let Some(length) = length.filter(|length| *length <= HEADER_LIMIT) else {
        return Contents::Broken;
    };
    let at = start.saturating_add(length);
    let Some(header) = bytes.get(start..at) else {
        return Contents::Broken;
    };
    let described = descr::read(header);
    if described.objects {
        return Contents::Objects { at };
    }
    match described.size {
        Some(size) => Contents::Data {
            end: wide(at).saturating_add(size),
        },
        None => Contents::Unsized,
    }
}

/// The bytes behind the array's data, if there are any.
pub(crate) fn trailing(bytes: &[u8], end: u64) -> Option<&[u8]> {
    Some(from(bytes, end)).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests;
