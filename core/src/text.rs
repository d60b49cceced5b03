//! Text of literals: escapes, and UTF-8 that may hold surrogates.
//!
//! Python's str can hold lone surrogates and Rust's can't, so text is kept as the bytes of its
//! UTF-8 with surrogatepass.

use crate::error::ErrorKind;

/// Whether bytes are UTF-8 in which surrogates may stand, as `surrogatepass` reads it.
#[must_use]
pub fn is_surrogatepass_utf8(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        let Err(error) = core::str::from_utf8(rest) else {
            return true;
        };
        match rest.get(error.valid_up_to()..) {
            Some([0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..]) => rest = after,
            _ => return false,
        }
    }
}

/// A STRING operand's text without its quotes.
///
/// # Errors
///
/// [`ErrorKind::UnquotedString`] where it is not enclosed in a pair of equal quotes.
pub fn unquoted(text: &[u8]) -> Result<&[u8], ErrorKind> {
    match text {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => Ok(inner),
        _ => Err(ErrorKind::UnquotedString),
    }
}

/// What `codecs.escape_decode` makes of a text.
///
/// # Errors
///
/// [`ErrorKind::InvalidEscape`] for a bad `\x` or a backslash as the last byte.
pub fn unescaped(text: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            return Err(ErrorKind::InvalidEscape);
        };
        rest = after;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => bytes.push(*escape),
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b't' => bytes.push(b'\t'),
            b'n' => bytes.push(b'\n'),
            b'v' => bytes.push(11),
            b'f' => bytes.push(12),
            b'r' => bytes.push(b'\r'),
            b'0'..=b'7' => {
                let mut value = u16::from(escape & 7);
                for _ in 0..2 {
                    let Some((digit @ b'0'..=b'7', after)) = rest.split_first() else {
                        break;
                    };
                    value = (value << 3) | u16::from(digit & 7);
                    rest = after;
                }
                let [low, _] = value.to_le_bytes();
                bytes.push(low);
            }
            b'x' => {
                let (value, after) = hex(rest, 2).ok_or(ErrorKind::InvalidEscape)?;
                let [low, ..] = value.to_le_bytes();
                bytes.push(low);
                rest = after;
            }
            other => bytes.extend([b'\\', *other]),
        }
    }
    Ok(bytes)
}

fn hex(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let mut value = 0_u32;
    for byte in number {
        value = (value << 4) | char::from(*byte).to_digit(16)?;
    }
    Some((value, rest))
}

/// The code points of a text in which surrogates may stand.
pub(crate) fn code_points(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (first, _) = rest.split_first()?;
        let length = match first {
            0x00..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        let (bytes, after) = rest.split_at_checked(length)?;
        rest = after;
        let lead = match length {
            1 => u32::from(*first),
            2 => u32::from(first & 0x1f),
            3 => u32::from(first & 0x0f),
            _ => u32::from(first & 0x07),
        };
        let tail = bytes.get(1..).unwrap_or_default();
        Some(tail.iter().fold(lead, |code_point, byte| {
            (code_point << 6) | u32::from(byte & 0x3f)
        }))
    })
}

/// Appends a code point as UTF-8, surrogates included.
pub(crate) fn push_code_point(bytes: &mut Vec<u8>, code_point: u32) {
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

/// What the codec `raw-unicode-escape` makes of a text, as UTF-8 with surrogatepass.
///
/// # Errors
///
/// [`ErrorKind::InvalidText`] for a `\u` or `\U` without its digits or beyond Unicode.
pub fn raw_unicode_unescaped(text: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            push_code_point(&mut bytes, u32::from(*byte));
            continue;
        }
        bytes.push(b'\\');
        let digits = match rest.first() {
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(other) => {
                // A backslash takes the next character with it, a second backslash too.
                push_code_point(&mut bytes, u32::from(*other));
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            None => break,
        };
        bytes.pop();
        let escape = rest.get(1..).unwrap_or_default();
        let (code_point, after) = hex(escape, digits).ok_or(ErrorKind::InvalidText)?;
        if code_point > 0x10_ffff {
            return Err(ErrorKind::InvalidText);
        }
        push_code_point(&mut bytes, code_point);
        rest = after;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_python() {
        assert_eq!(unescaped(br"a\x41\101\n\q"), Ok(b"aAA\n\\q".to_vec()));
        assert_eq!(unescaped(br"\777"), Ok(vec![255]));
        assert_eq!(unescaped(br"\xg1"), Err(ErrorKind::InvalidEscape));
        assert_eq!(unescaped(b"\\"), Err(ErrorKind::InvalidEscape));
        assert_eq!(unquoted(b"'a'"), Ok(b"a".as_slice()));
        assert_eq!(unquoted(b"'"), Err(ErrorKind::UnquotedString));
    }

    #[test]
    fn raw_unicode_escapes_need_an_odd_backslash() {
        assert_eq!(raw_unicode_unescaped(br"\u006fs"), Ok(b"os".to_vec()));
        assert_eq!(
            raw_unicode_unescaped(br"\\u006fs"),
            Ok(br"\\u006fs".to_vec())
        );
        assert_eq!(raw_unicode_unescaped(br"\u12"), Err(ErrorKind::InvalidText));
        assert_eq!(
            raw_unicode_unescaped(br"\U00110000"),
            Err(ErrorKind::InvalidText)
        );
        assert_eq!(
            raw_unicode_unescaped(br"\ud800"),
            Ok(vec![0xed, 0xa0, 0x80])
        );
        assert_eq!(raw_unicode_unescaped(b"\xe9"), Ok("é".as_bytes().to_vec()));
        assert_eq!(raw_unicode_unescaped(b"a\\"), Ok(b"a\\".to_vec()));
    }

    #[test]
    fn code_points_are_those_of_python() {
        let text = ["aé日\u{1f600}".as_bytes(), b"\xed\xa0\xbd\xed\xb8\x80"].concat();
        let points: Vec<u32> = code_points(&text).collect();
        assert_eq!(points, [0x61, 0xe9, 0x65e5, 0x1f600, 0xd83d, 0xde00]);
    }

    #[test]
    fn lone_surrogates_pass() {
        assert!(is_surrogatepass_utf8(b"a\xed\xa0\x80b"));
        assert!(!is_surrogatepass_utf8(b"\xc0\x80"));
        assert!(!is_surrogatepass_utf8(b"\xed\xa0"));
        assert!(is_surrogatepass_utf8("日本".as_bytes()));
    }
}
