use super::*;

fn decoder(bytes: &[u8]) -> Decoder<'_> {
    Decoder::new(bytes, 0, Dialect::Python, Version::CLASSIC)
}

fn opcodes(decoder: &mut Decoder<'_>, count: usize) -> Vec<Opcode> {
    (0..count).map(|_| decoder.read().unwrap().opcode).collect()
}

#[test]
fn what_is_skipped_stands_behind_a_frame_that_was_read_to_its_end() {
    let bytes = b"\x95\x02\0\0\0\0\0\0\0NNdataN.";
    let mut decoder = decoder(bytes);
    opcodes(&mut decoder, 3);
    assert_eq!(decoder.file_position(), 11);
    decoder.skip(4).unwrap();
    assert_eq!((decoder.position(), decoder.file_position()), (15, 15));
    assert_eq!(opcodes(&mut decoder, 2), [Opcode::None, Opcode::Stop]);
    assert_eq!(decoder.frame_overrun(), None);
}

#[test]
fn what_is_left_of_a_frame_comes_before_what_stands_behind_the_skipped_bytes() {
    let bytes = b"\x95\x03\0\0\0\0\0\0\0N0KdataTEXT\x07.";
    let mut decoder = decoder(bytes);
    opcodes(&mut decoder, 2);
    decoder.skip(4).unwrap();
    assert_eq!((decoder.position(), decoder.file_position()), (10, 16));
    decoder.skip(4).unwrap();
    assert_eq!((decoder.position(), decoder.file_position()), (10, 20));
    assert_eq!(decoder.frame_overrun(), Some(10));
    assert_eq!(opcodes(&mut decoder, 1), [Opcode::Pop]);
    let number = decoder.read().unwrap();
    assert_eq!((number.operand, number.offset), (Operand::Uint(7), 11));
    assert_eq!(decoder.read().unwrap().offset, 21);
}

#[test]
fn counted_data_goes_on_behind_the_skipped_bytes() {
    let bytes = b"\x95\x03\0\0\0\0\0\0\0NC\x02dataxy.";
    let mut decoder = decoder(bytes);
    opcodes(&mut decoder, 2);
    decoder.skip(4).unwrap();
    assert_eq!(decoder.read().unwrap().operand, Operand::Bytes(b"xy"));
    assert_eq!(decoder.read().unwrap().opcode, Opcode::Stop);
}

#[test]
fn what_is_not_there_is_not_skipped() {
    let mut decoder = decoder(b"N....");
    opcodes(&mut decoder, 1);
    for count in [5, usize::MAX] {
        let error = decoder.skip(count).unwrap_err();
        assert_eq!((error.kind, error.offset), (ErrorKind::ShortData, 1));
    }
    assert_eq!(decoder.position(), 1);
    decoder.skip(4).unwrap();
    assert_eq!(decoder.read().unwrap_err().kind, ErrorKind::EndOfInput);
}

#[test]
fn a_literal_behind_skipped_bytes_keeps_its_text() {
    let options = crate::Options {
        dialect: Dialect::Python,
        ..crate::Options::default()
    };
    let bytes = b"\x95\x03\0\0\0\0\0\0\0N0Udata\x02xy.";
    let mut machine = crate::Machine::new(bytes, 0, options);
    machine.advance();
    machine.advance();
    assert_eq!(machine.file_position(), 12);
    machine.skip(4).unwrap();
    for _ in 0..2 {
        assert!(machine.advance().end.is_none());
    }
    let text = machine.graph().text(machine.stack()[0]);
    assert_eq!(text.as_deref(), Some(&b"xy"[..]));
}
