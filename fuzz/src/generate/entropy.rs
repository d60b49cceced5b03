//! Where choices come from: a seed, or the bytes of a fuzzing engine.

/// A source of choices.
#[derive(Debug, Clone)]
pub(crate) enum Entropy {
    /// The same choices for the same seed, without end.
    Seed(u64),
    /// Choices that an engine can alter one by one; behind the last byte all are zero.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Those that were used.
        position: usize,
    },
}

impl Entropy {
    /// Seeds that are close to each other give choices that are not.
    pub(crate) fn new(seed: u64) -> Self {
        Self::Seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::Bytes {
            bytes: bytes.to_vec(),
            position: 0,
        }
    }

    /// Whether nothing is left to choose with.
    pub(crate) fn is_exhausted(&self) -> bool {
        match self {
            Self::Seed(_) => false,
            Self::Bytes { bytes, position } => *position >= bytes.len(),
        }
    }

    fn take(&mut self, width: usize) -> u64 {
        match self {
            Self::Seed(state) => {
                // wyrand: one multiplication, and every bit of the result is good.
                *state = state.wrapping_add(0xa076_1d64_78bd_642f);
                let product =
                    u128::from(*state).wrapping_mul(u128::from(*state ^ 0xe703_7ed1_a0b4_28db));
                let [low, high] = [product, product >> 64]
                    .map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
                low ^ high
            }
            Self::Bytes { bytes, position } => {
                let rest = bytes.get(*position..).unwrap_or_default();
                *position = position.saturating_add(width);
                rest.iter()
                    .take(width)
                    .fold(0, |value, byte| (value << 8) | u64::from(*byte))
            }
        }
    }

    /// Any number.
    pub(crate) fn any(&mut self) -> u64 {
        self.take(8)
    }

    /// Any byte.
    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).to_le_bytes()[0]
    }

    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound < 2 {
            return 0;
        }
        let width = if bound <= 256 { 1 } else { 4 };
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let number = match self {
            Self::Seed(_) => self.take(4) & 0xffff_ffff,
            Self::Bytes { .. } => self.take(width),
        };
        usize::try_from(match self {
            // A multiplication and a shift in place of a division; the bias is below 2**-20.
            Self::Seed(_) => number.wrapping_mul(bound) >> 32,
            Self::Bytes { .. } => number.checked_rem(bound).unwrap_or(0),
        })
        .unwrap_or(0)
    }

    /// True `part` times of `whole`; an exhausted source says no.
    pub(crate) fn chance(&mut self, part: usize, whole: usize) -> bool {
        part > 0 && !self.is_exhausted() && self.below(whole) < part
    }

    /// One of the items.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items.get(self.below(items.len())).copied()
    }
}
