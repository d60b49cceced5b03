//! The C unpickler's input buffer over a file, and Python's `BufferedReader` below it.
//!
//! `Modules/_pickle.c` (`_Unpickler_ReadFromFile`, `_Unpickler_ReadInto`, `_Unpickler_Readline`) asks
//! a file for just what it needs: by `peek`, which moves nothing, where the file has it, else by
//! `read`. What a buffer that came by `read` still holds is dropped when it is too little for the
//! next need, so that a frame that ends inside an operand is read differently from a file than from
//! memory (until gh-154848). Which of the two a buffer came by depends on what `peek` showed, and
//! that on where the blocks of `Modules/_io/bufferedio.c` begin: both are followed here to the byte.
//!
//! All positions are offsets in the bytes of the file; a buffer is always a range of them.

use super::cursor::{Source, find_newline};

/// `PREFETCH` of `_pickle.c`: needs of so many bytes and more are never peeked for.
const PREFETCH: usize = 131_072;

/// `PY_SSIZE_T_MAX`.
const MAX_INDEX: usize = 0x7fff_ffff_ffff_ffff;

/// `BufferedReader.read` makes a bytes object of what it is asked for, and this is too much for one.
const TOO_LARGE: usize = 0x7fff_ffff_ffff_ffdf;

#[derive(Debug, Clone)]
pub(super) struct File<'a> {
    bytes: &'a [u8],
    /// Size of the buffer below, where there is a `peek`.
    buffered: Option<usize>,
    /// Where the file stands.
    at: usize,
    /// Where the block that the buffer below holds ends, if that is behind `at`.
    block_end: usize,
    /// The unpickler's buffer: where it begins, and what is left of it.
    start: usize,
    next: usize,
    end: usize,
    /// The buffer came by `peek`: the file stands before what was consumed of it.
    peeked: bool,
    /// The end of the frame that this instruction may not cross.
    frame_end: Option<usize>,
    trouble: Option<Trouble>,
}

/// What happened while an instruction was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Bytes of a buffer were dropped.
    Lost,
    /// It tried to read across the end of its frame.
    CrossedFrame,
    /// The file was asked for more than any bytes object can hold.
    Overflowed,
}

impl<'a> File<'a> {
    pub(super) fn new(bytes: &'a [u8], position: usize, buffered: Option<usize>) -> Self {
        Self {
            bytes,
            buffered,
            at: position,
            block_end: position,
            start: position,
            next: position,
            end: position,
            peeked: false,
            frame_end: None,
            trouble: None,
        }
    }

    /// Reads the opcode, so that an operand can be read behind it, up to `frame_end` if that is
    /// enforced.
    pub(super) fn begin(&mut self, frame_end: Option<usize>) {
        self.frame_end = None;
        self.trouble = None;
        self.take(1);
        self.frame_end = frame_end;
    }

    /// Offset of the next byte that will be read.
    pub(super) const fn position(&self) -> usize {
        self.next
    }

    /// Whether this instruction tried to read across the end of its frame.
    pub(super) fn crossed_frame(&self) -> bool {
        self.trouble == Some(Trouble::CrossedFrame)
    }

    /// Whether bytes were dropped while this instruction was read.
    pub(super) fn has_lost(&self) -> bool {
        self.trouble == Some(Trouble::Lost)
    }

    /// Whether the file was asked for more than any bytes object can hold.
    pub(super) fn has_overflowed(&self) -> bool {
        self.trouble == Some(Trouble::Overflowed)
    }

    /// Where the file stands once `load` has returned.
    pub(super) fn position_after_load(&self) -> usize {
        if self.peeked { self.next } else { self.at }
    }

    /// Moves the file behind what was consumed of a buffer that was only peeked at.
    pub(super) fn skip_consumed(&mut self) {
        if self.peeked && self.next > self.at {
            let consumed = self.next.saturating_sub(self.at);
            self.file_read(consumed);
        }
    }

    /// Makes the buffer hold a frame of this size. `None` where the file ends before.
    pub(super) fn fill_frame(&mut self, size: usize) -> Option<()> {
        let start = self.fill(size)?;
        self.next = start;
        Some(())
    }

