//! Walks a registry's folders: two levels, known file names, limited sizes. Blocking.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::{Registry, version};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fault, FaultKind, RegisteredModel, RegisteredVersion, Version};

/// Larger documents are not read.
const LARGEST: u64 = 1 << 20;
/// More versions than this are cut.
const MOST_VERSIONS: usize = 1_000;

/// The registry below `root`, of the models whose folders have these names. A folder that is missing is a
/// model that this registry does not know.
pub fn registry(root: &Path, names: &[String]) -> Result<Registry, Fault> {
    let is_folder = fs::metadata(root).map_err(|error| unreadable(root, &error))?.is_dir();
    if !is_folder {
        return Err(Fault::new(FaultKind::File, format!("{} is no folder", root.display())));
    }
    // A root that may be listed by nobody shall be a fault, not an empty registry.
    fs::read_dir(root).map_err(|error| unreadable(root, &error))?;
    let mut models = Vec::new();
    let mut remarks = Vec::new();
    for name in names {
        // The name comes from a config: it must stay one folder below the root.
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            continue;
        }
        let folder = root.join(name);
        match model(&folder, name, &mut remarks) {
            Ok(Some(entry)) => models.push((name.clone(), entry)),
            Ok(None) => {}
            Err(fault) => remarks.push(fault.to_string()),
        }
    }
    if models.is_empty() && remarks.is_empty() && !names.is_empty() {
        remarks.push(clean(&format!("none of the fleet's models lies in {}", root.display()), 300));
    }
    Ok((models, remarks))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    crate::sources::unreadable(path, error).advise("check the path of [[files]]")
}

fn model(folder: &Path, name: &str, remarks: &mut Vec<String>) -> Result<Option<RegisteredModel>, Fault> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut versions: Vec<RegisteredVersion> = Vec::new();
    for entry in entries.flatten().take(MOST_VERSIONS) {
        let path = entry.path();
        let folder = entry.file_name().to_string_lossy().into_owned();
        let is_version = folder.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
        // Links are followed once and never deeper than this level: a loop ends here.
        if is_version && fs::metadata(&path).is_ok_and(|about| about.is_dir()) {
            versions.push(one(&path, &folder, remarks));
        }
    }
    versions.sort_by(|a, b| b.version.cmp(&a.version));
    versions.dedup_by(|a, b| a.version == b.version);
    let is_live = |version: &&RegisteredVersion| version.stage == "Production";
    let production = versions.iter().find(is_live).map(|version| version.version.clone());
    let described = versions.iter().find(is_live).or(versions.first());
    let description = described.map(|version| version.description.clone()).unwrap_or_default();
    // A folder is named as its version is on screen.
    let names = versions.iter().map(|one| (one.version.clone(), one.version.clone())).collect();
    Ok(Some(RegisteredModel {
        name: clean_name(name),
        description,
        production,
        versions,
        names,
        ..RegisteredModel::default()
    }))
}

/// One version; what is wrong with its files is remarked, and the version stays listed.
fn one(path: &Path, folder: &str, remarks: &mut Vec<String>) -> RegisteredVersion {
    let named = folder.strip_prefix(['v', 'V']).unwrap_or(folder);
    let mut said = RegisteredVersion::named(Version::new(named));
    let mut wrong = |why: String| remarks.push(clean(&why, 400));
    let file = path.join("metadata.json");
    match document(&file) {
        Ok(Some(text)) => match version::metadata(&text) {
            Ok(known) => {
                if known.version.as_ref().is_some_and(|version| *version != said.version) {
                    let inside = known.version.as_ref().map(Version::as_str).unwrap_or_default();
                    wrong(format!("{}: says version {inside}, lies in {folder}", file.display()));
                }
                known.fill(&mut said);
            }
            Err(error) => {
                said.status = "unreadable".into();
                wrong(format!("{}, line {}: {error}", file.display(), error.line()));
            }
        },
        Ok(None) => {
            said.status = "no metadata".into();
            wrong(format!("{} does not exist", file.display()));
        }
        Err(why) => {
            said.status = "unreadable".into();
            wrong(format!("{}: {why}", file.display()));
        }
    }
    let mut read = |name: &str| match document(&path.join(name)) {
        Ok(text) => text,
        Err(why) => {
            wrong(format!("{}: {why}", path.join(name).display()));
            None
        }
    };
    if let Some(text) = read("training_config.yaml") {
        version::training(&text, &mut said.facts);
    }
    if let Some(features) = read("feature_schema.json").and_then(|text| version::features(&text)) {
        said.facts.insert("features".into(), features.to_string());
    }
    if let Some(card) = read("model_card.md")
        && said.description.is_empty()
    {
        said.description = version::summary(&card);
    }
    // Only the size of the model is of interest: its content is never opened.
    if let Ok(about) = fs::metadata(path.join("model.pkl")) {
        said.facts.insert("model size".into(), format!("{} bytes", about.len()));
    }
    said
}

/// A small text file; `None` when it does not exist. Pipes and devices are not opened: they would block.
fn document(path: &Path) -> Result<Option<String>, String> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !about.is_file() {
        return Err("is no regular file".into());
    }
    if about.len() > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned()))
}
