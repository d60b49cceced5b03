//! LZ4 frames, read here because a frame reader has to say where a frame ends and keep every block
//! before an error. Checksums are not verified: a loader that verifies them gets less, not more.
//! Source: `lz4_Frame_format.md` of the LZ4 project.

use lz4_flex::block::decompress_into_with_dict;

use super::{End, Failure, Sink};
use crate::bytes::{from, head, narrow, range, tail, u32_at, wide};

const MAGIC: u32 = 0x184d_2204;
const LEGACY: u32 = 0x184c_2102;
const HISTORY: usize = 64 << 10;
const UNCOMPRESSED: u32 = 1 << 31;
const LEGACY_BLOCK: usize = 8 << 20;

/// How a decoder stops in the middle.
type Stop = (usize, Failure);

/// Expands all frames, skippable ones included. What follows the last one is not used.
pub(super) fn frames(input: &[u8], sink: &mut Sink) -> End {
    let mut at = 0_usize;
    // One buffer for all frames: a hostile file can have one in every 15 bytes.
    let mut scratch = Vec::new();
    while at < input.len() {
        if let Err(failure) = sink.part(1) {
            return End::bad(at, failure);
        }
        let next = match u32_at(input, at) {
            Some(MAGIC) => frame(input, at, &mut scratch, sink),
            Some(LEGACY) => legacy(input, at, &mut scratch, sink),
            Some(0x184d_2a50..=0x184d_2a5f) => match u32_at(input, at.saturating_add(4)) {
                Some(size) => Ok(at.saturating_add(8).saturating_add(narrow(size.into()))),
                None => Err((input.len(), Failure::Truncated)),
            },
            None if at == 0 => return End::bad(at, Failure::Truncated),
            _ if at == 0 => return End::bad(at, Failure::Corrupt("no LZ4 frame")),
            _ => break,
        };
        match next {
            Ok(next) if next > input.len() => return End::bad(input.len(), Failure::Truncated),
            Ok(next) => at = next,
            Err((consumed, failure)) => return End::bad(consumed, failure),
        }
    }
    End::good(at)
}

fn frame(
    input: &[u8],
    start: usize,
    scratch: &mut Vec<u8>,
    sink: &mut Sink,
) -> Result<usize, Stop> {
    let truncated = || (input.len(), Failure::Truncated);
    let flags = input
        .get(start.saturating_add(4))
        .copied()
        .ok_or_else(truncated)?;
    let descriptor = input
        .get(start.saturating_add(5))
        .copied()
        .ok_or_else(truncated)?;
    let block_size = match (descriptor >> 4) & 7 {
        4 => 64 << 10,
        5 => 256 << 10,
        6 => 1 << 20,
        7 => 4 << 20,
        _ => return Err((start, Failure::Corrupt("an LZ4 block size of no meaning"))),
    };
    if flags >> 6 != 1 {
        return Err((start, Failure::Unsupported("an unknown LZ4 frame version")));
    }
    if flags & 1 != 0 {
        return Err((
            start,
            Failure::Unsupported("an LZ4 frame with a dictionary"),
        ));
    }
    let linked = flags & 0x20 == 0;
    let block_sum = if flags & 0x10 == 0 { 0 } else { 4 };
    let content_sum = if flags & 0x04 == 0 { 0 } else { 4 };
    let content_size = if flags & 0x08 == 0 { 0 } else { 8 };
    let mut at = start.saturating_add(7).saturating_add(content_size);
    let first = sink.out.len();
    loop {
        let size = u32_at(input, at).ok_or_else(truncated)?;
        at = at.saturating_add(4);
        if size == 0 {
            return Ok(at.saturating_add(content_sum));
        }
        let length = narrow((size & !UNCOMPRESSED).into());
        if length > block_size {
            return Err((
                at,
                Failure::Corrupt("an LZ4 block larger than its frame says"),
            ));
        }
        let data = range(input, wide(at), wide(length));
        let whole = data.len() == length;
        let end = at.saturating_add(length);
        if size & UNCOMPRESSED != 0 {
            sink.take(data, end).map_err(|failure| (end, failure))?;
        } else if whole {
            let scratch = room(scratch, block_size);
            block(data, scratch, linked.then_some(first), sink, end)?;
        }
        if !whole {
            return Err(truncated());
        }
        at = end.saturating_add(block_sum);
    }
}

/// The old frame: blocks of 8 MiB until the input ends or another frame begins.
fn legacy(
    input: &[u8],
    start: usize,
    scratch: &mut Vec<u8>,
    sink: &mut Sink,
) -> Result<usize, Stop> {
    let mut at = start.saturating_add(4);
    loop {
        let Some(size) = u32_at(input, at) else {
            return Ok(at);
        };
        if matches!(size, MAGIC | LEGACY | 0x184d_2a50..=0x184d_2a5f) {
            return Ok(at);
        }
        at = at.saturating_add(4);
        let length = narrow(size.into());
        let data = range(input, wide(at), wide(length));
        let end = at.saturating_add(length);
        if data.len() < length {
            return Err((input.len(), Failure::Truncated));
        }
        block(data, room(scratch, LEGACY_BLOCK), None, sink, end)?;
        at = end;
    }
}

/// The first `size` bytes of the buffer, which grows if it has to.
fn room(scratch: &mut Vec<u8>, size: usize) -> &mut [u8] {
    if scratch.len() < size {
        scratch.resize(size, 0);
    }
    scratch.get_mut(..size).unwrap_or_default()
}

/// Decodes one block; `linked` is where the output of its frame begins.
fn block(
    data: &[u8],
    scratch: &mut [u8],
    linked: Option<usize>,
    sink: &mut Sink,
    end: usize,
) -> Result<(), Stop> {
    let produced = {
        let frame = linked.map_or(&[][..], |first| from(&sink.out, wide(first)));
        decompress_into_with_dict(data, scratch, tail(frame, HISTORY))
    };
    let produced = produced.map_err(|_| (end, Failure::Corrupt("invalid LZ4 block")))?;
    sink.take(head(scratch, produced), end)
        .map_err(|failure| (end, failure))
}
