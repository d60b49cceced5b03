//! `Lib/pickletools.py`: what `genops` reads and what `dis` accepts.
//!
//! Most scanners stand on `genops`. It has no stack, un-escapes what the unpicklers take literally,
//! and raises where they go on; `dis` adds a crude stack and memo of its own.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::codec::{self, Encoding, ErrorHandler};
use crate::decode::{Decoder, Instruction, Operand, line_text};
use crate::dialect::{Dialect, Version};
use crate::error::{Error, ErrorKind, Exception};
use crate::number::{self, Integer, Parsed, Radix};
use crate::opcode::{Opcode, OperandKind, StackItem};
use crate::text;

/// The argument that `genops` gives with an opcode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument<'a> {
    /// The opcode has none.
    None,
    /// A bool: the texts `00` and `01`, even of GET and PUT.
    Bool(bool),
    /// An int.
    Int(Integer),
    /// The bits of a float.
    Float(u64),
    /// A str as UTF-8 in which surrogates may stand; the two names of GLOBAL and INST are joined by
    /// one blank.
    Str(Cow<'a, [u8]>),
    /// A bytes object.
    Bytes(&'a [u8]),
    /// A bytearray.
    ByteArray(&'a [u8]),
}

/// One opcode as `genops` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<'a> {
    /// The instruction.
    pub instruction: Instruction<'a>,
    /// What its operand is worth to pickletools.
    pub argument: Argument<'a>,
}

/// The opcodes of a stream up to STOP or to the first that can't be read, as `genops` gives them.
#[derive(Debug, Clone)]
pub struct Operations<'a> {
    decoder: Decoder<'a>,
    version: Version,
    ended: bool,
}

impl<'a> Operations<'a> {
    /// The opcodes of the stream that starts at `start` of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], start: usize, version: Version) -> Self {
        Self {
            decoder: Decoder::new(bytes, start, Dialect::PickleTools, version),
            version,
            ended: false,
        }
    }

    /// Offset of the next opcode.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.decoder.position()
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let operation = self.decoder.read().and_then(|instruction| {
            let argument = argument(&instruction, self.version)?;
            Ok(Operation {
                instruction,
                argument,
            })
        });
        self.ended = operation.as_ref().map_or(true, |operation| {
            operation.instruction.opcode == Opcode::Stop
        });
        Some(operation)
    }
}

/// What an operand is worth to pickletools.
///
/// # Errors
///
/// What `genops` raises: a `ValueError`, or the `UnicodeDecodeError` that is one.
pub fn argument<'a>(
    instruction: &Instruction<'a>,
    version: Version,
) -> Result<Argument<'a>, Error> {
    read(instruction, version).map_err(|kind| raised(kind, instruction.offset))
}

/// An error as pickletools raises it.
pub(crate) fn raised(kind: ErrorKind, offset: usize) -> Error {
    let error = Error::new(kind, offset);
    match error.exception {
        Exception::UnicodeDecodeError => error,
        _ => error.raised_as(Exception::ValueError),
    }
}

fn read<'a>(instruction: &Instruction<'a>, version: Version) -> Result<Argument<'a>, ErrorKind> {
    let kind = instruction.opcode.operand_kind();
    Ok(match instruction.operand {
        Operand::None => Argument::None,
        Operand::Uint(value) => Argument::Int(Integer::from_unsigned(value)),
        Operand::Int(value) => Argument::Int(Integer::from(i64::from(value))),
        Operand::Float(bits) => Argument::Float(bits),
        Operand::Lines(module, name) => {
            let mut joined = unescaped_name(line_text(module), version)?;
            joined.push(b' ');
            joined.extend(unescaped_name(line_text(name), version)?);
            Argument::Str(Cow::Owned(joined))
        }
        Operand::Line(line) => read_line(instruction.opcode, line_text(line), version)?,
        Operand::Bytes(bytes) => match kind {
            OperandKind::String1 | OperandKind::String4 => {
                let raw = Cow::Borrowed(bytes);
                Argument::Str(codec::decode(raw, Encoding::Latin1, ErrorHandler::Strict)?)
            }
            OperandKind::Unicode1 | OperandKind::Unicode4 | OperandKind::Unicode8 => {
                if !text::is_surrogatepass_utf8(bytes) {
                    return Err(ErrorKind::InvalidText);
                }
                Argument::Str(Cow::Borrowed(bytes))
            }
            OperandKind::Long1 | OperandKind::Long4 => {
                Argument::Int(Integer::from_twos_complement(bytes))
            }
            OperandKind::ByteArray8 => Argument::ByteArray(bytes),
            _ => Argument::Bytes(bytes),
        },
    })
}

