//! The values of a run: literals by their offset, containers as ranges of one pool of items.
//!
//! A container is a chain of *segments*, each of which is what one opcode added: a range of the
//! pool, or an item that was set by index. Nothing is hashed and nothing is looked up while the
//! machine runs; who asks for a dict's pairs gets them as they were stored, equal keys included.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::codec::{Encoding, ErrorHandler};
use crate::decode::{Decoder, Instruction, Operand, line_text};
use crate::dialect::{Dialect, Version};
use crate::limits::{LimitKind, Limits};
use crate::number::{self, Integer, Radix};
use crate::opcode::{Opcode, OperandKind};
use crate::text;
use crate::value::{Value, ValueKind};

mod literal;

pub(crate) use literal::python_2_string;

/// Index of a global in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlobalId(pub(crate) u32);

impl GlobalId {
    /// Its place in [`Graph::globals`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A range of the pool of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    /// Number of items.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether it has no items.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// A module and name pair that a stream imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global<'a> {
    /// The module as `find_class` gets it: UTF-8, surrogates allowed.
    pub module: Cow<'a, [u8]>,
    /// The qualified name as `find_class` gets it.
    pub name: Cow<'a, [u8]>,
    /// Offset of the first import.
    pub offset: usize,
    /// Index of the first import among the effects.
    pub effect: u32,
    /// The protocols in force at its imports, one bit each.
    pub protocols: u8,
}

const NOWHERE: u32 = u32::MAX;
const UNHASHABLE: u32 = 1 << 31;

/// A container or an object.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Offset of the opcode that made it.
    offset: usize,
    /// Tuple: start in the pool. Object: index of its effect. View: node of its bytearray.
    /// Others: first segment.
    first: u32,
    /// Others: last segment.
    last: u32,
    /// Items, pairs counting as two.
    len: u32,
    /// Tuple: what hashing it visits, and whether it can't be hashed. List, dict, set, bytearray: number
    /// of effects when it was last changed.
    weight: u32,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    span: Span,
    next: u32,
    /// The span holds an index, the item set there, and the length at that moment.
    assigns: bool,
}

/// What is left of a limit when it is hit.
pub(crate) type Full = LimitKind;

/// The values of a run.
#[derive(Debug)]
pub struct Graph<'a> {
    bytes: &'a [u8],
    dialect: Dialect,
    version: Version,
    encoding: Encoding,
    errors: ErrorHandler,
    nodes: Vec<Node>,
    pool: Vec<Value>,
    segments: Vec<Segment>,
    globals: Vec<Global<'a>>,
    /// Texts of names, each counted once; and the literals that were found equal to them.
    texts: HashMap<Cow<'a, [u8]>, u32>,
    literal_texts: HashMap<Value, u32>,
    pairs: HashMap<(u32, u32), u32>,
    /// Literals that do not stand behind their opcode, by its offset.
    displaced: HashMap<usize, Instruction<'a>>,
    /// Out-of-band buffers, by the offset of the instruction that was given them.
    given: HashMap<usize, Vec<u8>>,
    /// Number of effects so far.
    now: u32,
    max_nodes: usize,
    max_items: usize,
}

fn clamp(limit: u64) -> usize {
    // Indices are 32 bits wide, and the last one means "nowhere".
    usize::try_from(limit.min(u64::from(NOWHERE.saturating_sub(1)))).unwrap_or(usize::MAX)
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NOWHERE)
}

