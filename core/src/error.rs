//! Why a stream breaks: typed kinds with the byte offset at which a loader would give up.

use core::fmt;

/// A fault of a stream, at an offset. Small and `Copy`; it ends a run and discards nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The exception class that the dialect's loader raises.
    pub exception: Exception,
    /// Offset of the faulty instruction's opcode in the bytes given to the decoder or machine.
    pub offset: usize,
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $(($field:ident: $type:ty))? $name:literal
       $exception:ident $message:literal;)*) => {
        /// What can be wrong with a stream.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $variant $(($type))?,)*
        }

        impl ErrorKind {
            /// The kind's name in reports, `unknown-opcode`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(error_kinds!(@pattern $variant $($field)?) => $name,)* }
            }

            /// The exception class that CPython's C unpickler raises.
            #[must_use]
            pub const fn python_exception(self) -> Exception {
                match self { $(error_kinds!(@pattern $variant $($field)?) => Exception::$exception,)* }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(error_kinds!(@bind $variant $($field)?) => write!(f, $message),)*
                }
            }
        }
    };
    (@pattern $variant:ident $field:ident) => { Self::$variant(_) };
    (@pattern $variant:ident) => { Self::$variant };
    (@bind $variant:ident $field:ident) => { Self::$variant($field) };
    (@bind $variant:ident) => { Self::$variant };
}

/// The exception classes that CPython's unpicklers raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exception {
    /// `pickle.UnpicklingError`
    UnpicklingError,
    /// `EOFError`
    EofError,
    /// `ValueError`
    ValueError,
    /// `UnicodeDecodeError`
    UnicodeDecodeError,
    /// `OverflowError`
    OverflowError,
    /// `TypeError`
    TypeError,
    /// `AttributeError`
    AttributeError,
    /// `IndexError`
    IndexError,
    /// `KeyError`
    KeyError,
    /// `LookupError`
    LookupError,
    /// `BufferError`
    BufferError,
    /// `MemoryError`
    MemoryError,
    /// `struct.error`
    StructError,
    /// `ModuleNotFoundError`
    ModuleNotFoundError,
    /// `RecursionError`
    RecursionError,
}

impl Exception {
    /// The class's name as Python prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnpicklingError => "UnpicklingError",
            Self::EofError => "EOFError",
            Self::ValueError => "ValueError",
            Self::UnicodeDecodeError => "UnicodeDecodeError",
            Self::OverflowError => "OverflowError",
            Self::TypeError => "TypeError",
            Self::AttributeError => "AttributeError",
            Self::IndexError => "IndexError",
            Self::KeyError => "KeyError",
            Self::LookupError => "LookupError",
            Self::BufferError => "BufferError",
            Self::MemoryError => "MemoryError",
            Self::StructError => "struct.error",
            Self::ModuleNotFoundError => "ModuleNotFoundError",
            Self::RecursionError => "RecursionError",
        }
    }
}

