//! The functions that are evaluated, by their names.

use super::{Known, bytes, text};

/// What a global gives for arguments that are known.
pub(super) fn call(module: &str, name: &str, arguments: &[Known]) -> Option<Known> {
    match module {
        "builtins" => builtin(name, arguments),
        "operator" | "_operator" => operator(name, arguments),
        "codecs" | "_codecs" | "base64" | "binascii" => bytes::decode(name, arguments),
        _ => None,
    }
}

/// What a method of a known value gives.
pub(super) fn method(receiver: &Known, name: &str, arguments: &[Known]) -> Option<Known> {
    if let Some(name) = dunder(name) {
        let mut operands = vec![receiver.clone()];
        operands.extend_from_slice(arguments);
        return operator(name, &operands);
    }
    match receiver {
        Known::Text(receiver) => text::method(receiver, name, arguments),
        Known::Bytes(receiver) => bytes::method(receiver, name, arguments),
        Known::List(items) => match (name, arguments) {
            ("copy", []) => Some(Known::List(items.clone())),
            _ => None,
        },
        Known::None | Known::Int(_) | Known::Slice(_) => None,
    }
}

/// The operator that a special method stands for.
fn dunder(name: &str) -> Option<&'static str> {
    Some(match name {
        "__add__" => "add",
        "__mul__" | "__rmul__" => "mul",
        "__mod__" => "mod",
        "__getitem__" => "getitem",
        _ => return None,
    })
}

fn builtin(name: &str, arguments: &[Known]) -> Option<Known> {
    // `str.join` of protocol 4, and what getattr makes of it.
    if let Some((class, name)) = name.split_once('.') {
        let (receiver, rest) = match (class, name, arguments) {
            ("bytes" | "bytearray", "fromhex", _) => (None, arguments),
            ("str" | "bytes" | "bytearray", _, [receiver, rest @ ..]) => (Some(receiver), rest),
            _ => return None,
        };
        return match receiver {
            Some(receiver) => method(receiver, name, rest),
            None => bytes::decode(name, rest),
        };
    }
    match (name, arguments) {
        ("str", []) => Some(Known::Text(String::new())),
        ("str" | "format", [Known::Text(text)]) => Some(Known::Text(text.clone())),
        ("str", [Known::Int(value)]) => Some(Known::Text(value.to_string())),
        ("str", [Known::Bytes(_), _]) => bytes::decode("decode", arguments),
        ("bytes" | "bytearray", [Known::Bytes(bytes)]) => Some(Known::Bytes(bytes.clone())),
        ("bytes" | "bytearray", [Known::List(items)]) => {
            let bytes: Option<Vec<u8>> = items
                .iter()
                .map(|item| match item {
                    Known::Int(value) => u8::try_from(*value).ok(),
                    _ => None,
                })
                .collect();
            bytes.map(Known::Bytes)
        }
        ("bytes" | "bytearray", [Known::Text(_), _]) => bytes::encode(arguments),
        ("chr", [Known::Int(value)]) => {
            let character = char::from_u32(u32::try_from(*value).ok()?)?;
            Some(Known::Text(character.into()))
        }
        ("ord", [Known::Text(text)]) => {
            let mut characters = text.chars();
            let first = characters.next()?;
            characters
                .next()
                .is_none()
                .then(|| Known::Int(i64::from(u32::from(first))))
        }
        ("int", [Known::Int(value)]) => Some(Known::Int(*value)),
        ("int", [Known::Text(text)]) => text.trim().parse().ok().map(Known::Int),
        ("int", [Known::Text(text), Known::Int(radix)]) => {
            let digits = text
                .trim()
                .trim_start_matches("0x")
                .trim_start_matches("0X");
            let radix = u32::try_from(*radix)
                .ok()
                .filter(|radix| (2..=36).contains(radix))?;
            i64::from_str_radix(digits, radix).ok().map(Known::Int)
        }
        ("list" | "tuple" | "iter", [items]) => items.iterate().map(Known::List),
        ("reversed", [items]) => {
            let mut items = items.iterate()?;
            items.reverse();
            Some(Known::List(items))
        }
        ("sorted", [items]) => {
            let mut texts: Vec<String> = Vec::new();
            for item in items.iterate()? {
                match item {
                    Known::Text(text) => texts.push(text),
                    _ => return None,
                }
            }
            texts.sort();
            Some(Known::List(texts.into_iter().map(Known::Text).collect()))
        }
        ("slice", bounds) => slice(bounds),
        _ => None,
    }
}