impl<'a> Graph<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        dialect: Dialect,
        version: Version,
        (encoding, errors): (Encoding, ErrorHandler),
        limits: &Limits,
    ) -> Self {
        Self {
            bytes,
            dialect,
            version,
            encoding,
            errors,
            nodes: Vec::new(),
            pool: Vec::new(),
            segments: Vec::new(),
            globals: Vec::new(),
            texts: HashMap::new(),
            literal_texts: HashMap::new(),
            pairs: HashMap::new(),
            displaced: HashMap::new(),
            given: HashMap::new(),
            now: 0,
            max_nodes: clamp(limits.nodes),
            max_items: clamp(limits.items),
        }
    }

    /// The bytes that the literals stand in.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Remembers an instruction whose operand a reader found elsewhere than behind its opcode.
    pub(crate) fn displace(&mut self, instruction: &Instruction<'a>) {
        let mut decoder = Decoder::new(self.bytes, instruction.offset, self.dialect, self.version);
        if decoder.read().ok().as_ref() != Some(instruction) {
            self.displaced.insert(instruction.offset, *instruction);
        }
    }

    fn node(&self, value: Value) -> Option<&Node> {
        self.nodes.get(value.index())
    }

    fn add_node(&mut self, kind: ValueKind, node: Node) -> Result<Value, Full> {
        let index = self.nodes.len();
        if index >= self.max_nodes {
            return Err(LimitKind::Nodes);
        }
        self.nodes.push(node);
        Ok(Value::pack(kind, index as u64))
    }

    fn add_span(&mut self, items: &[Value]) -> Result<Span, Full> {
        let start = self.pool.len();
        if start.saturating_add(items.len()) > self.max_items {
            return Err(LimitKind::Items);
        }
        self.pool.extend_from_slice(items);
        Ok(Span {
            start: narrow(start),
            len: narrow(items.len()),
        })
    }

    /// What hashing visits, or that the value can't be hashed.
    #[inline]
    pub(crate) fn weight(&self, value: Value) -> Option<u32> {
        match value.kind() {
            ValueKind::List
            | ValueKind::Dict
            | ValueKind::Set
            | ValueKind::ByteArray
            | ValueKind::View => None,
            ValueKind::Tuple => match self.node(value) {
                Some(node) => (node.weight & UNHASHABLE == 0).then_some(node.weight),
                None => Some(1),
            },
            _ => Some(1),
        }
    }

    #[inline]
    pub(crate) fn new_tuple(&mut self, offset: usize, items: &[Value]) -> Result<Value, Full> {
        if items.is_empty() {
            return Ok(Value::EMPTY_TUPLE);
        }
        let mut weight = 1_u32;
        for item in items {
            match self.weight(*item) {
                Some(steps) if weight & UNHASHABLE == 0 => {
                    weight = weight
                        .saturating_add(steps)
                        .min(UNHASHABLE.saturating_sub(1));
                }
                _ => weight = UNHASHABLE,
            }
        }
        let span = self.add_span(items)?;
        let node = Node {
            offset,
            first: span.start,
            last: NOWHERE,
            len: span.len,
            weight,
        };
        self.add_node(ValueKind::Tuple, node)
    }

    /// An empty list, dict, set, frozenset, or the bytearray of the literal at `offset`.
    #[inline]
    pub(crate) fn new_container(&mut self, kind: ValueKind, offset: usize) -> Result<Value, Full> {
        self.add_node(
            kind,
            Node {
                offset,
                first: NOWHERE,
                last: NOWHERE,
                len: 0,
                weight: 0,
            },
        )
    }

    /// An object born in the effect of this index.
    pub(crate) fn new_object(&mut self, offset: usize, effect: usize) -> Result<Value, Full> {
        let node = Node {
            offset,
            first: narrow(effect),
            last: NOWHERE,
            len: 0,
            weight: 0,
        };
        self.add_node(ValueKind::Object, node)
    }

    /// The out-of-band buffer that the instruction at `offset` was given.
    pub(crate) fn give(
        &mut self,
        kind: ValueKind,
        offset: usize,
        bytes: Vec<u8>,
    ) -> Result<Value, Full> {
        self.given.insert(offset, bytes);
        if kind == ValueKind::Bytes {
            return Ok(Value::pack(kind, offset as u64));
        }
        self.new_container(kind, offset)
    }

    /// A read-only view of a bytearray.
    pub(crate) fn new_view(&mut self, offset: usize, base: Value) -> Result<Value, Full> {
        let node = Node {
            offset,
            first: narrow(base.index()),
            last: NOWHERE,
            len: 0,
            weight: 0,
        };
        self.add_node(ValueKind::View, node)
    }

    /// Items for an effect.
    pub(crate) fn new_span(&mut self, items: &[Value]) -> Result<Span, Full> {
        self.add_span(items)
    }

    /// Appends items to a container's chain.
    #[inline]
    pub(crate) fn extend(&mut self, container: Value, items: &[Value]) -> Result<(), Full> {
        if items.is_empty() {
            return Ok(());
        }
        let pool_end = narrow(self.pool.len());
        let span = self.add_span(items)?;
        let index = container.index();
        let Some(node) = self.nodes.get_mut(index) else {
            return Ok(());
        };
        node.len = node.len.saturating_add(span.len);
        node.weight = self.now;
        if let Some(last) = self.segments.get_mut(node.last as usize)
            && !last.assigns
            && last.span.start.saturating_add(last.span.len) == pool_end
        {
            last.span.len = last.span.len.saturating_add(span.len);
            return Ok(());
        }
        self.add_segment(
            index,
            Segment {
                span,
                next: NOWHERE,
                assigns: false,
            },
        )
    }

    /// Records `container[key] = item` for a list or a bytearray.
    pub(crate) fn assign(&mut self, container: Value, key: Value, item: Value) -> Result<(), Full> {
        let length = i32::try_from(self.length(container)).unwrap_or(i32::MAX);
        let span = self.add_span(&[key, item, Value::small_int(length)])?;
        if let Some(node) = self.nodes.get_mut(container.index()) {
            node.weight = self.now;
        }
        self.add_segment(
            container.index(),
            Segment {
                span,
                next: NOWHERE,
                assigns: true,
            },
        )
    }

    fn add_segment(&mut self, index: usize, segment: Segment) -> Result<(), Full> {
        if self.segments.len() >= self.max_items {
            return Err(LimitKind::Items);
        }
        let at = narrow(self.segments.len());
        self.segments.push(segment);
        if let Some(node) = self.nodes.get_mut(index) {
            match self.segments.get_mut(node.last as usize) {
                Some(last) => last.next = at,
                None => node.first = at,
            }
            node.last = at;
        }
        Ok(())
    }

    /// Takes note that there are so many effects.
    #[inline]
    pub(crate) fn tick(&mut self, effects: usize) {
        self.now = narrow(effects);
    }

    /// Number of effects that there were when a list, dict, set or bytearray was last changed by the
    /// stream; what calls do to it is not counted.
    #[must_use]
    pub fn changed(&self, value: Value) -> usize {
        match value.kind() {
            ValueKind::List | ValueKind::Dict | ValueKind::Set | ValueKind::ByteArray => {
                self.node(value).map_or(0, |node| node.weight as usize)
            }
            _ => 0,
        }
    }

    /// Number of items that were put into a list, or bytes of a bytearray.
    pub(crate) fn length(&self, container: Value) -> u64 {
        let added = self.node(container).map_or(0, |node| u64::from(node.len));
        let literal = match container.kind() {
            ValueKind::ByteArray => self
                .byte_string(container)
                .map_or(0, |bytes| bytes.len() as u64),
            _ => 0,
        };
        added.saturating_add(literal)
    }

    /// The global of two names, made at its first import.
    pub(crate) fn import(
        &mut self,
        names: (Name<'a>, Name<'a>),
        offset: usize,
        effect: usize,
        protocol: u8,
    ) -> GlobalId {
        let module = self.text_id(&names.0);
        let name = self.text_id(&names.1);
        let next = narrow(self.globals.len());
        let id = *self.pairs.entry((module, name)).or_insert(next);
        if id == next {
            self.globals.push(Global {
                module: names.0.text,
                name: names.1.text,
                offset,
                effect: narrow(effect),
                protocols: 0,
            });
        }
        if let Some(global) = self.globals.get_mut(id as usize) {
            global.protocols |= 1_u8.checked_shl(u32::from(protocol)).unwrap_or(0);
        }
        GlobalId(id)
    }

    /// Each literal is hashed once: a long name that is pushed a million times costs its length once.
    fn text_id(&mut self, name: &Name<'a>) -> u32 {
        if let Some(id) = name.value.and_then(|value| self.literal_texts.get(&value)) {
            return *id;
        }
        let next = narrow(self.texts.len());
        let id = if let Some(id) = self.texts.get(&name.text) {
            *id
        } else {
            self.texts.insert(name.text.clone(), next);
            next
        };
        if let Some(value) = name.value {
            self.literal_texts.insert(value, id);
        }
        id
    }

    /// The globals that were imported, in the order of their first import.
    #[must_use]
    pub fn globals(&self) -> &[Global<'a>] {
        &self.globals
    }

    /// The value of a global.
    #[must_use]
    pub const fn global_value(&self, id: GlobalId) -> Value {
        Value::pack(ValueKind::Global, id.0 as u64)
    }

    /// The global that a value stands for.
    #[must_use]
    pub fn global(&self, value: Value) -> Option<&Global<'a>> {
        match value.kind() {
            ValueKind::Global => self.globals.get(value.index()),
            _ => None,
        }
    }

    /// The index of the global that a value stands for.
    #[must_use]
    pub fn global_id(&self, value: Value) -> Option<GlobalId> {
        match value.kind() {
            ValueKind::Global => Some(GlobalId(narrow(value.index()))),
            _ => None,
        }
    }

    /// The global of this index.
    #[must_use]
    pub fn global_of(&self, id: GlobalId) -> Option<&Global<'a>> {
        self.globals.get(id.0 as usize)
    }

    /// Index of the effect that an object was born in, or a global was first imported in.
    #[must_use]
    pub fn birth(&self, value: Value) -> Option<usize> {
        let effect = match value.kind() {
            ValueKind::Global => self.globals.get(value.index())?.effect,
            ValueKind::Object => self.node(value)?.first,
            _ => return None,
        };
        usize::try_from(effect).ok()
    }

    /// The bytearray that a view shows.
    #[must_use]
    pub fn view_base(&self, value: Value) -> Option<Value> {
        match value.kind() {
            ValueKind::View => {
                let node = self.node(value)?;
                Some(Value::pack(ValueKind::ByteArray, u64::from(node.first)))
            }
            _ => None,
        }
    }

    /// Offset of the instruction that made a value, where it is known.
    #[must_use]
    pub fn offset(&self, value: Value) -> Option<usize> {
        match value.kind() {
            ValueKind::None | ValueKind::Bool | ValueKind::Int | ValueKind::Character => None,
            ValueKind::LongInt | ValueKind::Float | ValueKind::Str | ValueKind::Bytes => {
                Some(value.index())
            }
            ValueKind::Global => self.globals.get(value.index()).map(|global| global.offset),
            _ => self.node(value).map(|node| node.offset),
        }
    }

    /// The items of a span.
    #[must_use]
    pub fn span(&self, span: Span) -> &[Value] {
        let start = span.start as usize;
        self.pool
            .get(start..start.saturating_add(span.len()))
            .unwrap_or_default()
    }

    /// The items that were put into a tuple, list, set or frozenset, the keys and values of a dict
    /// in turn, or the bytes added to a bytearray; in the order of the stream, equal ones included.
    #[must_use]
    pub fn items(&self, value: Value) -> Items<'_> {
        let nothing = Items {
            graph: self,
            current: [].iter(),
            next: NOWHERE,
        };
        match (value.kind(), self.node(value)) {
            (ValueKind::Tuple, Some(node)) => {
                let span = Span {
                    start: node.first,
                    len: node.len,
                };
                Items {
                    current: self.span(span).iter(),
                    ..nothing
                }
            }
            (
                ValueKind::List
                | ValueKind::Dict
                | ValueKind::Set
                | ValueKind::FrozenSet
                | ValueKind::ByteArray,
                Some(node),
            ) => Items {
                next: node.first,
                ..nothing
            },
            _ => nothing,
        }
    }

    /// The items set by index in a list or bytearray, in the order of the stream: index, item, and
    /// the length at that moment, from which a negative index counts.
    pub fn assignments(&self, value: Value) -> impl Iterator<Item = (Value, Value, usize)> + '_ {
        let listed = matches!(value.kind(), ValueKind::List | ValueKind::ByteArray);
        let mut next = self
            .node(value)
            .filter(|_| listed)
            .map_or(NOWHERE, |node| node.first);
        core::iter::from_fn(move || {
            let segment = self.segments.get(next as usize)?;
            next = segment.next;
            Some(segment)
        })
        .filter(|segment| segment.assigns)
        .filter_map(|segment| match self.span(segment.span) {
            [key, item, length] => Some((
                *key,
                *item,
                usize::try_from(length.signed_payload()).unwrap_or(0),
            )),
            _ => None,
        })
    }

    /// The items of a list as they are in the end, set ones in their places.
    #[must_use]
    pub fn list(&self, value: Value) -> Vec<Value> {
        let mut items: Vec<Value> = self.items(value).collect();
        for (key, item, length) in self.assignments(value) {
            if let Some(slot) = self.place(key, length).and_then(|at| items.get_mut(at)) {
                *slot = item;
            }
        }
        items
    }

    /// The bytes of a bytearray as they are in the end.
    #[must_use]
    pub fn byte_array(&self, value: Value) -> Vec<u8> {
        let byte = |item| {
            let byte = self.small_integer(item);
            byte.and_then(|byte| u8::try_from(byte).ok()).unwrap_or(0)
        };
        let mut bytes = self.byte_string(value).unwrap_or_default().into_owned();
        bytes.extend(self.items(value).map(byte));
        for (key, item, length) in self.assignments(value) {
            if let Some(slot) = self.place(key, length).and_then(|at| bytes.get_mut(at)) {
                *slot = byte(item);
            }
        }
        bytes
    }

    /// Where an index leads in a list of this length; lists only grow.
    fn place(&self, key: Value, length: usize) -> Option<usize> {
        let index = self.small_integer(key)?;
        match usize::try_from(index) {
            Ok(index) => Some(index),
            Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
        }
    }

    /// Number of items of [`Graph::items`], set ones not counted.
    #[must_use]
    pub fn item_count(&self, value: Value) -> usize {
        match value.kind() {
            ValueKind::Tuple
            | ValueKind::List
            | ValueKind::Dict
            | ValueKind::Set
            | ValueKind::FrozenSet
            | ValueKind::ByteArray => self.node(value).map_or(0, |node| node.len as usize),
            _ => 0,
        }
    }
}

/// A name for an import and the literal it stands in, if it is one.
#[derive(Debug, Clone)]
pub(crate) struct Name<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) value: Option<Value>,
}

/// The items of a container.
#[derive(Debug, Clone)]
pub struct Items<'g> {
    graph: &'g Graph<'g>,
    current: core::slice::Iter<'g, Value>,
    next: u32,
}

impl Iterator for Items<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(value) = self.current.next() {
                return Some(*value);
            }
            let segment = self.graph.segments.get(self.next as usize)?;
            self.next = segment.next;
            if !segment.assigns {
                self.current = self.graph.span(segment.span).iter();
            }
        }
    }
}
