//! What a `numpy.dtype` in a stream comes to: how large an item is, or that items are objects.
//!
//! Source: `arraydescr_new` and `arraydescr_setstate` of `numpy/_core/src/multiarray/descriptor.c`.
//! The first takes a type's code, `f8`. The second takes the size from the state only where the
//! code leaves it open, and whether there are objects from the state's flags alone.

use pickleproof_core::{Graph, Value, ValueKind};

/// What an item of an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// So many bytes.
    Plain { item: u64 },
    /// Python objects.
    Objects,
}

/// A dtype that a stream makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtype {
    code: Option<Code>,
    /// It is a copy of its own, whose state can be set.
    copy: bool,
    /// Size and flags of the state, once it is set.
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unset,
    Set { size: i64, flags: i64 },
    Unclear,
}

/// A type's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// A size that no state changes.
    Fixed(u64),
    /// Text, bytes or records: a state sets the size.
    Open(u64),
    /// `O`.
    Objects,
}

const UNCLEAR: &str = "because its dtype is not plainly stated";

/// `NPY_ITEM_HASOBJECT`.
const HAS_OBJECTS: i64 = 1;

impl Dtype {
    /// The dtype of a call of `numpy.dtype`; `is_record` knows `numpy.record`.
    pub(super) fn new(
        graph: &Graph<'_>,
        arguments: Value,
        is_record: impl FnOnce(Value) -> bool,
    ) -> Self {
        let unclear = Self {
            code: None,
            copy: false,
            state: State::Unset,
        };
        if arguments.kind() != ValueKind::Tuple || !(1..=3).contains(&graph.item_count(arguments)) {
            return unclear;
        }
        let mut arguments = graph.items(arguments);
        let Some(kind) = arguments.next() else {
            return unclear;
        };
        let code = match graph.text(kind) {
            Some(text) => str::from_utf8(&text).ok().and_then(code),
            None if is_record(kind) => Some(Code::Open(0)),
            None => None,
        };
        let is = |value: Option<Value>| value.map_or(Some(false), |value| truth(graph, value));
        match (is(arguments.next()), is(arguments.next())) {
            // Aligned types are those of records that are spelt out, which numpy does not pickle so.
            (Some(false), Some(copy)) => Self {
                code,
                copy,
                ..unclear
            },
            _ => unclear,
        }
    }

    /// `__setstate__`.
    pub(super) fn set_state(&mut self, graph: &Graph<'_>, state: Value) {
        if !self.copy && matches!(self.code, Some(Code::Fixed(_) | Code::Objects)) {
            // numpy's own types take no state.
            return;
        }
        let first = self.state == State::Unset && self.copy;
        self.state = state_of(graph, state)
            .filter(|_| first)
            .unwrap_or(State::Unclear);
    }

    /// What an item of an array of this type is.
    pub(super) fn layout(&self) -> Result<Layout, &'static str> {
        let code = self.code.ok_or(UNCLEAR)?;
        let (size, objects) = match (code, self.state) {
            (_, State::Unclear) => return Err(UNCLEAR),
            (Code::Objects, State::Unset) => (0, true),
            (Code::Fixed(size) | Code::Open(size), State::Unset) => (size, false),
            (Code::Fixed(size), State::Set { flags, .. }) => (size, flags & HAS_OBJECTS != 0),
            (Code::Open(_), State::Set { size, flags }) => (
                u64::try_from(size).map_err(|_| UNCLEAR)?,
                flags & HAS_OBJECTS != 0,
            ),
            // `numpy.dtype('O')` without its flag makes arrays of addresses.
            (Code::Objects, State::Set { flags, .. }) => {
                if flags & HAS_OBJECTS == 0 {
                    return Err(UNCLEAR);
                }
                (0, true)
            }
        };
        if objects {
            return Ok(Layout::Objects);
        }
        // joblib divides by the size, and dies if it is zero; where it maps the file it does not.
        Ok(Layout::Plain { item: size })
    }
}

