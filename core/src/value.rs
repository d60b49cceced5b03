//! Symbolic values: eight bytes each, whatever they stand for.
//!
//! A literal is the offset of the instruction that pushed it and is decoded again when someone
//! asks; a container, a global or an object is an index into the [`Graph`](crate::graph::Graph).

use core::num::NonZeroU64;

/// What a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ValueKind {
    /// None.
    None = 1,
    /// False or True.
    Bool,
    /// An int of at most 55 bits.
    Int,
    /// Any other int.
    LongInt,
    /// A float.
    Float,
    /// A str.
    Str,
    /// A str of one character that no literal stands for.
    Character,
    /// A bytes object.
    Bytes,
    /// A tuple.
    Tuple,
    /// A list.
    List,
    /// A dict.
    Dict,
    /// A set.
    Set,
    /// A frozenset.
    FrozenSet,
    /// A bytearray.
    ByteArray,
    /// A read-only view of a bytearray.
    View,
    /// What an import gave.
    Global,
    /// What a call, a persistent id, an extension code or an out-of-band buffer gave.
    Object,
}

impl ValueKind {
    const ALL: [Self; 17] = [
        Self::None,
        Self::Bool,
        Self::Int,
        Self::LongInt,
        Self::Float,
        Self::Str,
        Self::Character,
        Self::Bytes,
        Self::Tuple,
        Self::List,
        Self::Dict,
        Self::Set,
        Self::FrozenSet,
        Self::ByteArray,
        Self::View,
        Self::Global,
        Self::Object,
    ];

    /// Whether only the loader's environment knows what it is: a global or an object.
    #[must_use]
    pub const fn is_opaque(self) -> bool {
        matches!(self, Self::Global | Self::Object)
    }
}

/// A symbolic value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(NonZeroU64);

const TAG_BITS: u32 = 8;
/// Payload of the one tuple that needs no place in the graph.
const EMPTY: u64 = u64::MAX >> TAG_BITS;

impl Value {
    /// None.
    pub const NONE: Self = Self::pack(ValueKind::None, 0);
    /// True.
    pub const TRUE: Self = Self::pack(ValueKind::Bool, 1);
    /// False.
    pub const FALSE: Self = Self::pack(ValueKind::Bool, 0);
    /// The empty tuple.
    pub const EMPTY_TUPLE: Self = Self::pack(ValueKind::Tuple, EMPTY);

    #[inline]
    pub(crate) const fn pack(kind: ValueKind, payload: u64) -> Self {
        // The tag is never zero.
        match NonZeroU64::new((payload << TAG_BITS) | kind as u64) {
            Some(bits) => Self(bits),
            None => Self(NonZeroU64::MIN),
        }
    }

    pub(crate) const fn bool(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    /// An int, if it fits in 55 bits and a sign.
    #[inline]
    pub(crate) const fn int(value: i64) -> Option<Self> {
        let payload = value.cast_unsigned() << TAG_BITS;
        if payload.cast_signed() >> TAG_BITS == value {
            Some(Self::pack(ValueKind::Int, value.cast_unsigned()))
        } else {
            None
        }
    }

    #[inline]
    pub(crate) const fn small_int(value: i32) -> Self {
        Self::pack(ValueKind::Int, (value as i64).cast_unsigned())
    }

    /// What it stands for.
    #[must_use]
    #[inline]
    pub fn kind(self) -> ValueKind {
        let [tag, ..] = self.0.get().to_le_bytes();
        let index = usize::from(tag).saturating_sub(1);
        ValueKind::ALL
            .get(index)
            .copied()
            .unwrap_or(ValueKind::None)
    }

    #[inline]
    pub(crate) const fn payload(self) -> u64 {
        self.0.get() >> TAG_BITS
    }

    #[inline]
    pub(crate) const fn signed_payload(self) -> i64 {
        self.0.get().cast_signed() >> TAG_BITS
    }

    /// The payload as an index; values are only made from indices that fit.
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::try_from(self.payload()).unwrap_or(usize::MAX)
    }

    /// Whether it is None.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_eight_bytes_and_so_are_optional_ones() {
        assert_eq!(size_of::<Value>(), 8);
        assert_eq!(size_of::<Option<Value>>(), 8);
    }

    #[test]
    fn kinds_and_payloads_survive() {
        for (index, kind) in ValueKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index + 1);
            let value = Value::pack(kind, 0x1234_5678_9abc);
            assert_eq!((value.kind(), value.payload()), (kind, 0x1234_5678_9abc));
        }
        for int in [0, 1, -1, i64::from(i32::MIN), (1 << 55) - 1, -(1 << 55)] {
            let value = Value::int(int);
            assert_eq!(value.map(Value::signed_payload), Some(int));
        }
        assert_eq!(Value::int(1 << 55), None);
        assert_eq!(Value::int(i64::MIN), None);
    }
}
