//! Builders and a recording visitor for tests.

use std::io::Write;

use crate::{Difference, DifferenceKind, Format, GapKind, Limits, Loader, Member, Visitor, walk};

/// A member as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) location: String,
    pub(crate) format: Format,
    pub(crate) loader: Loader,
    pub(crate) bytes: Vec<u8>,
    pub(crate) partial: Option<String>,
    pub(crate) top: bool,
}

/// All that a walk said.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) members: Vec<Seen>,
    pub(crate) gaps: Vec<(String, GapKind, String)>,
    pub(crate) differences: Vec<(String, DifferenceKind, String)>,
    /// The most bytes of a member that are kept.
    keep: usize,
}

impl Visitor for Record {
    fn member(&mut self, member: &Member<'_>) {
        self.members.push(Seen {
            location: member.location.to_owned(),
            format: member.format,
            loader: member.loader,
            bytes: crate::bytes::head(member.bytes, self.keep).to_vec(),
            partial: member.partial.map(str::to_owned),
            top: member.top,
        });
    }

    fn gap(&mut self, location: &str, _: u64, reason: &str, kind: GapKind) {
        self.gaps
            .push((location.to_owned(), kind, reason.to_owned()));
    }

    fn difference(&mut self, location: &str, _: u64, difference: &Difference) {
        self.differences.push((
            location.to_owned(),
            difference.kind,
            difference.text.clone(),
        ));
    }
}

impl Record {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::with(bytes, &Limits::default())
    }

    pub(crate) fn with(bytes: &[u8], limits: &Limits) -> Self {
        let mut record = Self {
            keep: 1 << 16,
            ..Self::default()
        };
        walk("a", bytes, limits, &mut record);
        record
    }

    /// Each member as `location format`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.members
            .iter()
            .map(|seen| format!("{} {}", seen.location, seen.format))
            .collect()
    }

    pub(crate) fn member(&self, location: &str) -> &Seen {
        self.members
            .iter()
            .find(|seen| seen.location == location)
            .unwrap_or_else(|| panic!("no {location} in {:?}", self.lines()))
    }

    pub(crate) fn differs(&self, kind: DifferenceKind) -> bool {
        self.differences.iter().any(|(_, found, _)| *found == kind)
    }

    pub(crate) fn has_gap(&self, kind: GapKind) -> bool {
        self.gaps.iter().any(|(_, found, _)| *found == kind)
    }
}

/// A pickle of protocol 0 that calls, 40 times over.
pub(crate) fn payload() -> Vec<u8> {
    b"cposix\nsystem\n(S'echo 1'\ntR.".repeat(40)
}

pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn crc(data: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(data);
    sum.sum()
}

/// One of the two headers of a zip entry.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) size: u32,
}

/// A zip entry whose two headers can be made to differ.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) local: Header,
    pub(crate) central: Header,
    pub(crate) data: Vec<u8>,
    pub(crate) listed: bool,
    pub(crate) descriptor: bool,
}

impl Entry {
    /// An entry with raw data of a method.
    pub(crate) fn new(name: &str, method: u16, data: &[u8], plain: &[u8]) -> Self {
        let header = Header {
            name: name.as_bytes().to_vec(),
            flags: 0,
            method,
            crc: crc(plain),
            packed: u32::try_from(data.len()).unwrap(),
            size: u32::try_from(plain.len()).unwrap(),
        };
        Self {
            local: header.clone(),
            central: header,
            data: data.to_vec(),
            listed: true,
            descriptor: false,
        }
    }

    pub(crate) fn stored(name: &str, data: &[u8]) -> Self {
        Self::new(name, 0, data, data)
    }

    pub(crate) fn deflated(name: &str, data: &[u8]) -> Self {
        Self::new(name, 8, &deflate(data), data)
    }

