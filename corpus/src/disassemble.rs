//! The disassembler: any bytes to a source that assembles to the same bytes.
//!
//! A stream is read as `pickletools` reads it, without frames or a stack. What follows the first
//! stream is read as a stream only where it reaches a STOP of its own; all other bytes become
//! `.bytes` lines.

use std::fmt::Write as _;

use pickleproof_core::{
    Decoder, Dialect, Instruction, Opcode, Operand, OperandKind, Version, line_text,
};

use crate::assemble::operand::twos_complement;
use crate::literal::{code_points, write_bytes, write_text};

/// Longer data stands in a block, in lines of so many bytes.
const LINE: usize = 32;

/// Longer text stands in a block, in lines of about so many letters.
const TEXT_LINE: usize = 72;

/// A source of these bytes. Its first line is a comment that counts them.
///
/// ```
/// use pickleproof_corpus::{assemble, disassemble};
///
/// let source = disassemble(b"cos\nsystem\n.\xff");
/// assert!(source.ends_with("GLOBAL \"os\" \"system\"\nSTOP\n.bytes ff\n"));
/// assert_eq!(assemble(&source).unwrap(), b"cos\nsystem\n.\xff");
/// ```
#[must_use]
pub fn disassemble(bytes: &[u8]) -> String {
    let mut out = String::new();
    write(&mut out, format_args!("# {} bytes\n", bytes.len()));
    let mut position = 0;
    loop {
        let stream = Stream::read(bytes, position);
        if position > 0 && !stream.stopped {
            break;
        }
        if position > 0 {
            write(&mut out, format_args!("# another stream, at {position}\n"));
        }
        stream.write(&mut out, bytes.len());
        position = stream.end;
        if !stream.stopped || position >= bytes.len() {
            break;
        }
    }
    write_hex(&mut out, bytes.get(position..).unwrap_or_default(), "");
    out
}

/// The instructions of one stream so far as they can be read.
struct Stream<'a> {
    instructions: Vec<Instruction<'a>>,
    end: usize,
    stopped: bool,
}

impl<'a> Stream<'a> {
    fn read(bytes: &'a [u8], position: usize) -> Self {
        let mut decoder = Decoder::new(bytes, position, Dialect::PickleTools, Version::default());
        let mut instructions = Vec::new();
        let mut stopped = false;
        while let Ok(instruction) = decoder.read() {
            instructions.push(instruction);
            if instruction.opcode == Opcode::Stop {
                stopped = true;
                break;
            }
        }
        Self {
            end: instructions.last().map_or(position, |last| last.end),
            instructions,
            stopped,
        }
    }

    fn write(&self, out: &mut String, input_end: usize) {
        let mut open_frame = None;
        for (index, instruction) in self.instructions.iter().enumerate() {
            let is_frame = instruction.opcode == Opcode::Frame;
            if open_frame == Some(instruction.offset) {
                open_frame = None;
                if !is_frame {
                    out.push_str(".frame-end\n");
                }
            }
            match instruction.operand {
                Operand::Uint(size) if is_frame => {
                    open_frame = self.frame_end(index, instruction, size, input_end);
                    match open_frame {
                        Some(_) => out.push_str("FRAME auto\n"),
                        None => write(out, format_args!("FRAME {size}\n")),
                    }
                }
                _ => write_instruction(out, instruction),
            }
        }
        if open_frame.is_some_and(|end| end < input_end) {
            out.push_str(".frame-end\n");
        }
    }

    /// Where a frame ends, if that is where an instruction does and no other frame begins inside.
    fn frame_end(
        &self,
        index: usize,
        frame: &Instruction<'_>,
        size: u64,
        input_end: usize,
    ) -> Option<usize> {
        let end = frame.end.checked_add(usize::try_from(size).ok()?)?;
        // Bytes behind an unfinished stream are in no instruction, but a frame may end with them.
        if end == input_end && end != self.end {
            return None;
        }
        let inside = self.instructions.get(index.checked_add(1)?..)?;
        let mut at = frame.end;
        for instruction in inside {
            if at >= end || instruction.opcode == Opcode::Frame {
                break;
            }
            at = instruction.end;
        }
        (at == end).then_some(end)
    }
}

fn write_instruction(out: &mut String, instruction: &Instruction<'_>) {
    out.push_str(instruction.opcode.name());
    match instruction.operand {
        Operand::None => {}
        Operand::Uint(number) => write(out, format_args!(" {number}")),
        Operand::Int(number) => write(out, format_args!(" {number}")),
        Operand::Float(bits) => write_float(out, bits),
        Operand::Line(line) => write_line(out, line),
        Operand::Lines(module, name) => {
            for line in [module, name] {
                out.push(' ');
                write_text(out, line_text(line));
            }
        }
        Operand::Bytes(data) => {
            out.push(' ');
            write_counted(out, instruction.opcode.operand_kind(), data);
        }
    }
    out.push('\n');
}

fn write_float(out: &mut String, bits: u64) {
    let float = f64::from_bits(bits);
    if float.is_finite() {
        write(out, format_args!(" {float:?}"));
    } else {
        write(out, format_args!(" {bits:#018x}"));
    }
}

/// A plain decimal number needs no quotes; anything odd gets them.
fn write_line(out: &mut String, line: &[u8]) {
    let text = line_text(line);
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let digits = digits.strip_suffix(b"L").unwrap_or(digits);
    out.push(' ');
    match std::str::from_utf8(text) {
        Ok(word) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            out.push_str(word);
        }
        _ => write_text(out, text),
    }
}

