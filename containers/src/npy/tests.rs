use super::{Contents, contents};
use crate::testing::npy;

fn of(header: &str) -> Contents {
    contents(&npy(header, b""))
}

#[test]
fn any_way_to_say_object_is_seen() {
    for descr in [
        "'|O'",
        "'O'",
        "'|O8'",
        "\"object\"",
        "'|' 'O'",
        "'\\x4f'",
        "'i4,O'",
        "[('a', '<f4'), ('b', '|O')]",
        "[('a', '<f4'), ('b', '|O', (2,))]",
        "[('a', [('c', 'O')])]",
        "(1, 2)",
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
        assert!(matches!(of(&header), Contents::Objects { .. }), "{descr}");
    }
    for header in [
        "",
        "nonsense",
        "{'descr': '<f4', 'descr': '|O', 'shape': ()}",
        "{'d' 'escr': '|O', 'shape': ()}",
        "{\"shape\": ()}",
    ] {
        assert!(matches!(of(header), Contents::Objects { .. }), "{header}");
    }
}

#[test]
fn plain_types_have_a_size() {
    for (descr, shape, size) in [
        ("'<f4'", "(2, 3)", Some(24)),
        ("'<U5'", "()", Some(20)),
        ("'|b1'", "(7,)", Some(7)),
        ("'<M8[ns]'", "(2,)", Some(16)),
        ("'<f4'", "(0, 9)", Some(0)),
        ("'<f8'", "(9223372036854775807, 9)", None),
        ("[('fOo', '<f4')]", "(2,)", None),
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
        let start = u64::try_from(header.len()).unwrap() + 10;
        let expected = size.map_or(Contents::Unsized, |size| Contents::Data {
            end: start + size,
        });
        assert_eq!(of(&header), expected, "{descr} {shape}");
    }
}
