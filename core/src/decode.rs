//! Bytes to instructions, without copying and without looking at what an operand means.
//!
//! A [`Decoder`] finds where each instruction begins and ends, as the dialect's loader would:
//! counted data is a slice of the input whatever its size, a line is a slice up to its newline.
//! What the text of a line is worth is the machine's business, because loaders check it only
//! after they have looked at the stack.

use crate::dialect::{Dialect, Reader, Version};
use crate::error::{Error, ErrorKind, Exception};
use crate::opcode::Opcode;

mod cursor;
mod file;

use cursor::{Cursor, Memory};
use file::File;

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
    ///
    /// The bytes from `offset` to `end` are the instruction, except where a [`Reader`] of files lost
    /// what was left of a frame, or a loader [skipped](Decoder::skip) what stands behind one: then
    /// the operand stands alone behind that.
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
    broken_in_frame: Option<usize>,
    /// Where the file stands, if that is not at the end of the frame that is being read.
    resume: Option<usize>,
    dialect: Dialect,
    enforce_frames: bool,
    version: Version,
    /// Where C reads from a file.
    file: Option<Box<File<'a>>>,
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
            broken_in_frame: None,
            resume: None,
            dialect,
            enforce_frames,
            version,
            file: None,
        }
    }

    /// A decoder of what the C unpickler reads from a file.
    #[must_use]
    pub fn with_reader(self, reader: Reader) -> Self {
        let buffered = match (self.dialect, reader) {
            (Dialect::C, Reader::Stream) => None,
            (Dialect::C, Reader::Buffered(size)) => Some(size.max(1)),
            _ => return self,
        };
        let file = File::new(self.bytes, self.position, buffered);
        Self {
            file: Some(Box::new(file)),
            ..self
        }
    }

    /// Offset of the next opcode.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Where the file stands: `pickle.py` has read its whole frame.
    #[must_use]
    pub fn file_position(&self) -> usize {
        if let Some(file) = &self.file {
            return file.position_after_load();
        }
        if let Some(resume) = self.resume {
            return resume;
        }
        match (self.dialect, self.frame_end) {
            (Dialect::Python, Some(end)) => end.min(self.bytes.len()).max(self.position),
            _ => self.position,
        }
    }

    /// Moves the file on by `count` bytes, which the loader reads by itself and not as instructions.
    ///
    /// What is left of a frame comes first all the same: `pickle.py` has read it already. Only runs
    /// from [`Reader::Bytes`] can skip.
    ///
    /// # Errors
    ///
    /// Fewer bytes are left; nothing is skipped.
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        let from = self.file_position();
        let to = from
            .checked_add(count)
            .filter(|to| *to <= self.bytes.len() && self.file.is_none());
        let Some(to) = to else {
            return Err(Error::new(ErrorKind::ShortData, from));
        };
        if from == self.position {
            self.position = to;
            self.frame_end = None;
        } else {
            // No pickler leaves anything in a frame before it writes what is skipped.
            self.frame_overrun.get_or_insert(self.position);
            self.resume = Some(to);
        }
        Ok(())
    }

    /// Prepares for another stream of the same file. What `pickle.py` has read of a frame behind
    /// STOP is lost to it.
    pub(crate) fn begin_load(&mut self) {
        if self.dialect == Dialect::Python {
            self.position = self.file_position();
            self.frame_end = None;
            self.resume = None;
        }
        if let Some(file) = &mut self.file {
            file.skip_consumed();
        }
    }

    /// Whether operands may stand elsewhere than behind their opcode.
    #[inline]
    pub(crate) const fn reads_apart(&self) -> bool {
        self.file.is_some() || self.resume.is_some()
    }

    /// Offset of the first instruction that crosses the end of its frame or begins a frame inside
    /// another. No pickler writes one, and loaders disagree on what it means (gh-154848).
    #[must_use]
    pub const fn frame_overrun(&self) -> Option<usize> {
        self.frame_overrun
    }

    /// Offset of an instruction that can't be read and stands in a frame: another reader may find its
    /// operand behind the frame, and go on.
    #[must_use]
    pub const fn broken_in_frame(&self) -> Option<usize> {
        self.broken_in_frame
    }

    /// The end of the current frame, if it is not reached yet.
    #[must_use]
    pub fn frame_end(&self) -> Option<usize> {
        self.frame_end.filter(|end| *end > self.position)
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
            let error = Error::new(ErrorKind::EndOfInput, offset);
            return Err(match self.dialect {
                Dialect::PickleTools => error.raised_as(Exception::ValueError),
                Dialect::C | Dialect::Python => error,
            });
        };
        let Some(opcode) = Opcode::from_byte(byte) else {
            let error = Error::new(ErrorKind::UnknownOpcode(byte), offset);
            return Err(match self.dialect {
                Dialect::Python => error.raised_as(Exception::KeyError),
                Dialect::PickleTools => error.raised_as(Exception::ValueError),
                Dialect::C => error,
            });
        };
        if self.file.is_some() {
            return self.read_from_file(opcode, offset);
        }
        let mut source = Memory {
            bytes: self.bytes,
            position: offset.saturating_add(1),
            limit: self.bytes.len(),
            in_frame: false,
            resume: self.resume,
            dialect: self.dialect,
        };
        if let Some(end) = self.frame_end {
            if offset >= end {
                self.frame_end = None;
            } else if self.enforce_frames {
                source.limit = end;
                source.in_frame = true;
                // Where the opcode is the frame's last byte, its operand stands behind the frame.
                source.leave_frame();
            }
        }
        let mut cursor = Cursor {
            source: &mut source,
            opcode,
            start: offset,
            dialect: self.dialect,
            version: self.version,
        };
        let operand = match cursor.operand(opcode.operand_kind()) {
            Ok(operand) => operand,
            Err(error) => {
                let cut = matches!(
                    error.kind,
                    ErrorKind::Truncated | ErrorKind::UnterminatedLine
                );
                if source.in_frame && cut {
                    self.frame_overrun.get_or_insert(offset);
                    return Err(Error::new(ErrorKind::FrameOverrun, offset));
                }
                if self.frame_end.is_some_and(|end| end > offset) {
                    self.broken_in_frame.get_or_insert(offset);
                }
                return Err(error);
            }
        };
        if let Some(end) = self.frame_end
            && offset.saturating_add(1) < end
            && source.position > end
        {
            self.frame_overrun.get_or_insert(offset);
        }
        if opcode == Opcode::Frame
            && let Operand::Uint(size) = operand
        {
            self.begin_frame(size, offset, source.position)?;
        }
        self.position = source.position;
        self.resume = source.resume;
        Ok(Instruction {
            opcode,
            operand,
            offset,
            end: source.position,
        })
    }

    /// As `_Unpickler_ReadImpl` and its kin: a buffer that holds too little is dropped and filled
    /// anew, unless its bytes were only peeked at.
    #[cold]
    fn read_from_file(&mut self, opcode: Opcode, offset: usize) -> Result<Instruction<'a>, Error> {
        let Some(mut file) = self.file.clone() else {
            return Err(Error::new(ErrorKind::EndOfInput, offset));
        };
        let frame_end = self.frame_end.filter(|end| offset.saturating_add(1) < *end);
        file.begin(frame_end.filter(|_| self.enforce_frames));
        let mut cursor = Cursor {
            source: &mut *file,
            opcode,
            start: offset,
            dialect: self.dialect,
            version: self.version,
        };
        let operand = cursor.operand(opcode.operand_kind());
        let over = frame_end.is_some_and(|end| file.position() > end) || file.has_lost();
        if over || file.crossed_frame() {
            self.frame_overrun.get_or_insert(offset);
        }
        let operand = operand.map_err(|error| {
            if file.crossed_frame() {
                Error::new(ErrorKind::FrameOverrun, offset)
            } else if file.has_overflowed() {
                Error::new(ErrorKind::SizeOverflow, offset)
            } else {
                error
            }
        })?;
        if self.frame_end.is_some_and(|end| file.position() >= end) {
            self.frame_end = None;
        }
        if opcode == Opcode::Frame
            && let Operand::Uint(size) = operand
        {
            let begun = self.begin_frame(size, offset, file.position());
            let filled = file.fill_frame(usize::try_from(size).unwrap_or(usize::MAX));
            if file.has_overflowed() {
                return Err(Error::new(ErrorKind::SizeOverflow, offset));
            }
            begun?;
            filled.ok_or(Error::new(ErrorKind::ShortFrame, offset))?;
        }
        self.position = file.position();
        self.file = Some(file);
        Ok(Instruction {
            opcode,
            operand,
            offset,
            end: self.position,
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
                Dialect::Python if self.version.python_checks_frame_length() => {
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

#[cfg(test)]
mod tests;
