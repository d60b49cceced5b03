//! The one table of pickle's 68 opcodes.
//!
//! Everything about an opcode stands in its row: variant, byte, name in pickletools, the protocol
//! that introduced it, the kind of its operand, what it takes from the stack and puts on it, and a
//! sentence of documentation. Enum, lookup, decoder, encoder, assembler and disassembler derive
//! from it. The facts are those of CPython's `Lib/pickletools.py`; PEP 307, PEP 3154 and PEP 574
//! introduced protocols 2, 4 and 5.

use core::fmt;

/// How an opcode's operand is laid out, after the names of pickletools' argument descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// No operand.
    None,
    /// One byte, unsigned.
    Uint1,
    /// Two bytes, little endian, unsigned.
    Uint2,
    /// Four bytes, little endian, signed.
    Int4,
    /// Four bytes, little endian, unsigned.
    Uint4,
    /// Eight bytes, little endian, unsigned.
    Uint8,
    /// Eight bytes, big endian, IEEE 754.
    Float8,
    /// A line of decimal text, `00` and `01` being bools for INT.
    DecimalLine,
    /// A line of decimal text with an optional trailing `L`.
    LongLine,
    /// A line of text that is a float.
    FloatLine,
    /// A line that holds a quoted string with escapes.
    QuotedLine,
    /// A line in raw-unicode-escape.
    UnicodeLine,
    /// A line taken literally.
    TextLine,
    /// Two lines taken literally: module and name.
    TextLines,
    /// A one-byte length and that many bytes: a Python 2 string.
    String1,
    /// A four-byte length and that many bytes: a Python 2 string.
    String4,
    /// A one-byte length and that many bytes.
    Bytes1,
    /// A four-byte length and that many bytes.
    Bytes4,
    /// An eight-byte length and that many bytes.
    Bytes8,
    /// An eight-byte length and that many bytes: a bytearray.
    ByteArray8,
    /// A one-byte length and that many bytes of UTF-8.
    Unicode1,
    /// A four-byte length and that many bytes of UTF-8.
    Unicode4,
    /// An eight-byte length and that many bytes of UTF-8.
    Unicode8,
    /// A one-byte length and that many bytes of two's complement, little endian.
    Long1,
    /// A four-byte signed length and that many bytes of two's complement, little endian.
    Long4,
}

/// The bytes that stand before an operand's counted data, or its whole width if it has none.
impl OperandKind {
    /// Width in bytes of a counted operand's length field; `None` for operands without one.
    #[must_use]
    pub const fn length_width(self) -> Option<usize> {
        match self {
            Self::String1 | Self::Bytes1 | Self::Unicode1 | Self::Long1 => Some(1),
            Self::String4 | Self::Bytes4 | Self::Unicode4 | Self::Long4 => Some(4),
            Self::Bytes8 | Self::ByteArray8 | Self::Unicode8 => Some(8),
            _ => None,
        }
    }
}

/// What an opcode takes from the stack or puts on it, after pickletools' stack objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StackItem {
    /// Any object.
    Any,
    /// A mark.
    Mark,
    /// The objects above the newest mark.
    Slice,
    /// The object None.
    NoneObject,
    /// A bool.
    Bool,
    /// An int.
    Int,
    /// An int or a bool.
    IntOrBool,
    /// A float.
    Float,
    /// A Python 2 string: str or bytes, by the loader's `encoding`.
    BytesOrStr,
    /// A str.
    Str,
    /// A bytes object.
    Bytes,
    /// A bytearray.
    ByteArray,
    /// An object with the buffer protocol.
    Buffer,
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
}