fn read_line(opcode: Opcode, line: &[u8], version: Version) -> Result<Argument<'_>, ErrorKind> {
    Ok(match opcode.operand_kind() {
        OperandKind::DecimalLine if line == b"00" => Argument::Bool(false),
        OperandKind::DecimalLine if line == b"01" => Argument::Bool(true),
        OperandKind::DecimalLine => Argument::Int(integer(line)?),
        OperandKind::LongLine => Argument::Int(integer(line.strip_suffix(b"L").unwrap_or(line))?),
        OperandKind::FloatLine => Argument::Float(number::python_float(line)?.to_bits()),
        OperandKind::UnicodeLine => Argument::Str(Cow::Owned(text::raw_unicode_unescaped(line)?)),
        OperandKind::QuotedLine => {
            let quoted = match line {
                // One quote is both the first and the last for it.
                [b'\'' | b'"'] => &[],
                _ => text::unquoted(line)?,
            };
            let encoding = if version.pickletools_reads_latin1() {
                Encoding::Latin1
            } else {
                Encoding::Ascii
            };
            let raw = text::unescaped(quoted)?;
            Argument::Str(codec::decode(
                Cow::Owned(raw),
                encoding,
                ErrorHandler::Strict,
            )?)
        }
        _ => Argument::Str(Cow::Owned(unescaped_name(line, version)?)),
    })
}

fn integer(text: &[u8]) -> Result<Integer, ErrorKind> {
    match number::python_integer(text, Radix::Decimal)? {
        Parsed::Small(value) => Ok(Integer::from(value)),
        Parsed::Bool(value) => Ok(Integer::from(i64::from(value))),
        Parsed::Big => {
            number::integer_of_text(text, Radix::Decimal).ok_or(ErrorKind::InvalidInteger)
        }
    }
}

/// A name as pickletools reads it: with escapes, which no unpickler knows in names.
pub(crate) fn unescaped_name(line: &[u8], version: Version) -> Result<Vec<u8>, ErrorKind> {
    let name = text::unescaped(line)?;
    let valid = if version.pickletools_reads_latin1() {
        core::str::from_utf8(&name).is_ok()
    } else {
        name.is_ascii()
    };
    if valid {
        Ok(name)
    } else {
        Err(ErrorKind::InvalidText)
    }
}

/// The stack and memo that `dis` checks a stream against.
#[derive(Debug, Default)]
struct Crude {
    /// Whether each item is a mark.
    stack: Vec<bool>,
    marks: usize,
    memo: HashSet<Key>,
}

/// An index of the memo, which may be any integer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Small(i64),
    Big(Integer),
}

/// Whether `pickletools.dis` gets to the end of the stream that starts at `start`, without an error:
/// the offset behind STOP.
///
/// # Errors
///
/// What it raises, at the opcode at which it does.
pub fn dis(bytes: &[u8], start: usize, version: Version) -> Result<usize, Error> {
    let mut crude = Crude::default();
    let mut end = start;
    for operation in Operations::new(bytes, start, version) {
        let operation = operation?;
        crude.step(&operation, version)?;
        end = operation.instruction.end;
    }
    if crude.stack.is_empty() {
        Ok(end)
    } else {
        let stop = end.saturating_sub(1);
        Err(Error::new(ErrorKind::StackNotEmpty, stop))
    }
}

