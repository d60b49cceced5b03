//! Python's equality of the values that can be keys: `1 == 1.0 == True`, tuples and frozensets by what
//! they hold, everything else that is opaque by identity.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::graph::Graph;
use crate::value::{Value, ValueKind};

/// Numbers the values of a graph so that equal ones have equal numbers.
#[derive(Debug)]
pub struct Equality<'g, 'a> {
    graph: &'g Graph<'a>,
    classes: HashMap<Value, usize>,
    known: HashMap<Class, usize>,
}

/// What decides whether two objects are equal to Python.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Class {
    /// An integral number of any type: its sign and its magnitude.
    Number(bool, Vec<u8>),
    Float(u64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    /// The classes of its items.
    Tuple(Vec<usize>),
    FrozenSet(BTreeSet<usize>),
    /// Only itself.
    Identity(Value),
}

impl<'g, 'a> Equality<'g, 'a> {
    /// Of the values of a graph.
    #[must_use]
    pub fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            classes: HashMap::new(),
            known: HashMap::new(),
        }
    }

    /// The number of a value.
    pub fn class(&mut self, value: Value) -> usize {
        for part in nested_last(self.graph, value, |part| self.classes.contains_key(&part)) {
            let class = self.class_of(part);
            let next = self.known.len();
            let number = *self.known.entry(class).or_insert(next);
            self.classes.insert(part, number);
        }
        self.classes.get(&value).copied().unwrap_or(usize::MAX)
    }

    /// The members of a set or frozenset as they are in the end: the first of equal ones.
    #[must_use]
    pub fn members(&mut self, set: Value) -> Vec<Value> {
        let mut seen = HashSet::new();
        let items: Vec<Value> = self.graph.items(set).collect();
        items
            .into_iter()
            .filter(|item| seen.insert(self.class(*item)))
            .collect()
    }

    /// The pairs of a dict as they are in the end: the first of equal keys, with the last of its
    /// values.
    #[must_use]
    pub fn pairs(&mut self, dict: Value) -> Vec<(Value, Value)> {
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        let mut items = self.graph.items(dict);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let place = *places.entry(self.class(key)).or_insert(pairs.len());
            match pairs.get_mut(place) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key, value)),
            }
        }
        pairs
    }

    /// A value's members have their numbers already.
    fn class_of(&self, value: Value) -> Class {
        let graph = self.graph;
        let number = |item: &Value| self.classes.get(item).copied().unwrap_or(usize::MAX);
        match value.kind() {
            ValueKind::Bool | ValueKind::Int | ValueKind::LongInt => match graph.integer(value) {
                Some(integer) => Class::Number(integer.negative, integer.magnitude),
                None => Class::Identity(value),
            },
            ValueKind::Float => {
                let bits = graph.float_bits(value).unwrap_or_default();
                let float = f64::from_bits(bits);
                if float.is_nan() {
                    Class::Identity(value)
                } else if float.is_finite() && float.fract() == 0.0 {
                    integral(float)
                } else {
                    Class::Float(bits)
                }
            }
            ValueKind::Str | ValueKind::Character => {
                Class::Text(graph.text(value).unwrap_or_default().into_owned())
            }
            ValueKind::Bytes => {
                Class::Bytes(graph.byte_string(value).unwrap_or_default().into_owned())
            }
            ValueKind::Tuple => {
                Class::Tuple(graph.items(value).map(|item| number(&item)).collect())
            }
            ValueKind::FrozenSet => {
                Class::FrozenSet(graph.items(value).map(|item| number(&item)).collect())
            }
            _ => Class::Identity(value),
        }
    }
}

impl Class {
    fn without_leading_zeros(self) -> Self {
        match self {
            Self::Number(negative, mut magnitude) => {
                while magnitude.last() == Some(&0) {
                    magnitude.pop();
                }
                Self::Number(negative, magnitude)
            }
            other => other,
        }
    }
}

/// A finite integral float as the integer that it equals.
fn integral(float: f64) -> Class {
    let bits = float.abs().to_bits();
    let exponent = bits >> 52;
    if exponent == 0 {
        // Zero, with either sign; smaller ones are not integral.
        return Class::Number(false, Vec::new());
    }
    let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let (zeros, mantissa) = match exponent.checked_sub(1075) {
        Some(shift) => (shift >> 3, mantissa << (shift & 7)),
        None => (0, mantissa >> 1075_u64.saturating_sub(exponent).min(127)),
    };
    let mut magnitude = vec![0; usize::try_from(zeros).unwrap_or(0)];
    magnitude.extend(mantissa.to_le_bytes());
    Class::Number(float < 0.0, magnitude).without_leading_zeros()
}

/// A value and all that its tuples and frozensets hold, members before what holds them; without
/// those that are `known`, and without recursion.
#[must_use]
pub fn nested_last(graph: &Graph<'_>, value: Value, known: impl Fn(Value) -> bool) -> Vec<Value> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = vec![(value, false)];
    while let Some((part, entered)) = todo.pop() {
        if entered {
            order.push(part);
        } else if !known(part) && seen.insert(part) {
            todo.push((part, true));
            if matches!(part.kind(), ValueKind::Tuple | ValueKind::FrozenSet) {
                todo.extend(graph.items(part).map(|item| (item, false)));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Machine, Options};

    fn classes(stream: &[u8]) -> Vec<usize> {
        let trace = Machine::new(stream, 0, Options::default()).run();
        let End::Stop { root, .. } = trace.end else {
            panic!("{:?}", trace.end)
        };
        let mut equality = Equality::new(&trace.graph);
        let items: Vec<Value> = trace.graph.items(root).collect();
        items.into_iter().map(|item| equality.class(item)).collect()
    }

    #[test]
    fn numbers_are_equal_across_types() {
        let stream = b"(I1\nF1.0\n\x88I0\nF-0.0\n\x89F1e20\nL100000000000000000000L\nF0.5\nl.";
        let classes = classes(stream);
        assert_eq!(classes[..3], [classes[0]; 3]);
        assert_eq!(classes[3..6], [classes[3]; 3]);
        assert_eq!(classes[6], classes[7]);
        let distinct: HashSet<usize> = classes.iter().copied().collect();
        assert_eq!(distinct.len(), 4);
    }

    #[test]
    fn tuples_are_equal_by_their_items_and_text_never_equals_bytes() {
        let classes = classes(b"(K\x01\x88\x86F1.0\nK\x01\x86Va\nC\x01aFnan\nFnan\nl.");
        assert_eq!(classes[0], classes[1]);
        assert_ne!(classes[2], classes[3]);
        assert_ne!(classes[4], classes[5]);
    }
}
