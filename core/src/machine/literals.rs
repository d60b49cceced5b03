//! Opcodes that push a literal.

use super::{ErrorKind, Instruction, Machine, Operand, Step, Value, ValueKind};
use crate::codec::{self, Encoding};
use crate::decode::line_text;
use crate::graph::python_2_string;
use crate::number::{self, Integer, Parsed, Radix};
use crate::opcode::Opcode;
use crate::text;

/// All but C read BINSTRING's length as signed.
const MAX_SIGNED_LENGTH: usize = 0x7fff_ffff;

impl Machine<'_> {
    /// A value that is the literal of the instruction being run.
    #[inline]
    pub(super) fn push_literal(&mut self, kind: ValueKind) -> Step {
        self.push(Value::pack(kind, self.offset as u64))
    }

    #[inline]
    pub(super) fn push_small_int(&mut self, instruction: &Instruction<'_>) -> Step {
        let value = match instruction.operand {
            Operand::Uint(value) => i32::try_from(value).unwrap_or(i32::MAX),
            Operand::Int(value) => value,
            _ => 0,
        };
        self.push(Value::small_int(value))
    }

    fn radix(&self) -> Radix {
        if self.options.version.reads_base_10() {
            Radix::Decimal
        } else {
            Radix::Prefixed
        }
    }

    fn push_parsed(&mut self, parsed: Result<Parsed, ErrorKind>) -> Step {
        match parsed {
            Ok(Parsed::Bool(value)) => self.push(Value::bool(value)),
            Ok(Parsed::Small(value)) => match Value::int(value) {
                Some(value) => self.push(value),
                None => self.push_literal(ValueKind::LongInt),
            },
            Ok(Parsed::Big) => self.push_literal(ValueKind::LongInt),
            // Releases before 3.11, and those told to, read any number of digits.
            Err(kind @ ErrorKind::TooManyDigits) if self.is_generous() => {
                self.tolerate(kind);
                self.push_literal(ValueKind::LongInt)
            }
            Err(kind) => self.fault(kind),
        }
    }

    pub(super) fn push_int_line(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        if !number::reads_alike(line, false) {
            self.divergence.integer.get_or_insert(self.offset);
        }
        let parsed = if self.is_python() {
            number::python_int_line(line, self.radix())
        } else {
            number::c_int_line(line, self.radix(), self.options.version.exact_bools())
        };
        self.push_parsed(parsed)
    }

    pub(super) fn push_long_line(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        if !number::reads_alike(line, true) {
            self.divergence.integer.get_or_insert(self.offset);
        }
        let text = line_text(line);
        let text = text.strip_suffix(b"L").unwrap_or(text);
        let parsed = if self.is_python() {
            number::python_integer(text, self.radix())
        } else {
            number::c_integer(text, self.radix())
        };
        self.push_parsed(parsed)
    }

    #[inline]
    pub(super) fn push_long(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Bytes(bytes) = instruction.operand else {
            return Ok(());
        };
        if bytes.len() <= 8
            && let Some(value) = Integer::from_twos_complement(bytes)
                .to_i64()
                .and_then(Value::int)
        {
            return self.push(value);
        }
        self.push_literal(ValueKind::LongInt)
    }

    pub(super) fn push_float_line(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        let parsed = if self.is_python() {
            number::python_float(line_text(line))
        } else {
            // What `float()` makes of a line that C refuses is seen where C breaks.
            if line.contains(&0) {
                self.divergence.text.get_or_insert(self.offset);
            }
            number::c_float(line)
        };
        match parsed {
            Ok(_) => self.push_literal(ValueKind::Float),
            Err(kind) => self.fault(kind),
        }
    }

    pub(super) fn push_python_2_string(&mut self, instruction: &Instruction<'_>) -> Step {
        if let Operand::Line(line) = instruction.operand {
            let checked = text::unquoted(line_text(line)).and_then(|inner| {
                if inner.contains(&b'\\') {
                    text::unescaped(inner).map(|_| ())
                } else {
                    Ok(())
                }
            });
            if let Err(kind) = checked {
                return self.fault(kind);
            }
        }
        if let Some(raw) = python_2_string(instruction) {
            if raw.len() > MAX_SIGNED_LENGTH {
                self.divergence.text.get_or_insert(self.offset);
            }
            if instruction.opcode == Opcode::String && !raw.is_ascii() {
                self.divergence.pickletools.get_or_insert(self.offset);
            }
            let (encoding, errors) = (self.options.encoding, self.options.errors);
            if let Err(kind) = codec::check(&raw, encoding, errors) {
                return self.fault(kind);
            }
            let asked_for_nothing = raw.is_empty()
                && instruction.opcode != Opcode::String
                && !self.is_python()
                && self.options.version.decodes_nothing();
            if asked_for_nothing && encoding == Encoding::Unknown {
                return self.fault(ErrorKind::UnknownCodec);
            }
        }
        self.push_literal(match self.options.encoding {
            Encoding::Bytes => ValueKind::Bytes,
            _ => ValueKind::Str,
        })
    }

    #[inline]
    pub(super) fn push_text(&mut self, instruction: &Instruction<'_>) -> Step {
        match instruction.operand {
            Operand::Bytes(bytes) if !text::is_surrogatepass_utf8(bytes) => {
                self.fault(ErrorKind::InvalidText)
            }
            Operand::Line(line) => match text::raw_unicode_unescaped(line_text(line)) {
                Ok(_) => self.push_literal(ValueKind::Str),
                Err(kind) => self.fault(kind),
            },
            _ => self.push_literal(ValueKind::Str),
        }
    }
}