    /// Leaves the entry out of the central directory.
    pub(crate) fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// Moves sizes and CRC-32 behind the data.
    pub(crate) fn streamed(mut self) -> Self {
        self.descriptor = true;
        self.central.flags |= 8;
        self.local = Header {
            crc: 0,
            packed: 0,
            size: 0,
            ..self.central.clone()
        };
        self
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn put_header(out: &mut Vec<u8>, header: &Header) {
    put16(out, 20);
    put16(out, header.flags);
    put16(out, header.method);
    put32(out, 0);
    put32(out, header.crc);
    put32(out, header.packed);
    put32(out, header.size);
    put16(out, u16::try_from(header.name.len()).unwrap());
    put16(out, 0);
}

/// A zip archive of the entries.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let mut count = 0_u16;
    for entry in entries {
        let at = u32::try_from(out.len()).unwrap();
        out.extend(b"PK\x03\x04");
        put_header(&mut out, &entry.local);
        out.extend(&entry.local.name);
        out.extend(&entry.data);
        if entry.descriptor {
            out.extend(b"PK\x07\x08");
            put32(&mut out, entry.central.crc);
            put32(&mut out, entry.central.packed);
            put32(&mut out, entry.central.size);
        }
        if entry.listed {
            count = count.strict_add(1);
            directory.extend(b"PK\x01\x02\x14\0");
            put_header(&mut directory, &entry.central);
            directory.extend([0; 10]);
            put32(&mut directory, at);
            directory.extend(&entry.central.name);
        }
    }
    let start = u32::try_from(out.len()).unwrap();
    out.extend(&directory);
    out.extend(end(
        count,
        u32::try_from(directory.len()).unwrap(),
        start,
        b"",
    ));
    out
}

/// An end record.
pub(crate) fn end(count: u16, size: u32, start: u32, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    put16(&mut out, count);
    put16(&mut out, count);
    put32(&mut out, size);
    put32(&mut out, start);
    put16(&mut out, u16::try_from(comment.len()).unwrap());
    out.extend(comment);
    out
}

/// An array file with this header text.
pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\0".to_vec();
    put16(&mut out, u16::try_from(header.len()).unwrap());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

/// A tar archive of the entries: name, kind, data.
pub(crate) fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, data) in entries {
        let mut block = [0_u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        block[148..156].fill(b' ');
        block[156] = *kind;
        block[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(block);
        out.extend(*data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend([0; 1024]);
    out
}

/// One small artifact of every kind that is read.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let payload = payload();
    vec![
        payload.clone(),
        gzip(&payload),
        zlib(&payload),
        BZIP2.to_vec(),
        XZ.to_vec(),
        LZMA.to_vec(),
        LZ4.to_vec(),
        ZSTD.to_vec(),
        zip(&[
            Entry::stored("a/data.pkl", &payload),
            Entry::deflated("a/version", b"3\n").streamed(),
            Entry::deflated("b.gz", &gzip(&payload)).unlisted(),
        ]),
        npy(
            "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n",
            &payload,
        ),
        npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
            &payload,
        ),
        tar(&[
            ("a.pkl", b'0', &payload),
            ("b", b'5', b""),
            ("c", b'0', b"x"),
        ]),
    ]
}

/// [`payload`] as bzip2.
pub(crate) const BZIP2: &[u8] = &[
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x5e, 0x47, 0x61, 0xd8, 0x00, 0x01,
    0x03, 0xdb, 0x80, 0x00, 0x10, 0x40, 0xc1, 0x20, 0x00, 0x18, 0x00, 0x0a, 0x62, 0xcc, 0x60, 0x20,
    0x00, 0x90, 0x29, 0x93, 0x13, 0x20, 0xc8, 0xc0, 0xa5, 0x54, 0x34, 0x34, 0xf4, 0x11, 0xe9, 0x37,
    0x13, 0x22, 0x68, 0x27, 0x22, 0x6a, 0x26, 0x04, 0xf4, 0x26, 0x04, 0xd4, 0x4c, 0x89, 0x81, 0x38,
    0x13, 0x71, 0x30, 0x26, 0x82, 0x70, 0x26, 0x44, 0xf2, 0x27, 0xd1, 0x32, 0x26, 0x82, 0x72, 0x27,
    0x42, 0x70, 0x13, 0xd8, 0x9d, 0x09, 0xd8, 0x4f, 0xe2, 0xee, 0x48, 0xa7, 0x0a, 0x12, 0x0b, 0xc8,
    0xec, 0x3b, 0x00,
];

/// [`payload`] as xz.
pub(crate) const XZ: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x04, 0x5f, 0x00, 0x29, 0x5d, 0x00, 0x31,
    0x9c, 0x0a, 0x22, 0xf6, 0x0c, 0xf8, 0x0b, 0xa3, 0xdb, 0xdb, 0x6d, 0x00, 0x7d, 0xb6, 0x0e, 0x93,
    0x20, 0xcc, 0x54, 0x66, 0x8e, 0x6d, 0xe1, 0x75, 0xc1, 0xa7, 0x5f, 0xea, 0x0c, 0xd8, 0xb8, 0x46,
    0x20, 0xb0, 0x08, 0x3a, 0x69, 0x2a, 0xb9, 0x06, 0x00, 0x00, 0x00, 0x00, 0xda, 0x6f, 0x8a, 0x6c,
    0x5a, 0x0c, 0x41, 0x4b, 0x00, 0x01, 0x45, 0xe0, 0x08, 0x00, 0x00, 0x00, 0x32, 0xa0, 0xa0, 0x71,
    0xb1, 0xc4, 0x67, 0xfb, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
];