fn slice(bounds: &[Known]) -> Option<Known> {
    let bound = |known: &Known| match known {
        Known::None => Some(None),
        Known::Int(value) => Some(Some(*value)),
        _ => None,
    };
    let bounds: Option<Vec<Option<i64>>> = bounds.iter().map(bound).collect();
    Some(Known::Slice(match bounds?.as_slice() {
        [stop] => [None, *stop, None],
        [start, stop] => [*start, *stop, None],
        [start, stop, stride] => [*start, *stop, *stride],
        _ => return None,
    }))
}

fn operator(name: &str, arguments: &[Known]) -> Option<Known> {
    match (name, arguments) {
        ("add" | "concat" | "iadd" | "iconcat", [left, right]) => match (left, right) {
            (Known::Text(left), Known::Text(right)) => Some(Known::Text(format!("{left}{right}"))),
            (Known::Bytes(left), Known::Bytes(right)) => {
                Some(Known::Bytes([left.as_slice(), right.as_slice()].concat()))
            }
            (Known::List(left), Known::List(right)) => {
                Some(Known::List([left.as_slice(), right.as_slice()].concat()))
            }
            (Known::Int(left), Known::Int(right)) => left.checked_add(*right).map(Known::Int),
            _ => None,
        },
        ("sub", [Known::Int(left), Known::Int(right)]) => left.checked_sub(*right).map(Known::Int),
        ("xor", [Known::Int(left), Known::Int(right)]) => Some(Known::Int(left ^ right)),
        ("mul" | "imul", [Known::Text(text), Known::Int(times)]) => {
            let times = usize::try_from(*times).unwrap_or(0);
            let length = text.len().checked_mul(times)?;
            (length <= super::MAX_LENGTH).then(|| Known::Text(text.repeat(times)))
        }
        ("mod" | "imod", [Known::Text(template), given]) => text::percent(template, given),
        ("getitem", [items, Known::Int(index)]) => {
            let items = items.iterate()?;
            let index = match usize::try_from(*index) {
                Ok(index) => index,
                Err(_) => items
                    .len()
                    .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
            };
            items.get(index).cloned()
        }
        ("getitem", [items, Known::Slice(bounds)]) => {
            let taken = cut(&items.iterate()?, *bounds)?;
            match items {
                Known::Text(_) => text::join("", &taken),
                Known::Bytes(_) => builtin("bytes", &[Known::List(taken)]),
                _ => Some(Known::List(taken)),
            }
        }
        _ => None,
    }
}

/// `items[start:stop:step]`
fn cut(items: &[Known], [start, stop, stride]: [Option<i64>; 3]) -> Option<Vec<Known>> {
    let length = i64::try_from(items.len()).ok()?;
    let stride = stride.unwrap_or(1);
    if stride == 0 {
        return None;
    }
    let (low, high) = if stride > 0 {
        (0, length)
    } else {
        (-1, length.checked_sub(1)?)
    };
    let bound = |given: Option<i64>, default: i64| match given {
        Some(given) if given < 0 => given.saturating_add(length).clamp(low, high),
        Some(given) => given.clamp(low, high),
        None => default,
    };
    let (first, last) = if stride > 0 { (low, high) } else { (high, low) };
    let (mut at, end) = (bound(start, first), bound(stop, last));
    let mut taken = Vec::new();
    while (stride > 0 && at < end) || (stride < 0 && at > end) {
        taken.push(items.get(usize::try_from(at).ok()?)?.clone());
        at = at.checked_add(stride)?;
    }
    Some(taken)
}
