//! Opcodes that push numbers, text and bytes.

use pickleproof_core::Opcode;

use super::oddities;
use super::state::Kind;
use super::writer::Writer;

impl Writer<'_> {
    /// Whether an opcode of that protocol is used: those of later protocols only now and then.
    pub(super) fn may_use(&mut self, protocol: u8) -> bool {
        protocol <= self.protocol || self.entropy.chance(1, 32)
    }

    fn from(
        &mut self,
        table: &'static [&'static [u8]],
        odd: &'static [&'static [u8]],
    ) -> &'static [u8] {
        let table = if self.fault() || (!odd.is_empty() && self.fault()) {
            odd
        } else {
            table
        };
        self.entropy.pick(table).unwrap_or_default()
    }

    fn line(&mut self, opcode: Opcode, text: &[&[u8]]) {
        let mut operand = text.concat();
        if !self.fault() || !self.entropy.chance(1, 8) {
            operand.push(b'\n');
        }
        self.emit(opcode, &operand);
    }

    /// Any literal.
    pub(super) fn literal(&mut self) {
        match self.entropy.below(32) {
            0 => self.none_or_bool(),
            1..=7 => self.integer(),
            8..=10 => self.float(),
            11..=18 => self.text(),
            19..=22 => self.byte_string(),
            23..=25 => self.python_2_string(),
            26 if self.may_use(5) => self.bytearray(),
            26..=28 => self.key(),
            _ => self.empty(),
        }
    }

    pub(super) fn none_or_bool(&mut self) {
        let opcode = if self.may_use(2) {
            self.entropy
                .pick(&[Opcode::None, Opcode::NewTrue, Opcode::NewFalse])
                .unwrap_or(Opcode::None)
        } else {
            Opcode::None
        };
        self.emit(opcode, &[]);
        self.state.push(Kind::Atom);
    }

    /// An empty container.
    fn empty(&mut self) {
        let (opcode, kind) = match self.entropy.below(5) {
            0 => (Opcode::EmptyTuple, Kind::Tuple { hashable: true }),
            1 if self.may_use(4) => (Opcode::EmptySet, Kind::Set),
            2 | 3 => (Opcode::EmptyDict, Kind::Dict),
            _ => (Opcode::EmptyList, Kind::List),
        };
        self.emit(opcode, &[]);
        self.state.push(kind);
    }

    /// Keys of which many are equal although their types differ.
    pub(super) fn key(&mut self) {
        const TUPLE: Kind = Kind::Tuple { hashable: true };
        const KEYS: &[(&[u8], Kind)] = &[
            (b"K\x01", Kind::Atom),
            (b"\x88", Kind::Atom),
            (b"G\x3f\xf0\0\0\0\0\0\0", Kind::Atom),
            (b"K\0", Kind::Atom),
            (b"\x89", Kind::Atom),
            (b"G\0\0\0\0\0\0\0\0", Kind::Atom),
            (b"G\x80\0\0\0\0\0\0\0", Kind::Atom),
            (b"G\x7f\xf8\0\0\0\0\0\0", Kind::Atom),
            (b"Fnan\n", Kind::Atom),
            (b"I01\n", Kind::Atom),
            (b"I1\n", Kind::Atom),
            (b"L1L\n", Kind::Atom),
            (b"\x8a\x01\x01", Kind::Atom),
            (b"N", Kind::Atom),
            (b"\x8c\x01a", Kind::Text),
            (b"Va\n", Kind::Text),
            (b"C\x01a", Kind::Bytes),
            (b"X\0\0\0\0", Kind::Text),
            (b"\x8a\x09\0\0\0\0\0\0\0\0\x40", Kind::Atom),
            (b"G\x44\x50\0\0\0\0\0\0", Kind::Atom),
            (b"\x8a\x07\x01\0\0\0\0\0\x20", Kind::Atom),
            (b"G\x43\x40\0\0\0\0\0\0", Kind::Atom),
            (b"K\x01\x85", TUPLE),
            (b"\x88\x85", TUPLE),
            (b"G\x3f\xf0\0\0\0\0\0\0\x85", TUPLE),
            (b")", TUPLE),
            (b")\x85", TUPLE),
            (b"(\x91", Kind::FrozenSet),
            (b"(K\x01\x91", Kind::FrozenSet),
            (b"(\x88K\x02\x91", Kind::FrozenSet),
            (b"(K\x02G\x3f\xf0\0\0\0\0\0\0\x91", Kind::FrozenSet),
            (b"(K\x01K\x02t", TUPLE),
        ];
        if let Some((code, kind)) = self.entropy.pick(KEYS)
            && let Some((opcode, operand)) = code.split_first()
            && let Some(opcode) = Opcode::from_byte(*opcode)
        {
            self.emit(opcode, operand);
            self.state.push(kind);
        }
    }

    pub(super) fn integer(&mut self) {
        let number = self.entropy.any().to_le_bytes();
        match self.entropy.below(8) {
            _ if !self.may_use(1) => self.integer_line(),
            0 | 1 => {
                let byte = self.entropy.byte();
                self.emit(Opcode::BinInt1, &[byte]);
            }
            2 => self.emit(Opcode::BinInt2, &number[..2]),
            3 => self.emit(Opcode::BinInt, &number[..4]),
            4 | 5 if self.may_use(2) => {
                let data = self.from(oddities::LONGS, oddities::LONGS);
                if self.entropy.chance(3, 4) {
                    self.counted(Opcode::Long1, data);
                } else {
                    self.counted(Opcode::Long4, data);
                }
            }
            6 => self.integer_line(),
            _ => {
                let byte = self.entropy.byte() & 3;
                self.emit(Opcode::BinInt1, &[byte]);
            }
        }
        self.state.push(Kind::Atom);
    }

    fn integer_line(&mut self) {
        let text = self.from(oddities::INTEGERS, oddities::ODD_INTEGERS);
        if self.entropy.chance(1, 2) {
            let text = if self.entropy.chance(1, 4) {
                self.entropy.pick(&[b"00", b"01"]).map_or(text, |bool| bool)
            } else {
                text
            };
            self.line(Opcode::Int, &[text]);
        } else if self.entropy.chance(3, 4) {
            self.line(Opcode::Long, &[text, b"L"]);
        } else {
            self.line(Opcode::Long, &[text]);
        }
    }

    pub(super) fn float(&mut self) {
        if self.may_use(1) && self.entropy.chance(3, 4) {
            let bits = if self.entropy.chance(7, 8) {
                self.entropy.pick(oddities::FLOAT_BITS).unwrap_or(0)
            } else {
                self.entropy.any()
            };
            self.emit(Opcode::BinFloat, &bits.to_be_bytes());
        } else {
            let text = self.from(oddities::FLOATS, oddities::ODD_FLOATS);
            self.line(Opcode::Float, &[text]);
        }
        self.state.push(Kind::Atom);
    }

    pub(super) fn text(&mut self) {
        if self.may_use(1) && self.entropy.chance(7, 8) {
            let text = self.from(oddities::TEXTS, oddities::ODD_TEXTS);
            self.push_text(text);
        } else {
            let text = self.from(oddities::ESCAPED, oddities::ODD_ESCAPED);
            self.line(Opcode::Unicode, &[text]);
            self.state.push(Kind::Text);
        }
    }

    /// Counted text.
    pub(super) fn push_text(&mut self, text: &[u8]) {
        let opcode = match self.entropy.below(8) {
            0 => Opcode::BinUnicode8,
            1 | 2 => Opcode::BinUnicode,
            _ => Opcode::ShortBinUnicode,
        };
        let opcode = if self.may_use(4) {
            opcode
        } else {
            Opcode::BinUnicode
        };
        self.counted(opcode, text);
        self.state.push(Kind::Text);
    }

    pub(super) fn byte_string(&mut self) {
        let any = self.entropy.any().to_le_bytes();
        let length = self.entropy.below(9);
        let data = if self.entropy.chance(1, 2) {
            any.get(..length).unwrap_or_default()
        } else {
            self.entropy.pick(oddities::TEXTS).unwrap_or_default()
        };
        let opcode = match self.entropy.below(8) {
            0 if self.may_use(4) => Opcode::BinBytes8,
            1 | 2 => Opcode::BinBytes,
            _ => Opcode::ShortBinBytes,
        };
        self.counted(opcode, data);
        self.state.push(Kind::Bytes);
    }

    /// Text or bytes, as the loader's encoding has it: good for nothing that needs one of them.
    fn python_2_string(&mut self) {
        let data = self.from(oddities::ASCII, oddities::ODD_TEXTS);
        match self.entropy.below(3) {
            0 if self.may_use(1) => self.counted(Opcode::BinString, data),
            1 if self.may_use(1) => self.counted(Opcode::ShortBinString, data),
            _ => {
                if self.fault() {
                    let text = self.entropy.pick(oddities::ODD_QUOTED).unwrap_or_default();
                    self.line(Opcode::String, &[text]);
                } else {
                    let text = self.entropy.pick(oddities::QUOTED).unwrap_or_default();
                    let quote = self.entropy.pick(&[b"'", b"\""]).unwrap_or(b"'");
                    self.line(Opcode::String, &[quote, text, quote]);
                }
            }
        }
        self.state.push(Kind::Atom);
    }

    pub(super) fn bytearray(&mut self) {
        let any = self.entropy.any().to_le_bytes();
        let length = self.entropy.below(9);
        self.counted(Opcode::ByteArray8, any.get(..length).unwrap_or_default());
        self.state.push(Kind::ByteArray);
    }

    /// A length that is wrong.
    pub(super) fn size(&mut self, right: u64) -> u64 {
        match self.entropy.below(4) {
            0 => right.wrapping_add(1),
            1 => right.saturating_sub(1),
            _ => self.entropy.pick(oddities::SIZES).unwrap_or(0),
        }
    }

    /// A length field and data.
    fn counted(&mut self, opcode: Opcode, data: &[u8]) {
        let mut size = u64::try_from(data.len()).unwrap_or(0);
        if self.fault() {
            size = self.size(size);
        }
        let width = opcode.operand_kind().length_width().unwrap_or(0);
        let mut operand: Vec<u8> = size.to_le_bytes().into_iter().take(width).collect();
        operand.extend_from_slice(data);
        self.emit(opcode, &operand);
    }

    /// Two lines, for GLOBAL and INST.
    pub(super) fn names(&mut self, opcode: Opcode) {
        let (module, name) = self.name_pair();
        self.line(opcode, &[module, b"\n", name]);
    }

    pub(super) fn name_pair(&mut self) -> (&'static [u8], &'static [u8]) {
        if self.entropy.chance(1, 6)
            && let Some(module) = self.entropy.pick(&self.options.modules)
        {
            return (module.as_bytes(), b"n");
        }
        let table = if self.fault() {
            oddities::ODD_NAMES
        } else {
            oddities::NAMES
        };
        self.entropy.pick(table).unwrap_or((b"m", b"n"))
    }

    pub(super) fn persistent_id_line(&mut self) {
        let text = self.from(oddities::IDS, oddities::ODD_IDS);
        self.line(Opcode::PersId, &[text]);
        self.state.push(Kind::Object);
    }

    /// A memo index as text.
    pub(super) fn index_line(&mut self, opcode: Opcode, index: u32) {
        if self.fault() {
            let text = self
                .entropy
                .pick(oddities::ODD_INTEGERS)
                .unwrap_or_default();
            self.line(opcode, &[text]);
        } else {
            self.line(opcode, &[index.to_string().as_bytes()]);
        }
    }
}
