//! What bytes are, by the bytes alone.

mod text;

use crate::Format;
use crate::bytes::{from, head, tail, u16_at, u32_at, u64_at, wide};
use crate::expand::{Codec, probe};

/// Signatures at the start. The first that fits wins.
const SIGNATURES: &[(&[u8], Format)] = &[
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"PK\x07\x08PK\x03\x04", Format::Zip),
    (b"\x1f\x8b\x08", Format::Gzip),
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x93NUMPY", Format::Npy),
    (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (b"Rar!\x1a\x07", Format::Rar),
    (b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (b"GGUF", Format::Gguf),
    (b"PAR1", Format::Parquet),
    (b"ARROW1\0\0", Format::Arrow),
    (b"SQLite format 3\0", Format::Sqlite),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    (b"%PDF-", Format::Pdf),
    (b"\x7fELF", Format::Elf),
    (b"\xce\xfa\xed\xfe", Format::MachO),
    (b"\xcf\xfa\xed\xfe", Format::MachO),
    (b"\0asm\x01\0\0\0", Format::Wasm),
    (
        b"version https://git-lfs.github.com/spec/",
        Format::GitLfsPointer,
    ),
];

/// What `bytes` are. Looks at no more than the first and the last 64 KiB.
///
/// A [`FormatKind::Inert`](crate::FormatKind::Inert) answer is a label, not a promise: every format
/// with its signature at the end, and every pickle of protocol 0 or 1, can begin with anything.
/// Kinds of zip are not told apart here; [`walk`](crate::walk) does.
#[must_use]
pub fn recognize(bytes: &[u8]) -> Format {
    if bytes.is_empty() {
        return Format::Empty;
    }
    let signature = SIGNATURES
        .iter()
        .find(|(signature, _)| bytes.starts_with(signature))
        .map(|(_, format)| *format);
    signature
        .or_else(|| compressed(bytes))
        .or_else(|| structured(bytes))
        .unwrap_or_else(|| text::recognize(bytes))
}

/// Compressed formats with weak signatures: the data has to expand.
fn compressed(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"BZh") && matches!(bytes.get(3), Some(b'1'..=b'9')) {
        return probe_or_block(bytes).then_some(Format::Bzip2);
    }
    match frame_magic(bytes) {
        Some(0x184d_2204 | 0x184c_2102) => return Some(Format::Lz4),
        Some(0xfd2f_b528) => return Some(Format::Zstd),
        _ => {}
    }
    if bytes.starts_with(b"ZF0x") && zfile_data(bytes).is_some() {
        return Some(Format::JoblibZfile);
    }
    if is_zlib_header(bytes) && probe(Codec::Zlib, bytes) {
        return Some(Format::Zlib);
    }
    (is_lzma_header(bytes) && probe(Codec::Lzma, bytes)).then_some(Format::Lzma)
}

/// bzip2 decodes whole blocks, which can be longer than what is looked at: the block's own
/// signature, or that of the end of an empty stream, is enough.
fn probe_or_block(bytes: &[u8]) -> bool {
    let block = from(bytes, 4);
    let starts = [&b"1AY&SY"[..], b"\x17rE8P\x90"];
    starts
        .iter()
        .any(|start| block.starts_with(head(start, block.len())))
}

/// The magic number of the first LZ4 or zstd frame that is not skippable.
fn frame_magic(bytes: &[u8]) -> Option<u32> {
    let mut at = 0_usize;
    let mut magic = u32_at(bytes, at)?;
    for _ in 0..16 {
        if !matches!(magic, 0x184d_2a50..=0x184d_2a5f) {
            return Some(magic);
        }
        let size = usize::try_from(u32_at(bytes, at.checked_add(4)?)?).ok()?;
        at = at.checked_add(8)?.checked_add(size)?;
        // A file of skippable frames only is a zstd file of nothing.
        magic = u32_at(bytes, at).unwrap_or(0xfd2f_b528);
    }
    Some(0xfd2f_b528)
}