/// Whether a flag is set; only plain numbers are read.
fn truth(graph: &Graph<'_>, value: Value) -> Option<bool> {
    graph.small_integer(value).map(|number| number != 0)
}

/// Size and flags in a state of version 3 or 4:
/// `(version, order, subarray, names, fields, size, alignment, flags[, metadata])`.
fn state_of(graph: &Graph<'_>, state: Value) -> Option<State> {
    if state.kind() != ValueKind::Tuple || !matches!(graph.item_count(state), 8 | 9) {
        return None;
    }
    let items: Vec<Value> = graph.items(state).collect();
    let version = graph.small_integer(*items.first()?)?;
    let subarray = items.get(2)?;
    let size = graph.small_integer(*items.get(5)?)?;
    let flags = graph.small_integer(*items.get(7)?)?;
    let plain = matches!(version, 3 | 4)
        && subarray.is_none()
        && (-1..=i64::from(i32::MAX)).contains(&size)
        && (0..=0xff).contains(&flags);
    plain.then_some(State::Set { size, flags })
}

/// Other words for types of one size on every platform, which numpy takes and does not pickle.
fn named(text: &str) -> Option<Code> {
    let size = match text {
        "?" | "b" | "B" | "bool" | "int8" | "uint8" => 1,
        "h" | "H" | "e" | "int16" | "uint16" | "float16" => 2,
        "i" | "I" | "f" | "int32" | "uint32" | "float32" => 4,
        "q" | "Q" | "d" | "F" | "int64" | "uint64" | "float64" | "complex64" => 8,
        "D" | "complex128" => 16,
        "O" | "object" => return Some(Code::Objects),
        _ => return None,
    };
    Some(Code::Fixed(size))
}

/// A type's code as numpy pickles it: `f8`, `<i4`, `U5`, `M8[ns]`.
fn code(text: &str) -> Option<Code> {
    if let Some(code) = named(text) {
        return Some(code);
    }
    let code = text.strip_prefix(['<', '>', '=', '|']).unwrap_or(text);
    let mut characters = code.chars();
    let kind = characters.next()?;
    let mut digits = characters.as_str();
    if matches!(kind, 'm' | 'M')
        && let Some((size, unit)) = digits.split_once('[')
        && let Some(unit) = unit.strip_suffix(']')
        && unit.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        digits = size;
    }
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size: u64 = digits.parse().ok()?;
    match (kind, size) {
        ('O', 4 | 8) => Some(Code::Objects),
        ('b', 1)
        | ('i' | 'u', 1 | 2 | 4 | 8)
        | ('f', 2 | 4 | 8 | 12 | 16)
        | ('c', 8 | 16 | 24 | 32)
        | ('m' | 'M', 8) => Some(Code::Fixed(size)),
        ('S' | 'V', _) => Some(Code::Open(size)),
        ('U', _) => Some(Code::Open(size.checked_mul(4)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_numpy_pickles() {
        for (text, expected) in [
            ("f8", Code::Fixed(8)),
            ("<i4", Code::Fixed(4)),
            ("|b1", Code::Fixed(1)),
            ("c16", Code::Fixed(16)),
            ("M8", Code::Fixed(8)),
            ("m8[ns]", Code::Fixed(8)),
            ("M8[25s]", Code::Fixed(8)),
            ("U5", Code::Open(20)),
            ("S3", Code::Open(3)),
            ("V12", Code::Open(12)),
            ("O8", Code::Objects),
            ("O", Code::Objects),
            ("float64", Code::Fixed(8)),
            ("d", Code::Fixed(8)),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        for text in [
            "",
            "f3",
            "i16",
            "b8",
            "float",
            "l",
            "f8,f8",
            "2f8",
            "(2,)f8",
            "f+8",
            "f8 ",
            "U-1",
            "S9999999999",
            "M8[ns],f8",
            "M8[a,b]",
            "<<f8",
            "O2",
            "T16",
            "\u{663}8",
            "f\u{668}",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
