//! Values and effects as Python-like text, bounded in depth and length.
//!
//! The text is for people: whatever shows it escapes what a terminal or a page would take for
//! more than text.

use std::fmt::Write as _;

use pickleproof_core::{
    Effect, EffectKind, Global, GlobalId, Graph, Integer, Trace, Value, ValueKind,
};

use crate::names::Names;

/// How much of a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Containers and calls inside each other.
    pub depth: u32,
    /// Items of a container.
    pub items: usize,
    /// Characters of a text.
    pub text: usize,
    /// Rendering stops when all is this long.
    pub length: usize,
    /// Bytes of a literal that is decoded for it; of longer ones only the length is shown.
    pub literal: usize,
}

impl Room {
    /// For a finding, or a line of its own.
    pub const WIDE: Self = Self {
        depth: 6,
        items: 12,
        text: 240,
        length: 1600,
        literal: 1 << 20,
    };
    /// For one of many values in a line.
    pub const NARROW: Self = Self {
        depth: 3,
        items: 4,
        text: 40,
        length: 160,
        literal: 1 << 12,
    };
}

/// Under which name a global is shown.
pub trait Naming: std::fmt::Debug {
    /// The dotted name of this global, whose index is `id`.
    fn name(&self, id: GlobalId, global: &Global<'_>) -> String;
}

/// Every global under the names that the stream gives.
#[derive(Debug, Clone, Copy)]
pub struct AsWritten;

impl Naming for AsWritten {
    fn name(&self, _: GlobalId, global: &Global<'_>) -> String {
        let module = String::from_utf8_lossy(start(&global.module));
        format!("{module}.{}", String::from_utf8_lossy(start(&global.name)))
    }
}

/// Renders the values and effects of a run that is over, in full and under Python 3 names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renderer<'t, 'a> {
    pub(crate) trace: &'t Trace<'a>,
    pub(crate) names: &'t Names,
}

impl<'t, 'a> Renderer<'t, 'a> {
    const fn expressions(&self) -> Expressions<'t, 'a> {
        Expressions {
            graph: &self.trace.graph,
            effects: self.trace.effects.as_slice(),
            names: self.names,
            room: Room::WIDE,
        }
    }

    /// An effect as a line of Python.
    pub(crate) fn effect(&self, effect: &Effect) -> String {
        self.expressions().effect(effect)
    }

    /// A value as a Python expression.
    pub(crate) fn expression(&self, value: Value) -> String {
        self.expressions().expression(value)
    }
}

/// Renders the values of a run, or of what has run of it so far.
#[derive(Debug, Clone, Copy)]
pub struct Expressions<'t, 'a> {
    /// The values.
    pub graph: &'t Graph<'a>,
    /// The effects, in which objects were born.
    pub effects: &'t [Effect],
    /// How globals are named.
    pub names: &'t dyn Naming,
    /// How much is shown.
    pub room: Room,
}

