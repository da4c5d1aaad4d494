//! What was written: flags as texts, completed by the environment, each with the name of where it came from.
#![allow(clippy::doc_markdown, reason = "doc comments are help texts here, where backticks would show")]

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::env::{self, Environment, Variable};

/// Flags of every command that works on the data. Values stay texts here, so that all problems can be reported at once.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawStore {
    /// The data folder; `serve` creates it, for its owner alone [env: DEMILUNE_DATA] [default: demilune-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<OsString>,
    /// The database, sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME; write a password into the variable rather
    /// than the flag, which other users of the machine can see [env: DEMILUNE_DATABASE]
    /// [default: demilune.db in the data folder]
    #[arg(long, value_name = "URL", global = true)]
    database: Option<OsString>,
}

/// Flags of `demilune serve`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawServe {
    #[command(flatten)]
    store: RawStore,
    /// The address to listen on; port 0 takes a free one [env: DEMILUNE_LISTEN] [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<OsString>,
    /// Where people reach the server, for links in answers [env: DEMILUNE_PUBLIC_URL] [default: the address it
    /// listens on]
    #[arg(long, value_name = "URL")]
    public_url: Option<OsString>,
    /// A PEM file with the certificate chain [env: DEMILUNE_TLS_CERT]
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<OsString>,
    /// A PEM file with the certificate's private key [env: DEMILUNE_TLS_KEY]
    #[arg(long, value_name = "FILE")]
    tls_key: Option<OsString>,
    /// Serve plain HTTP to other machines, for use behind a proxy that ends TLS [env: DEMILUNE_INSECURE_HTTP]
    #[arg(long)]
    insecure_http: bool,
    /// Leave the database's schema as it is, and stop if it is too old [env: DEMILUNE_NO_MIGRATE]
    #[arg(long)]
    no_migrate: bool,
    /// Most operations in a zone [env: DEMILUNE_OPERATIONS_PER_ZONE_MAX] [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    operations_per_zone_max: Option<OsString>,
    /// Largest request body in bytes [env: DEMILUNE_BODY_BYTES_MAX] [default: 1048576]
    #[arg(long, value_name = "NUMBER")]
    body_bytes_max: Option<OsString>,
    /// Most connections at once; more wait to be accepted [env: DEMILUNE_CONNECTIONS_MAX] [default: 512]
    #[arg(long, value_name = "NUMBER")]
    connections_max: Option<OsString>,
    #[command(flatten)]
    gateway: RawGateway,
    /// How to write the log on standard error: human or json [env: DEMILUNE_LOG_FORMAT] [default: human on a
    /// terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<OsString>,
    /// What to log: off, error, warn, info, debug, trace, or directives such as info,demilune_store=debug
    /// [env: DEMILUNE_LOG_LEVEL] [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<OsString>,
}

/// Flags of the gateway that `demilune serve` runs.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawGateway {
    /// What this process is: all, control (the API without a gateway) or gateway (without the API, which needs the
    /// PostgreSQL database of the control process) [env: DEMILUNE_ROLE] [default: all]
    #[arg(long, value_name = "ROLE")]
    role: Option<OsString>,
    /// The address on which the gateway takes live traffic; port 0 takes a free one [env: DEMILUNE_GATEWAY_LISTEN]
    /// [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    gateway_listen: Option<OsString>,
    /// A PEM file with the gateway's certificate chain [env: DEMILUNE_GATEWAY_TLS_CERT]
    #[arg(long, value_name = "FILE")]
    gateway_tls_cert: Option<OsString>,
    /// A PEM file with the private key of the gateway's certificate [env: DEMILUNE_GATEWAY_TLS_KEY]
    #[arg(long, value_name = "FILE")]
    gateway_tls_key: Option<OsString>,
    /// Bounds of the gateway as name=value,…; an unknown name is answered with the list of all, which
    /// docs/gateway.md explains [env: DEMILUNE_GATEWAY_LIMITS]
    #[arg(long, value_name = "LIMITS")]
    gateway_limits: Option<OsString>,
    /// Networks of proxies in front, such as 10.0.0.0/8,192.0.2.7, whose X-Forwarded-*, Forwarded and X-Request-Id
    /// fields are believed [env: DEMILUNE_TRUSTED_NETWORKS] [default: none]
    #[arg(long, value_name = "NETWORKS")]
    trusted_networks: Option<OsString>,
    /// Do not learn what requests look like [env: DEMILUNE_NO_LEARNING]
    #[arg(long)]
    no_learning: bool,
    /// Do not say in the answer to a request that is blocked where it does not fit its schema
    /// [env: DEMILUNE_HIDE_VIOLATIONS]
    #[arg(long)]
    hide_violations: bool,
    /// Let the routes of operations lead to loopback and private addresses [env: DEMILUNE_ALLOW_PRIVATE_TARGETS]
    #[arg(long)]
    allow_private_targets: bool,
    /// A PEM file with certificate authorities of https origins, besides those of the system [env: DEMILUNE_ORIGIN_CA]
    #[arg(long, value_name = "FILE")]
    origin_ca: Option<OsString>,
    /// Where to write a line for each request: a file, which SIGUSR1 opens anew, - for standard output, or off
    /// [env: DEMILUNE_ACCESS_LOG] [default: off]
    #[arg(long, value_name = "FILE")]
    access_log: Option<OsString>,
    #[command(flatten)]
    secret: RawSecret,
    /// Threads that serve [env: DEMILUNE_WORKERS] [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<OsString>,
}

