//! `demilune openapi`: our own API description.

use std::process::ExitCode;

use clap::Args;
use demilune_control::Control;

use crate::{failure::Failure, output};

/// Print the OpenAPI description of this server's API
#[derive(Args)]
pub(super) struct Openapi {}

impl Openapi {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut document = Control::openapi_json();
        if !document.ends_with('\n') {
            document.push('\n');
        }
        output::print(&document)?;
        Ok(ExitCode::SUCCESS)
    }
}
