//! How a command that failed ends: one line on standard error, and an exit code.

use std::{error::Error, process::ExitCode};

use crate::{config::Problems, output};

/// What was asked for could not be done.
const CODE_FAILED: u8 = 1;
/// What was asked for cannot be understood; clap ends with the same code.
const CODE_USAGE: u8 = 2;

/// Any error, on its way to the end of the program.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl Failure {
    /// Says what happened, once, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        output::note(&self.chain());
        let code = if self.0.is::<Problems>() { CODE_USAGE } else { CODE_FAILED };
        ExitCode::from(code)
    }

    /// The error and its causes on one line. A cause that repeats the end of the line is left out.
    pub(crate) fn chain(&self) -> String {
        let mut line = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let sentence = error.to_string();
            if !line.ends_with(&sentence) {
                line.push_str(": ");
                line.push_str(&sentence);
            }
            cause = error.source();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the soup is cold")]
    struct Cold(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the stove is off")]
    struct Inner;

    #[test]
    fn causes_stand_behind_the_sentence() {
        assert_eq!(Failure::from(Cold(Inner)).chain(), "the soup is cold: the stove is off");
    }
}
