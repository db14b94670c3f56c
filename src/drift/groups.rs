//! Groups of features.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Which group each feature is in.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    of: HashMap<String, Arc<str>>,
}

impl Groups {
    /// From lists of features by group.
    ///
    /// # Errors
    /// A feature that is in two groups.
    pub fn new(lists: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut of: HashMap<String, Arc<str>> = HashMap::new();
        for (group, features) in lists {
            let name: Arc<str> = crate::domain::text::clean_name(group).into();
            for feature in features {
                if let Some(first) = of.insert(feature.clone(), name.clone())
                    && first != name
                {
                    let feature = crate::domain::text::clean_name(feature);
                    return Err(format!("`{feature}` is in the groups `{first}` and `{name}`"));
                }
            }
        }
        Ok(Self { of })
    }

    /// A feature's group; empty when it has none.
    pub fn of(&self, feature: &str) -> Arc<str> {
        self.of.get(feature).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// The features that are in a group.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }
}
