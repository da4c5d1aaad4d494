//! Every environment variable of demilune, declared once, and the only place that reads the environment.

use std::{collections::BTreeMap, ffi::OsString};

/// What the names of our variables begin with; others that do are reported.
const PREFIX: &str = "DEMILUNE_";

/// A variable of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is for, for the reference page and `demilune serve --help`.
    pub(crate) doc: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        $($(#[doc = $doc])+ pub(crate) const $name: Variable = Variable { name: $text, doc: concat!($($doc),+) };)+

        /// Every variable, in the order of the reference page.
        pub(crate) const ALL: &[Variable] = &[$($name),+];
    };
}

variables! {
    /// The data folder, like `--data`.
    DATA = "DEMILUNE_DATA";
    /// The database, like `--database`; the place for a URL with a password, which a flag shows to every user of the machine.
    DATABASE = "DEMILUNE_DATABASE";
    /// The address to listen on, like `--listen`.
    LISTEN = "DEMILUNE_LISTEN";
    /// Where people reach the server, like `--public-url`.
    PUBLIC_URL = "DEMILUNE_PUBLIC_URL";
    /// The file with the certificate chain, like `--tls-cert`.
    TLS_CERT = "DEMILUNE_TLS_CERT";
    /// The file with the private key, like `--tls-key`.
    TLS_KEY = "DEMILUNE_TLS_KEY";
    /// `true` serves plain HTTP to other machines, like `--insecure-http`.
    INSECURE_HTTP = "DEMILUNE_INSECURE_HTTP";
    /// `true` leaves the schema as it is, like `--no-migrate`.
    NO_MIGRATE = "DEMILUNE_NO_MIGRATE";
    /// Most operations in a zone, like `--operations-per-zone-max`.
    OPERATIONS_PER_ZONE_MAX = "DEMILUNE_OPERATIONS_PER_ZONE_MAX";
    /// Largest request body in bytes, like `--body-bytes-max`.
    BODY_BYTES_MAX = "DEMILUNE_BODY_BYTES_MAX";
    /// Most connections at once, like `--connections-max`.
    CONNECTIONS_MAX = "DEMILUNE_CONNECTIONS_MAX";
    /// `all`, `control` or `gateway`, like `--role`.
    ROLE = "DEMILUNE_ROLE";
    /// The gateway's address, like `--gateway-listen`.
    GATEWAY_LISTEN = "DEMILUNE_GATEWAY_LISTEN";
    /// The file with the gateway's certificate chain, like `--gateway-tls-cert`.
    GATEWAY_TLS_CERT = "DEMILUNE_GATEWAY_TLS_CERT";
    /// The file with the gateway's private key, like `--gateway-tls-key`.
    GATEWAY_TLS_KEY = "DEMILUNE_GATEWAY_TLS_KEY";
    /// Bounds of the gateway as `name=value,…`, like `--gateway-limits`.
    GATEWAY_LIMITS = "DEMILUNE_GATEWAY_LIMITS";
    /// Networks whose forwarding fields are believed, like `--trusted-networks`.
    TRUSTED_NETWORKS = "DEMILUNE_TRUSTED_NETWORKS";
    /// `true` lets routes lead to loopback and private addresses, like `--allow-private-targets`.
    ALLOW_PRIVATE_TARGETS = "DEMILUNE_ALLOW_PRIVATE_TARGETS";
    /// Authorities of https origins besides the system's, like `--origin-ca`.
    ORIGIN_CA = "DEMILUNE_ORIGIN_CA";
    /// `-`, a file, or `off`, like `--access-log`.
    ACCESS_LOG = "DEMILUNE_ACCESS_LOG";
    /// `true` keeps the gateway from learning schemas, like `--no-learning`.
    NO_LEARNING = "DEMILUNE_NO_LEARNING";
    /// `true` keeps the answers to blocked requests from saying why, like `--hide-violations`.
    HIDE_VIOLATIONS = "DEMILUNE_HIDE_VIOLATIONS";
    /// The file with the key of session hashes, like `--secret-file`.
    SECRET_FILE = "DEMILUNE_SECRET_FILE";
    /// Threads that serve, like `--workers`.
    WORKERS = "DEMILUNE_WORKERS";
    /// `human` or `json`, like `--log-format`.
    LOG_FORMAT = "DEMILUNE_LOG_FORMAT";
    /// What to log, like `--log-level`.
    LOG_LEVEL = "DEMILUNE_LOG_LEVEL";
    /// The first zone as `ID:NAME`; used only on a store without credentials.
    BOOTSTRAP_ZONE = "DEMILUNE_BOOTSTRAP_ZONE";
    /// The first token; used only on a store without credentials.
    BOOTSTRAP_TOKEN = "DEMILUNE_BOOTSTRAP_TOKEN";
    /// A file that holds the first token; used only on a store without credentials.
    BOOTSTRAP_TOKEN_FILE = "DEMILUNE_BOOTSTRAP_TOKEN_FILE";
}

/// The variables that were set when the program started.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    ours: BTreeMap<String, OsString>,
    /// Whether a variable is set that makes Cloudflare's Python client leave the token out (contract 7.5).
    stray: Vec<&'static str>,
}

/// Variables of Cloudflare's clients that are in the way of a token.
const STRAY: [&str; 2] = ["CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"];

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn read() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// Keeps what concerns us. A variable with an empty value counts as absent, as compose files write it.
    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in pairs {
            let Some(name) = name.to_str() else { continue };
            if value.is_empty() {
                continue;
            }
            if name.starts_with(PREFIX) {
                environment.ours.insert(name.to_owned(), value);
            } else if let Some(stray) = STRAY.into_iter().find(|stray| *stray == name) {
                environment.stray.push(stray);
            }
        }
        environment
    }

    /// The value of a variable, if it is set.
    pub(crate) fn get(&self, variable: Variable) -> Option<&OsString> {
        self.ours.get(variable.name)
    }

    /// The names of variables that look like ours and are not.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = &str> {
        self.ours.keys().map(String::as_str).filter(|name| ALL.iter().all(|known| known.name != *name))
    }

    /// Set variables of Cloudflare's clients that are in the way of a token.
    pub(crate) fn stray(&self) -> &[&'static str] {
        &self.stray
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_pairs(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn every_variable_has_our_prefix_and_a_sentence() {
        for variable in ALL {
            assert!(variable.name.starts_with(PREFIX), "{}", variable.name);
            assert!(variable.doc.trim().ends_with('.'), "{}", variable.name);
        }
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let environment = environment(&[("DEMILUNE_DATA", ""), ("DEMILUNE_LISTEN", "x")]);
        assert!(environment.get(DATA).is_none());
        assert!(environment.get(LISTEN).is_some());
    }

    #[test]
    fn variables_that_only_look_like_ours_are_found() {
        let environment = environment(&[("DEMILUNE_LISTN", "x"), ("DEMILUNE_DATA", "y"), ("PATH", "z")]);
        assert_eq!(environment.unknown().collect::<Vec<_>>(), ["DEMILUNE_LISTN"]);
    }

    #[test]
    fn variables_of_other_clients_that_are_in_the_way_are_found() {
        let environment = environment(&[("CLOUDFLARE_EMAIL", "a@b"), ("CLOUDFLARE_API_TOKEN", "t")]);
        assert_eq!(environment.stray(), ["CLOUDFLARE_EMAIL"]);
    }
}
