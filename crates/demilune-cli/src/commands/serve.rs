//! `demilune serve`: the server, from an empty folder to an orderly end.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use demilune_control::Secret;

use crate::{
    config::{Environment, RawServe, Role, ServeConfig},
    failure::Failure,
    first_token, logging, output,
    wiring::{self, FirstStart, FirstToken, GatewayServer, Server, Started},
};

/// Run the server; no configuration needed
///
/// The first start on a store without credentials makes a zone and a token that may do everything, and leaves the token
/// in the file first-token in the data folder. DEMILUNE_BOOTSTRAP_ZONE=ID:NAME and DEMILUNE_BOOTSTRAP_TOKEN (or
/// DEMILUNE_BOOTSTRAP_TOKEN_FILE) choose them; later starts check that these can be read, and change nothing. A supplied
/// token is not written to the data folder.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: RawServe,
}

impl Serve {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let mut config = ServeConfig::resolve(self.flags, environment)?;
        logging::start(std::mem::take(&mut config.log));
        wiring::server_runtime(config.workers)?.block_on(async {
            if config.role == Role::Gateway {
                let server = GatewayServer::start(config).await?;
                tracing::info!(gateway = server.gateway_url, probes = server.probes_url, "listening");
                Box::pin(server.serve()).await;
                tracing::info!("stopped");
                return Ok(ExitCode::SUCCESS);
            }
            let server = Server::start(config).await?;
            announce(&server.started).await?;
            Box::pin(server.serve()).await;
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Tells people on a terminal how to begin, and the log where things are. The token reaches a terminal, never the log.
async fn announce(started: &Started) -> Result<(), Failure> {
    let status = &started.status;
    tracing::info!(
        address = status.address,
        public_url = status.public_url,
        gateway = started.gateway,
        database = status.database,
        data = %started.data.display(),
        "listening"
    );
    if let Some(first) = &started.first {
        let token = match &first.token {
            FirstToken::Written(file) | FirstToken::Supplied(file) => file.display().to_string(),
            FirstToken::Variable => "DEMILUNE_BOOTSTRAP_TOKEN".to_owned(),
        };
        tracing::info!(zone_id = %first.zone.id, zone = first.zone.name, token_in = token, "first start: made a zone and a token");
    }
    if output::is_terminal() {
        let token = match &started.first {
            Some(FirstStart { token: FirstToken::Written(_), .. }) => {
                let data = started.data.clone();
                tokio::task::spawn_blocking(move || first_token::read(&data)).await?.ok()
            }
            _ => None,
        };
        output::print(&greeting(started, token.as_ref().map(Secret::reveal)))?;
    }
    Ok(())
}

fn greeting(started: &Started, token: Option<&str>) -> String {
    let url = &started.status.public_url;
    let mut text = format!("\nDemilune answers at {url}/client/v4 (documentation: {url}/demilune/docs).\n");
    if let Some(gateway) = &started.gateway {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "Live traffic goes to {gateway}; `demilune origin set --host HOST URL` says where from there."
        );
    }
    let _ = match &started.first {
        Some(first) => {
            let authorization = match (&first.token, token) {
                (FirstToken::Written(_), Some(token)) => format!("'Authorization: Bearer {token}'"),
                (FirstToken::Written(file) | FirstToken::Supplied(file), _) => {
                    format!("\"Authorization: Bearer $(cat '{}')\"", file.display())
                }
                (FirstToken::Variable, _) => "\"Authorization: Bearer $DEMILUNE_BOOTSTRAP_TOKEN\"".to_owned(),
            };
            writeln!(
                text,
                "Made the zone {} ({}) and a first token. Add an operation from another terminal:\n\n  \
                 curl '{url}/client/v4/zones/{}/api_gateway/operations/item' \\\n    \
                 -H {authorization} \\\n    \
                 -H 'Content-Type: application/json' \\\n    \
                 -d '{{\"method\":\"GET\",\"host\":\"www.example.com\",\"endpoint\":\"/api/v1/users/{{id}}\"}}'\n",
                first.zone.name, first.zone.id, first.zone.id,
            )
        }
        None => writeln!(text, "`eval \"$(demilune env)\"` points Cloudflare's clients here.\n"),
    };
    text
}
