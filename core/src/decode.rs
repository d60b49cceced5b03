//! Bytes to instructions, without copying and without looking at what an operand means.
//!
//! A [`Decoder`] finds where each instruction begins and ends, as the dialect's loader would:
//! counted data is a slice of the input whatever its size, a line is a slice up to its newline.
//! What the text of a line is worth is the machine's business, because loaders check it only
//! after they have looked at the stack.

use crate::dialect::{Dialect, Version};
use crate::error::{Error, ErrorKind, Exception};
use crate::opcode::{Opcode, OperandKind};

/// An instruction's operand; bytes are borrowed from the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand<'a> {
    /// The opcode has none.
    None,
    /// An unsigned number of one, two, four or eight bytes.
    Uint(u64),
    /// A signed number of four bytes.
    Int(i32),
    /// The bits of a float.
    Float(u64),
    /// A line, its newline included if it has one.
    Line(&'a [u8]),
    /// Two lines, their newlines included if they have them.
    Lines(&'a [u8], &'a [u8]),
    /// Counted data, without its length field.
    Bytes(&'a [u8]),
}

/// One instruction and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// The opcode.
    pub opcode: Opcode,
    /// Its operand.
    pub operand: Operand<'a>,
    /// Offset of the opcode's byte.
    pub offset: usize,
    /// Offset behind the last byte of the operand.
    pub end: usize,
}

/// The text of a line operand: what `readline()[:-1]` gives.
///
/// Python's unpickler drops the last byte of a line even where the input ended without a newline.
#[must_use]
pub fn line_text(line: &[u8]) -> &[u8] {
    match line.split_last() {
        Some((_, text)) => text,
        None => line,
    }
}

/// Reads instructions one after another.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    position: usize,
    frame_end: Option<usize>,
    frame_overrun: Option<usize>,
    dialect: Dialect,
    enforce_frames: bool,
    check_frame_length: bool,
}

impl<'a> Decoder<'a> {
    /// A decoder that starts at `position` of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], position: usize, dialect: Dialect, version: Version) -> Self {
        let enforce_frames = match dialect {
            Dialect::C => version.enforces_frames(),
            Dialect::Python => true,
            Dialect::PickleTools => false,
        };
        Self {
            bytes,
            position,
            frame_end: None,
            frame_overrun: None,
            dialect,
            enforce_frames,
            check_frame_length: version.python_checks_frame_length(),
        }
    }

    /// Offset of the next opcode.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Where the file stands once the stream has stopped: `pickle.py` has read its whole frame.
    #[must_use]
    pub fn file_position(&self) -> usize {
        match (self.dialect, self.frame_end) {
            (Dialect::Python, Some(end)) => end.min(self.bytes.len()).max(self.position),
            _ => self.position,
        }
    }

    /// Prepares for another stream of the same file. What `pickle.py` has read of a frame behind
    /// STOP is lost to it.
    pub(crate) fn begin_load(&mut self) {
        if self.dialect == Dialect::Python {
            self.position = self.file_position();
            self.frame_end = None;
        }
    }

    /// Offset of the first instruction that crosses the end of its frame or begins a frame inside
    /// another. No pickler writes one, and loaders disagree on what it means (gh-154848).
    #[must_use]
    pub const fn frame_overrun(&self) -> Option<usize> {
        self.frame_overrun
    }

    /// The byte at the position, if there is one.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// Reads the next instruction and moves behind it.
    ///
    /// # Errors
    ///
    /// What the dialect's loader would raise while it reads the opcode and its operand. The
    /// position stays at the opcode.
    #[inline]
    pub fn read(&mut self) -> Result<Instruction<'a>, Error> {
        let offset = self.position;
        let Some(&byte) = self.bytes.get(offset) else {
            return Err(Error::new(ErrorKind::EndOfInput, offset));
        };
        let Some(opcode) = Opcode::from_byte(byte) else {
            let error = Error::new(ErrorKind::UnknownOpcode(byte), offset);
            return Err(match self.dialect {
                Dialect::Python => error.raised_as(Exception::KeyError),
                Dialect::C | Dialect::PickleTools => error,
            });
        };
        let mut cursor = Cursor {
            bytes: self.bytes,
            start: offset,
            position: offset.saturating_add(1),
            limit: self.bytes.len(),
            in_frame: false,
            dialect: self.dialect,
        };
        if let Some(end) = self.frame_end {
            if offset >= end {
                self.frame_end = None;
            } else if self.enforce_frames && cursor.position < end {
                // Where the opcode is the frame's last byte, its operand stands behind the frame.
                cursor.limit = end;
                cursor.in_frame = true;
            }
        }
        let operand = match cursor.operand(opcode.operand_kind()) {
            Ok(operand) => operand,
            Err(error) => {
                let cut = matches!(
                    error.kind,
                    ErrorKind::Truncated | ErrorKind::UnterminatedLine
                );
                if cursor.in_frame && cut {
                    self.frame_overrun.get_or_insert(offset);
                    return Err(Error::new(ErrorKind::FrameOverrun, offset));
                }
                return Err(error);
            }
        };
        if let Some(end) = self.frame_end
            && offset.saturating_add(1) < end
            && cursor.position > end
        {
            self.frame_overrun.get_or_insert(offset);
        }
        if opcode == Opcode::Frame
            && let Operand::Uint(size) = operand
        {
            self.begin_frame(size, offset, cursor.position)?;
        }
        self.position = cursor.position;
        Ok(Instruction {
            opcode,
            operand,
            offset,
            end: cursor.position,
        })
    }

    fn begin_frame(&mut self, size: u64, offset: usize, start: usize) -> Result<(), Error> {
        if size >= 1 << 63 && self.dialect != Dialect::PickleTools {
            let error = Error::new(ErrorKind::SizeOverflow, offset);
            return Err(match self.dialect {
                Dialect::Python => error.raised_as(Exception::ValueError),
                Dialect::C | Dialect::PickleTools => error,
            });
        }
        if self.frame_end.is_some_and(|end| start < end) {
            self.frame_overrun.get_or_insert(offset);
            if self.enforce_frames {
                return Err(Error::new(ErrorKind::NestedFrame, offset));
            }
        }
        let end = usize::try_from(size)
            .ok()
            .and_then(|size| start.checked_add(size));
        let fits = end.is_some_and(|end| end <= self.bytes.len());
        if !fits {
            match self.dialect {
                Dialect::C => return Err(Error::new(ErrorKind::ShortFrame, offset)),
                Dialect::Python if self.check_frame_length => {
                    return Err(
                        Error::new(ErrorKind::ShortFrame, offset).raised_as(Exception::EofError)
                    );
                }
                Dialect::Python | Dialect::PickleTools => {}
            }
        }
        self.frame_end = (size > 0).then(|| end.unwrap_or(usize::MAX).min(self.bytes.len()));
        Ok(())
    }
}

