//! Tiny writers of gzip, zlib and zip, which can also lie: data is stored, never compressed, so that
//! a payload stays readable in the bytes.

use super::checksum::{adler32, crc32};
use super::lexer::{Statement, Value};
use crate::AssembleError;

/// Deflate data of stored blocks.
fn deflate(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chunks = data.chunks(usize::from(u16::MAX)).peekable();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        let [low, high, ..] = chunk.len().to_le_bytes();
        out.extend([u8::from(last), low, high, !low, !high]);
        out.extend_from_slice(chunk);
        if last {
            return out;
        }
    }
}

/// The low 32 bits of a length, as gzip's trailer and zip's fields hold it.
fn low32(length: usize) -> u32 {
    let [a, b, c, d, ..] = length.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A gzip member around `data`. Options: `name`, `crc` and `size` lie.
pub(crate) fn gzip(statement: &Statement, data: &[u8]) -> Result<Vec<u8>, AssembleError> {
    statement.allow_options(&["name", "crc", "size"])?;
    statement.allow_flags(&[])?;
    let name = statement.bytes_option("name");
    let mut out = vec![0x1f, 0x8b, 8, if name.is_some() { 8 } else { 0 }];
    // No time, no extra flags, an unknown system.
    out.extend([0, 0, 0, 0, 0, 0xff]);
    if let Some(name) = name {
        out.extend_from_slice(name);
        out.push(0);
    }
    out.extend(deflate(data));
    let crc = statement
        .number_option("crc")?
        .unwrap_or_else(|| crc32(data));
    let size = statement
        .number_option("size")?
        .unwrap_or(low32(data.len()));
    out.extend(u32::to_le_bytes(crc));
    out.extend(u32::to_le_bytes(size));
    Ok(out)
}

/// A zlib stream around `data`. Option: `adler` lies.
pub(crate) fn zlib(statement: &Statement, data: &[u8]) -> Result<Vec<u8>, AssembleError> {
    statement.allow_options(&["adler"])?;
    statement.allow_flags(&[])?;
    let mut out = vec![0x78, 0x01];
    out.extend(deflate(data));
    let adler = statement
        .number_option("adler")?
        .unwrap_or_else(|| adler32(data));
    out.extend(u32::to_be_bytes(adler));
    Ok(out)
}

/// A zip archive as it is written.
pub(crate) struct Zip {
    /// All bytes so far; the source may put its own between members.
    pub(crate) out: Vec<u8>,
    central: Vec<u8>,
    entries: u16,
    base: u32,
    torch: bool,
    no_central: bool,
    comment: Vec<u8>,
}

/// What both headers of a member say.
struct Header<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    crc: u32,
    stored_size: u32,
    size: u32,
}

impl Zip {
    /// Begins an archive. Options: `base` is added to every offset, `style=torch` writes the layout
    /// of `torch.save`, `no-central` leaves out the central directory, `comment` is the archive's.
    pub(crate) fn new(statement: &Statement) -> Result<Self, AssembleError> {
        statement.allow_options(&["base", "style", "comment"])?;
        statement.allow_flags(&["no-central"])?;
        let torch = match statement.option("style") {
            None => false,
            Some(Value::Word(style)) if style == "torch" => true,
            Some(_) => return Err(statement.error("the one style is torch")),
        };
        Ok(Self {
            out: Vec::new(),
            central: Vec::new(),
            entries: 0,
            base: statement.number_option("base")?.unwrap_or(0),
            torch,
            no_central: statement.has_flag("no-central"),
            comment: statement
                .bytes_option("comment")
                .unwrap_or_default()
                .to_vec(),
        })
    }

    /// Writes one member. Options: `method=deflate` or a number, `flags`, and what lies:
    /// `local-name`, `crc`, `size`, `local-size`; `local-only` leaves it out of the directory.
    pub(crate) fn member(
        &mut self,
        statement: &Statement,
        data: &[u8],
    ) -> Result<(), AssembleError> {
        statement.allow_options(&["method", "flags", "local-name", "crc", "size", "local-size"])?;
        statement.allow_flags(&["local-only"])?;
        let Some(Value::Bytes(name)) = statement.operands.first() else {
            return Err(statement.error("a member needs a name"));
        };
        let method = match statement.option("method") {
            Some(Value::Word(method)) if method == "deflate" => 8,
            _ => statement.number_option("method")?.unwrap_or(0),
        };
        let stored = if method == 8 {
            deflate(data)
        } else {
            data.to_vec()
        };
        let flags = if self.torch { 0x0808 } else { 0 };
        let central = Header {
            name,
            flags: statement.number_option("flags")?.unwrap_or(flags),
            method,
            crc: statement
                .number_option("crc")?
                .unwrap_or_else(|| crc32(data)),
            stored_size: low32(stored.len()),
            size: statement
                .number_option("size")?
                .unwrap_or(low32(data.len())),
        };
        let local_size = statement.number_option("local-size")?;
        let local = Header {
            name: statement.bytes_option("local-name").unwrap_or(name),
            crc: if self.torch { 0 } else { central.crc },
            stored_size: if self.torch {
                0
            } else {
                local_size.unwrap_or(central.stored_size)
            },
            size: if self.torch {
                0
            } else {
                local_size.unwrap_or(low32(data.len()))
            },
            ..central
        };
        let offset = self.offset();
        self.out.extend(b"PK\x03\x04");
        self.out.extend(self.version());
        let extra = self.padding(local.name.len());
        let modified = self.date();
        push_header(&mut self.out, &local, modified, extra.len());
        self.out.extend_from_slice(local.name);
        self.out.extend(extra);
        self.out.extend(stored);
        if self.torch {
            self.out.extend(b"PK\x07\x08");
            for field in [central.crc, central.stored_size, central.size] {
                self.out.extend(field.to_le_bytes());
            }
        }
        if !statement.has_flag("local-only") {
            self.directory_entry(&central, offset);
        }
        Ok(())
    }

