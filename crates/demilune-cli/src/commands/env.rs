//! `demilune env`: the variables with which Cloudflare's clients, and the curl lines of its reference, reach us.

use std::{fmt::Write, path::PathBuf, process::ExitCode};

use clap::Args;
use demilune_control::{
    Secret,
    manage::{Command, Reply},
};

use super::mismatch;
use crate::{
    access::{self, AccessError},
    config::{Bootstrap, Environment, RawStore, StoreConfig},
    failure::Failure,
    first_token, logging, output, wiring,
};

/// Print the variables that point Cloudflare's clients here: eval "$(demilune env)"
#[derive(Args)]
pub(super) struct Env {
    #[command(flatten)]
    store: RawStore,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
}

/// There is no token to print.
#[derive(Debug, thiserror::Error)]
#[error("there is no first token in {0}: make one with `demilune token create` and export it as CLOUDFLARE_API_TOKEN")]
struct NoToken(PathBuf, #[source] std::io::Error);

impl Env {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let config = StoreConfig::resolve(self.store, environment)?;
        // A supplied first token is not copied to the data folder.
        let token = match Bootstrap::resolve_token(environment)? {
            Some(supplied) => supplied.secret,
            None => first_token::read(&config.data).map_err(|error| NoToken(first_token::path(&config.data), error))?,
        };
        let asked = wiring::runtime()?.block_on(async {
            let Some((mut client, server)) = access::connect(&config).await? else {
                return Err(AccessError::NoServer(config.data.clone()));
            };
            let reply = client.call(&Command::ZoneFind { zone: self.zone }).await?;
            Ok((server, reply))
        });
        let (server, Reply::Zone(zone)) = asked? else { return mismatch() };
        output::print(&exports(&server.public_url, &token, &zone.id, environment.stray()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn exports(url: &str, token: &Secret, zone: &str, stray: &[&str]) -> String {
    let mut text = String::new();
    let members = [
        ("CLOUDFLARE_BASE_URL", format!("{url}/client/v4").as_str()),
        ("CLOUDFLARE_API_TOKEN", token.reveal()),
        ("ZONE_ID", zone),
    ]
    .map(|(name, value)| format!("export {name}={}", quoted(value)));
    for line in members {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    }
    if !stray.is_empty() {
        // With one of these set, the Python client leaves the token out (contract 7.5).
        let _ = writeln!(text, "unset {}", stray.join(" "));
    }
    text
}

/// A text as a shell reads it back.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_the_shell() {
        let token = Secret::supplied("0123456789'$(id)`".to_owned()).unwrap();
        assert_eq!(
            exports("http://127.0.0.1:8787", &token, "a1", &["CLOUDFLARE_EMAIL"]),
            "export CLOUDFLARE_BASE_URL='http://127.0.0.1:8787/client/v4'\n\
             export CLOUDFLARE_API_TOKEN='0123456789'\\''$(id)`'\n\
             export ZONE_ID='a1'\n\
             unset CLOUDFLARE_EMAIL\n"
        );
    }
}