macro_rules! opcodes {
    ($($variant:ident $byte:literal $name:literal $protocol:literal $operand:ident
       [$($before:ident)*] => [$($after:ident)*] $doc:literal;)*) => {
        /// A pickle opcode.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $(#[doc = $doc] $variant = $byte,)*
        }

        impl Opcode {
            /// Every opcode, in the order of its byte.
            pub const ALL: [Self; 68] = [$(Self::$variant),*];

            /// The opcode of this byte; `None` for the other 188 values.
            #[must_use]
            #[inline]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name in pickletools, `SHORT_BINUNICODE`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The opcode of this pickletools name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The protocol that introduced it, 0 to 5. No loader checks it.
            #[must_use]
            pub const fn protocol(self) -> u8 {
                match self { $(Self::$variant => $protocol,)* }
            }

            /// How its operand is laid out.
            #[must_use]
            #[inline]
            pub const fn operand_kind(self) -> OperandKind {
                match self { $(Self::$variant => OperandKind::$operand,)* }
            }

            /// What it takes from the stack, the top last.
            #[must_use]
            pub const fn stack_before(self) -> &'static [StackItem] {
                match self { $(Self::$variant => &[$(StackItem::$before),*],)* }
            }

            /// What it puts on the stack, the top last.
            #[must_use]
            pub const fn stack_after(self) -> &'static [StackItem] {
                match self { $(Self::$variant => &[$(StackItem::$after),*],)* }
            }

            /// One sentence on what it does.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

