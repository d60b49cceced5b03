use crate::testing::{
    BZIP2, Entry, LZ4, LZMA, Record, XZ, ZSTD, gzip, npy, payload, samples, tar, zip, zlib,
};
use crate::{DifferenceKind, Format, GapKind, Limits, Loader, recognize};

#[test]
fn every_wrapper_gives_its_content() {
    let payload = payload();
    for (data, format, loader) in [
        (gzip(&payload), Format::Gzip, Loader::PickleLoad),
        (zlib(&payload), Format::Zlib, Loader::JoblibLoad),
        (BZIP2.to_vec(), Format::Bzip2, Loader::PickleLoad),
        (XZ.to_vec(), Format::Xz, Loader::PickleLoad),
        (LZMA.to_vec(), Format::Lzma, Loader::PickleLoad),
        (LZ4.to_vec(), Format::Lz4, Loader::PickleLoad),
        (ZSTD.to_vec(), Format::Zstd, Loader::PickleLoad),
    ] {
        let record = Record::of(&data);
        assert_eq!(record.members.len(), 2, "{format}");
        assert_eq!(record.members[0].format, format);
        let content = record.member("a!/content");
        assert_eq!(content.bytes, payload, "{format}");
        assert_eq!(content.loader, loader, "{format}");
        assert!(content.top && content.partial.is_none(), "{format}");
        assert!(record.gaps.is_empty() && record.differences.is_empty());
    }
}

#[test]
fn the_old_joblib_file_is_expanded() {
    let payload = payload();
    for space in ["", " "] {
        let mut data = format!("ZF{:<19}{space}", format!("{:#x}", payload.len())).into_bytes();
        data.extend(zlib(&payload));
        let record = Record::of(&data);
        assert_eq!(record.members[0].format, Format::JoblibZfile);
        assert_eq!(record.member("a!/content").bytes, payload);
        assert_eq!(record.member("a!/content").loader, Loader::JoblibLoad);
    }
}

#[test]
fn what_follows_compressed_data_is_visited() {
    let mut data = gzip(b"x");
    data.extend(b"\x80\x04N.");
    let record = Record::of(&data);
    assert_eq!(
        record.lines(),
        ["a gzip", "a!/content text", "a!/trailing pickle"]
    );
    assert!(record.differs(DifferenceKind::Trailing));
    assert!(!record.member("a!/trailing").top);
}

#[test]
fn skippable_frames_are_skipped() {
    for frame in [LZ4, ZSTD] {
        let mut data = b"\x51\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        data.extend(frame);
        assert_eq!(Record::of(&data).member("a!/content").bytes, payload());
    }
}

