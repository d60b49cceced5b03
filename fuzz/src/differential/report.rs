//! A disagreement on paper: both results side by side, and as a vector.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pickleproof_core::Version;
use pickleproof_corpus::disassemble;
use serde_json::{Map, Value as Json, json};

use super::Difference;
use super::streams::{hex, unhex};
use crate::oracle::{Implementation, Oracle, Question};

/// A stream on which the machine and CPython disagree.
#[derive(Debug, Clone)]
pub struct Report {
    /// The stream, as small as it could be made.
    pub stream: Vec<u8>,
    /// The stream on which it was found.
    pub original: Vec<u8>,
    /// The options of the loader, in the form of the vectors.
    pub options: Json,
    /// The release that disagrees.
    pub version: Version,
    /// Both results.
    pub difference: Difference,
}

impl Report {
    /// Stream and both results, for a reader.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Version { minor, patch } = self.version;
        let _ = writeln!(text, "{} (3.{minor}.{patch})", self.difference.kind());
        let _ = writeln!(text, "options  {}", self.options);
        let _ = writeln!(text, "stream   {}", hex(&self.stream));
        for line in disassemble(&self.stream).lines() {
            let _ = writeln!(text, "         {line}");
        }
        let _ = writeln!(text, "ours     {}", self.difference.ours);
        let _ = writeln!(text, "CPython  {}", self.difference.theirs);
        text
    }

    /// Writes stream and both results as JSON to a file of its own, and tells which.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn save(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let Version { minor, patch } = self.version;
        let report = json!({
            "kind": self.difference.kind(),
            "version": format!("3.{minor}.{patch}"),
            "options": self.options,
            "hex": hex(&self.stream),
            "found_as": hex(&self.original),
            "instructions": disassemble(&self.stream).lines().collect::<Vec<_>>(),
            "ours": self.difference.ours,
            "theirs": self.difference.theirs,
        });
        std::fs::create_dir_all(folder)?;
        let name = format!(
            "{}-{}.json",
            self.difference.implementation.name(),
            self.name()
        );
        let path = folder.join(name);
        std::fs::write(&path, format!("{report:#}\n"))?;
        Ok(path)
    }

    /// A name that depends on the stream only.
    fn name(&self) -> String {
        let hash = self
            .stream
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
            });
        format!("{hash:016x}")
    }

    /// The line of a vectors file: see [`record`].
    ///
    /// # Errors
    ///
    /// An interpreter is gone.
    pub fn vector(&self, oracles: &mut [Oracle]) -> Result<Option<Json>, String> {
        let head = json!({
            "id": format!("found-{}", self.name()),
            "cat": "found",
            "hex": hex(&self.stream),
            "note": self.difference.kind(),
            "opts": self.options,
        });
        record(oracles, &head)
    }
}

