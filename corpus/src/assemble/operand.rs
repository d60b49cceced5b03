//! An instruction's operand, from its text to its bytes, by the kind that the opcode table gives it.

use pickleproof_core::{Opcode, OperandKind};

use super::lexer::{Statement, Value, unsigned};
use crate::AssembleError;

/// The operand's bytes; `block` is what the statement's block holds.
pub(crate) fn encode(
    opcode: Opcode,
    statement: &Statement,
    block: Option<Vec<u8>>,
) -> Result<Vec<u8>, AssembleError> {
    let kind = opcode.operand_kind();
    let counted = kind.length_width().is_some();
    statement.allow_options(if counted { &["!length"] } else { &[] })?;
    if block.is_some() && !counted && opcode != Opcode::Frame {
        return Err(statement.error(format!("{opcode} takes no block")));
    }
    let operands = statement.operands.as_slice();
    match encode_kind(kind, operands, block) {
        Ok(data) => match kind.length_width() {
            Some(width) => with_length(statement, width, data),
            None => Ok(data),
        },
        Err(message) => Err(statement.error(format!("{opcode} {message}"))),
    }
}

fn encode_kind(
    kind: OperandKind,
    operands: &[Value],
    block: Option<Vec<u8>>,
) -> Result<Vec<u8>, String> {
    match kind {
        OperandKind::None if operands.is_empty() => Ok(Vec::new()),
        OperandKind::None => Err("takes no operand".into()),
        OperandKind::Uint1 => number(operands, 1),
        OperandKind::Uint2 => number(operands, 2),
        OperandKind::Uint4 => number(operands, 4),
        OperandKind::Uint8 => number(operands, 8),
        OperandKind::Int4 => match word(operands).and_then(|word| word.parse::<i32>().ok()) {
            Some(number) => Ok(number.to_le_bytes().into()),
            None => Err("needs a signed number of four bytes".into()),
        },
        OperandKind::Float8 => match word(operands).and_then(float_bits) {
            Some(bits) => Ok(bits.to_be_bytes().into()),
            None => Err("needs a float: decimal, or `0x` and 16 digits".into()),
        },
        OperandKind::DecimalLine
        | OperandKind::LongLine
        | OperandKind::FloatLine
        | OperandKind::QuotedLine
        | OperandKind::UnicodeLine
        | OperandKind::TextLine => lines(operands, 1),
        OperandKind::TextLines => lines(operands, 2),
        OperandKind::Long1 | OperandKind::Long4 => {
            match word(operands).and_then(|word| word.parse::<i128>().ok()) {
                Some(number) if block.is_none() => Ok(twos_complement(number)),
                _ => data(operands, block),
            }
        }
        OperandKind::String1
        | OperandKind::String4
        | OperandKind::Bytes1
        | OperandKind::Bytes4
        | OperandKind::Bytes8
        | OperandKind::ByteArray8
        | OperandKind::Unicode1
        | OperandKind::Unicode4
        | OperandKind::Unicode8 => data(operands, block),
    }
}

fn word(operands: &[Value]) -> Option<&str> {
    match operands {
        [Value::Word(word)] => Some(word),
        _ => None,
    }
}

/// An unsigned number as that many bytes, little endian.
fn number(operands: &[Value], width: usize) -> Result<Vec<u8>, String> {
    let number = word(operands).and_then(unsigned);
    match number.and_then(|number| little_endian(number, width)) {
        Some(bytes) => Ok(bytes),
        None => Err(format!("needs an unsigned number of {width} bytes")),
    }
}

fn little_endian(number: u64, width: usize) -> Option<Vec<u8>> {
    let bytes = number.to_le_bytes();
    let (low, high) = bytes.split_at_checked(width)?;
    high.iter().all(|byte| *byte == 0).then(|| low.to_vec())
}

fn float_bits(word: &str) -> Option<u64> {
    if let Some(digits) = word.strip_prefix("0x") {
        let valid = digits.len() == 16 && !digits.starts_with('+');
        return u64::from_str_radix(digits, 16).ok().filter(|_| valid);
    }
    let float: f64 = word.parse().ok()?;
    // Not every NaN has a name.
    float.is_finite().then(|| float.to_bits())
}

/// The fewest bytes of two's complement, as Python's `encode_long`: none for zero.
pub(crate) fn twos_complement(number: i128) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    let (fill, sign) = if number < 0 { (0xff, 0x80) } else { (0, 0) };
    while let [.., below, last] = bytes.as_slice() {
        if *last != fill || below & 0x80 != sign {
            break;
        }
        bytes.pop();
    }
    if number == 0 {
        bytes.clear();
    }
    bytes
}

fn lines(operands: &[Value], count: usize) -> Result<Vec<u8>, String> {
    if operands.len() != count {
        return Err(format!(
            "needs {count} line{}",
            if count == 1 { "" } else { "s" }
        ));
    }
    let mut bytes = Vec::new();
    for operand in operands {
        let line = match operand {
            Value::Word(word) => word.as_bytes(),
            Value::Bytes(line) => line,
        };
        if line.contains(&b'\n') {
            return Err("takes a line, and a line holds no newline".into());
        }
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Counted data: a literal or a block.
fn data(operands: &[Value], block: Option<Vec<u8>>) -> Result<Vec<u8>, String> {
    match (operands, block) {
        ([], Some(block)) => Ok(block),
        ([Value::Bytes(bytes)], None) => Ok(bytes.clone()),
        _ => Err("needs one literal or a block".into()),
    }
}

fn with_length(
    statement: &Statement,
    width: usize,
    data: Vec<u8>,
) -> Result<Vec<u8>, AssembleError> {
    let length = match statement.number_option("!length")? {
        Some(length) => Some(length),
        None => u64::try_from(data.len()).ok(),
    };
    let Some(mut bytes) = length.and_then(|length| little_endian(length, width)) else {
        return Err(statement.error(format!("the length needs more than {width} bytes")));
    };
    bytes.extend(data);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_the_bytes_that_python_gives_them() {
        let cases: [(i128, &[u8]); 9] = [
            (0, b""),
            (1, b"\x01"),
            (127, b"\x7f"),
            (128, b"\x80\x00"),
            (255, b"\xff\x00"),
            (-1, b"\xff"),
            (-128, b"\x80"),
            (-129, b"\x7f\xff"),
            (-256, b"\x00\xff"),
        ];
        for (number, bytes) in cases {
            assert_eq!(twos_complement(number), bytes, "{number}");
        }
        assert_eq!(twos_complement(i128::MIN).len(), 16);
    }

    #[test]
    fn floats_are_exact() {
        assert_eq!(float_bits("1.5"), Some(1.5_f64.to_bits()));
        assert_eq!(float_bits("-0.0"), Some(1 << 63));
        assert_eq!(
            float_bits("0x7ff8000000000001"),
            Some(0x7ff8_0000_0000_0001)
        );
        assert_eq!(float_bits("NaN"), None);
        assert_eq!(float_bits("0x7ff8"), None);
    }
}
