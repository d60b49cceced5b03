//! Operands as Python literals, written piece by piece, with everything escaped that a terminal
//! would obey or hide.

use std::io::{self, Write};

use pickleproof_core::Integer;

use super::operand::Argument;
use crate::escape;

/// Characters or bytes of a literal that are shown where not all are.
const SHOWN: usize = 80;
/// Bytes of an int that are shown where not all are.
const SHOWN_INTEGER: usize = 32;

/// Writes an operand; in full, or with its length where it is long.
pub(super) fn argument(argument: &Argument<'_>, full: bool, out: &mut dyn Write) -> io::Result<()> {
    match argument {
        Argument::Bool(true) => out.write_all(b"True"),
        Argument::Bool(false) => out.write_all(b"False"),
        Argument::Int(number) => write!(out, "{number}"),
        Argument::Big(number) => integer(number, full, out),
        Argument::Float(bits) => write!(out, "{}", float(f64::from_bits(*bits))),
        Argument::Text(text) => self::text(text, full, out),
        Argument::Bytes(data) | Argument::Raw(data) => bytes(data, full, out),
        Argument::ByteArray(data) => {
            out.write_all(b"bytearray(")?;
            bytes(data, full, out)?;
            out.write_all(b")")
        }
        Argument::Names(module, name) => names(module, name, full, out),
    }
}

/// Module and name joined by a blank, as pickletools does, where the first blank must be that one;
/// else apart.
fn names(module: &[u8], name: &[u8], full: bool, out: &mut dyn Write) -> io::Result<()> {
    let sound = |name: &[u8]| std::str::from_utf8(name).is_ok() && (full || name.len() <= SHOWN);
    if !module.contains(&b' ') && sound(module) && sound(name) {
        return text(&[module, b" ", name].concat(), true, out);
    }
    for (part, before) in [(module, ""), (name, " ")] {
        out.write_all(before.as_bytes())?;
        if std::str::from_utf8(part).is_ok() {
            text(part, full, out)?;
        } else {
            bytes(part, full, out)?;
        }
    }
    Ok(())
}

/// An int that i64 can't hold: in decimal so far as i128 can, else in hexadecimal.
fn integer(number: &Integer, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let magnitude = &number.magnitude;
    if magnitude.len() < 16 {
        let value = magnitude
            .iter()
            .rev()
            .fold(0_i128, |value, byte| (value << 8) | i128::from(*byte));
        let sign = if number.negative { "-" } else { "" };
        return write!(out, "{sign}{value}");
    }
    let hex = number.to_hex();
    if full || magnitude.len() <= SHOWN_INTEGER {
        return out.write_all(hex.as_bytes());
    }
    let shown = hex.get(..SHOWN_INTEGER.saturating_mul(2)).unwrap_or(&hex);
    write!(out, "{shown}… ({} bytes)", magnitude.len())
}

/// A float as Python's `repr` writes it.
fn float(value: f64) -> String {
    let text = format!("{value:e}");
    if !value.is_finite() {
        return text.to_lowercase();
    }
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => {
            let plain = format!("{value}");
            if plain.contains('.') {
                plain
            } else {
                plain + ".0"
            }
        }
    }
}

/// A str literal of UTF-8 in which surrogates may stand.
fn text(text: &[u8], full: bool, out: &mut dyn Write) -> io::Result<()> {
    let quote = quote_for(text);
    write!(out, "{quote}")?;
    let mut count = 0_usize;
    for piece in Pieces(text) {
        let character = match piece {
            _ if !full && count >= SHOWN => {
                return write!(out, "…{quote} ({} bytes)", text.len());
            }
            Piece::Character(character) => character,
            Piece::Surrogate(code) => {
                write!(out, "\\u{code:04x}")?;
                count = count.saturating_add(1);
                continue;
            }
            Piece::Byte(byte) => {
                write!(out, "\\x{byte:02x}")?;
                count = count.saturating_add(1);
                continue;
            }
        };
        count = count.saturating_add(1);
        match (character, u32::from(character)) {
            ('\\', _) => out.write_all(b"\\\\")?,
            ('\n', _) => out.write_all(b"\\n")?,
            ('\r', _) => out.write_all(b"\\r")?,
            ('\t', _) => out.write_all(b"\\t")?,
            _ if character == quote => write!(out, "\\{quote}")?,
            // Python shows no blank but the one.
            _ if escape::is_plain(character)
                && (character == ' ' || !character.is_whitespace()) =>
            {
                write!(out, "{character}")?;
            }
            (_, code @ 0..=0xff) => write!(out, "\\x{code:02x}")?,
            (_, code @ 0..=0xffff) => write!(out, "\\u{code:04x}")?,
            (_, code) => write!(out, "\\U{code:08x}")?,
        }
    }
    write!(out, "{quote}")
}

