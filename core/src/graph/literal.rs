//! Literals, decoded again from where they stand.

use crate::codec;
use crate::number::Parsed;

use super::{
    Cow, Decoder, Dialect, Graph, Instruction, Integer, Opcode, Operand, OperandKind, Radix, Value,
    ValueKind, line_text, number, text,
};

impl<'a> Graph<'a> {
    fn literal(&self, value: Value) -> Option<Instruction<'a>> {
        let offset = match value.kind() {
            ValueKind::LongInt | ValueKind::Float | ValueKind::Str | ValueKind::Bytes => {
                value.index()
            }
            ValueKind::ByteArray => self.node(value)?.offset,
            _ => return None,
        };
        self.instruction(offset)
    }

    /// The operand of the instruction at `offset` as the run read it; a reader of files may have found
    /// it elsewhere than behind its opcode.
    #[must_use]
    pub fn operand(&self, offset: usize) -> Option<Operand<'a>> {
        Some(self.instruction(offset)?.operand)
    }

    fn instruction(&self, offset: usize) -> Option<Instruction<'a>> {
        if let Some(instruction) = self.displaced.get(&offset) {
            return Some(*instruction);
        }
        Decoder::new(self.bytes, offset, self.dialect, self.version)
            .read()
            .ok()
    }

    /// The text of a str, as UTF-8 in which surrogates may stand. Borrowed where the stream holds
    /// it so.
    #[must_use]
    pub fn text(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        if value.kind() == ValueKind::Character {
            let mut bytes = Vec::new();
            text::push_code_point(&mut bytes, u32::try_from(value.payload()).ok()?);
            return Some(Cow::Owned(bytes));
        }
        if value.kind() != ValueKind::Str {
            return None;
        }
        let instruction = self.literal(value)?;
        let raw = match (instruction.opcode.operand_kind(), instruction.operand) {
            (
                OperandKind::Unicode1 | OperandKind::Unicode4 | OperandKind::Unicode8,
                Operand::Bytes(bytes),
            ) => {
                return Some(Cow::Borrowed(bytes));
            }
            (OperandKind::UnicodeLine, Operand::Line(line)) => {
                return text::raw_unicode_unescaped(line_text(line))
                    .ok()
                    .map(Cow::Owned);
            }
            _ => python_2_string(&instruction)?,
        };
        codec::decode(raw, self.encoding, self.errors).ok()
    }

    /// The text of a str for people: at most `max` bytes of it are read, and what is not UTF-8 is
    /// replaced.
    #[must_use]
    pub fn text_lossy(&self, value: Value, max: usize) -> Option<String> {
        let text = self.text(value)?;
        let shown = text.get(..max).unwrap_or(&text);
        Some(String::from_utf8_lossy(shown).into_owned())
    }

    /// The bytes of a bytes object; of a bytearray as it stands in the stream.
    #[must_use]
    pub fn byte_string(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        if !self.given.is_empty()
            && let Some(bytes) = self.offset(value).and_then(|at| self.given.get(&at))
        {
            return Some(Cow::Owned(bytes.clone()));
        }
        let instruction = match value.kind() {
            ValueKind::Bytes | ValueKind::ByteArray => self.literal(value)?,
            _ => return None,
        };
        match instruction.opcode.operand_kind() {
            OperandKind::Bytes1
            | OperandKind::Bytes4
            | OperandKind::Bytes8
            | OperandKind::ByteArray8 => match instruction.operand {
                Operand::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
                _ => None,
            },
            _ => python_2_string(&instruction),
        }
    }

    /// The bits of a float.
    #[must_use]
    pub fn float_bits(&self, value: Value) -> Option<u64> {
        if value.kind() != ValueKind::Float {
            return None;
        }
        match self.literal(value)?.operand {
            Operand::Float(bits) => Some(bits),
            Operand::Line(line) if self.dialect == Dialect::Python => {
                number::python_float(line_text(line)).ok().map(f64::to_bits)
            }
            Operand::Line(line) => number::c_float(line).ok().map(f64::to_bits),
            _ => None,
        }
    }

    /// An int or bool that fits in 64 bits.
    #[must_use]
    pub fn small_integer(&self, value: Value) -> Option<i64> {
        match value.kind() {
            ValueKind::Int => Some(value.signed_payload()),
            ValueKind::Bool => Some(i64::from(value == Value::TRUE)),
            ValueKind::LongInt => self.integer(value)?.to_i64(),
            _ => None,
        }
    }

    /// An int of any size.
    #[must_use]
    pub fn integer(&self, value: Value) -> Option<Integer> {
        match value.kind() {
            ValueKind::Int => Some(Integer::from(value.signed_payload())),
            ValueKind::Bool => Some(Integer::from(i64::from(value == Value::TRUE))),
            ValueKind::LongInt => {
                let instruction = self.literal(value)?;
                let radix = if self.version.reads_base_10() {
                    Radix::Decimal
                } else {
                    Radix::Prefixed
                };
                match instruction.operand {
                    Operand::Bytes(bytes) => Some(Integer::from_twos_complement(bytes)),
                    Operand::Line(line)
                        if instruction.opcode == Opcode::Int && self.dialect == Dialect::C =>
                    {
                        match number::c_int_line(line, radix, self.version.exact_bools()) {
                            Ok(Parsed::Small(value)) => Some(Integer::from(value)),
                            _ => number::integer_of_text(line_text(line), radix),
                        }
                    }
                    Operand::Line(line) => {
                        let text = line_text(line);
                        let text = if instruction.opcode == Opcode::Long {
                            text.strip_suffix(b"L").unwrap_or(text)
                        } else {
                            text
                        };
                        number::integer_of_text(text, radix)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Length in bytes of a str's or bytes object's literal, without decoding it.
    #[must_use]
    pub fn literal_length(&self, value: Value) -> Option<usize> {
        match self.literal(value)?.operand {
            Operand::Bytes(bytes) => Some(bytes.len()),
            Operand::Line(line) => Some(line_text(line).len()),
            _ => None,
        }
    }
}

/// The bytes of STRING, BINSTRING and SHORT_BINSTRING before their encoding.
pub(crate) fn python_2_string<'a>(instruction: &Instruction<'a>) -> Option<Cow<'a, [u8]>> {
    match (instruction.opcode.operand_kind(), instruction.operand) {
        (OperandKind::String1 | OperandKind::String4, Operand::Bytes(bytes)) => {
            Some(Cow::Borrowed(bytes))
        }
        (OperandKind::QuotedLine, Operand::Line(line)) => {
            let inner = text::unquoted(line_text(line)).ok()?;
            if inner.contains(&b'\\') {
                text::unescaped(inner).ok().map(Cow::Owned)
            } else {
                Some(Cow::Borrowed(inner))
            }
        }
        _ => None,
    }
}
