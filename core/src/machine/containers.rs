//! Opcodes that build and fill containers.

use super::{EffectKind, ErrorKind, Exception, Machine, Opcode, Step, Value, ValueKind};

impl Machine<'_> {
    #[inline]
    pub(super) fn push_new(&mut self, kind: ValueKind) -> Step {
        let value = self.graph.new_container(kind, self.offset)?;
        self.push(value)
    }

    /// TUPLE1 to TUPLE3.
    #[inline]
    pub(super) fn push_tuple(&mut self, size: usize) -> Step {
        let Some(start) = self
            .stack
            .len()
            .checked_sub(size)
            .filter(|start| *start >= self.fence)
        else {
            return self.underflow();
        };
        let items = self.stack.get(start..).unwrap_or_default();
        let tuple = self.graph.new_tuple(self.offset, items)?;
        self.stack.truncate(start);
        self.push(tuple)
    }

    #[inline]
    pub(super) fn push_tuple_to_mark(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let items = self.stack.get(mark..).unwrap_or_default();
        let tuple = self.graph.new_tuple(self.offset, items)?;
        self.stack.truncate(mark);
        self.push(tuple)
    }

    pub(super) fn push_list_to_mark(&mut self) -> Step {
        let mark = self.pop_mark()?;
        self.fill_to_mark(ValueKind::List, mark)
    }

    fn fill_to_mark(&mut self, kind: ValueKind, mark: usize) -> Step {
        let container = self.graph.new_container(kind, self.offset)?;
        self.graph
            .extend(container, self.stack.get(mark..).unwrap_or_default())?;
        self.stack.truncate(mark);
        self.push(container)
    }

    pub(super) fn push_dict_to_mark(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let count = self.stack.len().saturating_sub(mark);
        let odd = !count.is_multiple_of(2);
        if odd && !self.is_python() {
            return self.fault(ErrorKind::OddItems);
        }
        // `pickle.py` hashes the complete pairs before it misses the last value.
        self.check_keys(mark, 2)?;
        if odd {
            return self.fault_or(ErrorKind::OddItems, Exception::IndexError);
        }
        self.fill_to_mark(ValueKind::Dict, mark)
    }

    pub(super) fn push_frozenset_to_mark(&mut self) -> Step {
        let mark = self.pop_mark()?;
        self.check_keys(mark, 1)?;
        self.fill_to_mark(ValueKind::FrozenSet, mark)
    }

    /// Checks that the objects above `mark`, or every second of them, can be hashed.
    #[inline]
    fn check_keys(&mut self, mark: usize, stride: usize) -> Step {
        let mut steps = 0_u64;
        for items in self
            .stack
            .get(mark..)
            .unwrap_or_default()
            .chunks_exact(stride)
        {
            let Some(weight) = items.first().and_then(|key| self.graph.weight(*key)) else {
                return self.fault(ErrorKind::Unhashable);
            };
            steps = steps.saturating_add(u64::from(weight));
        }
        self.add_hash_cost(steps);
        Ok(())
    }

    fn add_hash_cost(&mut self, steps: u64) {
        if steps > self.cost.hash_steps {
            self.cost.offset = self.offset;
        }
        self.cost.hash_steps = self.cost.hash_steps.saturating_add(steps);
    }

    fn target_below(&self, mark: usize) -> Step<Value> {
        match mark.checked_sub(1) {
            Some(index) if index >= self.fence => match self.stack.get(index) {
                Some(target) => Ok(*target),
                None => self.underflow(),
            },
            _ => self.underflow(),
        }
    }

    pub(super) fn append(&mut self) -> Step {
        let item = self.pop()?;
        let target = self.top()?;
        match target.kind() {
            ValueKind::List => Ok(self.graph.extend(target, &[item])?),
            ValueKind::ByteArray => {
                self.check_byte(item)?;
                self.check_not_exported(target)?;
                Ok(self.graph.extend(target, &[item])?)
            }
            // C asks for `extend` first, and for `append` where there is none.
            ValueKind::Global | ValueKind::Object
                if self
                    .support(target)
                    .is_some_and(|has| has.append || (has.extend && !self.is_python())) =>
            {
                self.effect(
                    Opcode::Append,
                    EffectKind::Append {
                        object: target,
                        item,
                    },
                )
            }
            _ => self.fault(ErrorKind::MissingMethod),
        }
    }

    #[inline]
    pub(super) fn appends(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let target = self.target_below(mark)?;
        let nothing = self.stack.len() == mark;
        let looks_up = self.is_python() || self.options.version.looks_up_for_nothing();
        if nothing && !looks_up {
            if target.kind() != ValueKind::List {
                self.divergence.nothing.get_or_insert(self.offset);
            }
            return Ok(());
        }
        match target.kind() {
            ValueKind::List => {
                self.graph
                    .extend(target, self.stack.get(mark..).unwrap_or_default())?;
            }
            ValueKind::ByteArray => {
                for item in self.stack.get(mark..).unwrap_or_default() {
                    self.check_byte(*item)?;
                }
                if !nothing {
                    self.check_not_exported(target)?;
                }
                self.graph
                    .extend(target, self.stack.get(mark..).unwrap_or_default())?;
            }
            ValueKind::Global | ValueKind::Object
                if self.support(target).is_some_and(|has| !has.extend) =>
            {
                if self.support(target).is_some_and(|has| !has.append) {
                    return self.fault(ErrorKind::MissingMethod);
                }
                for index in mark..self.stack.len() {
                    if let Some(&item) = self.stack.get(index) {
                        let object = target;
                        self.effect(Opcode::Appends, EffectKind::Append { object, item })?;
                    }
                }
            }
            ValueKind::Global | ValueKind::Object => {
                let items = self
                    .graph
                    .new_span(self.stack.get(mark..).unwrap_or_default())?;
                self.stack.truncate(mark);
                return self.effect(
                    Opcode::Appends,
                    EffectKind::Extend {
                        object: target,
                        items,
                    },
                );
            }
            _ => return self.fault(ErrorKind::MissingMethod),
        }
        self.stack.truncate(mark);
        Ok(())
    }

    pub(super) fn set_item(&mut self) -> Step {
        let value = self.pop()?;
        let key = self.pop()?;
        let target = self.top()?;
        if target.kind() == ValueKind::Dict {
            self.check_key(key)?;
            return Ok(self.graph.extend(target, &[key, value])?);
        }
        self.assign(Opcode::SetItem, target, key, value)
    }

    fn check_key(&mut self, key: Value) -> Step {
        let Some(weight) = self.graph.weight(key) else {
            return self.fault(ErrorKind::Unhashable);
        };
        self.add_hash_cost(u64::from(weight));
        Ok(())
    }

    #[inline]
    pub(super) fn set_items(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let target = self.target_below(mark)?;
        let count = self.stack.len().saturating_sub(mark);
        if count == 0 {
            return Ok(());
        }
        let odd = !count.is_multiple_of(2);
        if odd && !self.is_python() {
            return self.fault(ErrorKind::OddItems);
        }
        if target.kind() == ValueKind::Dict {
            // Pairs before one that can't be hashed are stored.
            let mut stored = 0_usize;
            for pair in self.stack.get(mark..).unwrap_or_default().chunks_exact(2) {
                if pair
                    .first()
                    .is_none_or(|key| self.graph.weight(*key).is_none())
                {
                    break;
                }
                stored = stored.saturating_add(2);
            }
            let end = mark.saturating_add(stored);
            self.graph
                .extend(target, self.stack.get(mark..end).unwrap_or_default())?;
            self.check_keys(mark, 2)?;
        } else {
            let mut at = mark;
            while let Some(&[key, value]) = self.stack.get(at..at.saturating_add(2)) {
                self.assign(Opcode::SetItems, target, key, value)?;
                at = at.saturating_add(2);
            }
        }
        if odd {
            return self.fault_or(ErrorKind::OddItems, Exception::IndexError);
        }
        self.stack.truncate(mark);
        Ok(())
    }

    /// `target[key] = value` on anything but a dict.
    fn assign(&mut self, opcode: Opcode, target: Value, key: Value, value: Value) -> Step {
        match target.kind() {
            ValueKind::Global | ValueKind::Object
                if self.support(target).is_some_and(|has| has.set_item) =>
            {
                self.effect(
                    opcode,
                    EffectKind::SetItem {
                        object: target,
                        key,
                        value,
                    },
                )
            }
            ValueKind::List | ValueKind::ByteArray => {
                if !matches!(
                    key.kind(),
                    ValueKind::Int | ValueKind::Bool | ValueKind::LongInt
                ) {
                    return self.fault_as(ErrorKind::MissingMethod, Exception::TypeError);
                }
                let Some(index) = self.graph.small_integer(key) else {
                    return self.fault(ErrorKind::IndexOutOfRange);
                };
                let is_bytes = target.kind() == ValueKind::ByteArray;
                let index_first = self.options.version.checks_index_first();
                if is_bytes && !index_first {
                    self.check_byte(value)?;
                }
                let length = self.graph.length(target);
                let inside = if index < 0 {
                    index.unsigned_abs() <= length
                } else {
                    index.unsigned_abs() < length
                };
                if !inside {
                    return self.fault(ErrorKind::IndexOutOfRange);
                }
                if is_bytes && index_first {
                    self.check_byte(value)?;
                }
                Ok(self.graph.assign(target, key, value)?)
            }
            // A sequence is asked for the index before it is found to take no items.
            ValueKind::Str
            | ValueKind::Character
            | ValueKind::Bytes
            | ValueKind::Tuple
            | ValueKind::Set
            | ValueKind::FrozenSet
            | ValueKind::Global
            | ValueKind::Object
                if key.kind() == ValueKind::LongInt && self.graph.small_integer(key).is_none() =>
            {
                self.fault(ErrorKind::IndexOutOfRange)
            }
            _ => self.fault_as(ErrorKind::MissingMethod, Exception::TypeError),
        }
    }

    #[inline]
    pub(super) fn add_items(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let target = self.target_below(mark)?;
        match target.kind() {
            ValueKind::Set => {
                let mut hashable = 0_usize;
                for item in self.stack.get(mark..).unwrap_or_default() {
                    if self.graph.weight(*item).is_none() {
                        break;
                    }
                    hashable = hashable.saturating_add(1);
                }
                let end = mark.saturating_add(hashable);
                self.graph
                    .extend(target, self.stack.get(mark..end).unwrap_or_default())?;
                self.check_keys(mark, 1)?;
                self.stack.truncate(mark);
                Ok(())
            }
            ValueKind::Global | ValueKind::Object
                if self.support(target).is_some_and(|has| has.add) =>
            {
                for index in mark..self.stack.len() {
                    if let Some(&item) = self.stack.get(index) {
                        self.effect(
                            Opcode::AddItems,
                            EffectKind::Add {
                                object: target,
                                item,
                            },
                        )?;
                    }
                }
                self.stack.truncate(mark);
                Ok(())
            }
            _ if self.stack.len() == mark
                && !self.is_python()
                && !self.options.version.looks_up_for_nothing() =>
            {
                self.divergence.nothing.get_or_insert(self.offset);
                Ok(())
            }
            _ => self.fault(ErrorKind::MissingMethod),
        }
    }

    fn fault_as<T>(&self, kind: ErrorKind, exception: Exception) -> Step<T> {
        Err(super::Halt::Error(
            crate::Error::new(kind, self.offset).raised_as(exception),
        ))
    }

    fn check_byte(&self, item: Value) -> Step {
        match item.kind() {
            ValueKind::Int | ValueKind::Bool | ValueKind::LongInt => {
                match self.graph.small_integer(item) {
                    Some(0..=255) => Ok(()),
                    _ => self.fault(ErrorKind::InvalidByte),
                }
            }
            // What an opaque object is worth as an index only Python knows.
            _ if item.kind().is_opaque() && self.is_generous() => Ok(()),
            _ => self.fault_as(ErrorKind::InvalidByte, Exception::TypeError),
        }
    }

    /// A bytearray can't be resized while a view of it is alive: on the stack, in the memo, in an
    /// effect, or in a container that is.
    fn check_not_exported(&self, target: Value) -> Step {
        // Whether a view is alive takes a look at everything: where nothing may pass unseen the run
        // goes on instead.
        if self.is_generous() {
            return Ok(());
        }
        if self
            .views
            .iter()
            .any(|view| self.graph.view_base(*view) == Some(target))
            && self.view_is_alive(target)
        {
            return self.fault(ErrorKind::ExportedBuffer);
        }
        Ok(())
    }

    fn view_is_alive(&self, target: Value) -> bool {
        let mut todo: Vec<Value> = self.stack.clone();
        todo.extend(self.memo.values());
        for effect in &self.effects {
            match effect.kind {
                EffectKind::Call {
                    callable,
                    arguments,
                    keywords,
                    ..
                } => {
                    todo.extend([callable, arguments]);
                    todo.extend(keywords);
                }
                EffectKind::Build { object, state } => todo.extend([object, state]),
                EffectKind::ComputedImport { module, name, .. } => todo.extend([module, name]),
                EffectKind::SetItem { object, key, value } => todo.extend([object, key, value]),
                EffectKind::Append { object, item } | EffectKind::Add { object, item } => {
                    todo.extend([object, item]);
                }
                EffectKind::Extend { items, .. } => todo.extend(self.graph.span(items)),
                EffectKind::PersistentLoad { id, .. } => todo.extend(id),
                EffectKind::Import { .. }
                | EffectKind::Extension { .. }
                | EffectKind::Buffer { .. } => {}
            }
        }
        let mut seen = std::collections::HashSet::new();
        while let Some(value) = todo.pop() {
            if value.kind() == ValueKind::View && self.graph.view_base(value) == Some(target) {
                return true;
            }
            if self.graph.item_count(value) > 0 && seen.insert(value) {
                todo.extend(self.graph.items(value));
                todo.extend(self.graph.assignments(value).map(|(_, item, _)| item));
            }
        }
        false
    }
}