    fn directory_entry(&mut self, header: &Header<'_>, offset: u32) {
        let date = self.date();
        self.central.extend(b"PK\x01\x02");
        self.central.extend(self.version());
        self.central.extend(self.version());
        push_header(&mut self.central, header, date, 0);
        // No comment, disk 0, no attributes.
        self.central.extend([0; 10]);
        self.central.extend(offset.to_le_bytes());
        self.central.extend_from_slice(header.name);
        self.entries = self.entries.saturating_add(1);
    }

    /// The archive with its directory.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.no_central {
            return self.out;
        }
        let start = self.offset();
        let size = low32(self.central.len());
        self.out.append(&mut self.central);
        if self.torch {
            self.zip64_end(size, start);
        }
        self.out.extend(b"PK\x05\x06\0\0\0\0");
        self.out.extend(self.entries.to_le_bytes());
        self.out.extend(self.entries.to_le_bytes());
        self.out.extend(size.to_le_bytes());
        self.out.extend(start.to_le_bytes());
        let [low, high, ..] = self.comment.len().to_le_bytes();
        self.out.extend([low, high]);
        self.out.append(&mut self.comment);
        self.out
    }

    /// miniz ends every archive of `torch.save` with the 64-bit records too.
    fn zip64_end(&mut self, size: u32, start: u32) {
        let record = self.offset();
        self.out.extend(b"PK\x06\x06");
        self.out.extend(44_u64.to_le_bytes());
        // Made by version 3.0 on Unix, version 4.5 needed, disks 0 and 0.
        self.out.extend([0x1e, 3, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for field in [
            u32::from(self.entries),
            u32::from(self.entries),
            size,
            start,
        ] {
            self.out.extend(u64::from(field).to_le_bytes());
        }
        self.out.extend(b"PK\x06\x07\0\0\0\0");
        self.out.extend(u64::from(record).to_le_bytes());
        self.out.extend(1_u32.to_le_bytes());
    }

    fn offset(&self) -> u32 {
        self.base.wrapping_add(low32(self.out.len()))
    }

    fn version(&self) -> [u8; 2] {
        if self.torch { [0, 0] } else { [20, 0] }
    }

    /// 1 January 1980 at midnight, the first date that there is; torch writes zeros.
    fn date(&self) -> u16 {
        if self.torch { 0 } else { 0x21 }
    }

    /// torch fills up with an extra field to a multiple of 64. The version's two bytes and the
    /// signature are written already, 24 bytes of header and the name are not.
    fn padding(&self, name: usize) -> Vec<u8> {
        if !self.torch {
            return Vec::new();
        }
        let position = self
            .out
            .len()
            .wrapping_add(24)
            .wrapping_add(name)
            .wrapping_add(4);
        let fill = position.wrapping_neg() % 64;
        let [low, high, ..] = fill.to_le_bytes();
        let mut extra = vec![b'F', b'B', low, high];
        extra.resize(fill.saturating_add(4), b'Z');
        extra
    }
}

/// The fields that local and central headers share, from the flags to the extra field's length.
fn push_header(out: &mut Vec<u8>, header: &Header<'_>, date: u16, extra: usize) {
    out.extend(header.flags.to_le_bytes());
    out.extend(header.method.to_le_bytes());
    out.extend([0, 0]);
    out.extend(date.to_le_bytes());
    for field in [header.crc, header.stored_size, header.size] {
        out.extend(field.to_le_bytes());
    }
    let [name_low, name_high, ..] = header.name.len().to_le_bytes();
    let [extra_low, extra_high, ..] = extra.to_le_bytes();
    out.extend([name_low, name_high, extra_low, extra_high]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_blocks_hold_65535_bytes_and_only_the_last_is_final() {
        assert_eq!(deflate(b""), [1, 0, 0, 0xff, 0xff]);
        assert_eq!(deflate(b"ab"), [1, 2, 0, 0xfd, 0xff, b'a', b'b']);
        let long = deflate(&vec![7; 65_536]);
        assert_eq!(long.len(), 65_536 + 10);
        assert_eq!((long[0], long[5 + 65_535]), (0, 1));
    }
}
