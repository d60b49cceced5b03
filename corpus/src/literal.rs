//! Literals of the text form: `"text"` and `b"bytes"`, with Python's escapes, in both directions.
//!
//! Text is UTF-8 in which lone surrogates may stand, as Python's `surrogatepass` writes it. What is
//! not printable ASCII is written as an escape, so that a source can't hold letters that look like
//! others or turn the line around.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use pickleproof_core::text::is_surrogatepass_utf8;

/// Reads a literal behind its opening quote, up to and with the closing one.
pub(crate) fn read(chars: &mut Peekable<Chars<'_>>, is_text: bool) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        match chars.next() {
            None => return Err("a literal has no closing quote".into()),
            Some('"') => return Ok(bytes),
            Some('\\') => read_escape(chars, is_text, &mut bytes)?,
            Some(character) if is_text || character.is_ascii() => {
                push_code_point(&mut bytes, u32::from(character));
            }
            Some(_) => return Err("a bytes literal holds a character that is not ASCII".into()),
        }
    }
}

fn read_escape(
    chars: &mut Peekable<Chars<'_>>,
    is_text: bool,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let digits = match chars.next() {
        Some('n') => return push(bytes, b'\n'),
        Some('r') => return push(bytes, b'\r'),
        Some('t') => return push(bytes, b'\t'),
        Some('\\') => return push(bytes, b'\\'),
        Some('"') => return push(bytes, b'"'),
        Some('\'') => return push(bytes, b'\''),
        Some('x') => 2,
        Some('u') if is_text => 4,
        Some('U') if is_text => 8,
        Some(other) => return Err(format!("unknown escape \\{}", other.escape_default())),
        None => return Err("a literal has no closing quote".into()),
    };
    let mut value = 0_u32;
    for _ in 0..digits {
        let digit = chars.next().and_then(|digit| digit.to_digit(16));
        let digit = digit.ok_or_else(|| format!("an escape needs {digits} hexadecimal digits"))?;
        value = (value << 4) | digit;
    }
    if value > 0x10_ffff {
        return Err("an escape is beyond Unicode".into());
    }
    if is_text {
        push_code_point(bytes, value);
    } else {
        let [low, ..] = value.to_le_bytes();
        bytes.push(low);
    }
    Ok(())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an arm of a match whose other arms fail"
)]
fn push(bytes: &mut Vec<u8>, byte: u8) -> Result<(), String> {
    bytes.push(byte);
    Ok(())
}

/// Appends a code point as UTF-8, surrogates included.
fn push_code_point(bytes: &mut Vec<u8>, code_point: u32) {
    if let Some(character) = char::from_u32(code_point) {
        let mut buffer = [0; 4];
        bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    } else {
        let [low, high, ..] = code_point.to_le_bytes();
        bytes.extend([
            0xe0 | (high >> 4),
            0x80 | ((high & 0x0f) << 2) | (low >> 6),
            0x80 | (low & 0x3f),
        ]);
    }
}

/// Writes bytes as a text literal where they are text, else as a bytes literal.
pub(crate) fn write_text(out: &mut String, bytes: &[u8]) {
    if is_surrogatepass_utf8(bytes) {
        out.push('"');
        for code_point in code_points(bytes) {
            write_code_point(out, code_point);
        }
        out.push('"');
    } else {
        write_bytes(out, bytes);
    }
}

/// Writes bytes as a bytes literal.
pub(crate) fn write_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("b\"");
    for byte in bytes {
        if byte.is_ascii() {
            write_code_point(out, u32::from(*byte));
        } else {
            write_escape(out, format_args!("\\x{byte:02x}"));
        }
    }
    out.push('"');
}

/// The code points of UTF-8 with surrogates, so far as it is that.
pub(crate) fn code_points(bytes: &[u8]) -> Vec<u32> {
    let mut code_points = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (valid, after) = match std::str::from_utf8(rest) {
            Ok(text) => (text, None),
            Err(error) => {
                let (valid, after) = rest
                    .split_at_checked(error.valid_up_to())
                    .unwrap_or((b"", rest));
                (std::str::from_utf8(valid).unwrap_or_default(), Some(after))
            }
        };
        code_points.extend(valid.chars().map(u32::from));
        match after {
            Some([0xed, middle @ 0xa0..=0xbf, last @ 0x80..=0xbf, after @ ..]) => {
                code_points.push(0xd000 | (u32::from(middle & 0x3f) << 6) | u32::from(last & 0x3f));
                rest = after;
            }
            _ => return code_points,
        }
    }
}

fn write_code_point(out: &mut String, code_point: u32) {
    match (code_point, char::from_u32(code_point)) {
        (_, Some('\n')) => out.push_str("\\n"),
        (_, Some('\r')) => out.push_str("\\r"),
        (_, Some('\t')) => out.push_str("\\t"),
        (_, Some(character @ ('"' | '\\'))) => out.extend(['\\', character]),
        (0x20..=0x7e, Some(character)) => out.push(character),
        (0..=0xff, _) => write_escape(out, format_args!("\\x{code_point:02x}")),
        (0..=0xffff, _) => write_escape(out, format_args!("\\u{code_point:04x}")),
        _ => write_escape(out, format_args!("\\U{code_point:08x}")),
    }
}

fn write_escape(out: &mut String, escape: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = out.write_fmt(escape);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(literal: &str) -> Result<Vec<u8>, String> {
        let is_text = !literal.starts_with('b');
        let inner = literal.trim_start_matches('b').strip_prefix('"').unwrap();
        read(&mut inner.chars().peekable(), is_text)
    }

    #[test]
    fn what_is_written_reads_back() {
        let cases: [&[u8]; 6] = [
            b"",
            b"a\"\\\n\r\t\x00\x7f'",
            "é日\u{1f600}\u{202e}".as_bytes(),
            b"\xed\xa0\xbd\xed\xb8\x80",
            b"\xff\x80a",
            b"\xed\xa0",
        ];
        for bytes in cases {
            let mut text = String::new();
            write_text(&mut text, bytes);
            assert!(text.is_ascii());
            assert_eq!(read_back(&text).as_deref(), Ok(bytes), "{text}");
            let mut literal = String::new();
            write_bytes(&mut literal, bytes);
            assert_eq!(read_back(&literal).as_deref(), Ok(bytes), "{literal}");
        }
    }

    #[test]
    fn bad_literals_are_refused() {
        for literal in [
            "\"a",
            "\"\\",
            "\"\\q\"",
            "\"\\x4\"",
            "\"\\U00110000\"",
            "b\"é\"",
            "b\"\\u0041\"",
        ] {
            assert!(read_back(literal).is_err(), "{literal}");
        }
    }
}
