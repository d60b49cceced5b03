//! A disagreement on paper: both results side by side, and as a vector.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pickleproof_core::Version;
use pickleproof_corpus::disassemble;
use serde_json::{Map, Value as Json, json};

use super::Difference;
use super::streams::hex;
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

    /// The line of a vectors file: what each interpreter says, the classic one first.
    ///
    /// `None` where no interpreter stands for the releases before the changes of 3.14.
    ///
    /// # Errors
    ///
    /// An interpreter is gone.
    pub fn vector(&self, oracles: &mut [Oracle]) -> Result<Option<Json>, String> {
        let mut answers = Vec::new();
        for oracle in oracles.iter_mut() {
            answers.push((oracle.version(), ask(oracle, &self.options, &self.stream)?));
        }
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
        let mut vector = Map::new();
        vector.insert("id".into(), format!("found-{}", self.name()).into());
        vector.insert("cat".into(), "found".into());
        vector.insert("note".into(), self.difference.kind().into());
        vector.insert("hex".into(), hex(&self.stream).into());
        if let [0x80, protocol, ..] = self.stream.as_slice() {
            vector.insert("proto".into(), json!(protocol));
        }
        vector.insert("opts".into(), self.options.clone());
        vector.extend(shortened(&base));
        let mut others: Vec<Json> = Vec::new();
        for (Version { minor, patch }, results) in answers {
            let different: Map<String, Json> = shortened(&results)
                .into_iter()
                .filter(|(key, _)| comparable(&results, key) != comparable(&base, key))
                .collect();
            if !different.is_empty() {
                let mut other = different;
                other.insert("v".into(), json!([format!("3.{minor}.{patch}")]));
                others.push(Json::Object(other));
            }
        }
        if !others.is_empty() {
            vector.insert("xver".into(), others.into());
        }
        Ok(Some(Json::Object(vector)))
    }
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
fn comparable(results: &Map<String, Json>, key: &str) -> Option<Json> {
    let mut result = results.get(key)?.clone();
    if let Some(result) = result.as_object_mut() {
        result.remove("msg");
    }
    Some(result)
}

/// `pickle.py` that says the same as C is `"same"`, a file that gives the same is left out.
fn shortened(results: &Map<String, Json>) -> Map<String, Json> {
    let c = comparable(results, "c_result");
    let mut shortened = Map::new();
    for (key, result) in results {
        let same = comparable(results, key) == c;
        match key.as_str() {
            "py_result" if same => drop(shortened.insert(key.clone(), "same".into())),
            "cf_result" | "cb_result" if same => {}
            _ => drop(shortened.insert(key.clone(), result.clone())),
        }
    }
    shortened
}
