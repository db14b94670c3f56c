//! The numbers of environments, models and series in the file.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::observer::What;
use super::window::is_long;
use crate::domain::{DriftScale, Kpi, ModelId, Version};

/// What is known of the file's numbers. A series is never given another number, so none of it grows old.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Number of a model and of its series.
    numbers: HashMap<ModelId, (i64, HashMap<What, i64>)>,
    /// Model and meaning of a series.
    meanings: HashMap<i64, (ModelId, What)>,
}

impl Names {
    /// Forgets what a transaction that was not committed may have taught.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The number of an environment, given when it has none.
    pub(super) fn environment(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        connection.execute("INSERT OR IGNORE INTO environments (name) VALUES (?1)", [name])?;
        connection.query_row("SELECT id FROM environments WHERE name = ?1", [name], |row| row.get(0))
    }

    /// The number of a series, given when it has none.
    pub(super) fn series(
        &mut self,
        connection: &Connection,
        environment: i64,
        model: &ModelId,
        what: &What,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.number(model, what) {
            return Ok(number);
        }
        let owner = match self.numbers.get(model) {
            Some((owner, _)) => *owner,
            None => model_number(connection, environment, model)?,
        };
        let (text, version) = text_of(what);
        connection
            .prepare_cached("INSERT OR IGNORE INTO series (model, what, version) VALUES (?1, ?2, ?3)")?
            .execute(params![owner, text, version])?;
        let number = connection
            .prepare_cached("SELECT id FROM series WHERE model = ?1 AND what = ?2 AND version = ?3")?
            .query_row(params![owner, text, version], |row| row.get(0))?;
        let known = self.numbers.entry(model.clone()).or_insert_with(|| (owner, HashMap::new()));
        known.1.insert(what.clone(), number);
        self.meanings.insert(number, (model.clone(), what.clone()));
        Ok(number)
    }

    /// Learns every series of an environment.
    pub(super) fn learn(&mut self, connection: &Connection, environment: i64) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT s.id, s.model, s.what, s.version, m.home, m.cluster, m.namespace, m.name \
             FROM series s JOIN models m ON m.id = s.model WHERE m.environment = ?1",
        )?;
        let mut rows = statement.query([environment])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            if self.meanings.contains_key(&number) {
                continue;
            }
            let text = |column: usize| row.get::<_, String>(column);
            let Some(what) = what_of(&text(2)?, &text(3)?) else { continue };
            let model = ModelId {
                environment: text(4)?.into(),
                cluster: text(5)?.into(),
                namespace: text(6)?.into(),
                name: text(7)?.into(),
            };
            let owner: i64 = row.get(1)?;
            let known = self.numbers.entry(model.clone()).or_insert_with(|| (owner, HashMap::new()));
            known.1.insert(what.clone(), number);
            self.meanings.insert(number, (model, what));
        }
        Ok(())
    }

    /// Whether a series is known to be shown over days.
    pub(super) fn is_long(&self, number: i64) -> bool {
        self.meanings.get(&number).is_some_and(|(_, what)| is_long(what))
    }

    /// How many series are shown over days.
    pub(super) fn count_long(&self) -> i64 {
        self.meanings.values().filter(|(_, what)| is_long(what)).count() as i64
    }

    /// The number of a series that has one.
    pub(super) fn number(&self, model: &ModelId, what: &What) -> Option<i64> {
        self.numbers.get(model).and_then(|(_, series)| series.get(what)).copied()
    }

    /// Each series of a model, with its number.
    pub(super) fn of_model(&self, model: &ModelId) -> impl Iterator<Item = (&What, i64)> {
        self.numbers
            .get(model)
            .into_iter()
            .flat_map(|(_, series)| series.iter().map(|(what, id)| (what, *id)))
    }
}

fn model_number(connection: &Connection, environment: i64, model: &ModelId) -> rusqlite::Result<i64> {
    let key = params![environment, &*model.environment, &*model.cluster, &*model.namespace, &*model.name];
    let known = connection
        .prepare_cached(
            "SELECT id FROM models WHERE environment = ?1 AND home = ?2 AND cluster = ?3 AND namespace = ?4 \
             AND name = ?5",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    connection
        .prepare_cached(
            "INSERT INTO models (environment, home, cluster, namespace, name) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(key)?;
    Ok(connection.last_insert_rowid())
}

/// A series in the words of the file: what and version.
fn text_of(what: &What) -> (String, String) {
    match what {
        What::Kpi(kpi, version) => {
            (kpi.id().to_owned(), version.as_ref().map(|version| version.0.to_string()).unwrap_or_default())
        }
        What::Drift(feature, scale) => {
            let scale = serde_json::to_value(scale).ok().and_then(|value| Some(value.as_str()?.to_owned()));
            (format!("drift:{}:{feature}", scale.unwrap_or_default()), String::new())
        }
    }
}

/// The other way round; nothing for what a newer wardroom wrote.
fn what_of(text: &str, version: &str) -> Option<What> {
    let Some(rest) = text.strip_prefix("drift:") else {
        let version = (!version.is_empty()).then(|| Version(version.into()));
        return Some(What::Kpi(Kpi::from_id(text)?, version));
    };
    let (scale, feature) = rest.split_once(':')?;
    let scale: DriftScale = serde_json::from_value(scale.into()).ok()?;
    Some(What::Drift(feature.into(), scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_file_mean_what_was_meant() {
        let all = [
            What::Kpi(Kpi::LatencyP95, None),
            What::Kpi(Kpi::Accuracy, Some(Version::new("1.3.0"))),
            What::Drift("age:years".into(), DriftScale::JensenShannon),
        ];
        for what in all {
            let (text, version) = text_of(&what);
            assert_eq!(what_of(&text, &version), Some(what), "{text}");
        }
    }
}
