//! Lookup in a text table whose lines are sorted by their first two columns.

use core::cmp::Ordering;

/// What follows the first two columns, in the line whose first two columns are these.
pub(super) fn find(table: &'static str, key: [&str; 2]) -> Option<&'static str> {
    let bytes = table.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low.midpoint(high);
        // The line that `middle` stands in.
        let start = bytes
            .get(low..middle)?
            .iter()
            .rposition(|byte| *byte == b'\n');
        let start = start.map_or(low, |at| low.saturating_add(at).saturating_add(1));
        let length = bytes.get(start..)?.iter().position(|byte| *byte == b'\n');
        let end = length.map_or(bytes.len(), |length| start.saturating_add(length));
        let line = table.get(start..end)?;
        let mut columns = line.splitn(3, '\t');
        let found = [columns.next()?, columns.next()?];
        match compare(found, key) {
            Ordering::Less => low = end.saturating_add(1),
            Ordering::Greater => high = start,
            Ordering::Equal => return columns.next(),
        }
    }
    None
}

/// The order of the lines: bytewise over `module TAB name`.
fn compare(left: [&str; 2], right: [&str; 2]) -> Ordering {
    let joined = |[first, second]: [&'_ str; 2]| -> Vec<u8> {
        [first.as_bytes(), b"\t", second.as_bytes()].concat()
    };
    // Tab sorts before all that a name is made of, so that the columns can be compared in turn;
    // only a name that holds a control character needs the joined form.
    if left
        .iter()
        .chain(&right)
        .any(|text| text.bytes().any(|byte| byte <= b'\t'))
    {
        return joined(left).cmp(&joined(right));
    }
    left.cmp(&right)
}

#[cfg(test)]
pub(super) fn assert_sorted(table: &'static str) {
    let mut last = None;
    for line in table.lines() {
        let mut columns = line.splitn(3, '\t');
        let key = [columns.next().unwrap(), columns.next().unwrap()];
        if let Some(last) = last {
            assert_eq!(
                compare(last, key),
                Ordering::Less,
                "{last:?} stands before {key:?}"
            );
        }
        last = Some(key);
        assert_eq!(find(table, key), columns.next(), "{key:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_first_middle_and_last_lines_and_nothing_else() {
        let table = "a\tb\t1\na.c\td\t2\nb\t*\t3\n";
        assert_sorted(table);
        assert_eq!(find(table, ["a.c", "d"]), Some("2"));
        for absent in [
            ["", ""],
            ["a", "a"],
            ["a", "c"],
            ["b", "x"],
            ["z", "z"],
            ["a\tb", "1"],
        ] {
            assert_eq!(find(table, absent), None);
        }
    }
}
