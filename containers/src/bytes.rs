//! Reads of little-endian fields and ranges that cannot fail or panic: outside the input there is nothing.

/// A length as 64 bits. No platform that this crate builds for has a wider `usize`.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A 64-bit position as an index; one that does not fit is behind the end of every slice.
pub(crate) fn narrow(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// The 16-bit little-endian number at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// The 32-bit little-endian number at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// The 64-bit little-endian number at `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// Whether `signature` stands at `at`.
pub(crate) fn has(bytes: &[u8], at: u64, signature: &[u8]) -> bool {
    from(bytes, at).starts_with(signature)
}

/// The bytes from `at` on; none when `at` is behind the end.
pub(crate) fn from(bytes: &[u8], at: u64) -> &[u8] {
    bytes.get(narrow(at)..).unwrap_or_default()
}

/// At most `length` bytes from `at` on, fewer when the input ends before.
pub(crate) fn range(bytes: &[u8], at: u64, length: u64) -> &[u8] {
    head(from(bytes, at), narrow(length))
}

/// At most the first `length` bytes.
pub(crate) fn head(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

/// At most the last `length` bytes.
pub(crate) fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(length)..)
        .unwrap_or_default()
}
