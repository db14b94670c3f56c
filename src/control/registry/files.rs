//! A registry in files is only read: its files belong to whoever releases.

use crate::config::FileRegistryConfig;
use crate::control::{Ask, Boxed, Finding, Registry, RegistryDraft, Sender, Sent, Settled};
use crate::domain::act::{Plan, Refusal};
use crate::domain::{Fault, ModelId, Version};

/// A registry that refuses to be moved, and says why.
pub struct Files {
    name: String,
}

impl Files {
    /// The registry of this config.
    pub fn new(config: &FileRegistryConfig) -> Self {
        Self { name: config.name.clone() }
    }

    fn why(&self) -> String {
        format!("{} is a registry in files, which is only read", self.name)
    }
}

impl Sender for Files {
    fn send<'a>(&'a self, _: &'a Plan, _: usize, _: &'a str) -> Boxed<'a, Sent> {
        Box::pin(async { Sent::Refused(self.why()) })
    }

    fn settled<'a>(&'a self, _: &'a Plan, _: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(async { Ok(Settled::NotDone(self.why())) })
    }

    fn observe<'a>(&'a self, _: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Registry for Files {
    fn plan<'a>(
        &'a self,
        model: &'a ModelId,
        version: &'a Version,
        _: &'a Ask,
    ) -> Boxed<'a, Result<RegistryDraft, Refusal>> {
        let instead = format!("write the status of {model} {version} into its metadata.json yourself");
        Box::pin(async { Err(Refusal::new(self.why(), instead)) })
    }
}
