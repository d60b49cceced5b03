use std::collections::HashSet;

use super::recognize;
use crate::Format;

#[test]
fn names_of_formats_are_distinct() {
    let names: HashSet<_> = Format::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(names.len(), Format::ALL.len());
}

#[test]
fn bytes_alone_decide() {
    for (bytes, format) in [
        (&b""[..], Format::Empty),
        (b"\x80\x02", Format::Pickle),
        (b"\x80\x06", Format::Data),
        (b"cos\nsystem\n.", Format::Text),
        (b"{\"a\": [1]}\n", Format::Json),
        (b"\xef\xbb\xbftext", Format::Text),
        (b"\x02\0\0\0\0\0\0\0{}", Format::Safetensors),
        (b"\x02\0\0\0\0\0\0\0{", Format::Data),
        (b"RIFF....WAVE", Format::Wav),
        (b"\xcb\r\r\n\0\0\0\0", Format::PythonBytecode),
        (b"a\0", Format::Data),
        (b"caf\xc3", Format::Data),
        (b"BZh9nothing", Format::Text),
        (
            b"\x5d\0\0\0\x04\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            Format::Data,
        ),
    ] {
        assert_eq!(recognize(bytes), format, "{bytes:?}");
    }
    assert_eq!(recognize(b"\xcb\x0d\r\n\0\0\0\0"), Format::PythonBytecode);
}

#[test]
fn text_is_judged_by_its_beginning() {
    let mut long = "é".repeat(4_000).into_bytes();
    assert_eq!(recognize(&long), Format::Text);
    long.insert(0, b'x');
    assert_eq!(recognize(&long), Format::Text);
    long.push(0);
    assert_eq!(recognize(&long), Format::Text);
    long.insert(100, 0);
    assert_eq!(recognize(&long), Format::Data);
}
