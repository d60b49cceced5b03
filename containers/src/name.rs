//! Names of members, made safe to show.

use std::fmt::Write;

/// A name with everything escaped that is not plain text: invalid UTF-8 and control characters as
/// `\xNN`, the backslash as `\\`, invisible and bidirectional controls as `\u{NNNN}`.
pub(crate) fn escape(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut out, character);
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn push(out: &mut String, character: char) {
    let code = u32::from(character);
    let _ = match character {
        '\\' => write!(out, "\\\\"),
        _ if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => write!(out, "\\u{{{code:x}}}"),
        _ => {
            out.push(character);
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_could_fool_a_reader_is_escaped() {
        assert_eq!(escape(b"archive/data.pkl"), "archive/data.pkl");
        assert_eq!(escape(b"a\xff\n\\b\x7f"), "a\\xff\\x0a\\\\b\\x7f");
        assert_eq!(escape("é\u{202e}x".as_bytes()), "é\\u{202e}x");
    }
}
