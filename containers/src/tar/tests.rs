use super::{number, pax};

#[test]
fn numbers_are_octal_or_base_256() {
    assert_eq!(number(b"0000017\0"), Some(15));
    assert_eq!(number(b"     17 "), Some(15));
    assert_eq!(number(b"\x80\0\0\x01\x02"), Some(258));
    assert_eq!(number(&[0xff; 12]), None);
    assert_eq!(number(b""), None);
}

#[test]
fn the_last_record_of_a_pax_header_counts() {
    assert_eq!(pax(b"9 path=a\n9 path=b\n", b"path"), Some(&b"b"[..]));
    assert_eq!(pax(b"99 path=a\n", b"path"), None);
    assert_eq!(pax(b"0 path=a\n", b"path"), None);
}
