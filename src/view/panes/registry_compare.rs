//! Two versions of a registry side by side: production and the newest other one, differences marked.

use std::collections::{BTreeMap, BTreeSet};

use super::Cx;
use super::brush::{Row, row};
use crate::domain::{RegisteredModel, RegisteredVersion};
use crate::view::look::Role;

/// The two versions to compare: production, and the newest that is not.
fn pair(entry: &RegisteredModel) -> Option<(&RegisteredVersion, &RegisteredVersion)> {
    let is_production = |version: &&RegisteredVersion| entry.production.as_ref() == Some(&version.version);
    let production = entry.versions.iter().find(is_production)?;
    let newest = entry.versions.iter().find(|version| !is_production(version))?;
    Some((production, newest))
}

/// The rows of the comparison.
pub fn rows(cx: &Cx, entry: &RegisteredModel, columns: usize) -> Vec<Row> {
    let (head, dim, plain) =
        (cx.look.style(Role::Heading), cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let Some((production, other)) = pair(entry) else {
        return vec![row().at(0, "there are no two versions to compare", dim).row()];
    };
    // Names, then two equal columns, and room for the word at the right.
    let name = (columns / 4).clamp(12, 28);
    let width = columns.saturating_sub(name + 10) / 2;
    let (left, right, word) = (name + 1, name + 1 + width, name + 1 + 2 * width);
    let heading = row().at(0, "", head).at(left, format!("{}  PRODUCTION", production.version), head).at(
        right,
        format!("{}  NEWEST OTHER", other.version),
        head,
    );
    let mut rows = vec![heading.row()];
    for (section, a, b) in sections(production, other) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        if keys.is_empty() {
            continue;
        }
        rows.push(row().at(0, section, dim).row());
        for key in keys {
            let (mine, theirs) = (a.get(key), b.get(key));
            let differs = mine != theirs;
            let (ink, said) = if differs { (plain, "differs") } else { (dim, "") };
            let shown = |value: Option<&String>| value.cloned().unwrap_or_else(|| "–".into());
            let cells =
                row().at(1, key.clone(), ink).at(left, shown(mine), ink).at(right, shown(theirs), ink);
            rows.push(cells.at(word, said, ink).row());
        }
    }
    rows
}

type Pairs = BTreeMap<String, String>;

/// What is compared, by section.
fn sections<'a>(a: &'a RegisteredVersion, b: &'a RegisteredVersion) -> Vec<(&'static str, Pairs, Pairs)> {
    let general = |version: &RegisteredVersion| {
        let created = version.created.map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        let all = [
            ("stage", version.stage.clone()),
            ("status", version.status.clone()),
            ("created", created),
            ("description", version.description.clone()),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    };
    let metrics = |version: &RegisteredVersion| {
        version.metrics.iter().map(|(key, value)| (key.clone(), format!("{value:.4}"))).collect()
    };
    vec![
        ("version", general(a), general(b)),
        ("metrics", metrics(a), metrics(b)),
        ("facts", a.facts.clone(), b.facts.clone()),
        ("tags", a.tags.clone(), b.tags.clone()),
        ("approvals", a.approvals.clone(), b.approvals.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Version;

    #[test]
    fn production_meets_the_newest_other() {
        let versions = ["3", "2", "1"].map(|name| RegisteredVersion::named(Version::new(name))).to_vec();
        let mut entry = RegisteredModel { versions, ..RegisteredModel::default() };
        assert!(pair(&entry).is_none());
        entry.production = Some(Version::new("3"));
        let names = pair(&entry).map(|(a, b)| (a.version.to_string(), b.version.to_string()));
        assert_eq!(names, Some(("3".into(), "2".into())));
    }
}