/// [`payload`] as LZMA with its header, as `joblib` writes it.
pub(crate) const LZMA: &[u8] = &[
    0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x31, 0x9c,
    0x0a, 0x22, 0xf6, 0x0c, 0xf8, 0x0b, 0xa3, 0xdb, 0xdb, 0x6d, 0x00, 0x7d, 0xb6, 0x0e, 0x93, 0x20,
    0xcc, 0x54, 0x66, 0x8e, 0x6d, 0xe1, 0x75, 0xc1, 0xa7, 0x5f, 0xea, 0x0c, 0xd8, 0xb8, 0x46, 0x20,
    0xb0, 0x08, 0x3a, 0x6b, 0xd9, 0x1e, 0xf1, 0xff, 0xfe, 0xd0, 0xa0, 0x00,
];

/// [`payload`] as a Zstandard frame.
pub(crate) const ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x64, 0x60, 0x03, 0x25, 0x01, 0x00, 0xe0, 0x63, 0x70, 0x6f, 0x73, 0x69,
    0x78, 0x0a, 0x73, 0x79, 0x73, 0x74, 0x65, 0x6d, 0x0a, 0x28, 0x53, 0x27, 0x65, 0x63, 0x68, 0x6f,
    0x20, 0x31, 0x27, 0x0a, 0x74, 0x52, 0x2e, 0x01, 0x00, 0x04, 0xf1, 0xff, 0x74, 0x02, 0x7b, 0xc4,
    0x04, 0x6f,
];

/// [`payload`] as an LZ4 frame.
pub(crate) const LZ4: &[u8] = &[
    0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x2b, 0x00, 0x00, 0x00, 0xff, 0x0d, 0x63, 0x70, 0x6f,
    0x73, 0x69, 0x78, 0x0a, 0x73, 0x79, 0x73, 0x74, 0x65, 0x6d, 0x0a, 0x28, 0x53, 0x27, 0x65, 0x63,
    0x68, 0x6f, 0x20, 0x31, 0x27, 0x0a, 0x74, 0x52, 0x2e, 0x1c, 0x00, 0xff, 0xff, 0xff, 0xff, 0x30,
    0x50, 0x27, 0x0a, 0x74, 0x52, 0x2e, 0x00, 0x00, 0x00, 0x00, 0x7f, 0x1f, 0x55, 0x54,
];
