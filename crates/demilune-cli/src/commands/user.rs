//! `demilune user`: people with an e-mail address and a global key.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_all, print_deleted, print_one};
use crate::{config::Environment, failure::Failure};

/// Add, list and delete users, who act with a global key
#[derive(Args)]
pub(super) struct User {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a user and print their global key; it is not shown again
    Create {
        /// Their e-mail address, for `X-Auth-Email`
        #[arg(long, value_name = "ADDRESS")]
        email: String,
    },
    /// List every user, without their key
    List,
    /// Delete a user: their key stops working at once
    Delete {
        /// Their e-mail address
        email: String,
    },
}

impl User {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Create { email } => Command::UserCreate { email },
            Action::List => Command::UserList {},
            Action::Delete { email } => Command::UserDelete { email },
        };
        match self.managed.call(environment, command)? {
            Reply::UserCreated(created) => {
                let members =
                    [("key", created.key.0.as_str()), ("email", &created.view.email), ("id", &created.view.id)];
                print_one(format, &created, &members)?;
            }
            Reply::Users(users) => print_all(format, &users, &["email", "id", "created_at"], |user| {
                vec![user.email.clone(), user.id.clone(), user.created_at.clone()]
            })?,
            Reply::UserDeleted(user) => print_deleted(format, &user, &format!("deleted user {}", user.email))?,
            _ => return mismatch(),
        }
        Ok(ExitCode::SUCCESS)
    }
}
