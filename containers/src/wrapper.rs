//! Compressed data that holds one thing: gzip, zlib, bzip2, xz, LZMA, LZ4, Zstandard and `joblib`'s
//! old file.

use crate::bytes::{from, wide};
use crate::expand::Codec;
use crate::walk::{EXHAUSTED, Place, Walker};
use crate::{DifferenceKind, Format, GapKind, Loader, recognize};

/// The codec of a format that wraps one thing.
pub(crate) fn codec(format: Format) -> Option<Codec> {
    match format {
        Format::Gzip => Some(Codec::Gzip),
        Format::Zlib | Format::JoblibZfile => Some(Codec::Zlib),
        Format::Bzip2 => Some(Codec::Bzip2),
        Format::Xz => Some(Codec::Xz),
        Format::Lzma => Some(Codec::Lzma),
        Format::Lz4 => Some(Codec::Lz4),
        Format::Zstd => Some(Codec::Zstd),
        _ => None,
    }
}

/// Visits what comes out, and what follows the compressed data.
pub(crate) fn walk(
    walker: &mut Walker<'_>,
    place: &Place,
    bytes: &[u8],
    format: Format,
    codec: Codec,
) {
    let start = match format {
        Format::JoblibZfile => recognize::zfile_data(bytes).unwrap_or(0),
        _ => 0,
    };
    // Bare zlib data in a file is joblib's doing; the other formats are anyone's.
    let loader = match format {
        Format::Zlib | Format::JoblibZfile if place.loader == Loader::PickleLoad => {
            Loader::JoblibLoad
        }
        _ => place.loader,
    };
    let Some(mut expanded) = walker.expand(codec, from(bytes, wide(start))) else {
        walker.gap(place, 0, EXHAUSTED, GapKind::Limited);
        return;
    };
    let end = wide(start.saturating_add(expanded.consumed));
    let failure = expanded.failure.take();
    if let Some(failure) = &failure {
        walker.failed(place, end, failure);
    }
    let content = Place {
        partial: failure.as_ref().map(crate::expand::Failure::text),
        top: place.top,
        ..place.inside("content", loader)
    };
    walker.visit_expanded(&content, &expanded.bytes);
    drop(expanded);

    let rest = from(bytes, end);
    if failure.is_none() && !rest.is_empty() {
        let text = format!(
            "{} bytes follow the {format} data: a loader that expands it first does not get them",
            rest.len()
        );
        walker.difference(place, end, DifferenceKind::Trailing, text);
        let place = place.inside("trailing", place.loader);
        walker.visit(&place, rest);
    }
}
