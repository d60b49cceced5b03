//! Expansion of compressed data: one function, [`expand`], over all codecs.
//!
//! What a real loader would have got before an error is kept: each decoder gives what it has as it
//! goes, and an error ends the expansion without discarding anything. Memory grows with what really
//! comes out, never with what a header declares, and [`Budget`] ends a bomb.

mod bzip2;
mod deflate;
mod gzip;
mod lz4;
mod lzma;
mod zstd;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Limits;
use crate::bytes::wide;

/// A way in which data is compressed, with all members or frames that may follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Raw deflate.
    Deflate,
    /// zlib: deflate with a 2-byte header and an Adler-32.
    Zlib,
    /// gzip members.
    Gzip,
    /// bzip2 streams.
    Bzip2,
    /// xz streams.
    Xz,
    /// LZMA with a 13-byte header.
    Lzma,
    /// LZMA as in zip: version, size of the properties, properties, raw data.
    ZipLzma,
    /// LZ4 frames.
    Lz4,
    /// Zstandard frames.
    Zstd,
}

/// Why an expansion ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The compressed data ends too early.
    Truncated,
    /// The compressed data is broken.
    Corrupt(&'static str),
    /// A limit was hit.
    Limit(String),
    /// Something that the decoder does not do.
    Unsupported(&'static str),
}

impl Failure {
    /// The reason as a phrase.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Truncated => "the compressed data is truncated".to_owned(),
            Self::Corrupt(what) => format!("the compressed data is corrupt: {what}"),
            Self::Limit(what) => what.clone(),
            Self::Unsupported(what) => format!("not supported: {what}"),
        }
    }
}

/// What came out of compressed data.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// All that could be expanded.
    pub(crate) bytes: Vec<u8>,
    /// Compressed bytes that were used.
    pub(crate) consumed: usize,
    /// Why there is not more, if there should be.
    pub(crate) failure: Option<Failure>,
    /// What the streams in it count, for [`Budget`].
    pub(crate) parts: u32,
}

/// How far one expansion may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) output: u64,
    pub(crate) ratio: u64,
    pub(crate) ratio_floor: u64,
    pub(crate) window: u64,
    pub(crate) parts: u32,
}

impl Budget {
    /// The limits on one member, with at most `held` bytes and `parts` to be had.
    pub(crate) fn new(limits: &Limits, held: u64, parts: u32) -> Self {
        Self {
            output: limits.member_bytes.min(held),
            ratio: limits.ratio,
            ratio_floor: limits.ratio_floor,
            window: limits.window_bytes,
            parts: parts.min(PARTS),
        }
    }

    /// Enough to see that data is what it seems to be.
    const PROBE: Self = Self {
        output: 64,
        ratio: u64::MAX,
        ratio_floor: u64::MAX,
        window: 128 << 20,
        parts: 4,
    };
}

/// The size of the pieces in which decoders are fed and emptied: two deflate windows, so that a
/// decoder can always give all it has.
const CHUNK: usize = 64 << 10;

/// Takes the output of a decoder, and says when it is enough.
pub(crate) struct Sink {
    out: Vec<u8>,
    parts: u32,
    budget: Budget,
}

/// Streams or frames behind each other in one expansion. Each costs a decoder's set-up, and the
/// smallest have 9 bytes; `bgzip` puts 16,384 into a GiB. A bzip2 stream counts as
/// [`bzip2::WEIGHT`].
pub(crate) const PARTS: u32 = 1 << 16;

impl Sink {
    /// Counts a stream or frame that begins.
    ///
    /// # Errors
    ///
    /// The limit, when there are too many.
    fn part(&mut self, weight: u32) -> Result<(), Failure> {
        // The first is always allowed: it belongs to a member, and those are counted elsewhere.
        if self.parts > self.budget.parts {
            return Err(Failure::Limit(
                "there are too many compressed streams behind each other".to_owned(),
            ));
        }
        self.parts = self.parts.saturating_add(weight);
        Ok(())
    }

    /// Takes `data`, which needed `consumed` bytes of input since the expansion began.
    ///
    /// # Errors
    ///
    /// The limit that this passes. The data is taken up to the limit on the output's size.
    fn take(&mut self, data: &[u8], consumed: usize) -> Result<(), Failure> {
        let room = self.budget.output.saturating_sub(wide(self.out.len()));
        let taken = crate::bytes::range(data, 0, room);
        self.out.extend_from_slice(taken);
        if taken.len() < data.len() {
            return Err(Failure::Limit(format!(
                "more than {} bytes come out of the compressed data",
                self.budget.output
            )));
        }
        let length = wide(self.out.len());
        if length > self.budget.ratio_floor
            && length > self.budget.ratio.saturating_mul(wide(consumed))
        {
            return Err(Failure::Limit(format!(
                "more than {} bytes come out of each compressed byte",
                self.budget.ratio
            )));
        }
        Ok(())
    }
}

/// How a decoder ended: the input it used, and why it stopped if not at the end.
struct End {
    consumed: usize,
    failure: Option<Failure>,
}

impl End {
    fn good(consumed: usize) -> Self {
        Self {
            consumed,
            failure: None,
        }
    }

    fn bad(consumed: usize, failure: Failure) -> Self {
        Self {
            consumed,
            failure: Some(failure),
        }
    }
}

/// Expands `input`, from its first byte on, within `budget`.
pub(crate) fn expand(codec: Codec, input: &[u8], budget: Budget) -> Expanded {
    let mut sink = Sink {
        out: Vec::new(),
        parts: 0,
        budget,
    };
    // The decoders are other people's code on hostile input, and some of them hold assertions about
    // it. What came out before such a panic is what a loader would have got, too.
    let end = catch_unwind(AssertUnwindSafe(|| match codec {
        Codec::Deflate => deflate::raw(input, &mut sink),
        Codec::Zlib => deflate::zlib(input, &mut sink),
        Codec::Gzip => gzip::members(input, &mut sink),
        Codec::Bzip2 => bzip2::streams(input, &mut sink),
        Codec::Xz => lzma::xz(input, &mut sink),
        Codec::Lzma => lzma::alone(input, &mut sink),
        Codec::ZipLzma => lzma::zip(input, &mut sink),
        Codec::Lz4 => lz4::frames(input, &mut sink),
        Codec::Zstd => zstd::frames(input, &mut sink),
    }))
    .unwrap_or_else(|_| End::bad(0, Failure::Corrupt("the decoder gave up")));
    Expanded {
        bytes: sink.out,
        consumed: end.consumed,
        failure: end.failure,
        parts: sink.parts,
    }
}

/// Whether anything comes out of `input`, or it is a whole stream of nothing. Looks at no more than
/// the first 64 KiB.
pub(crate) fn probe(codec: Codec, input: &[u8]) -> bool {
    let expanded = expand(codec, crate::bytes::head(input, CHUNK), Budget::PROBE);
    !expanded.bytes.is_empty() || expanded.failure.is_none()
}

#[cfg(test)]
mod tests;
