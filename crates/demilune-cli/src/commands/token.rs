//! `demilune token`: API tokens and what they may do.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, GrantView, Reply};

use super::{Managed, mismatch, print_all, print_deleted, print_one};
use crate::{config::Environment, failure::Failure};

/// Add, list and delete API tokens
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a token and print it; it is not shown again
    Create {
        /// A label [default: the names of its groups]
        #[arg(long)]
        name: Option<String>,
        /// A zone that the Domain groups cover, by id or name; may be repeated, and left out when there is one zone
        #[arg(long = "zone", value_name = "ZONE")]
        zones: Vec<String>,
        /// What it may do: "Account API Gateway", "Account API Gateway Read", "Domain API Gateway",
        /// "Domain API Gateway Read" or "Demilune Operator"; may be repeated
        #[arg(long = "group", value_name = "GROUP", required = true)]
        groups: Vec<String>,
        /// When it stops working, such as 2026-12-31T00:00:00Z [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List every token, without its secret
    List,
    /// Delete a token: it stops working at once
    Delete {
        /// Its id, as `token list` shows it
        id: String,
    },
}

impl Token {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Create { name, zones, groups, expires } => Command::TokenCreate { name, zones, groups, expires },
            Action::List => Command::TokenList {},
            Action::Delete { id } => Command::TokenDelete { id },
        };
        match self.managed.call(environment, command)? {
            Reply::TokenCreated(created) => {
                let grants = grants(&created.view.grants);
                let members = [
                    ("token", created.token.0.as_str()),
                    ("id", &created.view.id),
                    ("name", &created.view.name),
                    ("grants", &grants),
                    ("expires_at", created.view.expires_at.as_deref().unwrap_or("never")),
                ];
                print_one(format, &created, &members)?;
            }
            Reply::Tokens(tokens) => {
                print_all(format, &tokens, &["id", "name", "grants", "created_at", "expires_at"], |token| {
                    let expires_at = token.expires_at.clone().unwrap_or_else(|| "never".to_owned());
                    vec![
                        token.id.clone(),
                        token.name.clone(),
                        grants(&token.grants),
                        token.created_at.clone(),
                        expires_at,
                    ]
                })?;
            }
            Reply::TokenDeleted(token) => {
                print_deleted(format, &token, &format!("deleted token {} ({})", token.name, token.id))?;
            }
            _ => return mismatch(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn grants(grants: &[GrantView]) -> String {
    let shown = grants.iter().map(|grant| match &grant.zone {
        Some(zone) => format!("{} on {zone}", grant.group),
        None => grant.group.clone(),
    });
    shown.collect::<Vec<_>>().join(", ")
}
