//! Says a remark once, and again only when it had gone: a poll every few seconds must not fill the log.

use std::collections::BTreeSet;

use crate::domain::Fact;

/// The remarks of the last poll.
#[derive(Debug, Default)]
pub struct Remarks {
    said: BTreeSet<String>,
}

impl Remarks {
    /// The facts without the remarks that the poll before already brought.
    pub fn only_new(&mut self, facts: Vec<Fact>) -> Vec<Fact> {
        let mut now = BTreeSet::new();
        let fresh = facts
            .into_iter()
            .filter(|fact| match fact {
                Fact::Remark(text) => now.insert(text.clone()) && !self.said.contains(text),
                _ => true,
            })
            .collect();
        self.said = now;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_said_once_until_it_goes() {
        let mut remarks = Remarks::default();
        let facts = |text: &str| vec![Fact::Remark(text.into())];
        assert_eq!(remarks.only_new(facts("a")).len(), 1);
        assert!(remarks.only_new(facts("a")).is_empty());
        assert!(remarks.only_new(Vec::new()).is_empty());
        assert_eq!(remarks.only_new(facts("a")).len(), 1);
    }
}
