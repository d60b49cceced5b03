//! What an unpickler's stack and memo would hold, as far as a generator has to know.

/// What kind of object stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None, bools, numbers: hashable and of no other use.
    Atom,
    Text,
    Bytes,
    ByteArray,
    Tuple {
        hashable: bool,
    },
    List,
    Dict,
    Set,
    FrozenSet,
    Global,
    Object,
    /// An out-of-band buffer or a view.
    Buffer,
}

impl Kind {
    pub(crate) const fn is_hashable(self) -> bool {
        match self {
            Self::Atom
            | Self::Text
            | Self::Bytes
            | Self::FrozenSet
            | Self::Global
            | Self::Object => true,
            Self::Tuple { hashable } => hashable,
            Self::ByteArray | Self::List | Self::Dict | Self::Set | Self::Buffer => false,
        }
    }

    /// Whether it takes every operation.
    pub(crate) const fn is_opaque(self) -> bool {
        matches!(self, Self::Global | Self::Object)
    }
}

/// Stack, marks and memo.
#[derive(Debug, Default)]
pub(crate) struct State {
    stack: Vec<Kind>,
    marks: Vec<usize>,
    memo: Vec<(u32, Kind)>,
}

impl State {
    /// As another `load()` begins: the memo stays.
    pub(crate) fn begin(&mut self) {
        self.stack.clear();
        self.marks.clear();
    }

    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// The objects above the newest mark.
    pub(crate) fn above(&self) -> &[Kind] {
        self.stack.get(self.fence()..).unwrap_or_default()
    }

    pub(crate) fn top(&self) -> Option<Kind> {
        self.above().last().copied()
    }

    /// The object under the newest mark, where no other mark stands between.
    pub(crate) fn target(&self) -> Option<Kind> {
        let (mark, older) = self.marks.split_last()?;
        let fence = older.last().copied().unwrap_or(0);
        self.stack.get(fence..*mark)?.last().copied()
    }

    pub(crate) fn has_mark(&self) -> bool {
        !self.marks.is_empty()
    }

    pub(crate) fn marks(&self) -> usize {
        self.marks.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    pub(crate) fn push(&mut self, kind: Kind) {
        self.stack.push(kind);
    }

    pub(crate) fn push_mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// Drops objects, none below the newest mark.
    pub(crate) fn pop(&mut self, count: usize) {
        let length = self.stack.len().saturating_sub(count).max(self.fence());
        self.stack.truncate(length);
    }

    /// Drops the newest mark and what is above it.
    pub(crate) fn pop_mark(&mut self) {
        self.stack.truncate(self.fence());
        self.marks.pop();
    }

    /// POP: a mark if it is on top, else an object.
    pub(crate) fn pop_any(&mut self) {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
        } else {
            self.stack.pop();
        }
    }

    pub(crate) fn memo(&self) -> &[(u32, Kind)] {
        &self.memo
    }

    /// Where MEMOIZE stores: the number of entries.
    pub(crate) fn next_memo(&self) -> u32 {
        u32::try_from(self.memo.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn store(&mut self, index: u32, kind: Kind) {
        match self.memo.iter_mut().find(|(known, _)| *known == index) {
            Some(entry) => entry.1 = kind,
            None => self.memo.push((index, kind)),
        }
    }
}