impl Expressions<'_, '_> {
    /// An effect as a line of Python.
    #[must_use]
    pub fn effect(&self, effect: &Effect) -> String {
        let mut text = String::new();
        match effect.kind {
            EffectKind::Import { global, .. } => {
                if let Some(global) = self.graph.global_of(global) {
                    let module = String::from_utf8_lossy(start(&global.module));
                    let name = String::from_utf8_lossy(start(&global.name));
                    let _ = write!(text, "from {} import {}", clipped(&module), clipped(&name));
                }
            }
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                only_new,
                ..
            } => {
                self.call(&mut text, callable, arguments, keywords, only_new, 0);
            }
            EffectKind::Build { object, state } => {
                self.value(&mut text, object, 1);
                text.push_str(".__setstate__(");
                self.value(&mut text, state, 1);
                text.push(')');
            }
            EffectKind::SetItem { object, key, value } => {
                self.value(&mut text, object, 1);
                text.push('[');
                self.value(&mut text, key, 1);
                text.push_str("] = ");
                self.value(&mut text, value, 1);
            }
            EffectKind::Append { object, item } => self.method(&mut text, object, "append", item),
            EffectKind::Add { object, item } => self.method(&mut text, object, "add", item),
            EffectKind::Extend { object, items } => {
                self.value(&mut text, object, 1);
                text.push_str(".extend([");
                self.list(&mut text, self.graph.span(items).iter().copied(), 1);
                text.push_str("])");
            }
            EffectKind::PersistentLoad { id, .. } => {
                text.push_str("persistent_load(");
                if let Some(id) = id {
                    self.value(&mut text, id, 1);
                } else {
                    let line = self.graph.bytes().get(effect.offset.saturating_add(1)..);
                    let line = line.and_then(|rest| rest.split(|byte| *byte == b'\n').next());
                    quote(
                        &mut text,
                        &String::from_utf8_lossy(line.unwrap_or_default()),
                        self.room.text,
                    );
                }
                text.push(')');
            }
            EffectKind::ComputedImport { module, name, .. } => {
                text.push_str("getattr(__import__(");
                self.value(&mut text, module, 1);
                text.push_str("), ");
                self.value(&mut text, name, 1);
                text.push(')');
            }
            EffectKind::Extension { code, .. } => {
                let _ = write!(text, "copyreg._inverted_registry[{code}]");
            }
            EffectKind::Buffer { .. } => text.push_str("next(buffers)"),
        }
        text
    }

    fn method(&self, text: &mut String, object: Value, name: &str, item: Value) {
        self.value(text, object, 1);
        let _ = write!(text, ".{name}(");
        self.value(text, item, 1);
        text.push(')');
    }

    fn call(
        &self,
        text: &mut String,
        callable: Value,
        arguments: Value,
        keywords: Option<Value>,
        only_new: bool,
        depth: u32,
    ) {
        let deeper = depth.saturating_add(1);
        self.value(text, callable, deeper);
        if only_new {
            text.push_str(".__new__(");
            self.value(text, callable, deeper);
            if self.graph.item_count(arguments) > 0 {
                text.push_str(", ");
            }
        } else {
            text.push('(');
        }
        if arguments.kind().is_opaque() {
            text.push('*');
            self.value(text, arguments, deeper);
        } else {
            self.list(text, self.items(arguments), deeper);
        }
        if let Some(keywords) = keywords {
            text.push_str(", **");
            self.value(text, keywords, deeper);
        }
        text.push(')');
    }

    /// A value as a Python expression.
    #[must_use]
    pub fn expression(&self, value: Value) -> String {
        let mut text = String::new();
        self.value(&mut text, value, 0);
        text
    }

    /// An int, if it is not too long to be shown.
    fn integer(&self, value: Value) -> Option<Integer> {
        let length = self.graph.literal_length(value)?;
        (length <= self.room.literal).then(|| self.graph.integer(value))?
    }

    /// The items of a container, and not what it holds behind the last.
    fn items(&self, value: Value) -> impl Iterator<Item = Value> {
        let count = self.graph.item_count(value);
        self.graph.items(value).take(count)
    }

    fn list(&self, text: &mut String, items: impl Iterator<Item = Value>, depth: u32) {
        for (index, item) in items.enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            if index >= self.room.items || text.len() > self.room.length {
                text.push('…');
                return;
            }
            self.value(text, item, depth);
        }
    }

    fn value(&self, text: &mut String, value: Value, depth: u32) {
        if depth > self.room.depth || text.len() > self.room.length {
            text.push('…');
            return;
        }
        let deeper = depth.saturating_add(1);
        let graph = self.graph;
        match value.kind() {
            ValueKind::None => text.push_str("None"),
            ValueKind::Bool => text.push_str(if value == Value::TRUE {
                "True"
            } else {
                "False"
            }),
            ValueKind::Int => {
                let _ = write!(text, "{}", graph.small_integer(value).unwrap_or_default());
            }
            ValueKind::LongInt => match self.integer(value) {
                Some(integer) if integer.magnitude.len() <= 64 => text.push_str(&integer.to_hex()),
                _ => text.push_str("<int>"),
            },
            ValueKind::Float => {
                let float = f64::from_bits(graph.float_bits(value).unwrap_or_default());
                let _ = write!(text, "{float:?}");
            }
            ValueKind::Str | ValueKind::Character => {
                let length = graph.literal_length(value).unwrap_or_default();
                // A text is decoded whole; one of many megabytes is only measured.
                if length > self.room.literal {
                    let _ = write!(text, "<str of {length} bytes>");
                } else {
                    quote(
                        text,
                        &graph
                            .text_lossy(value, self.room.text.saturating_mul(4).saturating_add(4))
                            .unwrap_or_default(),
                        self.room.text,
                    );
                }
            }
            ValueKind::Bytes | ValueKind::ByteArray => self.bytes(text, value),
            ValueKind::Tuple => {
                text.push('(');
                self.list(text, self.items(value), deeper);
                text.push_str(if graph.item_count(value) == 1 {
                    ",)"
                } else {
                    ")"
                });
            }
            ValueKind::List => {
                text.push('[');
                self.list(text, self.items(value), deeper);
                text.push(']');
            }
            ValueKind::Dict => self.dict(text, value, deeper),
            ValueKind::Set | ValueKind::FrozenSet => {
                text.push_str(if value.kind() == ValueKind::Set {
                    "set(["
                } else {
                    "frozenset(["
                });
                self.list(text, self.items(value), deeper);
                text.push_str("])");
            }
            ValueKind::View => text.push_str("<memoryview>"),
            ValueKind::Global => {
                let named = graph.global_id(value).zip(graph.global(value));
                text.push_str(&named.map_or_else(
                    || "<global>".to_owned(),
                    |(id, global)| clipped(&self.names.name(id, global)).into_owned(),
                ));
            }
            ValueKind::Object => self.object(text, value, deeper),
        }
    }

    fn dict(&self, text: &mut String, value: Value, depth: u32) {
        text.push('{');
        let mut items = self.items(value);
        let mut count = 0_usize;
        while let (Some(key), Some(item)) = (items.next(), items.next()) {
            if count > 0 {
                text.push_str(", ");
            }
            count = count.saturating_add(1);
            if count > self.room.items || text.len() > self.room.length {
                text.push('…');
                break;
            }
            self.value(text, key, depth);
            text.push_str(": ");
            self.value(text, item, depth);
        }
        text.push('}');
    }

    fn bytes(&self, text: &mut String, value: Value) {
        let bytes = self.graph.byte_string(value).unwrap_or_default();
        text.push_str(if value.kind() == ValueKind::ByteArray {
            "bytearray(b'"
        } else {
            "b'"
        });
        for byte in bytes.iter().take(self.room.text / 4) {
            let _ = write!(text, "{}", byte.escape_ascii());
        }
        if bytes.len() > self.room.text / 4 {
            let _ = write!(text, "…' ({} bytes)", bytes.len());
        } else {
            text.push('\'');
        }
        if value.kind() == ValueKind::ByteArray {
            text.push(')');
        }
    }

    fn object(&self, text: &mut String, value: Value, depth: u32) {
        let effect = self
            .graph
            .birth(value)
            .and_then(|index| self.effects.get(index));
        match effect {
            Some(effect) => match effect.kind {
                EffectKind::Call {
                    callable,
                    arguments,
                    keywords,
                    only_new,
                    ..
                } => {
                    self.call(text, callable, arguments, keywords, only_new, depth);
                }
                _ => text.push_str(&self.effect_shallow(effect)),
            },
            None => text.push_str("<object>"),
        }
    }

    /// Effects that give objects without a call hold no nested objects worth showing.
    fn effect_shallow(&self, effect: &Effect) -> String {
        match effect.kind {
            EffectKind::PersistentLoad { id: Some(_), .. } => {
                format!("<persistent object from offset {}>", effect.offset)
            }
            _ => self.effect(effect),
        }
    }
}