impl Crude {
    fn step(&mut self, operation: &Operation<'_>, version: Version) -> Result<(), Error> {
        let Instruction { opcode, offset, .. } = operation.instruction;
        let fault = |kind| Err(Error::new(kind, offset).raised_as(Exception::ValueError));
        let before = opcode.stack_before();
        let mut pops = before.len();
        let mut wrong = None;
        let mark_at = before.iter().position(|item| *item == StackItem::Mark);
        let pops_mark = opcode == Opcode::Pop && self.stack.last() == Some(&true);
        if mark_at.is_some() || pops_mark {
            if self.marks > 0 {
                self.marks = self.marks.saturating_sub(1);
                // A mark that was taken for an object is not found again.
                let Some(at) = self.stack.iter().rposition(|is_mark| *is_mark) else {
                    let error = Error::new(ErrorKind::MissingMark, offset);
                    return Err(error.raised_as(Exception::IndexError));
                };
                self.stack.truncate(at);
                pops = mark_at.unwrap_or(0);
            } else {
                wrong = Some(ErrorKind::MissingMark);
            }
        }
        match opcode {
            Opcode::Put | Opcode::BinPut | Opcode::LongBinPut | Opcode::Memoize => {
                let key = if opcode == Opcode::Memoize {
                    Key::Small(i64::try_from(self.memo.len()).unwrap_or(i64::MAX))
                } else {
                    Key::of(&operation.argument)
                };
                if self.memo.contains(&key) && !version.dis_allows_redefinition() {
                    wrong = Some(ErrorKind::MemoRedefined);
                } else if self.stack.last().is_none_or(|is_mark| *is_mark) {
                    wrong = Some(ErrorKind::StackUnderflow);
                } else {
                    self.memo.insert(key);
                }
            }
            Opcode::Get | Opcode::BinGet | Opcode::LongBinGet
                if !self.memo.contains(&Key::of(&operation.argument)) =>
            {
                wrong = Some(ErrorKind::MissingMemo);
            }
            _ => {}
        }
        if let Argument::Int(value) = &operation.argument
            && value.has_too_many_digits()
        {
            // It can't be printed.
            return fault(ErrorKind::TooManyDigits);
        }
        if let Some(kind) = wrong {
            return fault(kind);
        }
        let Some(height) = self.stack.len().checked_sub(pops) else {
            return fault(ErrorKind::StackUnderflow);
        };
        self.stack.truncate(height);
        for item in opcode.stack_after() {
            let is_mark = *item == StackItem::Mark;
            self.marks = self.marks.saturating_add(usize::from(is_mark));
            self.stack.push(is_mark);
        }
        Ok(())
    }
}

impl Key {
    fn of(argument: &Argument<'_>) -> Self {
        match argument {
            Argument::Int(value) => match value.to_i64() {
                Some(small) => Self::Small(small),
                None => Self::Big(value.clone()),
            },
            Argument::Bool(value) => Self::Small(i64::from(*value)),
            _ => Self::Small(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped_and_joined() {
        let operations: Vec<_> = Operations::new(b"cm\n\\x6e\n.", 0, Version::CLASSIC).collect();
        let first = operations[0].as_ref().unwrap();
        assert_eq!(first.argument, Argument::Str(Cow::Borrowed(b"m n")));
        assert_eq!(operations.len(), 2);
    }

    #[test]
    fn it_raises_where_loaders_go_on() {
        for stream in [b"cm\nn\\\n.".as_slice(), b"I1\0\n.", b"c\xc3\xa9\nn\n."] {
            let last = Operations::new(stream, 0, Version::CLASSIC).last();
            assert!(matches!(last, Some(Err(_))), "{stream:?}");
        }
        let newer = Version {
            minor: 13,
            patch: 1,
        };
        let last = Operations::new(b"c\xc3\xa9\nn\n.", 0, newer).last();
        assert!(matches!(last, Some(Ok(_))));
    }

    #[test]
    fn dis_rejects_what_loads() {
        let dis = |stream: &[u8], version| dis(stream, 0, version).map_err(|error| error.kind);
        let old = Version::CLASSIC;
        assert_eq!(dis(b"N.", old), Ok(2));
        assert_eq!(dis(b"NN.", old), Err(ErrorKind::StackNotEmpty));
        assert_eq!(dis(b"]q\x000}q\x00.", old), Err(ErrorKind::MemoRedefined));
        let new = Version {
            minor: 14,
            patch: 0,
        };
        assert_eq!(dis(b"]q\x000}q\x00.", new), Ok(8));
        assert_eq!(dis(b"h\x05.", old), Err(ErrorKind::MissingMemo));
        assert_eq!(dis(b"0N.", old), Err(ErrorKind::StackUnderflow));
        // It makes a tuple of the mark, and then looks for it in vain.
        assert_eq!(dis(b"(\x85t.", old), Err(ErrorKind::MissingMark));
    }
}
