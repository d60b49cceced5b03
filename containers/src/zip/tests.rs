use crate::testing::{Entry, Record, deflate, end, payload, zip};
use crate::{DifferenceKind, Format, GapKind, Limits, Loader};

fn plain() -> Vec<Entry> {
    vec![
        Entry::stored("x/a.txt", b"stored text"),
        Entry::deflated("x/b.pkl", &payload()),
    ]
}

/// Asserts that a walk finds `kind`, and says nothing else.
fn only(record: &Record, kind: DifferenceKind) {
    assert!(record.differs(kind), "{:?}", record.differences);
    let others = record.differences.iter().filter(|d| d.1 != kind);
    assert_eq!(others.count(), 0, "{:?}", record.differences);
    assert!(record.gaps.is_empty(), "{:?}", record.gaps);
}

#[test]
fn a_plain_archive_has_nothing_to_be_said_about() {
    let record = Record::of(&zip(&plain()));
    assert_eq!(
        record.lines(),
        ["a zip", "a!/x/a.txt text", "a!/x/b.pkl text"]
    );
    assert_eq!(record.member("a!/x/b.pkl").bytes, payload());
    assert!(record.gaps.is_empty() && record.differences.is_empty());
    let streamed: Vec<_> = plain().into_iter().map(Entry::streamed).collect();
    let record = Record::of(&zip(&streamed));
    assert_eq!(record.members.len(), 3);
    assert!(record.gaps.is_empty() && record.differences.is_empty());
}

#[test]
fn the_kinds_of_archive_are_told_apart() {
    let torch = [
        Entry::stored("m/data.pkl", b"\x80\x02N."),
        Entry::stored("m/version", b"3\n"),
        Entry::stored("m/data/0", &[0; 64]),
    ];
    let record = Record::of(&zip(&torch));
    assert_eq!(record.members[0].format, Format::TorchZip);
    assert_eq!(record.member("a!/m/data.pkl").loader, Loader::TorchLoad);
    let arrays = [Entry::stored("x.npy", b"\x93NUMPY\x01\0\x02\0{}")];
    let record = Record::of(&zip(&arrays));
    assert_eq!(record.members[0].format, Format::Npz);
    assert_eq!(record.member("a!/x.npy").loader, Loader::NumpyLoad);
    assert_eq!(Record::of(&zip(&[])).members[0].format, Format::Zip);
}

#[test]
fn an_entry_that_only_local_headers_know_is_visited() {
    for entry in [
        Entry::stored("hidden", b"\x80\x04N."),
        Entry::deflated("hidden", b"\x80\x04N."),
        Entry::stored("hidden", b"\x80\x04N.").streamed(),
        Entry::deflated("hidden", b"\x80\x04N.").streamed(),
    ] {
        for at in [0, 1, 2] {
            let mut entries = plain();
            entries.insert(at, entry.clone().unlisted());
            let record = Record::of(&zip(&entries));
            assert_eq!(record.member("a!/hidden").bytes, b"\x80\x04N.");
            only(&record, DifferenceKind::LocalOnly);
        }
    }
}

#[test]
fn a_local_header_inside_data_is_found_by_following_sizes() {
    let inner = zip(&[Entry::stored("inner", b"\x80\x04N.")]);
    let mut data = b"12345678".to_vec();
    data.extend(&inner[..inner.len() - 22]);
    let mut outer = Entry::stored("outer", &data);
    outer.local.packed = 8;
    outer.local.size = 8;
    let record = Record::of(&zip(&[outer]));
    assert_eq!(record.member("a!/inner").bytes, b"\x80\x04N.");
    assert_eq!(record.member("a!/outer#2").bytes, b"12345678");
    assert!(record.differs(DifferenceKind::LocalOnly));
    assert!(record.differs(DifferenceKind::Size));
}

#[test]
fn two_members_of_one_name_are_both_visited() {
    let entries = [
        Entry::stored("data.pkl", b"\x80\x04N."),
        Entry::stored("data.pkl", b"\x80\x04K\x01."),
    ];
    let record = Record::of(&zip(&entries));
    assert_eq!(record.member("a!/data.pkl").bytes, b"\x80\x04N.");
    assert_eq!(record.member("a!/data.pkl#2").bytes, b"\x80\x04K\x01.");
    only(&record, DifferenceKind::DuplicateName);
    let entries = [Entry::stored("a", b"x"), Entry::stored("A", b"y")];
    only(&Record::of(&zip(&entries)), DifferenceKind::DuplicateName);
}

