//! The codecs for Python 2 strings: `encoding` and `errors` of `pickle.load`.

use std::borrow::Cow;

use crate::error::ErrorKind;
use crate::text::push_code_point;

/// The codec for Python 2 strings: `encoding` of `pickle.load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// `ASCII`, pickle's default: other bytes are an error.
    Ascii,
    /// `latin1`, which accepts all bytes.
    #[default]
    Latin1,
    /// `utf-8`, torch's default.
    Utf8,
    /// `cp1252`, that of Windows.
    Cp1252,
    /// `bytes`: they stay bytes.
    Bytes,
    /// A name that is no codec's: a `LookupError` where a string is not empty.
    Unknown,
}

impl Encoding {
    /// The codec of this name, as `codecs.lookup` finds it; pickle takes exactly `bytes` by itself.
    ///
    /// Codecs that are not known here are [`Encoding::Unknown`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        if name == "bytes" {
            return Self::Bytes;
        }
        let normalized = name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
        match normalized.as_str() {
            "ascii" | "us_ascii" | "646" | "iso646_us" => Self::Ascii,
            "latin1" | "latin_1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "8859"
            | "cp819" => Self::Latin1,
            "utf8" | "utf_8" | "u8" | "utf" | "cp65001" => Self::Utf8,
            "cp1252" | "windows_1252" | "1252" => Self::Cp1252,
            _ => Self::Unknown,
        }
    }
}

/// What is done with bytes that a codec can't decode: `errors` of `pickle.load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ErrorHandler {
    /// They are an error.
    #[default]
    Strict,
    /// They are dropped.
    Ignore,
    /// U+FFFD stands for them.
    Replace,
    /// `\xNN` stands for each.
    BackslashReplace,
    /// A lone surrogate stands for each.
    SurrogateEscape,
    /// A name that is no handler's: a `LookupError` where one is needed.
    Unknown,
}

impl ErrorHandler {
    /// The handler of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "strict" => Self::Strict,
            "ignore" => Self::Ignore,
            "replace" => Self::Replace,
            "backslashreplace" => Self::BackslashReplace,
            "surrogateescape" => Self::SurrogateEscape,
            _ => Self::Unknown,
        }
    }
}

/// The characters of cp1252 from 0x80 to 0x9f; 0 where it has none.
const CP1252: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
    0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
    0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/// Whether [`decode`] succeeds, without decoding where a look is enough.
pub(crate) fn check(raw: &[u8], encoding: Encoding, errors: ErrorHandler) -> Result<(), ErrorKind> {
    match encoding {
        Encoding::Latin1 | Encoding::Bytes => Ok(()),
        Encoding::Ascii if raw.is_ascii() => Ok(()),
        _ => decode(Cow::Borrowed(raw), encoding, errors).map(|_| ()),
    }
}

/// The text of a Python 2 string, as UTF-8 in which surrogates may stand.
pub(crate) fn decode(
    raw: Cow<'_, [u8]>,
    encoding: Encoding,
    errors: ErrorHandler,
) -> Result<Cow<'_, [u8]>, ErrorKind> {
    if raw.is_empty() {
        return Ok(raw);
    }
    if encoding == Encoding::Unknown {
        return Err(ErrorKind::UnknownCodec);
    }
    if raw.is_ascii() {
        return Ok(raw);
    }
    let mut text = Vec::with_capacity(raw.len());
    if encoding == Encoding::Utf8 {
        for chunk in raw.utf8_chunks() {
            text.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                handle(&mut text, chunk.invalid(), errors)?;
            }
        }
        return Ok(Cow::Owned(text));
    }
    for byte in raw.iter() {
        let code_point = match (encoding, byte) {
            (Encoding::Ascii, 0x80..) => None,
            (Encoding::Cp1252, 0x80..=0x9f) => CP1252
                .get(usize::from(byte & 0x1f))
                .filter(|code_point| **code_point > 0)
                .map(|code_point| u32::from(*code_point)),
            _ => Some(u32::from(*byte)),
        };
        match code_point {
            Some(code_point) => push_code_point(&mut text, code_point),
            None => handle(&mut text, &[*byte], errors)?,
        }
    }
    Ok(Cow::Owned(text))
}

fn handle(text: &mut Vec<u8>, invalid: &[u8], errors: ErrorHandler) -> Result<(), ErrorKind> {
    match errors {
        ErrorHandler::Strict => return Err(ErrorKind::InvalidText),
        ErrorHandler::Unknown => return Err(ErrorKind::UnknownCodec),
        ErrorHandler::Ignore => {}
        ErrorHandler::Replace => push_code_point(text, 0xfffd),
        ErrorHandler::BackslashReplace => {
            for byte in invalid {
                text.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
            }
        }
        ErrorHandler::SurrogateEscape => {
            for byte in invalid {
                push_code_point(text, 0xdc00 | u32::from(*byte));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &[u8], encoding: Encoding, errors: ErrorHandler) -> Result<Vec<u8>, ErrorKind> {
        decode(Cow::Borrowed(raw), encoding, errors).map(Cow::into_owned)
    }

    #[test]
    fn codecs_have_the_names_that_python_knows() {
        assert_eq!(Encoding::from_name("ASCII"), Encoding::Ascii);
        assert_eq!(Encoding::from_name("iso-8859-1"), Encoding::Latin1);
        assert_eq!(Encoding::from_name("UTF8"), Encoding::Utf8);
        assert_eq!(Encoding::from_name("bytes"), Encoding::Bytes);
        assert_eq!(Encoding::from_name("Bytes"), Encoding::Unknown);
    }

    #[test]
    fn handlers_do_what_their_names_say() {
        use ErrorHandler::*;
        let raw = b"a\xe2\x82b";
        assert_eq!(
            decoded(raw, Encoding::Utf8, Strict),
            Err(ErrorKind::InvalidText)
        );
        assert_eq!(decoded(raw, Encoding::Utf8, Ignore), Ok(b"ab".to_vec()));
        assert_eq!(
            decoded(raw, Encoding::Utf8, Replace),
            Ok("a\u{fffd}b".into())
        );
        assert_eq!(
            decoded(raw, Encoding::Utf8, BackslashReplace),
            Ok(br"a\xe2\x82b".to_vec())
        );
        assert_eq!(
            decoded(b"\xff", Encoding::Ascii, SurrogateEscape),
            Ok(vec![0xed, 0xb3, 0xbf])
        );
        assert_eq!(
            decoded(b"\x80", Encoding::Cp1252, Strict),
            Ok("\u{20ac}".into())
        );
        assert_eq!(
            decoded(b"\x81", Encoding::Cp1252, Strict),
            Err(ErrorKind::InvalidText)
        );
        assert_eq!(
            decoded(b"\xff", Encoding::Ascii, Unknown),
            Err(ErrorKind::UnknownCodec)
        );
        assert_eq!(decoded(b"", Encoding::Unknown, Strict), Ok(vec![]));
        assert_eq!(
            decoded(b"a", Encoding::Unknown, Strict),
            Err(ErrorKind::UnknownCodec)
        );
    }
}