/// A vector with what each interpreter says: the classic one as the base, the others where they differ.
///
/// `asked` lists the interpreters, `env` tells that the host's memory decides. `vector` is one whose `hex` and `opts` count; results that it has already are replaced. `None`
/// where no interpreter stands for the releases before the changes of 3.14.
///
/// # Errors
///
/// An interpreter is gone, or the stream is not hexadecimal.
pub fn record(oracles: &mut [Oracle], vector: &Json) -> Result<Option<Json>, String> {
    let text = vector.get("hex").and_then(Json::as_str).unwrap_or_default();
    let stream = unhex(text).ok_or("hex is not hexadecimal")?;
    let options = vector.get("opts").cloned().unwrap_or_else(|| json!({}));
    let mut answers = Vec::new();
    for oracle in oracles {
        answers.push((oracle.version(), ask(oracle, &options, &stream)?));
    }
    let name = |Version { minor, patch }| format!("3.{minor}.{patch}");
    let asked: Vec<String> = answers.iter().map(|(version, _)| name(*version)).collect();
    let classic =
        |version: Version| (9..=13).contains(&version.minor) && !version.enforces_frames();
    let base = answers
        .iter()
        .position(|(version, _)| version.minor == Version::CLASSIC.minor)
        .or_else(|| answers.iter().position(|(version, _)| classic(*version)));
    let Some(base) = base else {
        return Ok(None);
    };
    let (_, base) = answers.remove(base);
    let mut recorded: Map<String, Json> = ["id", "cat", "note", "hex", "opts"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), vector.get(key)?.clone())))
        .collect();
    recorded.extend(shortened(&base));
    let mut others: Vec<(Map<String, Json>, Vec<String>)> = Vec::new();
    for (version, results) in answers {
        let different = differences(&base, &results);
        match others.iter_mut().find(|(known, _)| *known == different) {
            Some((_, versions)) => versions.push(name(version)),
            None => others.push((different, vec![name(version)])),
        }
    }
    others.retain(|(different, _)| !different.is_empty());
    if !others.is_empty() {
        let other = |(mut different, versions): (Map<String, Json>, Vec<String>)| {
            different.insert("v".into(), json!(versions));
            Json::Object(different)
        };
        recorded.insert("xver".into(), others.into_iter().map(other).collect());
    }
    recorded.insert("asked".into(), json!(asked));
    let limited = |result: &Json| {
        let error = result.get("err").and_then(Json::as_str);
        matches!(error, Some("MemoryError" | "RecursionError"))
    };
    if base.values().any(limited) {
        recorded.insert("env".into(), json!(true));
    }
    Ok(Some(Json::Object(recorded)))
}

/// The results of every implementation, by the keys of the vectors.
fn ask(oracle: &mut Oracle, options: &Json, stream: &[u8]) -> Result<Map<String, Json>, String> {
    let implementations = oracle.implementations().to_vec();
    let question = Question {
        implementations: &implementations,
        options,
        arguments: true,
        messages: true,
    };
    let answers = oracle
        .ask(question, &[stream])
        .map_err(|error| error.to_string())?;
    let mut results = Map::new();
    for (place, implementation) in implementations.iter().enumerate() {
        let answer = answers.get(0, place).unwrap_or_default();
        let mut result: Json = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
        if *implementation == Implementation::Genops
            && let Some(result) = result.as_object_mut()
        {
            let count = result
                .get("ops")
                .and_then(Json::as_array)
                .map_or(0, Vec::len);
            result.insert("n".into(), json!(count));
        }
        results.insert(format!("{}_result", implementation.name()), result);
    }
    Ok(results)
}

/// A result without what is only informative.
fn without_message(result: &Json) -> Json {
    let mut result = result.clone();
    if let Some(result) = result.as_object_mut() {
        result.remove("msg");
    }
    result
}

/// The results of a release that are not what a reader of the vectors takes them for without being told:
/// those of the base, or for a file that has none there, what C says in the release.
fn differences(base: &Map<String, Json>, results: &Map<String, Json>) -> Map<String, Json> {
    let base_says = shortened(base);
    let says = shortened(results);
    let mut different = Map::new();
    for (key, result) in results {
        let untold = match key.as_str() {
            "cf_result" | "cb_result" if !base_says.contains_key(key) => "c_result",
            _ => key,
        };
        let untold = if untold == key { base } else { results }.get_key_value(untold);
        let untold = untold.map(|(_, result)| without_message(result));
        if untold != Some(without_message(result)) {
            let result = says.get(key).unwrap_or(result).clone();
            different.insert(key.clone(), result);
        }
    }
    different
}

/// `pickle.py` that says the same as C is `"same"`, a file that gives the same is left out.
fn shortened(results: &Map<String, Json>) -> Map<String, Json> {
    let c = results.get("c_result").map(without_message);
    let mut shortened = Map::new();
    for (key, result) in results {
        let same = Some(without_message(result)) == c;
        match key.as_str() {
            "py_result" if same => drop(shortened.insert(key.clone(), "same".into())),
            "cf_result" | "cb_result" if same => {}
            _ => drop(shortened.insert(key.clone(), result.clone())),
        }
    }
    shortened
}
