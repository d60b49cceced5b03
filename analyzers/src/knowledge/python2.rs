//! Names of Python 2 under which Python 3 finds its globals at protocols 0 to 2 (`_compat_pickle`).

use super::table;

pub(super) static TABLE: &str = include_str!("../../kb/python2.tsv");

/// The Python 3 name that `find_class` maps a name to below protocol 3, if it maps it.
pub(crate) fn python_3_name(
    module: &str,
    name: &str,
) -> Option<(&'static str, Option<&'static str>)> {
    if let Some(found) = table::find(TABLE, [module, name]) {
        let (module, name) = found.split_once('\t')?;
        return Some((module, Some(name)));
    }
    let (module, _) = table::find(TABLE, [module, "*"])?.split_once('\t')?;
    Some((module, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_mapped_before_modules() {
        table::assert_sorted(TABLE);
        assert_eq!(
            python_3_name("__builtin__", "eval"),
            Some(("builtins", None))
        );
        assert_eq!(
            python_3_name("__builtin__", "xrange"),
            Some(("builtins", Some("range")))
        );
        assert_eq!(
            python_3_name("commands", "getoutput"),
            Some(("subprocess", None))
        );
        assert_eq!(python_3_name("os", "system"), None);
    }
}
