//! What an operand is worth: as `pickletools` decodes it, and as the loader that runs it does.

use std::borrow::Cow;

use pickleproof_core::{
    Graph, Instruction, Integer, Machine, Opcode, Operand, Value, ValueKind, Version, line_text,
    pickletools, text,
};

/// The value of an operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument<'a> {
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// An int beyond 64 bits.
    Big(Integer),
    /// The bits of a float.
    Float(u64),
    /// A str: UTF-8 in which surrogates may stand.
    Text(Cow<'a, [u8]>),
    /// A bytes object.
    Bytes(&'a [u8]),
    /// A bytearray.
    ByteArray(&'a [u8]),
    /// Module and name of a global: UTF-8, but for names that no loader accepts.
    Names(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// A line that can't be read as what it is to be.
    Raw(&'a [u8]),
}

impl From<Integer> for Argument<'_> {
    fn from(integer: Integer) -> Self {
        integer.to_i64().map_or(Self::Big(integer), Self::Int)
    }
}

/// The operand as `pickletools.genops` gives it; `None` where it raises an exception, and for an
/// opcode without an operand.
pub(super) fn pickletools<'a>(
    instruction: &Instruction<'a>,
    version: Version,
) -> Option<Argument<'a>> {
    Some(match pickletools::argument(instruction, version).ok()? {
        pickletools::Argument::None => return None,
        pickletools::Argument::Bool(value) => Argument::Bool(value),
        pickletools::Argument::Int(value) => Argument::from(value),
        pickletools::Argument::Float(bits) => Argument::Float(bits),
        pickletools::Argument::Str(text) => match instruction.operand {
            // It joins them by a blank, which may be in them as well.
            Operand::Lines(module, _) => {
                let length = text::unescaped(line_text(module)).ok()?.len();
                let (module, name) = text.split_at_checked(length)?;
                let name = name.strip_prefix(b" ")?;
                Argument::Names(module.to_vec().into(), name.to_vec().into())
            }
            _ => Argument::Text(text),
        },
        pickletools::Argument::Bytes(bytes) => Argument::Bytes(bytes),
        pickletools::Argument::ByteArray(bytes) => Argument::ByteArray(bytes),
    })
}

/// The operand as the loader reads it, from the machine that has just run the instruction. `None`
/// where it has no value of its own.
pub(super) fn as_loaded<'a>(
    instruction: &Instruction<'a>,
    machine: &Machine<'a>,
) -> Option<Argument<'a>> {
    match instruction.operand {
        Operand::Lines(module, name) => Some(Argument::Names(
            line_text(module).into(),
            line_text(name).into(),
        )),
        Operand::Line(line) if instruction.opcode == Opcode::PersId => {
            Some(Argument::Text(line_text(line).into()))
        }
        Operand::Line(_) if !matches!(instruction.opcode, Opcode::Get | Opcode::Put) => {
            value(*machine.stack().last()?, machine.graph())
        }
        _ => None,
    }
}

/// What is shown of an operand that nobody could read.
pub(super) fn raw<'a>(instruction: &Instruction<'a>) -> Option<Argument<'a>> {
    Some(match instruction.operand {
        Operand::Lines(module, name) => {
            Argument::Names(line_text(module).into(), line_text(name).into())
        }
        Operand::Line(line) => Argument::Raw(line_text(line)),
        Operand::Bytes(bytes) => Argument::Raw(bytes),
        Operand::None | Operand::Uint(_) | Operand::Int(_) | Operand::Float(_) => return None,
    })
}

fn value<'a>(value: Value, graph: &Graph<'a>) -> Option<Argument<'a>> {
    Some(match value.kind() {
        ValueKind::Bool => Argument::Bool(value == Value::TRUE),
        ValueKind::Int | ValueKind::LongInt => Argument::from(graph.integer(value)?),
        ValueKind::Float => Argument::Float(graph.float_bits(value)?),
        ValueKind::Str => Argument::Text(graph.text(value)?),
        _ => return None,
    })
}
