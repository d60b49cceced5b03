use super::*;

#[test]
fn plain_text_is_borrowed() {
    for text in ["", "model.pkl", "größe/模型.pkl", r"'\n'", "e\u{301}"] {
        assert!(
            matches!(terminal(text), Cow::Borrowed(same) if same == text),
            "{text}"
        );
    }
}

#[test]
fn what_a_terminal_obeys_is_escaped() {
    assert_eq!(terminal("a\nb\tc\rd"), r"a\nb\tc\rd");
    assert_eq!(terminal("\x1b[2Jgone"), r"\x1b[2Jgone");
    assert_eq!(terminal("\x1b]0;title\x07"), r"\x1b]0;title\x07");
    assert_eq!(terminal("\u{9b}31m"), r"\u{9b}31m");
    assert_eq!(terminal("\0\x08\x7f"), r"\x00\x08\x7f");
    assert_eq!(terminal("evil\u{202e}lkp.exe"), r"evil\u{202e}lkp.exe");
    assert_eq!(
        terminal("a\u{2066}b\u{2069}\u{200f}"),
        r"a\u{2066}b\u{2069}\u{200f}"
    );
    assert_eq!(
        terminal("os\u{200b}.system\u{feff}"),
        r"os\u{200b}.system\u{feff}"
    );
    assert_eq!(terminal("\u{2028}\u{e0041}"), r"\u{2028}\u{e0041}");
}

#[test]
fn nothing_escaped_is_a_control_for_any_character() {
    for character in '\0'..=char::MAX {
        let mut out = String::new();
        let columns = push(&mut out, character);
        assert!(!out.is_empty());
        assert!(!out.chars().any(char::is_control), "{out:?}");
        assert!(columns <= 10, "{out:?}");
        assert!(out.chars().eq([character]) || out.is_ascii());
    }
}

#[cfg(unix)]
#[test]
fn paths_keep_every_byte_and_share_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let text = |bytes: &[u8]| path(Path::new(OsStr::from_bytes(bytes)));
    assert_eq!(text(b"dir/model.pkl"), "dir/model.pkl");
    assert_eq!(text(b"a\xff\xfeb\xc3"), r"a\xff\xfeb\xc3");
    assert_eq!(text(br"a\xff"), r"a\\xff");
    assert_eq!(text("größe\x1b".as_bytes()), "größe\x1b");
    assert_eq!(terminal(&text(b"\x1b")), r"\x1b");
    assert_eq!(terminal(&text(br"\x1b")), r"\\x1b");
}

#[test]
fn clipping() {
    assert_eq!(clip("", 10), "");
    assert_eq!(clip("0123456789", 10), "0123456789");
    assert_eq!(clip("0123456789a", 10), "012345678…");
    assert_eq!(clip("模型模型模型", 10), "模型模型…");
    assert_eq!(clip("模型模型模型", 11), "模型模型模…");
    // An escape is shown whole or not at all.
    assert_eq!(clip("0123456\x1b[2J", 11), "0123456…");
    assert_eq!(clip("0123456\x1b[2J", 12), r"0123456\x1b…");
    // Never narrower than an escape.
    assert_eq!(clip("0123456789", 0), "0123456789");
    assert_eq!(clip("0123456789a", 0), "012345678…");
}

#[test]
fn clipping_looks_only_at_what_it_shows() {
    let long = "x".repeat(10 << 20);
    let start = std::time::Instant::now();
    for _ in 0..1_000 {
        assert_eq!(clip(&long, 20), "xxxxxxxxxxxxxxxxxxx…");
    }
    assert!(start.elapsed().as_secs() < 5);
    // Combining marks have no width, so that width alone would not stop.
    let marks = "\u{301}".repeat(1 << 20);
    assert!(clip(&marks, 20).chars().count() <= 81);
}

#[test]
fn wrapping() {
    assert_eq!(wrap("", 10, 3), [""]);
    assert_eq!(wrap("one two three four", 10, 3), ["one two", "three four"]);
    assert_eq!(
        wrap("one two three four five", 10, 2),
        ["one two", "three fou…"]
    );
    assert_eq!(
        wrap("folder/with/model.pkl", 14, 3),
        ["folder/with/", "model.pkl"]
    );
    assert_eq!(wrap("0123456789abcdef", 10, 3), ["0123456789", "abcdef"]);
    assert_eq!(wrap("abcde \x1b\x1b", 10, 3), ["abcde", r"\x1b\x1b"]);
}

#[test]
fn wrapping_loses_nothing_and_stays_in_its_width() {
    let text: String = "ab/\u{202e}x y\u{10ffff}模\n".repeat(40);
    for width in 10..60 {
        let lines = wrap(&text, width, usize::MAX);
        let kept: String = lines.concat().replace(' ', "");
        assert_eq!(kept, terminal(&text).replace(' ', ""), "{width}");
        for line in &lines {
            assert!(super::width(line, 1_000) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn widths() {
    assert_eq!(width("abc", 10), 3);
    assert_eq!(width("模型", 10), 4);
    assert_eq!(width("\x1b", 10), 4);
    assert_eq!(width(&"x".repeat(100), 10), 10);
}