/// Reads one operand, up to a limit.
struct Cursor<'a> {
    bytes: &'a [u8],
    start: usize,
    position: usize,
    limit: usize,
    in_frame: bool,
    dialect: Dialect,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn operand(&mut self, kind: OperandKind) -> Result<Operand<'a>, Error> {
        Ok(match kind {
            OperandKind::None => Operand::None,
            OperandKind::Uint1 => Operand::Uint(u64::from(self.byte()?)),
            OperandKind::Uint2 => Operand::Uint(u64::from(u16::from_le_bytes(self.fixed()?))),
            OperandKind::Uint4 => Operand::Uint(u64::from(u32::from_le_bytes(self.fixed()?))),
            OperandKind::Uint8 => Operand::Uint(u64::from_le_bytes(self.fixed()?)),
            OperandKind::Int4 => Operand::Int(i32::from_le_bytes(self.fixed()?)),
            OperandKind::Float8 => Operand::Float(u64::from_be_bytes(self.fixed()?)),
            OperandKind::String1
            | OperandKind::Bytes1
            | OperandKind::Unicode1
            | OperandKind::Long1 => {
                let size = u64::from(self.byte()?);
                self.counted(size)?
            }
            OperandKind::String4 if self.dialect != Dialect::C => {
                // Deprecated BINSTRING has a signed length everywhere but in C.
                self.signed_counted()?
            }
            OperandKind::String4 | OperandKind::Bytes4 | OperandKind::Unicode4 => {
                let size = u64::from(u32::from_le_bytes(self.fixed()?));
                self.counted(size)?
            }
            OperandKind::Long4 => self.signed_counted()?,
            OperandKind::Bytes8 | OperandKind::ByteArray8 | OperandKind::Unicode8 => {
                let size = u64::from_le_bytes(self.fixed()?);
                self.check_size(size, kind)?;
                self.counted(size)?
            }
            OperandKind::DecimalLine | OperandKind::LongLine | OperandKind::FloatLine => {
                let line = self.line()?;
                if self.dialect == Dialect::C && line.len() < 2 {
                    return Err(self.error(ErrorKind::EmptyLine));
                }
                Operand::Line(line)
            }
            OperandKind::QuotedLine | OperandKind::UnicodeLine | OperandKind::TextLine => {
                Operand::Line(self.line()?)
            }
            OperandKind::TextLines => self.lines()?,
        })
    }

    const fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.start)
    }

    #[cold]
    fn truncated(&self, width: usize) -> Error {
        let error = self.error(ErrorKind::Truncated);
        match self.dialect {
            Dialect::C => error,
            Dialect::Python if width == 1 => error.raised_as(Exception::IndexError),
            Dialect::Python => error.raised_as(Exception::StructError),
            Dialect::PickleTools => error.raised_as(Exception::ValueError),
        }
    }

    #[inline]
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(size)?;
        if end > self.limit && size > 0 {
            return None;
        }
        let data = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(data)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Error> {
        match self.take(1) {
            Some(&[byte]) => {
                self.leave_frame();
                Ok(byte)
            }
            _ => Err(self.truncated(1)),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.take(N).and_then(|data| <[u8; N]>::try_from(data).ok()) {
            Some(data) => {
                self.leave_frame();
                Ok(data)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Behind the last byte of a frame the next read is served by the file again.
    #[inline]
    fn leave_frame(&mut self) {
        if self.position == self.limit {
            self.limit = self.bytes.len();
            self.in_frame = false;
        }
    }

    fn check_size(&self, size: u64, kind: OperandKind) -> Result<(), Error> {
        let limit: u64 = match (self.dialect, kind) {
            // PyBytes_FromStringAndSize refuses what leaves no room for its header.
            (Dialect::C, OperandKind::Bytes8) => (1 << 63) - 34,
            _ => (1 << 63) - 1,
        };
        if size <= limit {
            return Ok(());
        }
        let error = self.error(ErrorKind::SizeOverflow);
        Err(match self.dialect {
            Dialect::C => error,
            Dialect::Python => error.raised_as(Exception::UnpicklingError),
            Dialect::PickleTools => error.raised_as(Exception::ValueError),
        })
    }

    fn signed_counted(&mut self) -> Result<Operand<'a>, Error> {
        let size = i32::from_le_bytes(self.fixed()?);
        let Ok(size) = u64::try_from(size) else {
            return Err(self.error(ErrorKind::NegativeSize));
        };
        self.counted(size)
    }

    #[inline]
    fn counted(&mut self, size: u64) -> Result<Operand<'a>, Error> {
        let data = usize::try_from(size).ok().and_then(|size| self.take(size));
        match data {
            Some(data) => Ok(Operand::Bytes(data)),
            None => self.short(),
        }
    }

    /// `pickle.py` takes what is there and fails at the next opcode.
    #[cold]
    fn short(&mut self) -> Result<Operand<'a>, Error> {
        let rest = self
            .bytes
            .get(self.position..self.limit)
            .unwrap_or_default();
        if self.dialect == Dialect::Python && !self.in_frame {
            self.position = self.limit;
            return Ok(Operand::Bytes(rest));
        }
        Err(self.truncated(0).raised_as(match self.dialect {
            Dialect::PickleTools => Exception::ValueError,
            Dialect::C | Dialect::Python => Exception::UnpicklingError,
        }))
    }

    fn line(&mut self) -> Result<&'a [u8], Error> {
        let rest = self
            .bytes
            .get(self.position..self.limit)
            .unwrap_or_default();
        if let Some(newline) = memchr(rest) {
            let end = newline.saturating_add(1);
            let line = rest.get(..end).unwrap_or(rest);
            self.position = self.position.saturating_add(end);
            self.leave_frame();
            return Ok(line);
        }
        if self.dialect == Dialect::Python && !self.in_frame {
            self.position = self.limit;
            return Ok(rest);
        }
        Err(match self.dialect {
            Dialect::PickleTools => self
                .error(ErrorKind::UnterminatedLine)
                .raised_as(Exception::ValueError),
            Dialect::C | Dialect::Python => self.error(ErrorKind::UnterminatedLine),
        })
    }

    /// Two lines; loaders decode the first before they read the second, and C refuses empty ones.
    fn lines(&mut self) -> Result<Operand<'a>, Error> {
        let module = self.line()?;
        self.check_name(module)?;
        let name = self.line()?;
        self.check_name(name)?;
        Ok(Operand::Lines(module, name))
    }

    /// GLOBAL's names are UTF-8, INST's are ASCII.
    fn check_name(&self, line: &[u8]) -> Result<(), Error> {
        if self.dialect == Dialect::C && line.len() < 2 {
            return Err(self.error(ErrorKind::EmptyLine));
        }
        let text = line_text(line);
        let ascii = self.bytes.get(self.start) == Some(&Opcode::Inst.byte());
        let valid = if ascii {
            text.is_ascii()
        } else {
            core::str::from_utf8(text).is_ok()
        };
        if valid {
            Ok(())
        } else {
            Err(self.error(ErrorKind::InvalidText))
        }
    }
}

/// Offset of the first newline.
fn memchr(bytes: &[u8]) -> Option<usize> {
    // The standard library's search over a byte slice is vectorised for `contains`, not for
    // `position`: chunks that hold no newline are skipped whole.
    const CHUNK: usize = 64;
    let mut base = 0_usize;
    for chunk in bytes.chunks(CHUNK) {
        if chunk.contains(&b'\n') {
            return chunk
                .iter()
                .position(|byte| *byte == b'\n')
                .map(|at| base.saturating_add(at));
        }
        base = base.saturating_add(chunk.len());
    }
    None
}
