//! Streams that a build of CPython for 32 bits, such as pyodide's, reads otherwise than one for 64.

use pickleproof_core::{Decoder, Dialect, Operand, OperandKind, Version};

/// Digits of the numbers that fit in 31 bits.
const DIGITS: usize = 9;

/// Whether a stream holds a number beyond 31 bits, or a length that may be one.
pub(super) fn is_wide(stream: &[u8]) -> bool {
    let mut decoder = Decoder::new(stream, 0, Dialect::C, Version::CLASSIC);
    loop {
        let kind = decoder
            .peek()
            .and_then(pickleproof_core::Opcode::from_byte)
            .map(pickleproof_core::Opcode::operand_kind);
        let Ok(instruction) = decoder.read() else {
            let counted = kind.and_then(OperandKind::length_width);
            return counted.is_some_and(|width| width >= 4) || kind == Some(OperandKind::Uint8);
        };
        let wide = match (instruction.opcode.operand_kind(), instruction.operand) {
            (_, Operand::Uint(value)) => value > 0x7fff_ffff,
            (OperandKind::Long1 | OperandKind::Long4, Operand::Bytes(bytes)) => bytes.len() >= 4,
            (OperandKind::DecimalLine | OperandKind::LongLine, Operand::Line(line)) => {
                line.len() > DIGITS
            }
            _ => false,
        };
        if wide {
            return true;
        }
    }
}
