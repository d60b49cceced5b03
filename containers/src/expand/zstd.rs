//! Zstandard frames, skippable ones included (RFC 8878). Checksums are not verified: a loader that
//! verifies them gets less, not more.

use std::io;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError};

use super::{End, Failure, Sink};
use crate::bytes::{from, narrow, u32_at, wide};

const MAGIC: u32 = 0xfd2f_b528;

/// Expands all frames. What follows the last one is not used.
pub(super) fn frames(input: &[u8], sink: &mut Sink) -> End {
    let mut at = 0_usize;
    while at < input.len() {
        if let Err(failure) = sink.part(1) {
            return End::bad(at, failure);
        }
        match u32_at(input, at) {
            Some(MAGIC) => {
                let end = frame(from(input, wide(at)), sink, at);
                at = at.saturating_add(end.consumed);
                if end.failure.is_some() {
                    return End {
                        consumed: at,
                        failure: end.failure,
                    };
                }
            }
            Some(0x184d_2a50..=0x184d_2a5f) => {
                let end = u32_at(input, at.saturating_add(4))
                    .map(|size| at.saturating_add(8).saturating_add(narrow(size.into())));
                match end {
                    Some(end) if end <= input.len() => at = end,
                    _ => return End::bad(input.len(), Failure::Truncated),
                }
            }
            None if at == 0 => return End::bad(at, Failure::Truncated),
            _ if at == 0 => return End::bad(at, Failure::Corrupt("no zstd frame")),
            _ => break,
        }
    }
    End::good(at)
}

/// The sink as a writer, so that a whole window need not be copied on its way.
struct Output<'a> {
    sink: &'a mut Sink,
    consumed: usize,
    failure: Option<Failure>,
}

impl io::Write for Output<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.sink.take(data, self.consumed) {
            Ok(()) => Ok(data.len()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame(input: &[u8], sink: &mut Sink, before: usize) -> End {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(sink.budget.window);
    let mut rest = input;
    match decoder.reset(&mut rest) {
        Ok(()) => {}
        Err(FrameDecoderError::WindowSizeTooBig { max, .. }) => {
            let text = format!("the decoder would need a window of more than {max} bytes");
            return End::bad(0, Failure::Limit(text));
        }
        Err(FrameDecoderError::DictNotProvided { .. }) => {
            return End::bad(0, Failure::Unsupported("a zstd frame with a dictionary"));
        }
        Err(_) if input.len() < 18 => return End::bad(input.len(), Failure::Truncated),
        Err(_) => return End::bad(0, Failure::Corrupt("invalid zstd frame header")),
    }
    loop {
        let outcome = decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1));
        let consumed = input.len().saturating_sub(rest.len());
        let ended = outcome.as_ref().copied().unwrap_or(false);
        if outcome.is_err() && !decoder.is_finished() {
            // The decoder keeps a window's worth back until the last block. This is an empty last
            // block, with a checksum in case that the frame has one.
            let mut last: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
            let _ = decoder.decode_blocks(&mut last, BlockDecodingStrategy::UptoBlocks(1));
        }
        let mut output = Output {
            sink: &mut *sink,
            consumed: before.saturating_add(consumed),
            failure: None,
        };
        // An error here is the one that `Output` keeps.
        let _ = decoder.collect_to_writer(&mut output);
        if let Some(failure) = output.failure {
            return End::bad(consumed, failure);
        }
        match outcome {
            Ok(_) if ended => return End::good(consumed),
            Ok(_) => {}
            Err(_) if rest.is_empty() => return End::bad(consumed, Failure::Truncated),
            Err(_) => return End::bad(consumed, Failure::Corrupt("invalid zstd block")),
        }
    }
}
