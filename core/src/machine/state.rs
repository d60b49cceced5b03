//! BUILD, and what objects support.

use super::{
    Attributes, EffectKind, ErrorKind, Exception, Machine, Opcode, Step, Support, Value, ValueKind,
};

impl Machine<'_> {
    /// What an object supports, if it is one of the loader's.
    pub(super) fn support(&self, object: Value) -> Option<Support> {
        if !object.kind().is_opaque() {
            return None;
        }
        if self.profiles.is_empty() {
            return Some(Support::ALL);
        }
        let support = match self.profiles.get(&object) {
            Some(profile) => Some(profile.itself),
            None => self.supports.get(&object).copied(),
        };
        Some(support.unwrap_or(Support::ALL))
    }

    pub(super) fn build(&mut self) -> Step {
        let state = self.pop()?;
        let object = self.top()?;
        let support = self.support(object).unwrap_or(Support::NONE);
        if support.set_state {
            return self.effect(Opcode::Build, EffectKind::Build { object, state });
        }
        let (mut items, mut slots) = (state, None);
        if state.kind() == ValueKind::Tuple && self.graph.item_count(state) == 2 {
            let mut halves = self.graph.items(state);
            if let (Some(first), Some(second)) = (halves.next(), halves.next()) {
                (items, slots) = (first, Some(second));
            }
        }
        if self.is_python() {
            slots = slots.filter(|slots| self.is_true(*slots));
        }
        let wanted = if self.is_python() {
            self.is_true(items)
        } else {
            !items.is_none()
        };
        if wanted {
            self.check_items(items, support.attributes)?;
        }
        let slots_hold = slots.is_none_or(|slots| slots.kind() == ValueKind::Dict);
        if support.attributes == Attributes::Writable {
            // Where the slots are no dict, the items have been set before a loader finds that out.
            let state = if slots_hold { state } else { items };
            self.effect(Opcode::Build, EffectKind::Build { object, state })?;
        }
        match slots {
            Some(_) if !slots_hold => {
                self.fault_or(ErrorKind::InvalidState, Exception::AttributeError)
            }
            Some(slots) => self.check_slots(slots, support.attributes),
            None => Ok(()),
        }
    }

    /// Whether `object.__dict__` takes these items.
    fn check_items(&self, items: Value, attributes: Attributes) -> Step {
        let is_dict = items.kind() == ValueKind::Dict;
        // C looks at the state first, `pickle.py` at the object.
        if !is_dict && !self.is_python() {
            return self.fault(ErrorKind::InvalidState);
        }
        if attributes == Attributes::None {
            return self.fault(ErrorKind::MissingMethod);
        }
        if !is_dict {
            return self.fault_or(ErrorKind::InvalidState, Exception::AttributeError);
        }
        if attributes == Attributes::OfClass
            && let Some(key) = self.graph.items(items).next()
        {
            // The proxy is asked for the index before it is found to take no items.
            if key.kind() == ValueKind::LongInt && self.graph.small_integer(key).is_none() {
                return self.fault(ErrorKind::IndexOutOfRange);
            }
            return self.fault_type(ErrorKind::MissingMethod);
        }
        Ok(())
    }

    /// Whether the object's attributes can be set to these.
    fn check_slots(&self, slots: Value, attributes: Attributes) -> Step {
        for key in self.graph.items(slots).step_by(2) {
            match self.graph.text(key).as_deref() {
                None => return self.fault_type(ErrorKind::MissingMethod),
                Some(b"__class__") if attributes != Attributes::Writable => {
                    return self.fault_type(ErrorKind::MissingMethod);
                }
                Some(_) if attributes == Attributes::None => {
                    return self.fault(ErrorKind::MissingMethod);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Python's truth of a value; opaque ones are true.
    fn is_true(&self, value: Value) -> bool {
        match value.kind() {
            ValueKind::None => false,
            ValueKind::Bool | ValueKind::Int => value.signed_payload() != 0,
            ValueKind::Float => self
                .graph
                .float_bits(value)
                .is_none_or(|bits| f64::from_bits(bits) != 0.0),
            ValueKind::Str => self.graph.text(value).is_none_or(|text| !text.is_empty()),
            ValueKind::Bytes => self
                .graph
                .byte_string(value)
                .is_none_or(|bytes| !bytes.is_empty()),
            ValueKind::Tuple
            | ValueKind::List
            | ValueKind::Dict
            | ValueKind::Set
            | ValueKind::FrozenSet => self.graph.item_count(value) > 0,
            ValueKind::ByteArray => self.graph.length(value) > 0,
            ValueKind::View => self
                .graph
                .view_base(value)
                .is_none_or(|base| self.graph.length(base) > 0),
            ValueKind::LongInt | ValueKind::Character | ValueKind::Global | ValueKind::Object => {
                true
            }
        }
    }
}
