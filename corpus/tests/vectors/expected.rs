//! The recorded results: one JSON object a line, in the form that `vectors/README.md` describes.

use std::sync::OnceLock;

use pickleproof_corpus::unhex;
use serde_json::Value as Json;

use crate::Implementation;

/// Those that were written by hand and by generators, and those that the live oracle found since.
const FILES: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/unpickler.jsonl"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/found.jsonl"),
];

/// One stream and what CPython made of it.
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    /// Arguments of the loader; null for none.
    pub(crate) options: Json,
    /// Memory or recursion limits of the host decide.
    pub(crate) depends_on_host: bool,
    record: Json,
}

/// Every recorded stream.
pub(crate) fn vectors() -> &'static [Vector] {
    static READ: OnceLock<Vec<Vector>> = OnceLock::new();
    READ.get_or_init(read)
}

fn read() -> Vec<Vector> {
    let vector = |line: &str| {
        let record: Json = serde_json::from_str(line).unwrap();
        Vector {
            id: record["id"].as_str().unwrap().to_owned(),
            bytes: unhex(record["hex"].as_str().unwrap()).unwrap(),
            options: record["opts"].clone(),
            depends_on_host: record["env"] == Json::Bool(true),
            record,
        }
    };
    let text = FILES.map(|file| std::fs::read_to_string(file).unwrap());
    text.iter()
        .flat_map(|text| text.lines())
        .map(vector)
        .collect()
}

impl Vector {
    /// Whether it was run in this release.
    pub(crate) fn was_asked(&self, version: &str) -> bool {
        let asked = self.record["asked"].as_array();
        asked.is_none_or(|asked| asked.iter().any(|name| name == version))
    }

    /// What an implementation made of it in a release, without the message of an exception.
    pub(crate) fn expected(&self, implementation: Implementation, version: &str) -> Json {
        let mut result = self.recorded(implementation, version).clone();
        if let Some(result) = result.as_object_mut() {
            result.remove("msg");
        }
        result
    }

    fn recorded(&self, implementation: Implementation, version: &str) -> &Json {
        let key = implementation.key();
        let other = self.record["xver"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|other| {
                let versions = other["v"].as_array().unwrap();
                versions.iter().any(|name| name == version) && !other[key].is_null()
            });
        let result = other.map_or(&self.record[key], |other| &other[key]);
        match result {
            // "same as c" in that release; a reader reads what memory gives.
            Json::String(_) | Json::Null if other.is_some() || implementation.reads_a_file() => {
                self.recorded(Implementation::C, version)
            }
            Json::String(_) => &self.record[Implementation::C.key()],
            result => result,
        }
    }
}