/// RFC 1950: method 8, window of at most 32 KiB, and a header that is a multiple of 31.
fn is_zlib_header(bytes: &[u8]) -> bool {
    let Some(&[method, flags]) = bytes.first_chunk::<2>() else {
        return false;
    };
    method & 0x0f == 8
        && method >> 4 <= 7
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        && flags & 0x20 == 0
}

/// The checks that `liblzma` makes before it takes data without a signature, or the first bytes that
/// `joblib` looks for.
fn is_lzma_header(bytes: &[u8]) -> bool {
    let (Some(&properties), Some(dictionary), Some(size), Some(0)) = (
        bytes.first(),
        u32_at(bytes, 1),
        u64_at(bytes, 5),
        bytes.get(13),
    ) else {
        return false;
    };
    let rounded = dictionary.is_power_of_two()
        || dictionary == u32::MAX
        || dictionary.checked_div(3).is_some_and(|third| {
            third.is_power_of_two() && third.checked_mul(3) == Some(dictionary)
        });
    properties < 225 && (rounded || properties == 0x5d) && (size == u64::MAX || size >> 38 == 0)
}

/// Where the zlib data of `joblib`'s old file begins: behind `ZF` and a length in hexadecimal, padded
/// to 17 or 19 characters, and one space in some versions.
pub(crate) fn zfile_data(bytes: &[u8]) -> Option<usize> {
    (19..=22).find(|at| {
        let rest = from(bytes, wide(*at));
        is_zlib_header(rest) && probe(Codec::Zlib, rest)
    })
}

/// Formats that need more than a look at the first bytes.
fn structured(bytes: &[u8]) -> Option<Format> {
    if is_tar(bytes) {
        return Some(Format::Tar);
    }
    if bytes.starts_with(b"\x80") && matches!(bytes.get(1), Some(0..=5)) {
        return Some(Format::Pickle);
    }
    if is_safetensors(bytes) {
        return Some(Format::Safetensors);
    }
    if bytes.starts_with(b"RIFF") {
        return Some(match bytes.get(8..12) {
            Some(b"WAVE") => Format::Wav,
            Some(b"WEBP") => Format::Webp,
            _ => Format::Riff,
        });
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(Format::Mp4);
    }
    if bytes.starts_with(b"BM") && u32_at(bytes, 2).map(u64::from) == Some(wide(bytes.len())) {
        return Some(Format::Bmp);
    }
    if bytes.starts_with(b"MZ") && is_pe(bytes) {
        return Some(Format::Pe);
    }
    // The magic number of a .pyc is two bytes of version, then CR LF; then flags of at most 3.
    let version = u16_at(bytes, 0)?;
    let flags = u32_at(bytes, 4)?;
    (bytes.get(2..4) == Some(b"\r\n") && (3000..4000).contains(&version) && flags <= 3)
        .then_some(Format::PythonBytecode)
}

fn is_pe(bytes: &[u8]) -> bool {
    u32_at(bytes, 0x3c).is_some_and(|at| at < 0x1_0000 && from(bytes, at.into()).starts_with(b"PE"))
}

/// A header of a plausible length that begins as JSON.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some(length) = u64_at(bytes, 0) else {
        return false;
    };
    (2..=100_000_000).contains(&length)
        && length <= wide(bytes.len()).saturating_sub(8)
        && bytes.get(8) == Some(&b'{')
}

/// A header block whose checksum is right, as `tarfile` and `tar` judge it.
pub(crate) fn is_tar(bytes: &[u8]) -> bool {
    let Some(block) = bytes.first_chunk::<512>() else {
        return false;
    };
    crate::tar::checksum_is_right(block)
}

/// Whether the end of `bytes` has the end record of a zip archive.
pub(crate) fn has_zip_end(bytes: &[u8]) -> bool {
    memchr::memmem::rfind(tail(bytes, crate::zip::TAIL), b"PK\x05\x06").is_some()
}

#[cfg(test)]
mod tests;
