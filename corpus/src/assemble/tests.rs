use super::*;

fn bytes(source: &str) -> Vec<u8> {
    match assemble(source) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{error}\n{source}"),
    }
}

#[test]
fn operands_follow_their_kind() {
    assert_eq!(bytes("PROTO 4"), b"\x80\x04");
    assert_eq!(bytes("BININT -2"), b"J\xfe\xff\xff\xff");
    assert_eq!(bytes("BININT2 0x1234"), b"M\x34\x12");
    assert_eq!(bytes("BINFLOAT 1.0"), b"G\x3f\xf0\0\0\0\0\0\0");
    assert_eq!(bytes("INT \"0x1f\""), b"I0x1f\n");
    assert_eq!(bytes("INT -5"), b"I-5\n");
    assert_eq!(bytes("GLOBAL \"os\" \"system\""), b"cos\nsystem\n");
    assert_eq!(bytes("LONG1 255"), b"\x8a\x02\xff\x00");
    assert_eq!(bytes("LONG1 b\"\\x01\\x00\""), b"\x8a\x02\x01\x00");
    assert_eq!(bytes("SHORT_BINUNICODE \"\\u00e9\""), b"\x8c\x02\xc3\xa9");
    assert_eq!(bytes("BINBYTES !length=500 b\"abc\""), b"B\xf4\x01\0\0abc");
}

#[test]
fn blocks_are_data() {
    assert_eq!(bytes("SHORT_BINBYTES {\n  NONE\n  STOP\n}"), b"C\x02N.");
    assert_eq!(
        bytes("SHORT_BINBYTES !length=9 {\n.bytes 00 ff01\n}"),
        b"C\x09\0\xff\x01"
    );
    assert_eq!(bytes(".repeat 3 {\nMARK\n}"), b"(((");
}

#[test]
fn frames_end_at_the_next_frame_at_the_directive_or_with_the_block() {
    let frame = |size: u8| [0x95, size, 0, 0, 0, 0, 0, 0, 0];
    let expected = [frame(1).as_slice(), b"N", &frame(2), b"00", b"."].concat();
    assert_eq!(
        bytes("FRAME auto\nNONE\nFRAME auto\nPOP\nPOP\n.frame-end\nSTOP"),
        expected
    );
    let expected = [frame(2).as_slice(), b"N."].concat();
    assert_eq!(bytes("FRAME {\nNONE\nSTOP\n}"), expected);
    assert_eq!(bytes("FRAME auto\nNONE\nSTOP"), expected);
    assert_eq!(bytes("FRAME 2\nNONE\nSTOP"), expected);
}

#[test]
fn archives_are_those_that_python_reads() {
    assert_eq!(
        bytes(".gzip {\nNONE\nSTOP\n}"),
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x02\0\xfd\xffN.\xbb\x7d\xf5\xf3\x02\0\0\0"
    );
    let zip = bytes(".zip {\n.member \"a\" local-name=\"b\" {\nSTOP\n}\n.text \"gap\"\n}");
    assert_eq!(&zip[30..35], b"b.gap");
    assert_eq!(&zip[zip.len() - 23..zip.len() - 18], b"aPK\x05\x06");
    let bare = bytes(".zip no-central {\n.member \"a\" {\n}\n}");
    assert_eq!(bare.len(), 31);
}

#[test]
fn errors_name_the_line() {
    let cases = [
        ("\nHALT", "no opcode"),
        ("\nSTOP 1", "no operand"),
        ("\nBININT1 256", "1 bytes"),
        ("\nBININT 2147483648", "signed number"),
        ("\nBINFLOAT inf", "float"),
        ("\nGLOBAL \"os\"", "2 lines"),
        ("\nINT \"1\\n2\"", "no newline"),
        ("\nSHORT_BINBYTES !length=256 b\"\"", "more than 1 bytes"),
        ("\nSHORT_BINBYTES", "one literal"),
        ("\nSTOP {\n}", "no block"),
        ("\nSTOP size=4", "no option size"),
        ("\n}", "closes no block"),
        ("\n.gzip {", "not closed"),
        ("\n.gzip", "needs a block"),
        ("\n.text \"a\" {\n}", "opens no block"),
        ("\n.member \"a\" {\n}", "opens no block"),
        ("\n.frame-end", "no open"),
        ("\n.bytes 0", "pairs"),
        ("\n.bytes \"00\"", "digits"),
        ("\n.repeat 99999999 {\nMARK\n}", "no number"),
        ("\n.zip style=x {\n}", "torch"),
        (".zip {\n.member {\n}\n}", "needs a name"),
        (".zip {\n.member \"a\" size=x {\n}\n}", "a number that fits"),
    ];
    for (source, message) in cases {
        let error = assemble(source).unwrap_err();
        assert_eq!(error.line, 2, "{source}: {error}");
        assert!(error.to_string().contains(message), "{source}: {error}");
    }
}

#[test]
fn depth_is_limited() {
    let source = ".gzip {\n".repeat(100_000);
    assert_eq!(assemble(&source).unwrap_err().line, 33);
}
