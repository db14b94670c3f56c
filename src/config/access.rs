//! How a server is reached: authentication, headers, a private CA. Secrets are named, never written down.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret lies. The secret itself is never in a config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Secret {
    /// The environment variable that holds it.
    Env(String),
    /// The file that holds it; a final line end is cut.
    File(PathBuf),
    /// A command whose standard output it is, run by `sh -c`.
    Command(String),
}

/// How to prove who we are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// HTTP Basic.
    Basic {
        /// The user's name.
        user: String,
        /// Where the password lies.
        password: Secret,
    },
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// Any header.
    Header {
        /// The header's name.
        name: String,
        /// Where its value lies.
        value: Secret,
    },
}

/// How a server is reached. Everything is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// How to prove who we are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// A PEM file with the private CA that signed the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}
