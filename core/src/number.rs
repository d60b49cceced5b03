//! Numbers written as text, read as CPython's unpicklers read them, and integers of any size.
//!
//! C hands INT, LONG, FLOAT, GET and PUT lines to functions that stop at the first NUL
//! (`Modules/_pickle.c`: `load_int`, `load_long`, `load_float`); `pickle.py` uses `int()` and
//! `float()`, which refuse a NUL and strip blanks.

use crate::error::ErrorKind;

/// CPython's default limit on the decimal digits of an integer (`sys.set_int_max_str_digits`).
const MAX_DECIMAL_DIGITS: usize = 4300;

/// The digits of 10**4300.
const TEN_TO_4300: [u8; MAX_DECIMAL_DIGITS + 1] = {
    let mut digits = [b'0'; MAX_DECIMAL_DIGITS + 1];
    digits[0] = b'1';
    digits
};

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Integer {
    /// Whether it is below zero.
    pub negative: bool,
    /// Its absolute value, little endian, without leading zero bytes.
    pub magnitude: Vec<u8>,
}

impl Integer {
    /// The integer of this two's complement, little endian, as LONG1 and LONG4 hold it.
    #[must_use]
    pub fn from_twos_complement(bytes: &[u8]) -> Self {
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut magnitude = bytes.to_vec();
        if negative {
            let mut carry = true;
            for byte in &mut magnitude {
                let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
                *byte = value;
                carry = overflow;
            }
            if carry {
                magnitude.push(1);
            }
        }
        Self {
            negative,
            magnitude,
        }
        .trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.magnitude.last() == Some(&0) {
            self.magnitude.pop();
        }
        self.negative &= !self.magnitude.is_empty();
        self
    }

    /// Its value, if it fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        if self.magnitude.len() > 8 {
            return None;
        }
        let value = self
            .magnitude
            .iter()
            .rev()
            .fold(0_i128, |value, byte| (value << 8) | i128::from(*byte));
        i64::try_from(if self.negative {
            value.checked_neg()?
        } else {
            value
        })
        .ok()
    }

    /// The integer of an unsigned number.
    #[must_use]
    pub fn from_unsigned(value: u64) -> Self {
        Self {
            negative: false,
            magnitude: value.to_le_bytes().to_vec(),
        }
        .trimmed()
    }

    /// Whether it has more decimal digits than Python prints by default: it is 10**4300 or more.
    #[must_use]
    pub fn has_too_many_digits(&self) -> bool {
        // 10**4300 has 14,285 bits.
        if self.magnitude.len() < 1785 {
            return false;
        }
        if self.magnitude.len() > 1787 {
            return true;
        }
        let power = Digits {
            negative: false,
            radix: 10,
            text: &TEN_TO_4300,
        }
        .integer()
        .magnitude;
        let by_value = |left: &[u8], right: &[u8]| {
            left.len()
                .cmp(&right.len())
                .then_with(|| left.iter().rev().cmp(right.iter().rev()))
        };
        by_value(&self.magnitude, &power).is_ge()
    }

    /// As Python's `hex()` prints it, `-0x1f`.
    #[must_use]
    pub fn to_hex(&self) -> String {
        use core::fmt::Write as _;
        let mut text = String::from(if self.negative { "-0x" } else { "0x" });
        let mut bytes = self.magnitude.iter().rev();
        // Writing to a String can't fail.
        let _ = match bytes.next() {
            Some(first) => write!(text, "{first:x}"),
            None => write!(text, "0"),
        };
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self::from_twos_complement(&value.to_le_bytes())
    }
}

/// How a line of integer text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Radix {
    /// Base 0: `0x`, `0o`, `0b` or decimal.
    Prefixed,
    /// Base 10.
    Decimal,
}

/// The digits of an integer's text, checked.
#[derive(Debug, Clone, Copy)]
struct Digits<'a> {
    negative: bool,
    radix: u32,
    /// Digits and single underscores.
    text: &'a [u8],
}