/// As much of a name as may be shown.
fn start(name: &[u8]) -> &[u8] {
    name.get(..Room::WIDE.text.saturating_mul(4))
        .unwrap_or(name)
}

fn clipped(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= Room::WIDE.text {
        return text.into();
    }
    let mut short: String = text.chars().take(Room::WIDE.text / 2).collect();
    short.push('…');
    short.into()
}

/// A str in Python's quotes.
fn quote(text: &mut String, value: &str, max: usize) {
    let quotes = if value.contains('\'') && !value.contains('"') {
        '"'
    } else {
        '\''
    };
    text.push(quotes);
    for (index, character) in value.chars().enumerate() {
        if index >= max {
            text.push('…');
            break;
        }
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if character == quotes => {
                text.push('\\');
                text.push(character);
            }
            _ if character.is_control() => {
                let _ = write!(text, "\\x{:02x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push(quotes);
}

#[cfg(test)]
mod tests {
    use pickleproof_core::{Machine, Options};

    use super::*;

    fn effects(bytes: &[u8]) -> Vec<String> {
        let trace = Machine::new(bytes, 0, Options::default()).run();
        let names = Names::of(&trace.graph);
        let renderer = Renderer {
            trace: &trace,
            names: &names,
        };
        trace
            .effects
            .iter()
            .map(|effect| renderer.effect(effect))
            .collect()
    }

    #[test]
    fn effects_read_like_python() {
        assert_eq!(
            effects(b"cposix\nsystem\n(S'echo pickleproof'\ntR."),
            ["from posix import system", "os.system('echo pickleproof')"]
        );
        assert_eq!(
            effects(b"cm\nn\n)\x81}S'a'\nK\x01sb."),
            [
                "from m import n",
                "m.n.__new__(m.n)",
                "m.n.__new__(m.n).__setstate__({'a': 1})"
            ]
        );
        assert_eq!(effects(b"Pid\n."), ["persistent_load('id')"]);
    }

    #[test]
    fn cycles_and_doubling_end() {
        // A list that holds itself, and a tuple of 2**30 elements.
        assert_eq!(effects(b"cm\nn\n(]2atR.")[1].matches('[').count(), 6);
        let mut bomb = b"cm\nn\n(K\x01".to_vec();
        bomb.extend(b"2\x86".repeat(30));
        bomb.extend(b"tR.");
        assert!(effects(&bomb)[1].len() < 4000);
    }

    #[test]
    fn quotes_and_controls_are_escaped() {
        let mut text = String::new();
        quote(&mut text, "it's\x1b[1m\\", 240);
        assert_eq!(text, "\"it's\\x1b[1m\\\\\"");
    }
}