/// The flag of whatever hashes sessions.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawSecret {
    /// The file with the key of session hashes, the same on every gateway of a database [env: DEMILUNE_SECRET_FILE]
    /// [default: secret.key in the data folder, made at the first start]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<OsString>,
}

/// A value as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// `--listen` or `DEMILUNE_LISTEN`.
    pub(crate) origin: &'static str,
    /// The text.
    pub(crate) value: OsString,
}

/// The settings of [`RawStore`] and its variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreSettings {
    pub(crate) data: Option<Setting>,
    pub(crate) database: Option<Setting>,
    pub(crate) operations_per_zone_max: Option<Setting>,
}

/// The settings of [`RawServe`] and its variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServeSettings {
    pub(crate) store: StoreSettings,
    pub(crate) listen: Option<Setting>,
    pub(crate) public_url: Option<Setting>,
    pub(crate) tls_cert: Option<Setting>,
    pub(crate) tls_key: Option<Setting>,
    pub(crate) insecure_http: Option<Setting>,
    pub(crate) no_migrate: Option<Setting>,
    pub(crate) body_bytes_max: Option<Setting>,
    pub(crate) connections_max: Option<Setting>,
    pub(crate) log_format: Option<Setting>,
    pub(crate) log_level: Option<Setting>,
    pub(crate) bootstrap_zone: Option<Setting>,
    pub(crate) bootstrap_token: Option<Setting>,
    pub(crate) bootstrap_token_file: Option<Setting>,
    pub(crate) gateway: GatewaySettings,
}

/// The settings of [`RawGateway`] and its variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct GatewaySettings {
    pub(crate) role: Option<Setting>,
    pub(crate) listen: Option<Setting>,
    pub(crate) tls_cert: Option<Setting>,
    pub(crate) tls_key: Option<Setting>,
    pub(crate) limits: Option<Setting>,
    pub(crate) trusted_networks: Option<Setting>,
    pub(crate) allow_private_targets: Option<Setting>,
    pub(crate) no_learning: Option<Setting>,
    pub(crate) hide_violations: Option<Setting>,
    pub(crate) origin_ca: Option<Setting>,
    pub(crate) access_log: Option<Setting>,
    pub(crate) secret_file: Option<Setting>,
    pub(crate) workers: Option<Setting>,
}

impl RawStore {
    /// Flags first, then the environment.
    pub(crate) fn settings(self, environment: &Environment) -> StoreSettings {
        StoreSettings {
            data: setting("--data", self.data, env::DATA, environment),
            database: setting("--database", self.database, env::DATABASE, environment),
            operations_per_zone_max: from_environment(env::OPERATIONS_PER_ZONE_MAX, environment),
        }
    }
}