#[test]
fn truncated_wrappers_say_so_and_keep_what_came() {
    for data in samples().into_iter().skip(1).take(7) {
        let record = Record::of(&data[..data.len() - 1]);
        let content = record.member("a!/content");
        assert!(content.partial.is_some(), "{}", record.members[0].format);
        assert!(record.has_gap(GapKind::Corrupt));
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    let mut data = payload();
    for _ in 0..12 {
        data = gzip(&data);
    }
    let record = Record::of(&data);
    assert_eq!(record.members.len(), 9);
    assert_eq!(record.gaps.len(), 1);
    assert!(record.has_gap(GapKind::Limited));
    let deep = Limits {
        depth: u32::MAX,
        ..Limits::default()
    };
    for _ in 0..40 {
        data = gzip(&data);
    }
    let record = Record::with(&data, &deep);
    assert_eq!(record.members.len(), 33);
    assert!(record.has_gap(GapKind::Limited));
}

#[test]
fn the_limits_on_members_and_on_what_expands_are_kept() {
    let many: Vec<_> = (0..20)
        .map(|n| Entry::deflated(&format!("{n}"), &[b'a' + n; 10_000]))
        .collect();
    let data = zip(&many);
    let few = Limits {
        members: 5,
        ..Limits::default()
    };
    let record = Record::with(&data, &few);
    assert_eq!(record.members.len(), 5);
    assert!(record.has_gap(GapKind::Limited));

    let tight = Limits {
        ratio: 2,
        ratio_floor: 100,
        aborted_bytes: 15_000,
        ..Limits::default()
    };
    let record = Record::with(&data, &tight);
    assert!(record.members.len() < 6, "{}", record.members.len());
    assert!(record.members[1..].iter().all(|m| m.partial.is_some()));
    assert!(record.has_gap(GapKind::Limited));

    let held = Limits {
        held_bytes: 500,
        ..Limits::default()
    };
    let record = Record::with(&gzip(&gzip(&payload())), &held);
    assert_eq!(
        record.members.last().map(|m| m.bytes.len() < 500),
        Some(true)
    );
    assert!(record.has_gap(GapKind::Limited));
}

#[test]
fn objects_in_an_array_are_a_member() {
    let objects = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n";
    let record = Record::of(&npy(objects, b"\x80\x04N."));
    assert_eq!(record.lines(), ["a npy", "a!/object-array pickle"]);
    assert_eq!(record.member("a!/object-array").loader, Loader::NumpyLoad);

    let floats = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
    assert_eq!(Record::of(&npy(floats, &[0; 8])).lines(), ["a npy"]);
    let record = Record::of(&npy(floats, b"01234567\x80\x04N."));
    assert_eq!(record.lines(), ["a npy", "a!/trailing pickle"]);
    assert!(record.differs(DifferenceKind::Trailing));
    assert!(Record::of(b"\x93NUMPY\x01\0\xff\xff{").has_gap(GapKind::Corrupt));
}

#[test]
fn an_archive_behind_a_pickle_is_walked_too() {
    let mut data = b"\x80\x04N.".to_vec();
    data.extend(zip(&[Entry::stored("x", b"\x80\x04K\x01.")]));
    let record = Record::of(&data);
    assert_eq!(record.lines(), ["a zip", "a!/x pickle"]);
    assert!(record.differs(DifferenceKind::Prepended));

    let mut data = gzip(b"x");
    data.extend(zip(&[Entry::stored("x", b"y")]));
    let record = Record::of(&data);
    assert_eq!(record.members[0].format, Format::Gzip);
    assert!(record.lines().contains(&"a!/x text".to_owned()));
    assert!(record.differs(DifferenceKind::Polyglot));
}

#[test]
fn archives_that_are_not_read_are_gaps() {
    for data in [&b"7z\xbc\xaf\x27\x1cxxxxxx"[..], b"Rar!\x1a\x07\x01\0"] {
        assert!(Record::of(data).has_gap(GapKind::Unsupported));
    }
}

#[test]
fn tar_members_are_visited() {
    let pax = b"18 path=deep/x.pk\n";
    let data = tar(&[
        ("a.pkl", b'0', b"\x80\x04N."),
        ("dir", b'5', b""),
        ("h", b'x', pax),
        ("short", b'0', b"x"),
    ]);
    let record = Record::of(&data);
    assert_eq!(
        record.lines(),
        ["a tar", "a!/a.pkl pickle", "a!/deep/x.pk text"]
    );
    assert!(record.gaps.is_empty(), "{:?}", record.gaps);
    let two = [data.clone(), data.clone()].concat();
    let record = Record::of(&two);
    assert_eq!(record.members.len(), 5);
    assert!(record.differs(DifferenceKind::Trailing));
    assert!(Record::of(&data[..514]).members[1].partial.is_some());
}

#[test]
fn every_prefix_of_every_sample_is_walked() {
    for sample in samples() {
        for length in 0..=sample.len() {
            let record = Record::of(&sample[..length]);
            assert!(!record.members.is_empty());
        }
    }
}

/// A fixed sequence of numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next().checked_rem(end).unwrap()).unwrap()
    }
}

#[test]
fn no_input_panics() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for byte in 0..=255 {
        Record::of(&[byte]);
    }
    for _ in 0..100_000 {
        let length = numbers.below(24);
        let input: Vec<u8> = (0..length)
            .map(|_| numbers.next().to_be_bytes()[0])
            .collect();
        Record::of(&input);
    }
}

#[test]
fn no_changed_sample_panics() {
    let mut numbers = Numbers(42);
    let samples = samples();
    for _ in 0..10_000 {
        let mut input = samples[numbers.below(samples.len())].clone();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(input.len());
            input[at] = match numbers.below(4) {
                0 => 0,
                1 => 0xff,
                _ => numbers.next().to_be_bytes()[0],
            };
        }
        let record = Record::of(&input);
        assert_eq!(record.members[0].bytes.len(), input.len());
        assert_eq!(recognize(&input), recognize(&input.clone()));
    }
}