opcodes! {
    Mark 0x28 "MARK" 0 None [] => [Mark] "Pushes a mark.";
    EmptyTuple 0x29 "EMPTY_TUPLE" 1 None [] => [Tuple] "Pushes the empty tuple.";
    Stop 0x2e "STOP" 0 None [Any] => [] "Ends the stream; the top object is its result.";
    Pop 0x30 "POP" 0 None [Any] => [] "Drops the top object, or a mark on top.";
    PopMark 0x31 "POP_MARK" 1 None [Mark Slice] => [] "Drops everything down to and with the newest mark.";
    Dup 0x32 "DUP" 0 None [Any] => [Any Any] "Pushes the top object again.";
    BinBytes 0x42 "BINBYTES" 3 Bytes4 [] => [Bytes] "Pushes bytes with a four-byte length.";
    ShortBinBytes 0x43 "SHORT_BINBYTES" 3 Bytes1 [] => [Bytes] "Pushes bytes with a one-byte length.";
    Float 0x46 "FLOAT" 0 FloatLine [] => [Float] "Pushes a float read from decimal text.";
    BinFloat 0x47 "BINFLOAT" 1 Float8 [] => [Float] "Pushes a float of eight big-endian bytes.";
    Int 0x49 "INT" 0 DecimalLine [] => [IntOrBool] "Pushes an integer or, as `00` and `01`, a bool, read from decimal text.";
    BinInt 0x4a "BININT" 1 Int4 [] => [Int] "Pushes a signed four-byte integer.";
    BinInt1 0x4b "BININT1" 1 Uint1 [] => [Int] "Pushes a one-byte integer.";
    Long 0x4c "LONG" 0 LongLine [] => [Int] "Pushes an integer read from decimal text with an optional `L`.";
    BinInt2 0x4d "BININT2" 1 Uint2 [] => [Int] "Pushes a two-byte integer.";
    None 0x4e "NONE" 0 None [] => [NoneObject] "Pushes None.";
    PersId 0x50 "PERSID" 0 TextLine [] => [Any] "Asks the loader for the object of a persistent id given as a line.";
    BinPersId 0x51 "BINPERSID" 1 None [Any] => [Any] "Asks the loader for the object of the persistent id on top.";
    Reduce 0x52 "REDUCE" 0 None [Any Any] => [Any] "Calls the callable with the tuple of arguments above it.";
    String 0x53 "STRING" 0 QuotedLine [] => [BytesOrStr] "Pushes a Python 2 string read from a quoted, escaped line.";
    BinString 0x54 "BINSTRING" 1 String4 [] => [BytesOrStr] "Pushes a Python 2 string with a four-byte length.";
    ShortBinString 0x55 "SHORT_BINSTRING" 1 String1 [] => [BytesOrStr] "Pushes a Python 2 string with a one-byte length.";
    Unicode 0x56 "UNICODE" 0 UnicodeLine [] => [Str] "Pushes a str read from a raw-unicode-escape line.";
    BinUnicode 0x58 "BINUNICODE" 1 Unicode4 [] => [Str] "Pushes a str with a four-byte UTF-8 length.";
    EmptyList 0x5d "EMPTY_LIST" 1 None [] => [List] "Pushes a new empty list.";
    Append 0x61 "APPEND" 0 None [List Any] => [List] "Appends the top object to the list below it.";
    Build 0x62 "BUILD" 0 None [Any Any] => [Any] "Sets the state of an object: `__setstate__`, or its `__dict__` and slots.";
    Global 0x63 "GLOBAL" 0 TextLines [] => [Any] "Imports the module and pushes the attribute that two lines name.";
    Dict 0x64 "DICT" 0 None [Mark Slice] => [Dict] "Makes a dict of the pairs above the mark.";
    Appends 0x65 "APPENDS" 1 None [List Mark Slice] => [List] "Extends the list below the mark by the objects above it.";
    Get 0x67 "GET" 0 DecimalLine [] => [Any] "Pushes the memo entry that a decimal line names.";
    BinGet 0x68 "BINGET" 1 Uint1 [] => [Any] "Pushes the memo entry of a one-byte index.";
    Inst 0x69 "INST" 0 TextLines [Mark Slice] => [Any] "Imports a class named by two lines and calls it with the objects above the mark.";
    LongBinGet 0x6a "LONG_BINGET" 1 Uint4 [] => [Any] "Pushes the memo entry of a four-byte index.";
    List 0x6c "LIST" 0 None [Mark Slice] => [List] "Makes a list of the objects above the mark.";
    Obj 0x6f "OBJ" 1 None [Mark Any Slice] => [Any] "Calls the first object above the mark with the others as arguments.";
    Put 0x70 "PUT" 0 DecimalLine [] => [] "Stores the top object in the memo at an index given as a decimal line.";
    BinPut 0x71 "BINPUT" 1 Uint1 [] => [] "Stores the top object in the memo at a one-byte index.";
    LongBinPut 0x72 "LONG_BINPUT" 1 Uint4 [] => [] "Stores the top object in the memo at a four-byte index.";
    SetItem 0x73 "SETITEM" 0 None [Dict Any Any] => [Dict] "Stores one pair in the dict below it.";
    Tuple 0x74 "TUPLE" 0 None [Mark Slice] => [Tuple] "Makes a tuple of the objects above the mark.";
    SetItems 0x75 "SETITEMS" 1 None [Dict Mark Slice] => [Dict] "Stores the pairs above the mark in the dict below it.";
    EmptyDict 0x7d "EMPTY_DICT" 1 None [] => [Dict] "Pushes a new empty dict.";
    Proto 0x80 "PROTO" 2 Uint1 [] => [] "Declares the protocol.";
    NewObj 0x81 "NEWOBJ" 2 None [Any Any] => [Any] "Makes an object with `cls.__new__(cls, *args)`.";
    Ext1 0x82 "EXT1" 2 Uint1 [] => [Any] "Pushes the global registered in copyreg under a one-byte code.";
    Ext2 0x83 "EXT2" 2 Uint2 [] => [Any] "Pushes the global registered in copyreg under a two-byte code.";
    Ext4 0x84 "EXT4" 2 Int4 [] => [Any] "Pushes the global registered in copyreg under a four-byte code.";
    Tuple1 0x85 "TUPLE1" 2 None [Any] => [Tuple] "Makes a tuple of the top object.";
    Tuple2 0x86 "TUPLE2" 2 None [Any Any] => [Tuple] "Makes a tuple of the top two objects.";
    Tuple3 0x87 "TUPLE3" 2 None [Any Any Any] => [Tuple] "Makes a tuple of the top three objects.";
    NewTrue 0x88 "NEWTRUE" 2 None [] => [Bool] "Pushes True.";
    NewFalse 0x89 "NEWFALSE" 2 None [] => [Bool] "Pushes False.";
    Long1 0x8a "LONG1" 2 Long1 [] => [Int] "Pushes an integer of up to 255 bytes of two's complement.";
    Long4 0x8b "LONG4" 2 Long4 [] => [Int] "Pushes an integer of up to 2 GiB of two's complement.";
    ShortBinUnicode 0x8c "SHORT_BINUNICODE" 4 Unicode1 [] => [Str] "Pushes a str with a one-byte UTF-8 length.";
    BinUnicode8 0x8d "BINUNICODE8" 4 Unicode8 [] => [Str] "Pushes a str with an eight-byte UTF-8 length.";
    BinBytes8 0x8e "BINBYTES8" 4 Bytes8 [] => [Bytes] "Pushes bytes with an eight-byte length.";
    EmptySet 0x8f "EMPTY_SET" 4 None [] => [Set] "Pushes a new empty set.";
    AddItems 0x90 "ADDITEMS" 4 None [Set Mark Slice] => [Set] "Adds the objects above the mark to the set below it.";
    FrozenSet 0x91 "FROZENSET" 4 None [Mark Slice] => [FrozenSet] "Makes a frozenset of the objects above the mark.";
    NewObjEx 0x92 "NEWOBJ_EX" 4 None [Any Any Any] => [Any] "Makes an object with `cls.__new__(cls, *args, **kwargs)`.";
    StackGlobal 0x93 "STACK_GLOBAL" 4 None [Str Str] => [Any] "Imports the module and pushes the attribute that the top two strings name.";
    Memoize 0x94 "MEMOIZE" 4 None [Any] => [Any] "Stores the top object in the memo at the number of its entries.";
    Frame 0x95 "FRAME" 4 Uint8 [] => [] "Announces a frame of so many bytes.";
    ByteArray8 0x96 "BYTEARRAY8" 5 ByteArray8 [] => [ByteArray] "Pushes a new bytearray with an eight-byte length.";
    NextBuffer 0x97 "NEXT_BUFFER" 5 None [] => [Buffer] "Pushes the next out-of-band buffer that the caller gave.";
    ReadonlyBuffer 0x98 "READONLY_BUFFER" 5 None [Buffer] => [Buffer] "Replaces a writable buffer on top by a read-only view of it.";
}

