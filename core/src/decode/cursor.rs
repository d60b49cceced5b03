//! Reads operands, from wherever their bytes come.

use super::{Operand, line_text};
use crate::dialect::{Dialect, Version};
use crate::error::{Error, ErrorKind, Exception};
use crate::opcode::{Opcode, OperandKind};
use crate::pickletools;

/// Where an operand's bytes come from.
pub(super) trait Source<'a> {
    /// The next bytes, all of them or none.
    fn take(&mut self, size: usize) -> Option<&'a [u8]>;

    /// The next bytes of counted data that C copies as they come, all of them or none.
    fn take_copied(&mut self, size: usize) -> Option<&'a [u8]>;

    /// Up to and with the next newline.
    fn line(&mut self) -> Option<&'a [u8]>;

    /// What is there in place of counted data or of a line that `pickle.py` finds cut off, where it
    /// goes on with that.
    fn rest(&mut self) -> Option<&'a [u8]>;
}

/// Bytes that lie in memory, up to a limit: the end of the frame or of the input.
pub(super) struct Memory<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
    pub(super) limit: usize,
    pub(super) in_frame: bool,
    /// Where the file stands, if that is not at the end of the frame.
    pub(super) resume: Option<usize>,
    pub(super) dialect: Dialect,
}

impl Memory<'_> {
    /// Behind the last byte of a frame the next read is served by the file again.
    #[inline]
    pub(super) fn leave_frame(&mut self) {
        if self.position == self.limit {
            self.limit = self.bytes.len();
            self.in_frame = false;
            if let Some(resume) = self.resume.take() {
                self.position = resume;
            }
        }
    }
}

impl<'a> Source<'a> for Memory<'a> {
    #[inline]
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(size)?;
        if end > self.limit && size > 0 {
            return None;
        }
        let data = self.bytes.get(self.position..end)?;
        self.position = end;
        self.leave_frame();
        Some(data)
    }

    #[inline]
    fn take_copied(&mut self, size: usize) -> Option<&'a [u8]> {
        // `_Unpickler_ReadInto` looks for a file where its buffer is empty, even for no bytes at
        // all, and `loads` has none.
        if self.dialect == Dialect::C && size == 0 && self.position == self.bytes.len() {
            return None;
        }
        self.take(size)
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.position..self.limit)?;
        let end = find_newline(rest)?.saturating_add(1);
        let line = rest.get(..end)?;
        self.position = self.position.saturating_add(end);
        self.leave_frame();
        Some(line)
    }

    fn rest(&mut self) -> Option<&'a [u8]> {
        if self.dialect != Dialect::Python || self.in_frame {
            return None;
        }
        let rest = self.bytes.get(self.position..self.limit)?;
        self.position = self.limit;
        Some(rest)
    }
}

/// Reads one operand of the instruction at `start`.
pub(super) struct Cursor<'s, S> {
    pub(super) source: &'s mut S,
    pub(super) opcode: Opcode,
    pub(super) start: usize,
    pub(super) dialect: Dialect,
    pub(super) version: Version,
}

impl<'a, S: Source<'a>> Cursor<'_, S> {
    #[inline]
    pub(super) fn operand(&mut self, kind: OperandKind) -> Result<Operand<'a>, Error> {
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
    fn byte(&mut self) -> Result<u8, Error> {
        match self.source.take(1) {
            Some(&[byte]) => Ok(byte),
            _ => Err(self.truncated(1)),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self
            .source
            .take(N)
            .and_then(|data| <[u8; N]>::try_from(data).ok())
        {
            Some(data) => Ok(data),
            None => Err(self.truncated(N)),
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
            let error = self.error(ErrorKind::NegativeSize);
            return Err(match self.dialect {
                Dialect::PickleTools => error.raised_as(Exception::ValueError),
                Dialect::C | Dialect::Python => error,
            });
        };
        self.counted(size)
    }

    #[inline]
    fn counted(&mut self, size: u64) -> Result<Operand<'a>, Error> {
        let copied = matches!(
            self.opcode,
            Opcode::BinBytes | Opcode::ShortBinBytes | Opcode::BinBytes8 | Opcode::ByteArray8
        );
        let data = usize::try_from(size).ok().and_then(|size| {
            if copied {
                self.source.take_copied(size)
            } else {
                self.source.take(size)
            }
        });
        match data {
            Some(data) => Ok(Operand::Bytes(data)),
            None => self.short(),
        }
    }

    /// `pickle.py` takes what is there and fails at the next opcode.
    #[cold]
    fn short(&mut self) -> Result<Operand<'a>, Error> {
        if let Some(rest) = self.source.rest() {
            return Ok(Operand::Bytes(rest));
        }
        Err(self.truncated(0).raised_as(match self.dialect {
            Dialect::PickleTools => Exception::ValueError,
            Dialect::C | Dialect::Python => Exception::UnpicklingError,
        }))
    }

    fn line(&mut self) -> Result<&'a [u8], Error> {
        if let Some(line) = self.source.line().or_else(|| self.source.rest()) {
            return Ok(line);
        }
        let error = self.error(ErrorKind::UnterminatedLine);
        Err(match self.dialect {
            Dialect::PickleTools => error.raised_as(Exception::ValueError),
            Dialect::C | Dialect::Python => error,
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
        if self.dialect == Dialect::PickleTools {
            return match pickletools::unescaped_name(text, self.version) {
                Ok(_) => Ok(()),
                Err(kind) => Err(pickletools::raised(kind, self.start)),
            };
        }
        let valid = if self.opcode == Opcode::Inst {
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
pub(super) fn find_newline(bytes: &[u8]) -> Option<usize> {
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
