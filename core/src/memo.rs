//! The memo: an array where it is dense, a map where it is not, whatever index a stream asks for.

use std::collections::BTreeMap;

use crate::value::Value;

/// Maps indices to values.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    dense: Vec<Option<Value>>,
    sparse: BTreeMap<u64, Value>,
    /// Indices beyond 64 bits, which `pickle.py` accepts.
    huge: BTreeMap<Vec<u8>, Value>,
    /// Number of entries.
    count: u64,
    /// `_pickle` of 3.15: size of its array and number of entries in it.
    counted: Option<Counted>,
}

/// What `_pickle` of 3.15 counts: entries beyond its array go to a dictionary uncounted.
#[derive(Debug)]
struct Counted {
    size: u64,
    entries: std::collections::HashSet<u64>,
}

impl Memo {
    /// A memo; `sparse` for the one of 3.15's `_pickle`.
    pub(crate) fn new(sparse: bool) -> Self {
        let counted = sparse.then(|| Counted {
            size: 32,
            entries: std::collections::HashSet::new(),
        });
        Self {
            counted,
            ..Self::default()
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get(index));
        match dense {
            Some(Some(value)) => Some(*value),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&index).copied(),
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, index: u64, value: Value) {
        self.count_in(index);
        let length = self.dense.len() as u64;
        if index == length {
            // A slot of the array hides an entry that the map may hold from before.
            if self.sparse.is_empty() || self.sparse.remove(&index).is_none() {
                self.count = self.count.saturating_add(1);
            }
            self.dense.push(Some(value));
            return;
        }
        if index < length {
            if let Some(slot) = usize::try_from(index)
                .ok()
                .and_then(|at| self.dense.get_mut(at))
                && slot.replace(value).is_none()
                && self.sparse.remove(&index).is_none()
            {
                self.count = self.count.saturating_add(1);
            }
            return;
        }
        // A gap is filled while the array stays at least half full, or small.
        if index <= length.saturating_mul(2).max(64)
            && let Ok(size) = usize::try_from(index)
        {
            self.dense.resize(size, None);
            self.put(index, value);
            return;
        }
        if self.sparse.insert(index, value).is_none() {
            self.count = self.count.saturating_add(1);
        }
    }

    fn count_in(&mut self, index: u64) {
        if let Some(counted) = &mut self.counted {
            let entries = counted.entries.len() as u64;
            if index >= counted.size {
                if index > entries.saturating_mul(2) {
                    return;
                }
                counted.size = index.saturating_mul(2);
            }
            counted.entries.insert(index);
        }
    }

    pub(crate) fn put_huge(&mut self, index: Vec<u8>, value: Value) {
        if self.huge.insert(index, value).is_none() {
            self.count = self.count.saturating_add(1);
        }
    }

    pub(crate) fn get_huge(&self, index: &[u8]) -> Option<Value> {
        self.huge.get(index).copied()
    }

    /// The index that MEMOIZE writes to.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        match &self.counted {
            Some(counted) => counted.entries.len() as u64,
            None => self.count,
        }
    }

    /// Number of entries.
    #[inline]
    pub(crate) const fn len(&self) -> u64 {
        self.count
    }

    /// Every value that it holds.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> + '_ {
        self.dense
            .iter()
            .flatten()
            .chain(self.sparse.values())
            .chain(self.huge.values())
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memoize_counts_entries_not_the_highest_index() {
        let mut memo = Memo::new(false);
        memo.put(1, Value::TRUE);
        assert_eq!(memo.next(), 1);
        memo.put(1, Value::FALSE);
        assert_eq!((memo.next(), memo.get(1)), (1, Some(Value::FALSE)));
        memo.put(1 << 40, Value::NONE);
        assert_eq!((memo.len(), memo.get(1 << 40)), (2, Some(Value::NONE)));
        assert_eq!(memo.get(0), None);
    }

    #[test]
    fn entries_of_the_map_are_not_lost_when_the_array_grows_over_them() {
        let mut memo = Memo::new(false);
        memo.put(200, Value::TRUE);
        for index in 0..200 {
            memo.put(index, Value::NONE);
        }
        assert_eq!((memo.get(200), memo.len()), (Some(Value::TRUE), 201));
        memo.put(201, Value::NONE);
        assert_eq!((memo.get(200), memo.len()), (Some(Value::TRUE), 202));
        memo.put(200, Value::FALSE);
        assert_eq!((memo.get(200), memo.len()), (Some(Value::FALSE), 202));
    }

    #[test]
    fn the_memo_of_3_15_does_not_count_sparse_entries() {
        let mut memo = Memo::new(true);
        memo.put(100, Value::TRUE);
        assert_eq!((memo.next(), memo.get(100)), (0, Some(Value::TRUE)));
        memo.put(0, Value::NONE);
        assert_eq!(memo.next(), 1);
    }
}
