//! The header of an array file: a Python literal, read only as far as two questions need. May the
//! array hold objects, and how many bytes is its data? Where the answer is not plain, it may.

/// The answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Described {
    /// The array's type has objects in it, or it cannot be told.
    pub(super) objects: bool,
    /// The bytes of the array's data, for plain types.
    pub(super) size: Option<u64>,
}

/// Reads a header.
pub(super) fn read(header: &[u8]) -> Described {
    let unclear = Described {
        objects: true,
        size: None,
    };
    // Escapes could spell a name or a type in another way.
    if header.contains(&b'\\') {
        return unclear;
    }
    let Ok(text) = str::from_utf8(header) else {
        return unclear;
    };
    let Some(value) = after_key(text, "descr") else {
        return unclear;
    };
    let value = value.trim_start();
    if value.starts_with('[') {
        let objects = strings(value).any(is_object_code);
        return Described {
            objects,
            size: None,
        };
    }
    let Some(descr) = strings(value)
        .next()
        .filter(|_| value.starts_with(['\'', '"']))
    else {
        return unclear;
    };
    // Two literals side by side are one string in Python.
    let behind = value
        .get(descr.len().saturating_add(2)..)
        .unwrap_or_default();
    if descr.contains('O')
        || descr.contains("object")
        || !behind.trim_start().starts_with([',', '}'])
    {
        return unclear;
    }
    let size = item_size(descr).and_then(|item| count(text)?.checked_mul(item));
    Described {
        objects: false,
        size,
    }
}

/// What follows a key and its colon. A key that occurs twice is not plain.
fn after_key<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut found = None;
    for (at, _) in text.match_indices(key) {
        let quote = text.get(..at)?.chars().next_back();
        let rest = text.get(at.checked_add(key.len())?..)?;
        if let Some(quote @ ('\'' | '"')) = quote
            && let Some(value) = rest
                .strip_prefix(quote)
                .and_then(|rest| rest.trim_start().strip_prefix(':'))
            && found.replace(value).is_some()
        {
            return None;
        }
    }
    found
}

/// The string literals in a text, from left to right, up to one that is not closed.
fn strings(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['\'', '"'])?;
        let quote = rest.get(start..)?.chars().next()?;
        let body = rest.get(start.checked_add(1)?..)?;
        let end = body.find(quote)?;
        rest = body.get(end.checked_add(1)?..)?;
        body.get(..end)
    })
}

/// Whether a string in a structured type can be the code of the object type. A field with such a
/// name is taken for one, which costs nothing.
fn is_object_code(text: &str) -> bool {
    text.split(',').any(|part| {
        let code = part.trim().trim_start_matches(['|', '<', '>', '=']);
        let code = code.rsplit(')').next().unwrap_or(code);
        code.strip_prefix('O')
            .is_some_and(|size| size.bytes().all(|b| b.is_ascii_digit()))
            || code.starts_with("object")
    })
}

/// The size of one item of a plain type such as `<f4` or `<U10`.
fn item_size(descr: &str) -> Option<u64> {
    let code = descr.trim_start_matches(['|', '<', '>', '=']);
    let mut characters = code.chars();
    let kind = characters.next()?;
    let digits = characters.as_str().split('[').next()?;
    let size: u64 = digits.parse().ok()?;
    match kind {
        'U' => size.checked_mul(4),
        'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'V' | 'm' | 'M' | 'a' => Some(size),
        _ => None,
    }
}

/// The number of items that the shape gives.
fn count(text: &str) -> Option<u64> {
    let shape = after_key(text, "shape")?.trim_start().strip_prefix('(')?;
    let (shape, _) = shape.split_once(')')?;
    shape
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .try_fold(1_u64, |product, part| {
            product.checked_mul(part.trim_end_matches('L').parse().ok()?)
        })
}
