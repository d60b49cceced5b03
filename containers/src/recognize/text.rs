//! Text, JSON, or nothing known: the answers when there is no signature.

use crate::Format;
use crate::bytes::{head, tail};

/// How much is looked at.
const PREFIX: usize = 4 << 10;

/// Text is valid UTF-8 without control characters other than tab, line feed, carriage return and
/// form feed, in its first 4 KiB; or it begins with a byte order mark.
pub(super) fn recognize(bytes: &[u8]) -> Format {
    let prefix = head(bytes, PREFIX);
    if prefix.starts_with(b"\xff\xfe") || prefix.starts_with(b"\xfe\xff") {
        return Format::Text;
    }
    let text = match str::from_utf8(prefix) {
        Ok(text) => text,
        // A character may be cut where the prefix ends, but not where the input ends.
        Err(error) if error.error_len().is_none() && prefix.len() < bytes.len() => {
            str::from_utf8(head(prefix, error.valid_up_to())).unwrap_or_default()
        }
        Err(_) => return Format::Data,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c');
    if text.contains(control) {
        return Format::Data;
    }
    let start = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .chars()
        .next();
    let end = tail(bytes, 64).trim_ascii_end().last();
    match (start, end) {
        (Some('{'), Some(b'}')) | (Some('['), Some(b']')) => Format::Json,
        _ => Format::Text,
    }
}