impl<'a> Digits<'a> {
    fn values(self) -> impl Iterator<Item = u32> + 'a {
        self.text
            .iter()
            .filter(|byte| **byte != b'_')
            .filter_map(move |byte| char::from(*byte).to_digit(36))
    }

    fn small(self) -> Option<i64> {
        let mut value = 0_i128;
        for digit in self.values() {
            value = value
                .checked_mul(i128::from(self.radix))?
                .checked_add(i128::from(digit))?;
            if value > 1 << 64 {
                return None;
            }
        }
        i64::try_from(if self.negative {
            value.checked_neg()?
        } else {
            value
        })
        .ok()
    }

    fn integer(self) -> Integer {
        let bits = self.radix.trailing_zeros();
        let magnitude = if self.radix.is_power_of_two() {
            packed(self.values(), bits)
        } else {
            // At most MAX_DECIMAL_DIGITS of them: quadratic is quick.
            let mut magnitude: Vec<u8> = Vec::new();
            for digit in self.values() {
                let mut carry = digit;
                for byte in &mut magnitude {
                    let value = u32::from(*byte)
                        .wrapping_mul(self.radix)
                        .wrapping_add(carry);
                    let [low, ..] = value.to_le_bytes();
                    *byte = low;
                    carry = value >> 8;
                }
                if carry > 0 {
                    let [low, ..] = carry.to_le_bytes();
                    magnitude.push(low);
                }
            }
            magnitude
        };
        Integer {
            negative: self.negative,
            magnitude,
        }
        .trimmed()
    }
}

/// Digits of `bits` bits each, most significant first, as little-endian bytes.
fn packed(digits: impl Iterator<Item = u32>, bits: u32) -> Vec<u8> {
    let mut reversed: Vec<u32> = digits.collect();
    reversed.reverse();
    let (mut bytes, mut buffer, mut filled) = (Vec::new(), 0_u32, 0_u32);
    for digit in reversed {
        buffer |= digit << filled;
        filled = filled.saturating_add(bits);
        while filled >= 8 {
            let [low, ..] = buffer.to_le_bytes();
            bytes.push(low);
            buffer >>= 8;
            filled = filled.saturating_sub(8);
        }
    }
    let [low, ..] = buffer.to_le_bytes();
    bytes.push(low);
    bytes
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(blanks..).unwrap_or_default()
}

/// Up to the first NUL, where C's string functions stop.
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// `PyLong_FromString` over a text without NUL.
fn digits(text: &[u8], radix: Radix) -> Result<Digits<'_>, ErrorKind> {
    let mut text = trim_start(text);
    let mut negative = false;
    if let Some((sign @ (b'+' | b'-'), rest)) = text.split_first() {
        negative = *sign == b'-';
        text = rest;
    }
    let mut base = 10;
    let mut only_zero = false;
    if radix == Radix::Prefixed
        && let Some((b'0', rest)) = text.split_first()
    {
        base = match rest.first() {
            Some(b'x' | b'X') => 16,
            Some(b'o' | b'O') => 8,
            Some(b'b' | b'B') => 2,
            _ => 10,
        };
        if base == 10 {
            only_zero = true;
        } else {
            text = rest.get(1..).unwrap_or_default();
            text = text.strip_prefix(b"_").unwrap_or(text);
        }
    }
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let (number, rest) = text
        .split_at_checked(length)
        .ok_or(ErrorKind::InvalidInteger)?;
    let malformed = number.is_empty()
        || number.first() == Some(&b'_')
        || number.last() == Some(&b'_')
        || number.windows(2).any(|pair| pair == b"__")
        || !number
            .iter()
            .all(|byte| *byte == b'_' || char::from(*byte).is_digit(base))
        || !trim_start(rest).is_empty();
    let too_long = base == 10
        && number.len() > MAX_DECIMAL_DIGITS
        && number.iter().filter(|byte| **byte != b'_').count() > MAX_DECIMAL_DIGITS;
    let digits = Digits {
        negative,
        radix: base,
        text: number,
    };
    if malformed || (only_zero && digits.values().any(|digit| digit != 0)) {
        return Err(ErrorKind::InvalidInteger);
    }
    if too_long {
        Err(ErrorKind::TooManyDigits)
    } else {
        Ok(digits)
    }
}

