//! Where the data live, and how a store is opened.

use std::{fmt, path::PathBuf, str::FromStr};

use sqlx::postgres::PgConnectOptions;

/// Where the data live.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, created when absent (0600). Its folder must exist.
    Sqlite(PathBuf),
    /// A `postgres:` or `postgresql:` URL. May hold a password, which is never printed.
    Postgres(String),
}

impl FromStr for Database {
    type Err = DatabaseError;

    /// Reads `sqlite:PATH`, `sqlite://PATH`, `postgres://…` and `postgresql://…`.
    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(DatabaseError::PathMissing) } else { Ok(Self::Sqlite(path.into())) };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The driver's error may quote the URL, and with it the password.
            return match text.parse::<PgConnectOptions>() {
                Ok(_) => Ok(Self::Postgres(text.to_owned())),
                Err(_) => Err(DatabaseError::PostgresUrl),
            };
        }
        Err(DatabaseError::Scheme)
    }
}

impl fmt::Display for Database {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match url.parse::<PgConnectOptions>() {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_default();
                    write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port())
                }
                Err(_) => f.write_str("postgres:"),
            },
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a text names no database. None of the messages quotes it, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// Neither of the schemes.
    #[error("a database is written as sqlite:PATH or as postgres://USER@HOST/NAME")]
    Scheme,
    /// `sqlite:` with nothing behind it.
    #[error("sqlite: needs the path of a file behind it")]
    PathMissing,
    /// The driver cannot read the URL.
    #[error(
        "the PostgreSQL URL cannot be read; write it as postgres://USER:PASSWORD@HOST:PORT/NAME, with special characters percent-encoded"
    )]
    PostgresUrl,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where the data live.
    pub database: Database,
    /// Apply pending migrations (otherwise they are an error that names `demilune migrate`).
    pub migrate: bool,
    /// Most operations a zone may hold; 1 or more.
    pub operations_per_zone_max: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_database_are_read() {
        let check = |text: &str, printed: &str| assert_eq!(text.parse::<Database>().unwrap().to_string(), printed);
        check("sqlite:a/b.db", "sqlite:a/b.db");
        check("sqlite:///var/lib/d.db", "sqlite:/var/lib/d.db");
        check("postgres://u:secret@db.example:5433/shield", "postgres://db.example:5433/shield");
        check("postgresql://u@localhost/x", "postgres://localhost:5432/x");
    }

    #[test]
    fn other_texts_name_no_database() {
        let check = |text: &str, expected: DatabaseError| assert_eq!(text.parse::<Database>(), Err(expected), "{text}");
        check("mysql://x", DatabaseError::Scheme);
        check("", DatabaseError::Scheme);
        check("sqlite:", DatabaseError::PathMissing);
        check("postgres://u:p@h:notaport/x", DatabaseError::PostgresUrl);
    }
}
