//! xz streams and the two forms in which bare LZMA comes.

use lzma_rust2::{Action, LzmaStream, Status, StreamResult, XzStream};

use super::{CHUNK, End, Failure, Sink};
use crate::bytes::{from, head, narrow, u16_at, u32_at, wide};

/// What `XzStream` and `LzmaStream` have in common.
trait Stream {
    fn process(&mut self, input: &[u8], out: &mut [u8], action: Action) -> Option<StreamResult>;
    fn total_in(&self) -> u64;
    fn total_out(&self) -> u64;
    /// Input that was taken and does not belong to the stream.
    fn unused(&self) -> usize;
}

impl Stream for XzStream {
    fn process(&mut self, input: &[u8], out: &mut [u8], action: Action) -> Option<StreamResult> {
        Self::process(self, input, out, action).ok()
    }

    fn total_in(&self) -> u64 {
        Self::total_in(self)
    }

    fn total_out(&self) -> u64 {
        Self::total_out(self)
    }

    fn unused(&self) -> usize {
        0
    }
}

impl Stream for LzmaStream {
    fn process(&mut self, input: &[u8], out: &mut [u8], action: Action) -> Option<StreamResult> {
        Self::process(self, input, out, action).ok()
    }

    fn total_in(&self) -> u64 {
        Self::total_in(self)
    }

    fn total_out(&self) -> u64 {
        Self::total_out(self)
    }

    fn unused(&self) -> usize {
        self.unused_input().len()
    }
}

/// A memory limit for the decoders, in KiB. Their own need beside the window is small.
fn window_kib(sink: &Sink) -> u32 {
    u32::try_from(sink.budget.window >> 10)
        .unwrap_or(u32::MAX)
        .saturating_add(1 << 10)
}

/// Expands xz streams. What follows the last one is not used.
pub(super) fn xz(input: &[u8], sink: &mut Sink) -> End {
    let mut at = 0_usize;
    loop {
        if let Err(failure) = sink.part(1) {
            return End::bad(at, failure);
        }
        let limit = window_kib(sink);
        let rest = from(input, wide(at));
        let end = run(
            || Some(XzStream::new_mem_limit(false, limit)),
            rest,
            sink,
            at,
        );
        at = at.saturating_add(end.consumed);
        let after = from(input, wide(at));
        let padding = after.iter().take_while(|byte| **byte == 0).count();
        let next = at.saturating_add(padding);
        if end.failure.is_some() || !from(input, wide(next)).starts_with(b"\xfd7zXZ\0") {
            let at = if next >= input.len() { next } else { at };
            return End {
                consumed: at,
                failure: end.failure,
            };
        }
        at = next;
    }
}

/// Expands LZMA data with the 13-byte header.
pub(super) fn alone(input: &[u8], sink: &mut Sink) -> End {
    let limit = window_kib(sink);
    if u32_at(input, 1).is_some_and(|size| u64::from(size) > sink.budget.window) {
        return End::bad(0, Failure::Limit(too_wide(sink)));
    }
    run(
        || Some(LzmaStream::new_mem_limit(limit, None)),
        input,
        sink,
        0,
    )
}

/// Expands LZMA data as in a zip member (APPNOTE 5.8.8).
pub(super) fn zip(input: &[u8], sink: &mut Sink) -> End {
    let (Some(size), Some(properties), Some(dictionary)) =
        (u16_at(input, 2), input.get(4).copied(), u32_at(input, 5))
    else {
        return End::bad(input.len(), Failure::Truncated);
    };
    if size != 5 {
        return End::bad(4, Failure::Corrupt("LZMA properties of an unknown size"));
    }
    if u64::from(dictionary) > sink.budget.window {
        return End::bad(9, Failure::Limit(too_wide(sink)));
    }
    let end = run(
        || LzmaStream::new_with_props(u64::MAX, properties, dictionary, None).ok(),
        from(input, 9),
        sink,
        9,
    );
    End {
        consumed: end.consumed.saturating_add(9),
        failure: end.failure,
    }
}

fn too_wide(sink: &Sink) -> String {
    format!(
        "the decoder would need a dictionary of more than {} bytes",
        sink.budget.window
    )
}

/// Runs a decoder over `input`. A decoder drops what it has decoded since its last output when it
/// meets an error, so on an error everything is decoded again, the last piece of input byte by byte.
fn run<S: Stream>(
    make: impl Fn() -> Option<S>,
    input: &[u8],
    sink: &mut Sink,
    before: usize,
) -> End {
    let first = sink.out.len();
    let mut careful_from = u64::MAX;
    loop {
        let Some(decoder) = make() else {
            return End::bad(0, Failure::Corrupt("invalid LZMA properties"));
        };
        match pass(decoder, input, sink, before, careful_from) {
            Ok(end) => return end,
            Err(failed_at) => {
                sink.out.truncate(first);
                careful_from = failed_at;
            }
        }
    }
}

/// One pass; `Err` is where the piece of input begins that ended it in an error.
fn pass<S: Stream>(
    mut decoder: S,
    input: &[u8],
    sink: &mut Sink,
    before: usize,
    careful_from: u64,
) -> Result<End, u64> {
    let mut scratch = vec![0; CHUNK];
    loop {
        let (start_in, start_out) = (decoder.total_in(), decoder.total_out());
        let careful = start_in >= careful_from;
        let piece = head(from(input, start_in), if careful { 1 } else { CHUNK });
        let action = if piece.is_empty() {
            Action::Finish
        } else {
            Action::Run
        };
        let result = decoder.process(piece, &mut scratch, action);
        let consumed = narrow(decoder.total_in());
        let produced = narrow(decoder.total_out().saturating_sub(start_out));
        if result.is_none() && !careful && !piece.is_empty() {
            return Err(start_in);
        }
        if let Err(failure) = sink.take(head(&scratch, produced), before.saturating_add(consumed)) {
            return Ok(End::bad(consumed, failure));
        }
        match result {
            Some(result) if result.status == Status::StreamEnd => {
                return Ok(End::good(consumed.saturating_sub(decoder.unused())));
            }
            Some(_) if produced == 0 && decoder.total_in() == start_in => {
                return Ok(End::bad(consumed, Failure::Truncated));
            }
            Some(_) => {}
            None if piece.is_empty() => return Ok(End::bad(consumed, Failure::Truncated)),
            None => return Ok(End::bad(consumed, Failure::Corrupt("invalid LZMA data"))),
        }
    }
}