impl RawServe {
    /// Flags first, then the environment.
    pub(crate) fn settings(self, environment: &Environment) -> ServeSettings {
        let maximum = setting(
            "--operations-per-zone-max",
            self.operations_per_zone_max,
            env::OPERATIONS_PER_ZONE_MAX,
            environment,
        );
        ServeSettings {
            store: StoreSettings { operations_per_zone_max: maximum, ..self.store.settings(environment) },
            listen: setting("--listen", self.listen, env::LISTEN, environment),
            public_url: setting("--public-url", self.public_url, env::PUBLIC_URL, environment),
            tls_cert: setting("--tls-cert", self.tls_cert, env::TLS_CERT, environment),
            tls_key: setting("--tls-key", self.tls_key, env::TLS_KEY, environment),
            insecure_http: switch("--insecure-http", self.insecure_http, env::INSECURE_HTTP, environment),
            no_migrate: switch("--no-migrate", self.no_migrate, env::NO_MIGRATE, environment),
            body_bytes_max: setting("--body-bytes-max", self.body_bytes_max, env::BODY_BYTES_MAX, environment),
            connections_max: setting("--connections-max", self.connections_max, env::CONNECTIONS_MAX, environment),
            log_format: setting("--log-format", self.log_format, env::LOG_FORMAT, environment),
            log_level: setting("--log-level", self.log_level, env::LOG_LEVEL, environment),
            bootstrap_zone: from_environment(env::BOOTSTRAP_ZONE, environment),
            bootstrap_token: from_environment(env::BOOTSTRAP_TOKEN, environment),
            bootstrap_token_file: from_environment(env::BOOTSTRAP_TOKEN_FILE, environment),
            gateway: self.gateway.settings(environment),
        }
    }
}

impl RawGateway {
    /// Flags first, then the environment.
    pub(crate) fn settings(self, environment: &Environment) -> GatewaySettings {
        let private = self.allow_private_targets;
        GatewaySettings {
            role: setting("--role", self.role, env::ROLE, environment),
            listen: setting("--gateway-listen", self.gateway_listen, env::GATEWAY_LISTEN, environment),
            tls_cert: setting("--gateway-tls-cert", self.gateway_tls_cert, env::GATEWAY_TLS_CERT, environment),
            tls_key: setting("--gateway-tls-key", self.gateway_tls_key, env::GATEWAY_TLS_KEY, environment),
            limits: setting("--gateway-limits", self.gateway_limits, env::GATEWAY_LIMITS, environment),
            trusted_networks: setting("--trusted-networks", self.trusted_networks, env::TRUSTED_NETWORKS, environment),
            allow_private_targets: switch("--allow-private-targets", private, env::ALLOW_PRIVATE_TARGETS, environment),
            hide_violations: switch("--hide-violations", self.hide_violations, env::HIDE_VIOLATIONS, environment),
            no_learning: switch("--no-learning", self.no_learning, env::NO_LEARNING, environment),
            origin_ca: setting("--origin-ca", self.origin_ca, env::ORIGIN_CA, environment),
            access_log: setting("--access-log", self.access_log, env::ACCESS_LOG, environment),
            secret_file: self.secret.setting(environment),
            workers: setting("--workers", self.workers, env::WORKERS, environment),
        }
    }
}

impl RawSecret {
    /// The file, if one is named by flag or environment.
    pub(crate) fn file(self, environment: &Environment) -> Option<PathBuf> {
        self.setting(environment).map(|setting| setting.value.into())
    }

    fn setting(self, environment: &Environment) -> Option<Setting> {
        setting("--secret-file", self.secret_file, env::SECRET_FILE, environment)
    }
}

fn setting(
    flag: &'static str,
    value: Option<OsString>,
    variable: Variable,
    environment: &Environment,
) -> Option<Setting> {
    match value {
        Some(value) => Some(Setting { origin: flag, value }),
        None => from_environment(variable, environment),
    }
}

fn switch(flag: &'static str, given: bool, variable: Variable, environment: &Environment) -> Option<Setting> {
    setting(flag, given.then(|| "true".into()), variable, environment)
}

fn from_environment(variable: Variable, environment: &Environment) -> Option<Setting> {
    environment.get(variable).map(|value| Setting { origin: variable.name, value: value.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_its_variable() {
        let environment = Environment::from_pairs([("DEMILUNE_DATA".into(), "from-env".into())]);
        let flags = RawStore { data: Some("from-flag".into()), database: None };
        let settings = flags.settings(&environment);
        assert_eq!(settings.data, Some(Setting { origin: "--data", value: "from-flag".into() }));
        assert_eq!(settings.database, None);
    }

    #[test]
    fn a_variable_stands_in_for_its_flag() {
        let environment = Environment::from_pairs([("DEMILUNE_INSECURE_HTTP".into(), "yes".into())]);
        let settings = RawServe::default().settings(&environment);
        assert_eq!(settings.insecure_http, Some(Setting { origin: "DEMILUNE_INSECURE_HTTP", value: "yes".into() }));
    }
}