impl Opcode {
    /// The byte that stands for it in a stream.
    #[must_use]
    #[inline]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_names_are_unique_and_invert() {
        let mut known = 0;
        for byte in 0..=u8::MAX {
            if let Some(opcode) = Opcode::from_byte(byte) {
                assert_eq!(opcode.byte(), byte);
                assert_eq!(Opcode::from_name(opcode.name()), Some(opcode));
                known += 1;
            }
        }
        assert_eq!(known, 68);
        assert!(Opcode::ALL.is_sorted());
        assert_eq!(Opcode::from_name("NOPE"), None);
    }

    #[test]
    fn the_table_counts_68_opcodes_of_six_protocols() {
        let mut by_protocol = [0; 6];
        for opcode in Opcode::ALL {
            by_protocol[usize::from(opcode.protocol())] += 1;
            assert!(opcode.doc().ends_with('.'), "{opcode}");
        }
        // pickletools.opcodes of CPython 3.11, counted by protocol.
        assert_eq!(by_protocol, EXPECTED_BY_PROTOCOL);
    }

    #[test]
    fn marks_and_slices_go_together() {
        for opcode in Opcode::ALL {
            let before = opcode.stack_before();
            let marks = before
                .iter()
                .filter(|item| **item == StackItem::Mark)
                .count();
            let slices = before
                .iter()
                .filter(|item| **item == StackItem::Slice)
                .count();
            assert_eq!(marks, slices, "{opcode}");
        }
    }

    const EXPECTED_BY_PROTOCOL: [usize; 6] = [22, 19, 12, 2, 10, 3];
}
