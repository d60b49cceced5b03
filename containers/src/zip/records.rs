//! The records of a zip archive as they stand in the file.

use crate::bytes::{from, has, range, u16_at, u32_at, u64_at, wide};

/// Bit 0 (encrypted), 6 (strongly encrypted) and 13 (masked headers) of the flags.
pub(super) const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Bit 3: the sizes and the CRC-32 stand behind the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;

pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const END: &[u8] = b"PK\x05\x06";
pub(super) const DESCRIPTOR_SIGNATURE: &[u8] = b"PK\x07\x08";

/// An end record, or what zip64 says in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Where the record stands, that the directory should end at.
    pub(super) at: u64,
    pub(super) entries: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
}

impl End {
    /// The end record at `at`, and the length of its comment.
    pub(super) fn parse(bytes: &[u8], at: u64) -> Option<(Self, u16)> {
        let record = from(bytes, at)
            .first_chunk::<22>()
            .filter(|r| r.starts_with(END))?;
        let end = Self {
            at,
            entries: u16_at(record, 10)?.into(),
            size: u32_at(record, 12)?.into(),
            offset: u32_at(record, 16)?.into(),
        };
        Some((end, u16_at(record, 20)?))
    }

    /// The zip64 end record at `at`.
    pub(super) fn parse_64(bytes: &[u8], at: u64) -> Option<Self> {
        let record = from(bytes, at)
            .first_chunk::<56>()
            .filter(|r| r.starts_with(b"PK\x06\x06"))?;
        Some(Self {
            at,
            entries: u64_at(record, 32)?,
            size: u64_at(record, 40)?,
            offset: u64_at(record, 48)?,
        })
    }
}

/// An entry of a central directory.
#[derive(Debug, Clone)]
pub(super) struct Central<'a> {
    /// Where the entry itself stands.
    pub(super) record: u64,
    /// Where its local header should be, moved as the directory says.
    pub(super) header: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: &'a [u8],
    /// Where the next entry should be.
    pub(super) next: u64,
}

impl<'a> Central<'a> {
    /// The entry at `record`; offsets of local headers are moved by `adjust`.
    pub(super) fn parse(bytes: &'a [u8], record: u64, adjust: i64) -> Option<Self> {
        let rest = from(bytes, record);
        if !rest.starts_with(CENTRAL) || rest.len() < 46 {
            return None;
        }
        let name_length = u64::from(u16_at(rest, 28)?);
        let extra_length = u64::from(u16_at(rest, 30)?);
        let comment_length = u64::from(u16_at(rest, 32)?);
        let extra = range(rest, name_length.saturating_add(46), extra_length);
        let mut wide_fields = Zip64::new(extra);
        let size = wide_fields.or(u32_at(rest, 24)?);
        let packed = wide_fields.or(u32_at(rest, 20)?);
        let header = wide_fields.or(u32_at(rest, 42)?);
        Some(Self {
            record,
            header: header.checked_add_signed(adjust)?,
            flags: u16_at(rest, 8)?,
            method: u16_at(rest, 10)?,
            crc: u32_at(rest, 16)?,
            packed,
            size,
            name: range(rest, 46, name_length),
            next: record
                .checked_add(46)?
                .checked_add(name_length)?
                .checked_add(extra_length)?
                .checked_add(comment_length)?,
        })
    }
}

/// A local header.
#[derive(Debug, Clone)]
pub(super) struct Local<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: &'a [u8],
    /// Where the data begins.
    pub(super) data: u64,
}

impl<'a> Local<'a> {
    /// The local header at `at`.
    pub(super) fn parse(bytes: &'a [u8], at: u64) -> Option<Self> {
        let rest = from(bytes, at);
        if !rest.starts_with(LOCAL) || rest.len() < 30 {
            return None;
        }
        let name_length = u64::from(u16_at(rest, 26)?);
        let extra_length = u64::from(u16_at(rest, 28)?);
        let extra = range(rest, name_length.saturating_add(30), extra_length);
        let mut wide_fields = Zip64::new(extra);
        let size = wide_fields.or(u32_at(rest, 22)?);
        let packed = wide_fields.or(u32_at(rest, 18)?);
        Some(Self {
            flags: u16_at(rest, 6)?,
            method: u16_at(rest, 8)?,
            crc: u32_at(rest, 14)?,
            packed,
            size,
            name: range(rest, 30, name_length),
            data: at
                .checked_add(30)?
                .checked_add(name_length)?
                .checked_add(extra_length)
                .filter(|data| *data <= wide(bytes.len()))?,
        })
    }

    /// Whether the header leaves the sizes to a descriptor behind the data.
    pub(super) fn is_open(&self) -> bool {
        self.flags & DESCRIPTOR != 0 && self.packed == 0
    }

    /// Where the data ends, if the header says so.
    pub(super) fn end(&self) -> Option<u64> {
        (!self.is_open()).then(|| self.data.saturating_add(self.packed))
    }
}

/// The zip64 extra field: 64-bit values for those fields that are all ones, in order.
struct Zip64<'a> {
    values: &'a [u8],
}

impl<'a> Zip64<'a> {
    fn new(mut extra: &'a [u8]) -> Self {
        while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            if id == 1 {
                let values = range(extra, 4, length.into());
                return Self { values };
            }
            extra = from(extra, u64::from(length).saturating_add(4));
        }
        Self { values: &[] }
    }

    fn or(&mut self, value: u32) -> u64 {
        if value != u32::MAX {
            return value.into();
        }
        let wide = u64_at(self.values, 0).unwrap_or_else(|| value.into());
        self.values = from(self.values, 8);
        wide
    }
}

/// Whether a local header seems to stand at `at`.
pub(super) fn is_local(bytes: &[u8], at: u64) -> bool {
    has(bytes, at, LOCAL) && Local::parse(bytes, at).is_some_and(|local| !local.name.is_empty())
}
