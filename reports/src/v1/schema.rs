//! The JSON Schema of the report, derived from the model.

use schemars::generate::SchemaSettings;

use super::Report;

/// The JSON Schema (draft 2020-12) of a [`Report`], as text that ends with a newline.
///
/// # Errors
///
/// None is known; the serialiser's type has one.
pub fn schema() -> serde_json::Result<String> {
    // What is written, not what could be read: a field that may be null is always there.
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<Report>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}