#[test]
fn headers_that_differ_are_reported_and_both_readings_visited() {
    let mut entry = Entry::stored("name", b"\x80\x04N.");
    entry.local.name = b"eman".to_vec();
    only(&Record::of(&zip(&[entry])), DifferenceKind::Name);
    only(
        &Record::of(&zip(&[Entry::stored("a\0b", b"x")])),
        DifferenceKind::Name,
    );

    let mut entry = Entry::deflated("m", b"\x80\x04N.");
    entry.central.method = 0;
    entry.central.size = entry.central.packed;
    let record = Record::of(&zip(&[entry.clone()]));
    assert_eq!(record.member("a!/m").bytes, entry.data);
    assert_eq!(record.member("a!/m#2").bytes, b"\x80\x04N.");
    assert!(record.differs(DifferenceKind::Method));

    let mut entry = Entry::stored("s", b"\x80\x04N.more");
    entry.central.packed = 4;
    entry.central.size = 4;
    let record = Record::of(&zip(&[entry]));
    assert_eq!(record.member("a!/s").bytes, b"\x80\x04N.");
    assert_eq!(record.member("a!/s#2").bytes, b"\x80\x04N.more");
    only(&record, DifferenceKind::Size);
}

#[test]
fn a_size_that_is_not_the_datas_is_reported() {
    let mut entry = Entry::deflated("x", &payload());
    entry.central.size = 10;
    entry.local.size = 10;
    let record = Record::of(&zip(&[entry]));
    assert_eq!(record.member("a!/x").bytes, payload());
    only(&record, DifferenceKind::Size);
    let mut entry = Entry::stored("x", b"12345");
    entry.central.size = 3;
    entry.local.size = 3;
    only(&Record::of(&zip(&[entry])), DifferenceKind::Size);
    let mut data = deflate(b"abc");
    data.extend(b"behind");
    let entry = Entry::new("x", 8, &data, b"abc");
    only(&Record::of(&zip(&[entry])), DifferenceKind::Trailing);
}

#[test]
fn a_wrong_checksum_of_expanded_data_is_a_gap() {
    let mut entry = Entry::deflated("x", &payload());
    entry.central.crc ^= 1;
    entry.local.crc ^= 1;
    let record = Record::of(&zip(&[entry]));
    assert_eq!(record.member("a!/x").bytes, payload());
    assert!(record.has_gap(GapKind::Corrupt));
}

#[test]
fn the_encrypted_flag_hides_nothing() {
    for mut entry in plain() {
        entry.central.flags |= 1;
        let record = Record::of(&zip(&[entry.clone()]));
        assert!(record.differs(DifferenceKind::Flags));
        entry.local.flags |= 1;
        let record = Record::of(&zip(&[entry]));
        assert!(record.members[1].bytes.len() > 4);
        only(&record, DifferenceKind::NotEncrypted);
    }
    let mut entry = Entry::new("x", 0, b"0123456789ab-secret", b"-secret");
    entry.central.flags |= 1;
    entry.local.flags |= 1;
    assert!(Record::of(&zip(&[entry])).has_gap(GapKind::Encrypted));
    let mut entry = Entry::new("x", 8, b"\xff\xff\xff\xff\xff\xff", b"secret");
    entry.central.flags |= 1;
    entry.local.flags |= 1;
    assert!(Record::of(&zip(&[entry])).has_gap(GapKind::Encrypted));
}

#[test]
fn methods_that_are_not_known_are_gaps_and_the_data_is_visited() {
    for method in [1, 9, 97, 99, 0xffff] {
        let record = Record::of(&zip(&[Entry::new("x", method, b"\x80\x04N.", b"1234")]));
        assert_eq!(record.member("a!/x").bytes, b"\x80\x04N.");
        assert!(record.member("a!/x").partial.is_some());
        assert!(record.has_gap(GapKind::Unsupported));
    }
}

#[test]
fn the_other_methods_are_expanded() {
    use crate::testing::{BZIP2, LZMA, XZ, ZSTD};
    let mut lzma = b"\x09\x04\x05\0".to_vec();
    lzma.extend(&LZMA[..5]);
    lzma.extend(&LZMA[13..]);
    for (method, data) in [(12, BZIP2), (14, &lzma), (93, ZSTD), (95, XZ)] {
        let record = Record::of(&zip(&[Entry::new("x", method, data, &payload())]));
        assert_eq!(record.member("a!/x").bytes, payload(), "{method}");
        assert!(record.gaps.is_empty() && record.differences.is_empty());
    }
}

#[test]
fn bytes_before_and_after_an_archive_are_reported() {
    let mut data = b"#!/bin/sh\n".to_vec();
    data.extend(zip(&plain()));
    let record = Record::of(&data);
    assert_eq!(record.members.len(), 3);
    only(&record, DifferenceKind::Prepended);
    let mut data = zip(&plain());
    data.extend(b"tail");
    let record = Record::of(&data);
    assert_eq!(record.members.len(), 3);
    only(&record, DifferenceKind::Trailing);
}

