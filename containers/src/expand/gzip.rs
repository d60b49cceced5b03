//! gzip members (RFC 1952), as Python's `gzip` reads them: one after the other, zero bytes between
//! and after them ignored.

use flate2::Crc;
use memchr::memchr;

use super::{End, Failure, Sink, deflate::Inflater};
use crate::bytes::{from, u16_at, u32_at, wide};

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// Inflates all members. What follows the last one is not used.
pub(super) fn members(input: &[u8], sink: &mut Sink) -> End {
    let mut at = 0_usize;
    let mut inflater = Inflater::new();
    loop {
        if let Err(failure) = sink.part(1) {
            return End::bad(at, failure);
        }
        let rest = from(input, wide(at));
        let Some(header) = header_length(rest) else {
            return End::bad(at, Failure::Truncated);
        };
        let data_at = at.saturating_add(header);
        let first = sink.out.len();
        let end = inflater.stream(from(input, wide(data_at)), sink, data_at);
        let trailer = data_at.saturating_add(end.consumed);
        if end.failure.is_some() {
            return End {
                consumed: trailer,
                failure: end.failure,
            };
        }
        let (Some(crc), Some(_size)) = (
            u32_at(input, trailer),
            u32_at(input, trailer.saturating_add(4)),
        ) else {
            return End::bad(input.len(), Failure::Truncated);
        };
        at = trailer.saturating_add(8);
        let mut sum = Crc::new();
        sum.update(sink.out.get(first..).unwrap_or_default());
        if sum.sum() != crc {
            return End::bad(at, Failure::Corrupt("the CRC-32 of a gzip member is wrong"));
        }
        let after = from(input, wide(at));
        let padding = after.iter().take_while(|byte| **byte == 0).count();
        let next = at.saturating_add(padding);
        if !from(input, wide(next)).starts_with(b"\x1f\x8b\x08") {
            let rest_is_padding = next >= input.len();
            return End::good(if rest_is_padding { next } else { at });
        }
        at = next;
    }
}

/// The length of a member's header; `None` if it is not all there.
fn header_length(input: &[u8]) -> Option<usize> {
    let flags = *input.get(3)?;
    let mut at = 10_usize;
    if flags & FEXTRA != 0 {
        at = at
            .checked_add(usize::from(u16_at(input, at)?))?
            .checked_add(2)?;
    }
    for flag in [FNAME, FCOMMENT] {
        if flags & flag != 0 {
            let end = memchr(0, input.get(at..)?)?;
            at = at.checked_add(end)?.checked_add(1)?;
        }
    }
    if flags & FHCRC != 0 {
        at = at.checked_add(2)?;
    }
    (at <= input.len()).then_some(at)
}
