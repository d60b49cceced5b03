//! The methods of str.

use super::{Known, bytes};

/// `separator.join(items)`
pub(super) fn join(separator: &str, items: &[Known]) -> Option<Known> {
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        let Known::Text(text) = item else { return None };
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
        within(&joined)?;
    }
    Some(Known::Text(joined))
}

/// Nothing where a text has become too long.
fn within(text: &str) -> Option<()> {
    (text.len() <= super::MAX_LENGTH).then_some(())
}

/// `template % given`, where only `%s`, `%d`, `%c` and `%%` stand.
pub(super) fn percent(template: &str, given: &Known) -> Option<Known> {
    let mut given = match given {
        Known::List(items) => items.clone(),
        other => vec![other.clone()],
    }
    .into_iter();
    let mut text = String::new();
    let mut characters = template.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        within(&text)?;
        match characters.next()? {
            '%' => text.push('%'),
            's' | 'd' => text.push_str(&shown(&given.next()?)?),
            'c' => match given.next()? {
                Known::Text(one) => text.push_str(&one),
                Known::Int(code) => text.push(char::from_u32(u32::try_from(code).ok()?)?),
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(Known::Text(text))
}

/// `str(value)`, of text and numbers.
fn shown(value: &Known) -> Option<String> {
    match value {
        Known::Text(text) => Some(text.clone()),
        Known::Int(value) => Some(value.to_string()),
        _ => None,
    }
}

/// `template.format(*given)`, where only `{}` and `{0}` stand.
fn format(template: &str, given: &[Known]) -> Option<Known> {
    let mut text = String::new();
    let mut next = 0_usize;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(['{', '}']) {
        text.push_str(before);
        within(&text)?;
        let bracket = rest.as_bytes().get(before.len())?;
        if after.as_bytes().first() == Some(bracket) {
            text.push(char::from(*bracket));
            rest = after.get(1..)?;
            continue;
        }
        if *bracket == b'}' {
            return None;
        }
        let (field, after) = after.split_once('}')?;
        let place = if field.is_empty() {
            let place = next;
            next = next.checked_add(1)?;
            place
        } else {
            field.parse().ok()?
        };
        text.push_str(&shown(given.get(place)?)?);
        rest = after;
    }
    text.push_str(rest);
    Some(Known::Text(text))
}

/// What Python takes for white space: the separators of ASCII too.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// The characters that a strip method takes off.
fn stripped<'t>(receiver: &'t str, name: &str, characters: Option<&str>) -> &'t str {
    let matches = |character: char| match characters {
        Some(characters) => characters.contains(character),
        None => is_blank(character),
    };
    match name {
        "lstrip" => receiver.trim_start_matches(matches),
        "rstrip" => receiver.trim_end_matches(matches),
        _ => receiver.trim_matches(matches),
    }
}

/// What a method of a str gives.
pub(super) fn method(receiver: &str, name: &str, arguments: &[Known]) -> Option<Known> {
    let text = |text: String| Some(Known::Text(text));
    match (name, arguments) {
        ("join", [items]) => join(receiver, &items.iterate()?),
        ("replace", [Known::Text(old), Known::Text(new), rest @ ..]) => {
            let grows = new.len().checked_mul(receiver.len().checked_add(1)?)?;
            if grows > super::MAX_LENGTH.checked_mul(4)? {
                return None;
            }
            match rest {
                [] | [Known::Int(i64::MIN..=-1)] => text(receiver.replace(old, new)),
                [Known::Int(count)] => {
                    text(receiver.replacen(old, new, usize::try_from(*count).ok()?))
                }
                _ => None,
            }
        }
        // Beyond ASCII the tables of Unicode decide, and their versions differ.
        ("lower" | "casefold" | "upper" | "swapcase" | "capitalize", _) if !receiver.is_ascii() => {
            None
        }
        ("lower" | "casefold", []) => text(receiver.to_ascii_lowercase()),
        ("upper", []) => text(receiver.to_ascii_uppercase()),
        ("swapcase", []) => text(receiver.chars().flat_map(swapped).collect()),
        ("capitalize", []) => {
            let mut characters = receiver.chars();
            let first: String = characters
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .collect();
            text(first + &characters.as_str().to_lowercase())
        }
        ("strip" | "lstrip" | "rstrip", [] | [Known::None]) => {
            text(stripped(receiver, name, None).to_owned())
        }
        ("strip" | "lstrip" | "rstrip", [Known::Text(characters)]) => {
            text(stripped(receiver, name, Some(characters)).to_owned())
        }
        ("removeprefix", [Known::Text(prefix)]) => text(
            receiver
                .strip_prefix(prefix.as_str())
                .unwrap_or(receiver)
                .to_owned(),
        ),
        ("removesuffix", [Known::Text(suffix)]) => text(
            receiver
                .strip_suffix(suffix.as_str())
                .unwrap_or(receiver)
                .to_owned(),
        ),
        ("split" | "rsplit", [Known::Text(separator)]) if !separator.is_empty() => {
            Some(Known::List(
                receiver
                    .split(separator.as_str())
                    .map(|part| Known::Text(part.to_owned()))
                    .collect(),
            ))
        }
        ("split" | "rsplit", [] | [Known::None]) => Some(Known::List(
            receiver
                .split_whitespace()
                .map(|part| Known::Text(part.to_owned()))
                .collect(),
        )),
        ("format", given) => format(receiver, given),
        ("encode", given) => {
            let mut whole = vec![Known::Text(receiver.to_owned())];
            whole.extend_from_slice(given);
            bytes::encode(&whole)
        }
        ("__str__", []) => text(receiver.to_owned()),
        _ => None,
    }
}

fn swapped(character: char) -> Vec<char> {
    if character.is_uppercase() {
        character.to_lowercase().collect()
    } else {
        character.to_uppercase().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Known {
        Known::Text(text.to_owned())
    }

    #[test]
    fn methods_are_those_of_python() {
        let call = |receiver, name, arguments: &[Known]| method(receiver, name, arguments);
        assert_eq!(
            call("", "join", &[Known::List(vec![known("o"), known("s")])]),
            Some(known("os"))
        );
        assert_eq!(call("", "join", &[known("os")]), Some(known("os")));
        assert_eq!(
            call("oXs", "replace", &[known("X"), known("")]),
            Some(known("os"))
        );
        assert_eq!(call("SYSTEM", "lower", &[]), Some(known("system")));
        assert_eq!(call("xxosxx", "strip", &[known("x")]), Some(known("os")));
        assert_eq!(
            call("{}s{1}{{", "format", &[known("o"), known("!")]),
            Some(known("os!{"))
        );
        assert_eq!(call("{", "format", &[]), None);
        assert_eq!(call("oS", "swapcase", &[]), Some(known("Os")));
        assert_eq!(call("os", "unknown", &[]), None);
        let given = Known::List(vec![known("o"), Known::Int(115)]);
        assert_eq!(percent("%s%c", &given), Some(known("os")));
        assert_eq!(percent("%q", &given), None);
    }
}