#[test]
fn every_end_record_is_followed() {
    // The second archive stands in the comment of the first, or the first before the second.
    let first = zip(&[Entry::stored("one", b"\x80\x04N.")]);
    let second = zip(&[Entry::stored("two", b"\x80\x04N.")]);
    for whole in [[first.clone(), second.clone()].concat(), {
        let mut first = first[..first.len() - 22].to_vec();
        let directory = u32::try_from(first.len()).unwrap();
        first.extend(end(1, 49, directory - 49, &second));
        first
    }] {
        let record = Record::of(&whole);
        for name in ["a!/one", "a!/two"] {
            assert_eq!(record.member(name).bytes, b"\x80\x04N.");
        }
        assert!(record.differs(DifferenceKind::Directory));
    }
}

#[test]
fn entries_that_the_end_record_does_not_count_are_visited() {
    let mut data = zip(&plain());
    let at = data.len() - 12;
    data[at] = 1;
    let record = Record::of(&data);
    assert_eq!(record.members.len(), 3);
    only(&record, DifferenceKind::Count);
}

#[test]
fn without_an_end_record_the_local_headers_count() {
    let data = zip(&plain());
    let record = Record::of(&data[..data.len() - 22]);
    assert_eq!(record.member("a!/x/b.pkl").bytes, payload());
    assert!(record.has_gap(GapKind::Corrupt));
    let record = Record::of(&data[..60]);
    assert_eq!(record.lines(), ["a zip", "a!/x/a.txt text"]);
}

#[test]
fn an_entry_without_a_local_header_is_a_gap() {
    let mut data = zip(&plain());
    data[0] = b'X';
    let record = Record::of(&data);
    assert!(record.has_gap(GapKind::Corrupt));
    assert_eq!(record.member("a!/x/b.pkl").bytes, payload());
}

#[test]
fn names_are_escaped_and_folders_skipped() {
    let mut entry = Entry::stored("x", b"y");
    entry.central.name = b"a\xff\x1b[2J".to_vec();
    entry.local.name.clone_from(&entry.central.name);
    let entries = [
        entry,
        Entry::stored("folder/", b""),
        Entry::stored("odd/", b"data"),
    ];
    let record = Record::of(&zip(&entries));
    assert_eq!(
        record.lines(),
        ["a zip", "a!/a\\xff\\x1b[2J text", "a!/odd/ text"]
    );
}

#[test]
fn members_that_share_bytes_end_at_a_multiple_of_the_archive() {
    // Many entries for one long piece of stored data, each beginning a little later.
    let mut data = Vec::new();
    let mut directory = Vec::new();
    for n in 0..3_000_u32 {
        let at = u32::try_from(data.len()).unwrap();
        let mut entry = Entry::stored(&format!("{n:04}"), b"");
        let length = (3_000 - n) * 34;
        entry.local.packed = length;
        entry.central.packed = length;
        let one = zip(&[entry]);
        data.extend(&one[..34]);
        let mut central = one[34..one.len() - 22].to_vec();
        central[42..46].copy_from_slice(&at.to_le_bytes());
        directory.extend(central);
    }
    let start = u32::try_from(data.len()).unwrap();
    data.extend(&directory);
    data.extend(end(
        3_000,
        u32::try_from(directory.len()).unwrap(),
        start,
        b"",
    ));
    let record = Record::of(&data);
    assert!(record.members.len() < 200, "{}", record.members.len());
    assert!(record.differs(DifferenceKind::Overlap));
    assert!(record.has_gap(GapKind::Limited));
}

#[test]
fn the_number_of_entries_and_of_remarks_is_limited() {
    let many: Vec<_> = (0..1_200)
        .map(|n| Entry::stored(&format!("{n}"), &[b'x'; 3]).unlisted())
        .chain(plain())
        .collect();
    let record = Record::of(&zip(&many));
    assert_eq!(record.members.len(), 1_203);
    assert_eq!(record.differences.len(), 1_000);
    assert!(record.has_gap(GapKind::Limited));
    let few = Limits {
        members: 10,
        ..Limits::default()
    };
    let record = Record::with(&zip(&many), &few);
    assert_eq!(record.members.len(), 10);
    assert!(record.has_gap(GapKind::Limited));
}

#[test]
fn an_archive_in_an_archive_is_only_its_member() {
    let inner = zip(&plain());
    let record = Record::of(&zip(&[
        Entry::stored("a", b"x"),
        Entry::stored("in.zip", &inner),
    ]));
    assert_eq!(record.members.len(), 5);
    assert!(record.gaps.is_empty() && record.differences.is_empty());
    let record = Record::of(&crate::testing::tar(&[("in.zip", b'0', &inner)]));
    assert_eq!(record.members.len(), 4);
    assert!(record.gaps.is_empty() && record.differences.is_empty());
    let two = [("1.zip", b'0', &inner[..]), ("2.zip", b'0', &inner[..])];
    let record = Record::of(&crate::testing::tar(&two));
    assert_eq!(record.members.len(), 7);
    assert!(record.differences.is_empty());
    // One that reaches over two members is not one of them.
    let (left, right) = inner.split_at(20);
    let record = Record::of(&crate::testing::tar(&[
        ("l", b'0', left),
        ("r", b'0', right),
    ]));
    assert!(!record.differences.is_empty());
}
