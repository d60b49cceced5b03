//! Texts and sizes on which readers part ways, and names.

/// Integer texts that every reader takes.
pub(super) const INTEGERS: &[&[u8]] = &[
    b"0", b"1", b"2", b"7", b"-1", b"255", b"256", b"-128", b"65535", b"65536", b"2147483647",
    b"-2147483648", b"2147483648", b"9007199254740992", b"-9007199254740993",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
    b"-9223372036854775809", b"18446744073709551616", b"1180591620717411303424",
    b"123456789012345678901234567890123456789012345678901234567890",
];

/// Integer texts on which readers differ, or that none takes.
pub(super) const ODD_INTEGERS: &[&[u8]] = &[
    b"", b"-", b"+", b"+1", b"-0", b"+0", b" 1", b"1 ", b"\t1", b"1\r", b"01\r", b"\x0b1", b"\x0c1\x0c",
    b"00", b"01", b"02", b"000", b"001", b"010", b"08", b"-01", b"+01", b"0_1", b"1_0", b"_1", b"1_",
    b"1__0", b"0x1F", b"0X1f", b"0x", b"0x_1", b"-0x10", b"0x1_0", b"0o17", b"0O7", b"0o8", b"0b11",
    b"0b2", b"0b_1", b"00_0", b"0_0", b"1L", b"LL", b"L", b"01L", b"0x1L", b"1LL", b"-L", b"1.0", b"1e5",
    b"\0", b"\0junk", b"1\0", b"1\0junk", b"01\0", b"0\0", b" \0", b"-\0", b"+\x001", b"x", b"None",
    b"\xd9\xa3", b"\xff", b"1\xff", b"\xc3\xa91", b"1\xa0", b"\xa01", b"- 1", b"--1", b"0-1", b"1,0",
    b"9223372036854775808L", b"0x7fffffffffffffff", b"0x8000000000000000", b"-0x8000000000000000",
    b"0777777777777777777777", b"01777777777777777777777", b"99999999999999999999999999999999999999999",
    b"4294967295", b"4294967296", b"1073741824", b"  ", b" \t\x0b\x0c\r1", b"1 \t ", b"1 2", b"1\x001\x002",
    b"0 ", b" 0", b"0\r", b"1\t", b"'1'", b"\x1c1", b"\x851", b"1\x1f",
];

/// Float texts that every reader takes.
pub(super) const FLOATS: &[&[u8]] = &[
    b"0.0", b"-0.0", b"1.0", b"1", b"1.5", b".5", b"5.", b"+1.5", b"1e5", b"1E-5", b"1.5e+300", b"1e-400",
    b"inf", b"-inf", b"Infinity", b"nan", b"NaN", b"9007199254740993.0", b"1.7976931348623157e308",
    b"4.9e-324", b"2.2250738585072011e-308", b"123456789012345678901234567890.0", b"0.1",
    b"1180591620717411303424.0",
];

/// Float texts on which readers differ, or that none takes.
pub(super) const ODD_FLOATS: &[&[u8]] = &[
    b"", b" 1.5", b"1.5 ", b"1.5\r", b"\t1", b"1_0.0", b"1__0", b"_1", b"1e400", b"-1e400", b"1e400x", b"1e", b"1e+",
    b"e5", b".", b"-.", b"+", b"-nan", b"+nan", b"infx", b"infinit", b"0x1p3", b"1.5\0", b"1.5\0junk", b"\0",
    b"\x001", b"--1", b"1..0", b"1.5L", b"nan(1)", b"\xd9\xa3", b"\xff", b"1,5", b"i", b"1e9999999999999999999",
    b"1e-9999999999999999999", b"0e400", b"0.0000000000000000000000000000000000001e400", b"1e5_0", b"1_0e5",
    b"1e1.5", b" ", b"1 e5", b"INF ", b" nan", b"1.7976931348623159e308", b"1.797693134862315807e308",
];

/// Between quotes in STRING, and taken by every reader with any encoding.
pub(super) const QUOTED: &[&[u8]] = &[
    b"", b"a", b"abc", b"key", b"a b", b"\\n", b"\\\\", b"\\'", b"\\\"", b"\\x41", b"\\101", b"\\0", b"\\12x", b"\\t\\v\\a\\b\\f\\r",
    b"\\q", b"\\ ", b"a\\x00b", b"\\1234",
];

/// Whole STRING lines that some reader refuses.
pub(super) const ODD_QUOTED: &[&[u8]] = &[
    b"", b"'", b"\"", b"''", b"'a", b"a'", b"'a\"", b"'a' ", b" 'a'", b"'a'\r", b"'\\'", b"'\\x4'", b"'\\x'", b"'\\xg1'", b"'\\xff'",
    b"'\xff'", b"'\\377'", b"'\\777'", b"'\\400'", b"'\xc3\xa9'", b"'it's'", b"'a'b'", b"\"it's\"", b"'\\u0041'", b"'\0'", b"'a\0b'",
    b"'\\8'", b"'\\", b"abc", b"''''", b"'\\x4", b"'\\\xff'", b"'\\N{DASH}'", b"'\x80'", b"\"\\\"\"",
];

/// UNICODE lines that every reader takes.
pub(super) const ESCAPED: &[&[u8]] = &[
    b"", b"a", b"abc", b"key", b"a b", b"\\u0041", b"\\\\u0041", b"\\\\\\u0041", b"\\U0001F600", b"\\ud83d", b"\\ud83d\\ude00", b"\xe9",
    b"\\n", b"\\", b"\\\\", b"\\x41", b"\0", b"a\r", b"\\u000a", b"\\uD800x", b"\\U0010FFFF", b"\\U0000d800",
];

