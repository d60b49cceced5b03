//! Raw deflate and zlib.

use flate2::{Decompress, FlushDecompress, Status};

use super::{CHUNK, End, Failure, Sink};
use crate::bytes::{head, narrow};

/// A decoder of raw deflate data with its buffer, for one stream after the other.
pub(super) struct Inflater {
    decoder: Decompress,
    scratch: Vec<u8>,
}

impl Inflater {
    /// A decoder at the start of a stream.
    pub(super) fn new() -> Self {
        Self {
            decoder: Decompress::new(false),
            scratch: vec![0; CHUNK],
        }
    }

    /// Inflates one stream. `before` is the input used before `input` began.
    pub(super) fn stream(&mut self, input: &[u8], sink: &mut Sink, before: usize) -> End {
        self.decoder.reset(false);
        run(&mut self.decoder, &mut self.scratch, input, sink, before)
    }
}

/// Inflates raw deflate data.
pub(super) fn raw(input: &[u8], sink: &mut Sink) -> End {
    Inflater::new().stream(input, sink, 0)
}

/// Inflates zlib data.
pub(super) fn zlib(input: &[u8], sink: &mut Sink) -> End {
    run(
        &mut Decompress::new(true),
        &mut vec![0; CHUNK],
        input,
        sink,
        0,
    )
}

fn run(
    decoder: &mut Decompress,
    scratch: &mut [u8],
    input: &[u8],
    sink: &mut Sink,
    before: usize,
) -> End {
    loop {
        let (start_in, start_out) = (decoder.total_in(), decoder.total_out());
        let rest = input.get(narrow(start_in)..).unwrap_or_default();
        let status = decoder.decompress(head(rest, CHUNK), scratch, FlushDecompress::None);
        // The totals count what was done before an error, too.
        let consumed = narrow(decoder.total_in());
        let produced = narrow(decoder.total_out().saturating_sub(start_out));
        if let Err(failure) = sink.take(head(scratch, produced), before.saturating_add(consumed)) {
            return End::bad(consumed, failure);
        }
        match status {
            Ok(Status::StreamEnd) => return End::good(consumed),
            Ok(Status::Ok | Status::BufError) => {
                if produced == 0 && decoder.total_in() == start_in {
                    return End::bad(consumed, Failure::Truncated);
                }
            }
            Err(_) => return End::bad(consumed, Failure::Corrupt("invalid deflate data")),
        }
    }
}