/// What an integer's text is worth: its value, or that it is beyond 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    Bool(bool),
    Small(i64),
    Big,
}

impl From<Digits<'_>> for Parsed {
    fn from(digits: Digits<'_>) -> Self {
        digits.small().map_or(Self::Big, Self::Small)
    }
}

/// Integer text as C reads LONG, GET and PUT.
pub(crate) fn c_integer(text: &[u8], radix: Radix) -> Result<Parsed, ErrorKind> {
    let text = until_nul(text);
    digits(text, radix).map(Parsed::from).map_err(|kind| {
        // The message quotes the text, and fails to where it is not UTF-8.
        let quoted = text.get(..200).unwrap_or(text);
        if core::str::from_utf8(quoted).is_err() {
            ErrorKind::InvalidText
        } else {
            kind
        }
    })
}

/// Integer text as `int()` of `pickle.py` reads it.
pub(crate) fn python_integer(text: &[u8], radix: Radix) -> Result<Parsed, ErrorKind> {
    if text.contains(&0) {
        return Err(ErrorKind::InvalidInteger);
    }
    digits(text, radix).map(Parsed::from)
}

/// The integer that a line accepted before is worth.
pub(crate) fn integer_of_text(text: &[u8], radix: Radix) -> Option<Integer> {
    digits(until_nul(text), radix).ok().map(Digits::integer)
}

/// A text without its sign, zeros, underscores and blanks: equal for equal decimal numbers.
pub(crate) fn canonical_decimal(text: &[u8]) -> Vec<u8> {
    digits(until_nul(text), Radix::Decimal)
        .map_or_else(|_| Vec::new(), |digits| digits.integer().magnitude)
}

/// INT as C reads it: `strtol`, then `PyLong_FromString`; a three-byte line worth 0 or 1 is a bool.
pub(crate) fn c_int_line(
    line: &[u8],
    radix: Radix,
    exact_bools: bool,
) -> Result<Parsed, ErrorKind> {
    if exact_bools && (line == b"00\n" || line == b"01\n") {
        return Ok(Parsed::Bool(line == b"01\n"));
    }
    let text = until_nul(line);
    match strtol(text, radix) {
        Some((value, rest)) if matches!(rest.first(), None | Some(b'\n')) => {
            if line.len() == 3 && !exact_bools && (value == 0 || value == 1) {
                return Ok(Parsed::Bool(value == 1));
            }
            Ok(Parsed::Small(value))
        }
        _ => digits(text, radix).map(Parsed::from),
    }
}

/// INT as `pickle.py` reads it.
pub(crate) fn python_int_line(line: &[u8], radix: Radix) -> Result<Parsed, ErrorKind> {
    match line {
        b"00\n" => Ok(Parsed::Bool(false)),
        b"01\n" => Ok(Parsed::Bool(true)),
        _ => python_integer(line, radix),
    }
}