error_kinds! {
    /// The bytes end where an opcode is expected.
    EndOfInput "end-of-input" EofError "the stream ends before STOP";
    /// A byte that is no opcode.
    UnknownOpcode(byte: u8) "unknown-opcode" UnpicklingError "byte {byte:#04x} is no opcode";
    /// The bytes end inside an operand.
    Truncated "truncated-operand" UnpicklingError "the stream ends inside an operand";
    /// A line of text has no newline.
    UnterminatedLine "unterminated-line" UnpicklingError "a line of text has no newline";
    /// A line of text is empty where it may not be.
    EmptyLine "empty-line" UnpicklingError "a line of text is empty";
    /// A counted operand claims a size that no loader can hold.
    SizeOverflow "size-overflow" OverflowError "a length is 2**63 or more";
    /// A counted operand has a negative size.
    NegativeSize "negative-size" UnpicklingError "a length is negative";
    /// An operand or frame crosses the end of its frame.
    FrameOverrun "frame-overrun" UnpicklingError "an operand crosses the end of its frame";
    /// A frame begins inside an unfinished frame.
    NestedFrame "nested-frame" UnpicklingError "a frame begins before the end of the current frame";
    /// A frame is longer than what is left of the bytes.
    ShortFrame "short-frame" UnpicklingError "a frame is longer than what is left";
    /// Less is left than a loader reads by itself behind an instruction.
    ShortData "short-data" ValueError "data behind an instruction is longer than what is left";
    /// A loader reads by itself behind an instruction, and how much can't be told.
    UnclearData "unclear-data" ValueError "how much data stands behind an instruction can't be told";
    /// Text that is not an integer.
    InvalidInteger "invalid-integer" ValueError "the text is not an integer";
    /// More decimal digits than CPython reads by default.
    TooManyDigits "too-many-digits" ValueError "the integer has more than 4300 decimal digits";
    /// Text that is not a float.
    InvalidFloat "invalid-float" ValueError "the text is not a float";
    /// A number outside the range that its place allows.
    NumberOverflow "number-overflow" OverflowError "the number is out of range";
    /// A STRING operand without matching quotes.
    UnquotedString "unquoted-string" UnpicklingError "a STRING operand is not quoted";
    /// An invalid escape in a STRING operand.
    InvalidEscape "invalid-escape" ValueError "an escape in a STRING operand is invalid";
    /// Text that its encoding does not allow.
    InvalidText "invalid-text" UnicodeDecodeError "the text is not valid in its encoding";
    /// An encoding or an error handler that no codec has.
    UnknownCodec "unknown-codec" LookupError "the encoding or its error handler is unknown";
    /// A persistent id in text that is not ASCII.
    InvalidPersistentId "invalid-persistent-id" UnpicklingError "a persistent id is not ASCII";
    /// An opcode needs more objects than the stack holds above the newest mark.
    StackUnderflow "stack-underflow" UnpicklingError "the stack holds too few objects";
    /// An opcode needs a mark and there is none.
    MissingMark "missing-mark" UnpicklingError "there is no mark";
    /// A dict is given a key without a value.
    OddItems "odd-items" UnpicklingError "a key has no value";
    /// The memo has no entry at this index.
    MissingMemo "missing-memo" UnpicklingError "the memo has no such entry";
    /// A PUT with a negative index.
    NegativeMemo "negative-memo" ValueError "a memo index is negative";
    /// An import that fails.
    ImportFailed "import-failed" ModuleNotFoundError "the import fails";
    /// A memo entry that is stored twice, to `pickletools.dis` before 3.14.
    MemoRedefined "memo-redefined" ValueError "the memo entry is there already";
    /// Objects that are left on the stack behind STOP, to `pickletools.dis`.
    StackNotEmpty "stack-not-empty" ValueError "the stack is not empty after STOP";
    /// STACK_GLOBAL on something other than two strings.
    NamesNotText "names-not-text" UnpicklingError "STACK_GLOBAL needs two strings";
    /// The arguments of a call are no tuple.
    ArgumentsNotTuple "arguments-not-tuple" TypeError "the arguments are no tuple";
    /// The keyword arguments of a call are no dict of strings.
    ArgumentsNotDict "arguments-not-dict" UnpicklingError "the keyword arguments are no dict of strings";
    /// A call of something that can't be called.
    NotCallable "not-callable" TypeError "the object can't be called";
    /// NEWOBJ on something that is no class.
    NotClass "not-class" UnpicklingError "the object is no class";
    /// A key or member that can't be hashed.
    Unhashable "unhashable" TypeError "a key can't be hashed";
    /// The object has no method for what is asked of it.
    MissingMethod "missing-method" AttributeError "the object does not support the operation";
    /// A state that BUILD can't use.
    InvalidState "invalid-state" UnpicklingError "the state is no dict";
    /// An index outside the list.
    IndexOutOfRange "index-out-of-range" IndexError "the index is out of range";
    /// A value that is no byte.
    InvalidByte "invalid-byte" ValueError "the value is no byte";
    /// Resizing a bytearray that a view shows.
    ExportedBuffer "exported-buffer" BufferError "the bytearray is in use by a view";
    /// READONLY_BUFFER on something without the buffer protocol.
    NotBuffer "not-buffer" TypeError "the object has no buffer";
    /// NEXT_BUFFER without a buffer to give.
    MissingBuffer "missing-buffer" UnpicklingError "there is no out-of-band buffer";
    /// A persistent id without a loader for it.
    MissingPersistentLoad "missing-persistent-load" UnpicklingError "the loader resolves no persistent ids";
    /// An extension code that is not positive.
    InvalidExtension "invalid-extension" UnpicklingError "an extension code is not positive";
    /// An extension code that is not registered.
    UnknownExtension "unknown-extension" ValueError "the extension code is not registered";
    /// A protocol that no loader knows.
    UnknownProtocol(protocol: u8) "unknown-protocol" ValueError "protocol {protocol} is unknown";
    /// A memo index for which the C unpickler would ask for more memory than there is.
    MemoTooLarge "memo-too-large" MemoryError "a memo index asks for too much memory";
}

impl Error {
    /// An error as the C unpickler raises it.
    #[must_use]
    pub const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self {
            kind,
            exception: kind.python_exception(),
            offset,
        }
    }

    /// The same error where another dialect raises another class.
    #[must_use]
    pub const fn raised_as(self, exception: Exception) -> Self {
        Self { exception, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) at offset {}",
            self.kind,
            self.exception.name(),
            self.offset
        )
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_which_class_and_where() {
        let error = Error::new(ErrorKind::UnknownOpcode(0xff), 33);
        assert_eq!(
            error.to_string(),
            "byte 0xff is no opcode (UnpicklingError) at offset 33"
        );
        assert_eq!(
            error.raised_as(Exception::KeyError).exception.name(),
            "KeyError"
        );
        assert!(size_of::<Error>() <= 16);
    }
}
