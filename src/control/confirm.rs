//! How an act is confirmed: the safe direction fast, what changes production by typing.

use crate::config::Config;
use crate::domain::ModelId;
use crate::domain::act::{Confirm, Operation};

/// The rule for one act.
pub fn rule(operation: &Operation, production: bool, model: &ModelId) -> Confirm {
    match operation {
        Operation::Abort => Confirm::Enter,
        Operation::PromoteFull | Operation::RollBack { .. } if production => {
            Confirm::Type(model.name.to_string())
        }
        _ => Confirm::Choose,
    }
}

/// Whether a model runs in production: by the environment's word or its cluster's.
pub fn is_production(config: &Config, system: &str) -> bool {
    config.control.production
        || config.cluster.iter().any(|cluster| cluster.name == system && cluster.production)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Version;

    #[test]
    fn only_what_moves_production_is_typed() {
        let model = ModelId::new("prod", "als");
        let back = Operation::RollBack { to: Version::new("1.1.0") };
        for (operation, production, expected) in [
            (Operation::Abort, true, Confirm::Enter),
            (Operation::Abort, false, Confirm::Enter),
            (back.clone(), true, Confirm::Type("als".into())),
            (back, false, Confirm::Choose),
            (Operation::PromoteFull, true, Confirm::Type("als".into())),
            (Operation::Promote, true, Confirm::Choose),
            (Operation::SetWeight { percent: 10.0 }, true, Confirm::Choose),
        ] {
            assert_eq!(rule(&operation, production, &model), expected, "{operation:?} {production}");
        }
    }

    #[test]
    fn a_cluster_marks_its_models_as_production() {
        let text = "[[cluster]]\nname = \"eu\"\nproduction = true\n[[cluster]]\nname = \"test\"\n[control]\nproduction = false\n";
        let config = crate::config::parse("test", text, &[]).unwrap().config;
        assert!(is_production(&config, "eu"));
        assert!(!is_production(&config, "test"));
    }
}