/// Whether a line of INT or LONG is plainly the same number to every release and dialect: digits that
/// do not begin with 0, `0`, or one of INT's bools.
pub(crate) fn reads_alike(line: &[u8], long: bool) -> bool {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = if long {
        text.strip_suffix(b"L").unwrap_or(text)
    } else {
        text
    };
    if text == b"0" || (!long && (text == b"00" || text == b"01")) {
        return true;
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.first().is_some_and(|first| *first != b'0') && digits.iter().all(u8::is_ascii_digit)
}

/// C's `strtol`: the value and what it left; `None` where it overflows.
fn strtol(text: &[u8], radix: Radix) -> Option<(i64, &[u8])> {
    let mut rest = trim_start(text);
    let mut negative = false;
    if let Some((sign @ (b'+' | b'-'), after)) = rest.split_first() {
        negative = *sign == b'-';
        rest = after;
    }
    let mut base = 10;
    if radix == Radix::Prefixed {
        match rest {
            [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => {
                base = 16;
                rest = rest.get(2..).unwrap_or_default();
            }
            [b'0', ..] => base = 8,
            _ => {}
        }
    }
    let length = rest
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    let (number, rest) = rest.split_at_checked(length)?;
    if number.is_empty() {
        return Some((0, text));
    }
    let digits = Digits {
        negative,
        radix: base,
        text: number,
    };
    digits.small().map(|value| (value, rest))
}

/// The length of the longest prefix that is a float, and whether it is spelled in letters.
fn float_length(text: &[u8]) -> Option<(usize, bool)> {
    let signed = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let body = text.get(signed..)?;
    for word in [b"infinity".as_slice(), b"inf", b"nan"] {
        if body
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
        {
            return Some((signed.checked_add(word.len())?, true));
        }
    }
    let count = |from: usize| {
        body.get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = count(0);
    let mut length = whole;
    let mut fraction = 0;
    if body.get(length) == Some(&b'.') {
        fraction = count(length.checked_add(1)?);
        if whole > 0 || fraction > 0 {
            length = length.checked_add(1)?.checked_add(fraction)?;
        }
    }
    if whole == 0 && fraction == 0 {
        return None;
    }
    if matches!(body.get(length), Some(b'e' | b'E')) {
        let mut at = length.checked_add(1)?;
        if matches!(body.get(at), Some(b'+' | b'-')) {
            at = at.checked_add(1)?;
        }
        let exponent = count(at);
        if exponent > 0 {
            length = at.checked_add(exponent)?;
        }
    }
    Some((signed.checked_add(length)?, false))
}

fn float_value(text: &[u8], letters: bool) -> Option<f64> {
    let text = core::str::from_utf8(text).ok()?;
    if letters
        && text
            .trim_start_matches(['+', '-'])
            .eq_ignore_ascii_case("nan")
    {
        let bits = if text.starts_with('-') {
            0xfff8 << 48
        } else {
            0x7ff8 << 48
        };
        return Some(f64::from_bits(bits));
    }
    text.parse().ok()
}

/// FLOAT as C reads it (`PyOS_string_to_double`).
pub(crate) fn c_float(line: &[u8]) -> Result<f64, ErrorKind> {
    let text = until_nul(line);
    let (length, letters) = float_length(text).ok_or(ErrorKind::InvalidFloat)?;
    let (number, rest) = text
        .split_at_checked(length)
        .ok_or(ErrorKind::InvalidFloat)?;
    let value = float_value(number, letters).ok_or(ErrorKind::InvalidFloat)?;
    if value.is_infinite() && !letters {
        return Err(ErrorKind::NumberOverflow);
    }
    if !matches!(rest.first(), None | Some(b'\n')) {
        return Err(ErrorKind::InvalidFloat);
    }
    Ok(value)
}

/// FLOAT as `float()` of `pickle.py` reads it: blanks around it, underscores between digits.
pub(crate) fn python_float(text: &[u8]) -> Result<f64, ErrorKind> {
    let mut text = trim_start(text);
    while let Some((last, rest)) = text.split_last()
        && is_blank(*last)
    {
        text = rest;
    }
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let mut plain = Vec::with_capacity(text.len());
    for (index, byte) in text.iter().enumerate() {
        if *byte == b'_' {
            let before = index.checked_sub(1).and_then(|at| text.get(at));
            if !digit(before) || !digit(text.get(index.saturating_add(1))) {
                return Err(ErrorKind::InvalidFloat);
            }
        } else {
            plain.push(*byte);
        }
    }
    let (length, letters) = float_length(&plain).ok_or(ErrorKind::InvalidFloat)?;
    if length != plain.len() {
        return Err(ErrorKind::InvalidFloat);
    }
    float_value(&plain, letters).ok_or(ErrorKind::InvalidFloat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_reads_octal_hex_and_up_to_a_nul() {
        let read = |line: &[u8]| c_int_line(line, Radix::Prefixed, false);
        assert_eq!(read(b"010\n"), Ok(Parsed::Small(8)));
        assert_eq!(read(b"0x1F\n"), Ok(Parsed::Small(31)));
        assert_eq!(read(b"0b101\n"), Ok(Parsed::Small(5)));
        assert_eq!(read(b"1\0junk\n"), Ok(Parsed::Small(1)));
        assert_eq!(read(b"\0\n"), Ok(Parsed::Small(0)));
        assert_eq!(read(b"+1\n"), Ok(Parsed::Bool(true)));
        assert_eq!(read(b"08\n"), Err(ErrorKind::InvalidInteger));
        assert_eq!(read(b"9223372036854775808\n"), Ok(Parsed::Big));
        assert_eq!(
            c_int_line(b"010\n", Radix::Decimal, false),
            Ok(Parsed::Small(10))
        );
    }

    #[test]
    fn digits_are_limited_as_in_cpython() {
        let nines = [b'9'; 4301];
        assert_eq!(
            c_integer(&nines, Radix::Prefixed),
            Err(ErrorKind::TooManyDigits)
        );
        assert_eq!(c_integer(&nines[1..], Radix::Prefixed), Ok(Parsed::Big));
    }

    #[test]
    fn what_python_prints_is_bounded_by_value() {
        let nines = [b'9'; MAX_DECIMAL_DIGITS];
        let mut integer = integer_of_text(&nines, Radix::Decimal).unwrap();
        assert!(!integer.has_too_many_digits());
        // One more, and it has a digit more.
        for byte in &mut integer.magnitude {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        assert!(integer.has_too_many_digits());
    }

    #[test]
    fn integers_keep_their_value() {
        for value in [0, 1, -1, 127, 128, -128, -129, 255, 256, i64::MAX, i64::MIN] {
            assert_eq!(Integer::from(value).to_i64(), Some(value));
        }
        assert_eq!(Integer::from(-31).to_hex(), "-0x1f");
        assert_eq!(Integer::from(0).to_hex(), "0x0");
        assert_eq!(
            Integer::from_twos_complement(&[0, 0, 0, 0, 0, 0, 0, 0, 0x80]).to_hex(),
            "-0x800000000000000000"
        );
        let big =
            integer_of_text(b"36893488147419103232", Radix::Decimal).map(|value| value.to_hex());
        assert_eq!(big.as_deref(), Some("0x20000000000000000"));
        let hex =
            integer_of_text(b"0x123456789abcdef01", Radix::Prefixed).map(|value| value.to_hex());
        assert_eq!(hex.as_deref(), Some("0x123456789abcdef01"));
    }

    #[test]
    fn floats_are_read_as_each_loader_reads_them() {
        assert_eq!(c_float(b"1.5\n"), Ok(1.5));
        assert_eq!(c_float(b".5\n"), Ok(0.5));
        assert_eq!(c_float(b"-inf\n"), Ok(f64::NEG_INFINITY));
        assert_eq!(c_float(b"1e400\n"), Err(ErrorKind::NumberOverflow));
        assert_eq!(c_float(b" 1.5\n"), Err(ErrorKind::InvalidFloat));
        assert_eq!(c_float(b"1e\n"), Err(ErrorKind::InvalidFloat));
        assert_eq!(python_float(b" 1_0.0\r"), Ok(10.0));
        assert_eq!(python_float(b"1e400"), Ok(f64::INFINITY));
        assert_eq!(python_float(b"1__0"), Err(ErrorKind::InvalidFloat));
    }
}
