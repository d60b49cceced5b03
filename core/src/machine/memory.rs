//! Stack, marks and memo.

use super::{
    Dialect, ErrorKind, Exception, Halt, Instruction, LimitKind, Machine, Operand, Step, Value,
};
use crate::decode::line_text;
use crate::number::{self, Parsed, Radix};

/// The classic C memo is an array of eight bytes an entry, twice as long as the highest index.
const C_MEMO_BYTES_PER_INDEX: u64 = 16;

/// An array of so many bytes is refused whatever memory there is (`_Unpickler_ResizeMemoList`).
const MAX_C_MEMO_BYTES: u64 = 1 << 63;

impl Machine<'_> {
    const fn has_dense_memo(&self) -> bool {
        matches!(self.options.dialect, Dialect::C) && !self.options.version.has_sparse_memo()
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Step {
        if self.stack.len() as u64 >= self.options.limits.stack {
            return Err(Halt::Limit(LimitKind::Stack));
        }
        self.stack.push(value);
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Step<Value> {
        if self.stack.len() > self.fence
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        self.underflow()
    }

    #[inline]
    pub(super) fn top(&self) -> Step<Value> {
        match self.stack.last() {
            Some(value) if self.stack.len() > self.fence => Ok(*value),
            _ => self.underflow(),
        }
    }

    pub(super) fn underflow<T>(&self) -> Step<T> {
        self.fault_or(ErrorKind::StackUnderflow, Exception::IndexError)
    }

    #[inline]
    pub(super) fn push_mark(&mut self) -> Step {
        if self.marks.len() as u64 >= self.options.limits.marks {
            return Err(Halt::Limit(LimitKind::Marks));
        }
        self.fence = self.stack.len();
        self.marks.push(self.fence);
        Ok(())
    }

    /// Drops the newest mark and gives the height of the stack at it.
    #[inline]
    pub(super) fn pop_mark(&mut self) -> Step<usize> {
        let Some(mark) = self.marks.pop() else {
            return self.fault_or(ErrorKind::MissingMark, Exception::IndexError);
        };
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(mark)
    }

    pub(super) fn pop_object_or_mark(&mut self) -> Step {
        if self.stack.len() == self.fence && !self.marks.is_empty() {
            self.pop_mark()?;
        } else {
            self.pop()?;
        }
        Ok(())
    }

    pub(super) fn get(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Uint(index) = instruction.operand else {
            return Ok(());
        };
        match self.memo.get(index) {
            Some(value) => self.push(value),
            None => self.missing_memo(),
        }
    }

    fn missing_memo(&mut self) -> Step {
        if self.memo_gap {
            self.divergence.memo.get_or_insert(self.offset);
        }
        let error = crate::Error::new(ErrorKind::MissingMemo, self.offset);
        Err(Halt::Error(if self.options.version.raises_key_error() {
            error.raised_as(Exception::KeyError)
        } else {
            error
        }))
    }

    pub(super) fn get_line(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        let value = match self.memo_index(line_text(line))? {
            Parsed::Small(index) => u64::try_from(index)
                .ok()
                .and_then(|index| self.memo.get(index)),
            Parsed::Bool(_) => None,
            Parsed::Big if self.options.dialect == Dialect::C => {
                return self.fault(ErrorKind::NumberOverflow);
            }
            Parsed::Big => self.memo.get_huge(&number::canonical_decimal(line)),
        };
        match value {
            Some(value) => self.push(value),
            None => self.missing_memo(),
        }
    }

    /// C reads the line, then looks at the stack, then at the text; `pickle.py` at the text first.
    pub(super) fn put_line(&mut self, instruction: &Instruction<'_>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        if !self.is_python() {
            self.top()?;
        }
        let text = line_text(line);
        let parsed = self.memo_index(text)?;
        let negative = match parsed {
            Parsed::Small(index) => index < 0,
            Parsed::Bool(_) => false,
            Parsed::Big => {
                number::integer_of_text(text, Radix::Decimal).is_some_and(|index| index.negative)
            }
        };
        if negative && (self.is_python() || parsed != Parsed::Big) {
            return self.fault(ErrorKind::NegativeMemo);
        }
        match parsed {
            Parsed::Big if !self.is_python() => self.fault(ErrorKind::NumberOverflow),
            Parsed::Big => {
                let top = self.top()?;
                self.memo_has_room()?;
                self.memo.put_huge(number::canonical_decimal(text), top);
                Ok(())
            }
            Parsed::Small(index) => {
                let top = self.top()?;
                self.put(u64::try_from(index).unwrap_or(0), top)
            }
            Parsed::Bool(_) => Ok(()),
        }
    }

    pub(super) fn line_index(&self, line: &[u8]) -> Option<u64> {
        match self.read_index(line_text(line)) {
            Ok(Parsed::Small(index)) => u64::try_from(index).ok(),
            _ => None,
        }
    }

    fn memo_index(&mut self, text: &[u8]) -> Step<Parsed> {
        if text.contains(&0) {
            self.divergence.text.get_or_insert(self.offset);
        }
        self.read_index(text).or_else(|kind| self.fault(kind))
    }

    fn read_index(&self, text: &[u8]) -> Result<Parsed, ErrorKind> {
        if self.is_python() {
            number::python_integer(text, Radix::Decimal)
        } else {
            number::c_integer(text, Radix::Decimal)
        }
    }

    fn memo_has_room(&self) -> Step {
        if self.memo.len() >= self.options.limits.memo {
            return Err(Halt::Limit(LimitKind::Memo));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn put(&mut self, index: u64, value: Value) -> Step {
        self.memo_has_room()?;
        // 3.15 counts what stands in an array of at least 32 entries that is half full.
        self.memo_gap |= index >= 32 && index > self.memo.len();
        let bytes = index.saturating_mul(C_MEMO_BYTES_PER_INDEX);
        if bytes > self.cost.memo_bytes {
            if bytes >= MAX_C_MEMO_BYTES && self.has_dense_memo() {
                if !self.is_generous() {
                    return self.fault(ErrorKind::MemoTooLarge);
                }
                self.tolerate(ErrorKind::MemoTooLarge);
            }
            self.cost.memo_bytes = bytes;
            if index > self.memo.len().saturating_mul(4).saturating_add(1024) {
                self.cost.offset = self.offset;
            }
        }
        self.memo.put(index, value);
        Ok(())
    }
}
