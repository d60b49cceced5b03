//! The methods of bytes, and what turns bytes into text and text into bytes.

use super::Known;

/// Names of codecs are compared without case, `-` being `_`.
fn normalized(encoding: &str) -> String {
    encoding.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// `text.encode(encoding)`, the text first.
pub(super) fn encode(arguments: &[Known]) -> Option<Known> {
    let (Some(Known::Text(text)), rest) = (arguments.first(), arguments.get(1..)?) else {
        return None;
    };
    let encoding = match rest.first() {
        None => "utf_8".to_owned(),
        Some(Known::Text(encoding)) if rest.len() == 1 => normalized(encoding),
        Some(_) => return None,
    };
    let bytes: Option<Vec<u8>> = match encoding.as_str() {
        "utf_8" | "utf8" => Some(text.clone().into_bytes()),
        "ascii" | "us_ascii" => text.is_ascii().then(|| text.clone().into_bytes()),
        "latin1" | "latin_1" | "iso_8859_1" | "iso8859_1" => text
            .chars()
            .map(|it| u8::try_from(u32::from(it)).ok())
            .collect(),
        _ => None,
    };
    bytes.map(Known::Bytes)
}

/// What a function of codecs, base64 or binascii gives.
pub(super) fn decode(name: &str, arguments: &[Known]) -> Option<Known> {
    let data = match arguments.first()? {
        Known::Bytes(bytes) => bytes.clone(),
        Known::Text(text) => text.clone().into_bytes(),
        _ => return None,
    };
    // An error handler, an alphabet or a flag changes what comes out.
    let encoding = match arguments.get(1..)? {
        [] => "utf_8".to_owned(),
        [Known::Text(encoding)] if matches!(name, "decode" | "encode") => normalized(encoding),
        _ => return None,
    };
    match name {
        "decode" => match (encoding.as_str(), arguments.first()?) {
            ("ascii" | "us_ascii", Known::Bytes(_)) if !data.is_ascii() => None,
            ("utf_8" | "utf8" | "ascii" | "us_ascii", Known::Bytes(_)) => {
                String::from_utf8(data).ok().map(Known::Text)
            }
            ("latin1" | "latin_1" | "iso_8859_1" | "iso8859_1", Known::Bytes(_)) => {
                Some(Known::Text(data.into_iter().map(char::from).collect()))
            }
            ("rot13" | "rot_13", Known::Text(text)) => Some(Known::Text(rot13(text))),
            ("hex" | "hex_codec", Known::Bytes(_)) => hex(&data).map(Known::Bytes),
            ("base64" | "base64_codec", Known::Bytes(_)) => base64(&data).map(Known::Bytes),
            _ => None,
        },
        "encode" => match (encoding.as_str(), arguments.first()?) {
            ("rot13" | "rot_13", Known::Text(text)) => Some(Known::Text(rot13(text))),
            _ => encode(arguments),
        },
        "b64decode" | "standard_b64decode" | "decodebytes" | "a2b_base64" => {
            base64(&data).map(Known::Bytes)
        }
        "urlsafe_b64decode" => {
            let plain: Vec<u8> = data
                .iter()
                .map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => *other,
                })
                .collect();
            base64(&plain).map(Known::Bytes)
        }
        "b32decode" => base32(&data).map(Known::Bytes),
        "b16decode" | "unhexlify" | "a2b_hex" => hex(&data).map(Known::Bytes),
        // It alone takes blanks.
        "fromhex" => {
            let plain: Vec<u8> = data.into_iter().filter(|byte| *byte != b' ').collect();
            hex(&plain).map(Known::Bytes)
        }
        _ => None,
    }
}

/// What a method of bytes gives.
pub(super) fn method(receiver: &[u8], name: &str, arguments: &[Known]) -> Option<Known> {
    match (name, arguments) {
        ("decode", given) => {
            let mut whole = vec![Known::Bytes(receiver.to_vec())];
            whole.extend_from_slice(given);
            decode("decode", &whole)
        }
        ("hex", []) => {
            let digits = receiver.iter().map(|byte| format!("{byte:02x}"));
            Some(Known::Text(digits.collect()))
        }
        // What is ASCII behaves as text does.
        (
            "join" | "replace" | "lower" | "upper" | "swapcase" | "strip" | "lstrip" | "rstrip",
            _,
        ) => {
            let text = |bytes: &[u8]| {
                String::from_utf8(bytes.to_vec())
                    .ok()
                    .filter(|it| it.is_ascii())
            };
            let mut given = Vec::new();
            for argument in arguments {
                given.push(match argument {
                    Known::Bytes(bytes) => Known::Text(text(bytes)?),
                    Known::List(items) => {
                        let mut texts = Vec::new();
                        for item in items {
                            match item {
                                Known::Bytes(bytes) => texts.push(Known::Text(text(bytes)?)),
                                _ => return None,
                            }
                        }
                        Known::List(texts)
                    }
                    _ => return None,
                });
            }
            match super::text::method(&text(receiver)?, name, &given)? {
                Known::Text(text) => Some(Known::Bytes(text.into_bytes())),
                _ => None,
            }
        }
        _ => None,
    }
}

