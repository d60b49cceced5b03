//! bzip2 streams, one after the other, as Python's `bz2` reads them.

use bzip2::{Decompress, Status};

use super::{CHUNK, End, Failure, Sink};
use crate::bytes::{from, head, narrow, wide};

/// What a stream counts among the parts of an expansion: a decoder clears some megabytes first.
pub(super) const WEIGHT: u32 = 8;

/// Expands all streams. What follows the last one is not used.
pub(super) fn streams(input: &[u8], sink: &mut Sink) -> End {
    let mut at = 0_usize;
    let mut scratch = vec![0; CHUNK];
    loop {
        if let Err(failure) = sink.part(WEIGHT) {
            return End::bad(at, failure);
        }
        let end = stream(from(input, wide(at)), &mut scratch, sink, at);
        at = at.saturating_add(end.consumed);
        if end.failure.is_some() || !from(input, wide(at)).starts_with(b"BZh") {
            return End {
                consumed: at,
                failure: end.failure,
            };
        }
    }
}

fn stream(input: &[u8], scratch: &mut [u8], sink: &mut Sink, before: usize) -> End {
    let mut decoder = Decompress::new(false);
    loop {
        let (start_in, start_out) = (decoder.total_in(), decoder.total_out());
        let rest = from(input, start_in);
        let status = decoder.decompress(head(rest, CHUNK), scratch);
        let consumed = narrow(decoder.total_in());
        let produced = narrow(decoder.total_out().saturating_sub(start_out));
        if let Err(failure) = sink.take(head(scratch, produced), before.saturating_add(consumed)) {
            return End::bad(consumed, failure);
        }
        match status {
            Ok(Status::StreamEnd) => return End::good(consumed),
            Ok(Status::MemNeeded) => {
                return End::bad(consumed, Failure::Unsupported("the decoder has no memory"));
            }
            Ok(_) => {
                if produced == 0 && decoder.total_in() == start_in {
                    return End::bad(consumed, Failure::Truncated);
                }
            }
            Err(_) => return End::bad(consumed, Failure::Corrupt("invalid bzip2 data")),
        }
    }
}