    /// Makes the buffer hold `size` more bytes and gives where they begin.
    fn fill(&mut self, size: usize) -> Option<usize> {
        let held = self.end.saturating_sub(self.next);
        if size <= held {
            return Some(self.next);
        }
        // "read would overflow (invalid bytecode)" comes before the file is asked.
        if self.next.saturating_sub(self.start) > MAX_INDEX.checked_sub(size)? {
            return None;
        }
        self.skip_consumed();
        if !self.peeked && held > 0 {
            self.trouble = Some(Trouble::Lost);
        }
        if size < PREFETCH
            && let Some(block) = self.buffered
        {
            if self.block_end <= self.at {
                self.block_end = self.at.saturating_add(block).min(self.bytes.len());
            }
            self.start = self.at;
            self.next = self.at;
            self.end = self.block_end;
            self.peeked = true;
            if size <= self.end.saturating_sub(self.next) {
                return Some(self.next);
            }
        }
        if self.buffered.is_some() && size >= TOO_LARGE {
            self.trouble = Some(Trouble::Overflowed);
            return None;
        }
        let start = self.at;
        self.file_read(size);
        self.start = start;
        self.next = start;
        self.end = self.at;
        self.peeked = false;
        (self.end.saturating_sub(start) >= size).then_some(start)
    }

    /// `read(size)` of the file, or as much as there is.
    fn file_read(&mut self, size: usize) {
        let length = self.bytes.len();
        let Some(block) = self.buffered else {
            self.at = self.at.saturating_add(size).min(length);
            return;
        };
        let held = self.block_end.saturating_sub(self.at);
        if size <= held {
            self.at = self.at.saturating_add(size);
            return;
        }
        // Whole blocks go past the buffer, and the last one through it.
        let remaining = size.saturating_sub(held);
        let last = remaining.checked_rem(block).unwrap_or(0);
        let from = self.at.saturating_add(held);
        let whole = from
            .saturating_add(remaining.saturating_sub(last))
            .min(length);
        self.at = whole.saturating_add(last).min(length);
        self.block_end = if last > 0 {
            whole.saturating_add(block).min(length)
        } else {
            self.at
        };
    }

    /// `readinto` of the file: what is longer than a block goes past the buffer as it is.
    fn file_read_into(&mut self, size: usize) {
        let length = self.bytes.len();
        let held = self.block_end.saturating_sub(self.at);
        match self.buffered {
            Some(block) if size > held => {
                let from = self.at.saturating_add(held);
                let remaining = size.saturating_sub(held);
                self.at = from.saturating_add(remaining).min(length);
                self.block_end = if remaining > block {
                    self.at
                } else {
                    from.saturating_add(block).min(length)
                };
            }
            _ => self.at = self.at.saturating_add(size).min(length),
        }
    }

    /// `readline` of the file: the buffer below is filled block by block.
    fn file_read_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = find_newline(rest).map_or(rest.len(), |newline| newline.saturating_add(1));
        let end = self.at.saturating_add(length);
        if let Some(block) = self.buffered {
            while self.block_end.max(self.at) < end {
                self.block_end = self
                    .block_end
                    .max(self.at)
                    .saturating_add(block)
                    .min(self.bytes.len());
            }
        }
        self.at = end;
    }

    fn crosses(&mut self, size: usize) -> bool {
        let crosses = self
            .frame_end
            .is_some_and(|end| self.next.saturating_add(size) > end && self.next < end);
        if crosses {
            self.trouble = Some(Trouble::CrossedFrame);
        }
        crosses
    }
}

impl<'a> Source<'a> for File<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        if self.crosses(size) {
            return None;
        }
        let start = self.fill(size)?;
        let end = start.checked_add(size)?;
        self.next = end;
        self.bytes.get(start..end)
    }

    fn take_copied(&mut self, size: usize) -> Option<&'a [u8]> {
        if self.crosses(size) {
            return None;
        }
        let start = self.next;
        let held = self.end.saturating_sub(self.next);
        self.next = start.saturating_add(size.min(held));
        if size > held {
            self.skip_consumed();
            self.file_read_into(size.saturating_sub(held));
            self.next = self.at;
            self.end = self.at;
            self.peeked = false;
        }
        self.bytes.get(start..start.checked_add(size)?)
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let framed = self.frame_end.filter(|end| self.next < *end);
        let held = self
            .bytes
            .get(self.next..self.end.min(framed.unwrap_or(usize::MAX)))?;
        if let Some(newline) = find_newline(held) {
            let end = self.next.checked_add(newline)?.checked_add(1)?;
            let line = self.bytes.get(self.next..end);
            self.next = end;
            return line;
        }
        if framed.is_some() {
            self.trouble = Some(Trouble::CrossedFrame);
            return None;
        }
        self.skip_consumed();
        if !self.peeked && !held.is_empty() {
            self.trouble = Some(Trouble::Lost);
        }
        let start = self.at;
        self.file_read_line();
        self.start = start;
        self.next = self.at;
        self.end = self.at;
        self.peeked = false;
        self.bytes
            .get(start..self.at)
            .filter(|line| line.last() == Some(&b'\n'))
    }

    fn rest(&mut self) -> Option<&'a [u8]> {
        None
    }
}
