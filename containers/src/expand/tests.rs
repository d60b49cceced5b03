use super::{Budget, Codec, Failure, expand, probe};
use crate::Limits;
use crate::testing::{BZIP2, LZ4, LZMA, XZ, ZSTD, deflate, gzip, payload, zlib};

fn budget() -> Budget {
    Budget::new(&Limits::default(), u64::MAX, u32::MAX)
}

fn all() -> Vec<(Codec, Vec<u8>)> {
    let payload = payload();
    vec![
        (Codec::Deflate, deflate(&payload)),
        (Codec::Zlib, zlib(&payload)),
        (Codec::Gzip, gzip(&payload)),
        (Codec::Bzip2, BZIP2.to_vec()),
        (Codec::Xz, XZ.to_vec()),
        (Codec::Lzma, LZMA.to_vec()),
        (Codec::Lz4, LZ4.to_vec()),
        (Codec::Zstd, ZSTD.to_vec()),
    ]
}

#[test]
fn every_codec_gives_the_whole_and_says_where_it_ended() {
    for (codec, data) in all() {
        let mut longer = data.clone();
        longer.extend(b"tail");
        for input in [&data, &longer] {
            let expanded = expand(codec, input, budget());
            assert_eq!(expanded.failure, None, "{codec:?}");
            assert_eq!(expanded.bytes, payload(), "{codec:?}");
            assert_eq!(expanded.consumed, data.len(), "{codec:?}");
        }
    }
}

#[test]
fn members_behind_each_other_are_one() {
    for (codec, data) in all() {
        if matches!(codec, Codec::Deflate | Codec::Zlib | Codec::Lzma) {
            continue;
        }
        let expanded = expand(codec, &data.repeat(3), budget());
        assert_eq!(expanded.failure, None, "{codec:?}");
        assert_eq!(expanded.bytes, payload().repeat(3), "{codec:?}");
    }
}

#[test]
fn truncated_data_gives_a_prefix_at_every_length() {
    let whole = payload();
    for (codec, data) in all() {
        for length in 0..data.len() {
            let expanded = expand(codec, &data[..length], budget());
            assert!(whole.starts_with(&expanded.bytes), "{codec:?} {length}");
            let nothing = length == 0 && matches!(codec, Codec::Lz4 | Codec::Zstd);
            assert_eq!(expanded.failure.is_none(), nothing, "{codec:?} {length}");
        }
    }
}

#[test]
fn what_came_before_an_error_is_kept() {
    // Data that does not compress, so that output comes all along the input.
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..40_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    for (codec, mut data) in [
        (Codec::Deflate, deflate(&noise)),
        (Codec::Zlib, zlib(&noise)),
        (Codec::Gzip, gzip(&noise)),
    ] {
        let cut = data.len() / 2;
        let partial = expand(codec, &data[..cut], budget());
        assert!(partial.bytes.len() > 19_000 && noise.starts_with(&partial.bytes));
        assert_eq!(partial.failure, Some(Failure::Truncated));
        if codec != Codec::Deflate {
            // A byte of the checksum: the last four of zlib, the four before the size of gzip.
            let sum = data.len() - if codec == Codec::Zlib { 1 } else { 5 };
            data[sum] ^= 1;
            let wrong = expand(codec, &data, budget());
            assert!(wrong.bytes == noise, "{codec:?}");
            assert!(matches!(wrong.failure, Some(Failure::Corrupt(_))));
        }
    }
}

#[test]
fn xz_keeps_what_it_decoded_before_broken_data() {
    let mut data = XZ.to_vec();
    // In the LZMA chunk, behind the literals.
    for byte in &mut data[60..66] {
        *byte ^= 0xff;
    }
    let expanded = expand(Codec::Xz, &data, budget());
    assert!(expanded.failure.is_some());
    assert!(
        expanded.bytes.starts_with(b"cposix\nsystem\n"),
        "{:?}",
        expanded.bytes
    );
}

#[test]
fn limits_end_an_expansion_and_keep_what_came() {
    for (codec, data) in all() {
        let small = Budget {
            output: 100,
            ..budget()
        };
        let expanded = expand(codec, &data, small);
        assert_eq!(expanded.bytes, payload()[..100], "{codec:?}");
        assert!(
            matches!(expanded.failure, Some(Failure::Limit(_))),
            "{codec:?}"
        );
        let ratio = Budget {
            ratio: 2,
            ratio_floor: 10,
            ..budget()
        };
        let expanded = expand(codec, &data, ratio);
        assert!(
            matches!(expanded.failure, Some(Failure::Limit(_))),
            "{codec:?}"
        );
    }
}

#[test]
fn wide_windows_are_refused_before_they_are_made() {
    let narrow = Budget {
        window: 4 << 10,
        ..budget()
    };
    // The 8 MiB dictionaries of these samples; xz has a MiB of slack for the decoder itself.
    for (codec, data) in [(Codec::Xz, XZ), (Codec::Lzma, LZMA)] {
        let expanded = expand(codec, data, narrow);
        assert!(expanded.failure.is_some(), "{codec:?}");
        assert!(expanded.bytes.is_empty(), "{codec:?}");
    }
    let mut frame = b"\x28\xb5\x2f\xfd\x00".to_vec();
    frame.push(20 << 3);
    frame.extend([0; 20]);
    let expanded = expand(Codec::Zstd, &frame, budget());
    assert!(
        matches!(expanded.failure, Some(Failure::Limit(_))),
        "{expanded:?}"
    );
}

#[test]
fn a_probe_tells_data_from_noise() {
    assert!(probe(Codec::Zlib, &zlib(b"x")));
    assert!(probe(Codec::Zlib, &zlib(b"")));
    assert!(!probe(Codec::Zlib, b"x\x9c\xff\xff\xff\xff\xff\xff"));
}

#[test]
fn streams_behind_each_other_are_limited() {
    let few = Budget {
        parts: 20,
        ..budget()
    };
    for (codec, data, most) in [
        (Codec::Gzip, gzip(b"x"), 21),
        (Codec::Bzip2, BZIP2.to_vec(), 3),
    ] {
        let expanded = expand(codec, &data.repeat(30), few);
        assert_eq!(expanded.consumed, data.len().strict_mul(most), "{codec:?}");
        assert!(matches!(expanded.failure, Some(Failure::Limit(_))));
    }
}
