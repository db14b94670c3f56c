//! Entries of an incident as JSON lines: each line is an entry, whole.

use crate::domain::incident::Entry;

/// The entries, one JSON object a line.
///
/// # Errors
/// An entry that JSON cannot say.
pub fn write(entries: &[Entry]) -> Result<String, String> {
    let mut out = String::new();
    for entry in entries {
        let line = serde_json::to_string(entry)
            .map_err(|why| format!("entry {} cannot be written: {why}", entry.id))?;
        out.push_str(&line);
        out.push('\n');
    }
    Ok(out)
}

/// The entries of such lines, in their order; empty lines are passed over.
///
/// # Errors
/// A line that is no entry, with its number.
pub fn read(text: &str) -> Result<Vec<Entry>, String> {
    text.split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| serde_json::from_str(line).map_err(|why| format!("line {}: {why}", index + 1)))
        .collect()
}