/// A bytes literal.
fn bytes(data: &[u8], full: bool, out: &mut dyn Write) -> io::Result<()> {
    let quote = quote_for(data);
    write!(out, "b{quote}")?;
    let shown = if full {
        data
    } else {
        data.get(..SHOWN).unwrap_or(data)
    };
    for byte in shown {
        match byte {
            b'\\' => out.write_all(b"\\\\")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            b'\t' => out.write_all(b"\\t")?,
            b' '..=b'~' if char::from(*byte) != quote => out.write_all(&[*byte])?,
            b' '..=b'~' => write!(out, "\\{quote}")?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    if shown.len() < data.len() {
        return write!(out, "…{quote} ({} bytes)", data.len());
    }
    write!(out, "{quote}")
}

/// Python's choice of quotes.
fn quote_for(text: &[u8]) -> char {
    if text.contains(&b'\'') && !text.contains(&b'"') {
        '"'
    } else {
        '\''
    }
}

/// Bytes as characters, surrogates, and bytes that are neither.
struct Pieces<'a>(&'a [u8]);

enum Piece {
    Character(char),
    Surrogate(u32),
    Byte(u8),
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (&first, rest) = self.0.split_first()?;
        if first.is_ascii() {
            self.0 = rest;
            return Some(Piece::Character(char::from(first)));
        }
        if let [0xed, middle @ 0xa0..=0xbf, last @ 0x80..=0xbf, after @ ..] = self.0 {
            self.0 = after;
            let code = 0xd000 | (u32::from(middle & 0x3f) << 6) | u32::from(last & 0x3f);
            return Some(Piece::Surrogate(code));
        }
        // A character has at most four bytes: only these are looked at.
        let window = self.0.get(..4).unwrap_or(self.0);
        let valid = match std::str::from_utf8(window) {
            Ok(text) => text,
            Err(error) => window
                .get(..error.valid_up_to())
                .and_then(|valid| std::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        let Some(character) = valid.chars().next() else {
            self.0 = rest;
            return Some(Piece::Byte(first));
        };
        self.0 = self.0.get(character.len_utf8()..).unwrap_or_default();
        Some(Piece::Character(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Argument<'_>, full: bool) -> String {
        let mut out = Vec::new();
        argument(value, full, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text_of(text: &[u8]) -> String {
        shown(&Argument::Text(text.into()), false)
    }

    #[test]
    fn text_is_what_python_would_write_and_harmless() {
        assert_eq!(text_of("it's é 日".as_bytes()), "\"it's é 日\"");
        assert_eq!(text_of(b"'\"\\"), r#"'\'"\\'"#);
        assert_eq!(
            text_of("\x1b[2J\0\u{202e}\u{9b}".as_bytes()),
            r"'\x1b[2J\x00\u202e\x9b'"
        );
        assert_eq!(text_of("a b\u{a0}\u{3000}".as_bytes()), r"'a b\xa0\u3000'");
        assert_eq!(text_of("\u{e0041}".as_bytes()), r"'\U000e0041'");
        assert_eq!(
            text_of(b"a\xed\xa0\x80\xff\xe6\x97"),
            r"'a\ud800\xff\xe6\x97'"
        );
    }

    #[test]
    fn long_literals_say_how_long_they_are() {
        let long = vec![b'a'; 1000];
        let text = text_of(&long);
        assert!(
            text.ends_with("a…' (1000 bytes)") && text.len() < 120,
            "{text}"
        );
        assert_eq!(shown(&Argument::Text((&long).into()), true).len(), 1002);
        assert!(shown(&Argument::Bytes(&long), false).ends_with("…' (1000 bytes)"));
        let big = Integer {
            negative: true,
            magnitude: vec![0x7f; 1000],
        };
        assert!(shown(&Argument::Big(big), false).ends_with("… (1000 bytes)"));
    }

    #[test]
    fn names_are_joined_where_that_says_which_is_which() {
        let names = |module: &[u8], name: &[u8]| {
            shown(
                &Argument::Names(module.to_vec().into(), name.to_vec().into()),
                false,
            )
        };
        assert_eq!(names(b"os", b"system"), "'os system'");
        assert_eq!(names(b"os", b"a b"), "'os a b'");
        assert_eq!(names(b"a b", b"c"), "'a b' 'c'");
        assert_eq!(names(b"a\xff", b"c\n"), r"b'a\xff' 'c\n'");
    }

    #[test]
    fn floats_are_those_of_repr() {
        for (value, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (123_456_789.25, "123456789.25"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(value), text);
        }
        assert_eq!(float(f64::NAN), "nan");
    }
}