fn write_counted(out: &mut String, kind: OperandKind, data: &[u8]) {
    let is_integer = matches!(kind, OperandKind::Long1 | OperandKind::Long4);
    if is_integer && let Some(number) = canonical_integer(data) {
        write(out, format_args!("{number}"));
        return;
    }
    let is_binary = matches!(
        kind,
        OperandKind::Bytes1 | OperandKind::Bytes4 | OperandKind::Bytes8 | OperandKind::ByteArray8
    );
    let mut literal = String::new();
    if data.len() <= TEXT_LINE {
        if is_binary || is_integer {
            write_bytes(&mut literal, data);
        } else {
            write_text(&mut literal, data);
        }
        // Binary data of some length reads better as hexadecimal digits.
        if literal.starts_with('"')
            || data.len() <= LINE
            || literal.len() <= data.len().saturating_mul(2)
        {
            out.push_str(&literal);
            return;
        }
    }
    out.push_str("{\n");
    match std::str::from_utf8(data) {
        Ok(text) if is_readable(text) => write_text_lines(out, text),
        _ => write_hex(out, data, "    "),
    }
    out.push('}');
}

fn canonical_integer(data: &[u8]) -> Option<i128> {
    let last = data.last().copied().unwrap_or_default();
    let mut bytes = [if last & 0x80 == 0 { 0 } else { 0xff }; 16];
    bytes.get_mut(..data.len())?.copy_from_slice(data);
    let number = i128::from_le_bytes(bytes);
    (twos_complement(number) == data).then_some(number)
}

/// Whether text is written with few escapes.
fn is_readable(text: &str) -> bool {
    !text
        .chars()
        .any(|character| character.is_ascii_control() && !character.is_ascii_whitespace())
}

fn write_text_lines(out: &mut String, text: &str) {
    let mut line = String::new();
    let flush = |line: &mut String, out: &mut String| {
        if !line.is_empty() {
            out.push_str("    .text ");
            write_text(out, line.as_bytes());
            out.push('\n');
            line.clear();
        }
    };
    for character in code_points(text.as_bytes())
        .into_iter()
        .filter_map(char::from_u32)
    {
        line.push(character);
        if character == '\n' || line.len() >= TEXT_LINE {
            flush(&mut line, out);
        }
    }
    flush(&mut line, out);
}

fn write_hex(out: &mut String, bytes: &[u8], indent: &str) {
    for line in bytes.chunks(LINE) {
        out.push_str(indent);
        out.push_str(".bytes ");
        for byte in line {
            write(out, format_args!("{byte:02x}"));
        }
        out.push('\n');
    }
}

fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble;

    fn source(bytes: &[u8]) -> String {
        let source = disassemble(bytes);
        assert_eq!(assemble(&source).unwrap(), bytes, "{source}");
        source.split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn odd_operands_survive() {
        assert_eq!(source(b"I0x1f\n"), "INT \"0x1f\"\n");
        assert_eq!(source(b"I 5\n"), "INT \" 5\"\n");
        assert_eq!(source(b"I\n"), "INT \"\"\n");
        assert_eq!(source(b"L5L\n"), "LONG 5L\n");
        assert_eq!(source(b"L-\n"), "LONG \"-\"\n");
        assert_eq!(
            source(b"G\x7f\xf8\0\0\0\0\0\x01"),
            "BINFLOAT 0x7ff8000000000001\n"
        );
        assert_eq!(source(b"G\x80\0\0\0\0\0\0\0"), "BINFLOAT -0.0\n");
        assert_eq!(source(b"\x8a\x02\x01\x00"), "LONG1 b\"\\x01\\x00\"\n");
        assert_eq!(source(b"\x8a\x00"), "LONG1 0\n");
        assert_eq!(source(b"V\xe9\n"), "UNICODE b\"\\xe9\"\n");
        assert_eq!(
            source(b"\x8c\x03\xed\xa0\x80"),
            "SHORT_BINUNICODE \"\\ud800\"\n"
        );
    }

    #[test]
    fn long_data_stands_in_a_block() {
        let binary = [b"C\x28".as_slice(), &[0xaa; 40]].concat();
        assert!(source(&binary).starts_with("SHORT_BINBYTES {\n    .bytes aaaa"));
        let text = [b"X\x60\0\0\0".as_slice(), &[b'a'; 94], b"\nb"].concat();
        assert!(source(&text).starts_with("BINUNICODE {\n    .text \"aaaa"));
    }

    #[test]
    fn frames_are_computed_where_they_are_honest() {
        assert_eq!(
            source(b"\x95\x02\0\0\0\0\0\0\0N."),
            "FRAME auto\nNONE\nSTOP\n"
        );
        assert_eq!(
            source(b"\x95\x01\0\0\0\0\0\0\0N."),
            "FRAME auto\nNONE\n.frame-end\nSTOP\n"
        );
        assert_eq!(source(b"\x95\x09\0\0\0\0\0\0\0N."), "FRAME 9\nNONE\nSTOP\n");
        let trailing = source(b"\x95\x02\0\0\0\0\0\0\0N.\xff\xff");
        assert_eq!(
            trailing,
            "FRAME auto\nNONE\nSTOP\n.frame-end\n.bytes ffff\n"
        );
        let nothing = source(b"\x95\0\0\0\0\0\0\0\0N.");
        assert_eq!(nothing, "FRAME auto\n.frame-end\nNONE\nSTOP\n");
    }

    #[test]
    fn a_second_stream_is_read_where_it_stops() {
        assert_eq!(
            source(b"N.N."),
            "NONE\nSTOP\n# another stream, at 2\nNONE\nSTOP\n"
        );
        assert_eq!(source(b"N.N"), "NONE\nSTOP\n.bytes 4e\n");
    }
}