fn rot13(text: &str) -> String {
    let turned = |character: char| {
        let base = match character {
            'a'..='z' => b'a',
            'A'..='Z' => b'A',
            _ => return character,
        };
        let place = u32::from(character).saturating_sub(u32::from(base));
        let turned = place.saturating_add(13).checked_rem(26).unwrap_or(0);
        char::from_u32(turned.saturating_add(u32::from(base))).unwrap_or(character)
    };
    text.chars().map(turned).collect()
}

fn hex(data: &[u8]) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = data
        .iter()
        .map(|byte| char::from(*byte).to_digit(16))
        .collect();
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from((high << 4) | low).ok(),
        _ => None,
    };
    digits?.chunks(2).map(pair).collect()
}

/// As `binascii.a2b_base64` reads it: what is not of the alphabet is skipped, and so is padding where
/// there is nothing to pad.
fn base64(data: &[u8]) -> Option<Vec<u8>> {
    let mut digits: Vec<u8> = Vec::new();
    let mut pads = 0_usize;
    for byte in data {
        let in_quad = digits.len() & 3;
        let value = match byte {
            b'=' => {
                pads = pads.checked_add(1)?;
                if in_quad >= 2 && in_quad.checked_add(pads)? >= 4 {
                    return packed(&mut digits.into_iter(), 6);
                }
                continue;
            }
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        pads = 0;
        digits.push(value);
    }
    // "Incorrect padding"
    digits
        .len()
        .is_multiple_of(4)
        .then(|| packed(&mut digits.into_iter(), 6))?
}

fn base32(data: &[u8]) -> Option<Vec<u8>> {
    let mut digits = Vec::new();
    for byte in data.iter().take_while(|byte| **byte != b'=') {
        digits.push(match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'2'..=b'7' => byte.wrapping_sub(b'2').wrapping_add(26),
            _ => return None,
        });
    }
    // Whole groups of eight, padded.
    data.len()
        .is_multiple_of(8)
        .then(|| packed(&mut digits.into_iter(), 5))?
}

/// Digits of so many bits each as bytes; what is left over is padding.
fn packed(digits: &mut dyn Iterator<Item = u8>, bits: u32) -> Option<Vec<u8>> {
    let (mut bytes, mut buffer, mut filled) = (Vec::new(), 0_u32, 0_u32);
    for digit in digits {
        buffer = (buffer << bits) | u32::from(digit);
        filled = filled.checked_add(bits)?;
        if filled >= 8 {
            filled = filled.checked_sub(8)?;
            let [low, ..] = (buffer >> filled).to_le_bytes();
            bytes.push(low);
            buffer &= (1_u32 << filled).wrapping_sub(1);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_names_is_undone() {
        let bytes = |data: &[u8]| Known::Bytes(data.to_vec());
        let text = |text: &str| Known::Text(text.to_owned());
        assert_eq!(
            decode("b64decode", &[bytes(b"c3lzdGVt")]),
            Some(bytes(b"system"))
        );
        assert_eq!(decode("b64decode", &[text("b3M=")]), Some(bytes(b"os")));
        assert_eq!(
            decode("b32decode", &[bytes(b"N5ZQ====")]),
            Some(bytes(b"os"))
        );
        assert_eq!(decode("unhexlify", &[bytes(b"6f73")]), Some(bytes(b"os")));
        assert_eq!(decode("unhexlify", &[bytes(b"6f7")]), None);
        assert_eq!(
            decode("decode", &[text("flfgrz"), text("rot13")]),
            Some(text("system"))
        );
        assert_eq!(
            decode("decode", &[bytes(b"os"), text("ascii")]),
            Some(text("os"))
        );
        assert_eq!(encode(&[text("os"), text("UTF-8")]), Some(bytes(b"os")));
        assert_eq!(method(b"OS", "lower", &[]), Some(bytes(b"os")));
    }
}