/// UNICODE lines that every reader refuses.
pub(super) const ODD_ESCAPED: &[&[u8]] = &[
    b"\\u", b"\\u1", b"\\u12", b"\\u123", b"\\u123g", b"\\U", b"\\U0001F60", b"\\U00110000", b"\\UFFFFFFFF", b"\\uzzzz", b"a\\u00",
    b"\\U0001F60g", b"\\u 041", b"\\u-041", b"\\u+041", b"\\u0_41",
];

/// UTF-8 with lone surrogates, as counted text holds it.
pub(super) const TEXTS: &[&[u8]] = &[
    b"", b"a", b"b", b"abc", b"key", b"__class__", b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\0",
    b"a\nb", b"\\u0041", b"\"quoted\"", b"\x7f", b"\xc2\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"os", b"system", b"\x01\x1f",
];

/// Data of Python 2 strings that every encoding takes.
pub(super) const ASCII: &[&[u8]] = &[b"", b"a", b"b", b"abc", b"key", b"__class__", b"\0", b"a\nb"];

/// Bytes that are no UTF-8.
pub(super) const ODD_TEXTS: &[&[u8]] = &[
    b"\xff", b"\xc0\x80", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xed\xa0", b"a\x80", b"\xf8\x88\x80\x80\x80", b"\xed\xbf\xc0",
    b"\xf0\x8f\xbf\xbf", b"\xe2\x82", b"\xed", b"\xf0\x9f\x98",
];

/// Modules and names as lines of GLOBAL and INST and as text for STACK_GLOBAL: ASCII.
pub(super) const NAMES: &[(&[u8], &[u8])] = &[
    (b"os", b"system"), (b"builtins", b"eval"), (b"__builtin__", b"getattr"), (b"collections", b"OrderedDict"),
    (b"m", b"n"), (b"m", b"n.o"), (b"a.b", b"c.d.e"), (b"copyreg", b"_reconstructor"), (b"copy_reg", b"_reconstructor"),
    (b"numpy.core.multiarray", b"_reconstruct"), (b"torch._utils", b"_rebuild_tensor_v2"), (b"_codecs", b"encode"),
    (b"a b", b"c"), (b"a", b"b c"), (b" ", b" "), (b"os\r", b"system\r"), (b"x", b"<locals>"), (b"x", b"f.<locals>.g"),
    (b"nul\0", b"na\0me"), (b"q", b"."), (b"q", b".."), (b"commands", b"getoutput"), (b"exceptions", b"ValueError"),
];

/// Names that some reader refuses or reads otherwise.
pub(super) const ODD_NAMES: &[(&[u8], &[u8])] = &[
    (b"", b"n"), (b"m", b""), (b"", b""), (b"\xc3\xa9", b"n"), (b"m", b"\xc3\xa9"), (b"\xff", b"n"), (b"m", b"\xff"), (b"m", b"n\\"),
    (b"m\\x41", b"n"), (b"m", b"\\x41"), (b"m", b"\\u0041"), (b"m", b"\\n"), (b"m\\", b"n"), (b"'m'", b"'n'"), (b"\"", b"\""), (b"m", b"\\8"),
    (b"\xed\xa0\x80", b"n"), (b"m", b"\xc0\x80"), (b"\\", b"\\"), (b"m\\x4", b"n"), (b"m", b"\\N{DASH}"), (b"m", b"\xf0\x9f\x98\x80"),
];

/// Persistent ids that every reader takes literally.
pub(super) const IDS: &[&[u8]] = &[b"1", b"id", b"a b", b"x\r", b"\0", b"obj.7", b"''", b"#"];

/// Persistent ids on which readers differ.
pub(super) const ODD_IDS: &[&[u8]] = &[b"", b"\\x41", b"\\x", b"\\", b"\xc3\xa9", b"\xff", b"\\u0041", b"\\N{DASH}", b"\\8", b"'\\"];

/// Sizes that no data follows.
pub(super) const SIZES: &[u64] = &[
    1, 2, 3, 4, 8, 16, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000,
    0x7fff_ffff_ffff_ffdd, 0x7fff_ffff_ffff_ffde, 0x7fff_ffff_ffff_ffdf, 0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff,
];

/// Bits of floats: zeros, ones, infinities, NaNs with payloads, integers beyond 2**53.
pub(super) const FLOAT_BITS: &[u64] = &[
    0, 1 << 63, 0x3ff0_0000_0000_0000, 0xbff0_0000_0000_0000, 0x4000_0000_0000_0000, 0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000, 0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0000, 0x7ff8_0000_0000_0001, 0x7ff0_0000_0000_0001,
    0x4340_0000_0000_0000, 0x4340_0000_0000_0001, 0x4450_0000_0000_0000, 0x43e0_0000_0000_0000, 1, 0x7fef_ffff_ffff_ffff,
    0x3fb9_9999_9999_999a, 0x4070_0000_0000_0000,
];

/// Two's complement, little endian, minimal or not.
pub(super) const LONGS: &[&[u8]] = &[
    b"", b"\0", b"\x01", b"\xff", b"\x7f", b"\x80", b"\0\0", b"\xff\xff", b"\x80\0", b"\0\x80", b"\x01\0\0\0", b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\0\0\0\0\0\0\0\x80", b"\0\0\0\0\0\0\0\x80\0", b"\0\0\0\0\0\0\x20\0", b"\x01\0\0\0\0\0\x20\0", b"\xff\xff\xff\xff\xff\xff\x1f",
    b"\0\0\0\0\0\0\0\0\x40", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
];
