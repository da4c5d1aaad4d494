//! What the program uses: every setting parsed and checked, and all problems found on the way.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use demilune_control::Secret;
use demilune_inventory::ZoneId;
use demilune_store::{Database, StoreOptions};
use tracing_subscriber::EnvFilter;

use super::{
    Environment, RawServe, RawStore,
    gateway::{GatewayConfig, Role},
    raw::{ServeSettings, Setting, StoreSettings},
};

/// The folder that holds everything when nothing else is said: visible, and beside what one is working on.
const DATA_DEFAULT: &str = "demilune-data";
/// The file of the default database, in the data folder.
const DATABASE_FILE: &str = "demilune.db";
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);
/// Ten times what large published descriptions hold (GitHub's: about 1,200), and what lists still answer fast with.
const OPERATIONS_PER_ZONE_MAX_DEFAULT: u32 = 10_000;
/// A bulk call of 20 operations with the longest endpoints takes a tenth of this.
const BODY_BYTES_MAX_DEFAULT: usize = 1 << 20;
/// A body is held in memory whole, once per connection.
const BODY_BYTES_MAX_CEILING: usize = 64 << 20;
/// Half of the 1,024 file descriptors that systems usually allow a process.
const CONNECTIONS_MAX_DEFAULT: usize = 512;
const CONNECTIONS_MAX_CEILING: usize = 1 << 20;
/// More threads than any machine has cores.
const WORKERS_CEILING: usize = 1024;
/// A token file holds one line.
const TOKEN_FILE_BYTES_MAX: u64 = 4096;
/// Like the names of zones that are added later.
const ZONE_NAME_CHARS_MAX: usize = 253;

/// What every command that works on the data needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreConfig {
    /// The data folder, absolute.
    pub(crate) data: PathBuf,
    /// The database; a SQLite path is absolute.
    pub(crate) database: Database,
    /// Whether the database was named, so that a server on another one is the wrong one to ask.
    pub(crate) database_named: bool,
    /// Most operations in a zone.
    pub(crate) operations_per_zone_max: u32,
}

/// What `demilune serve` needs.
#[derive(Debug)]
pub(crate) struct ServeConfig {
    pub(crate) store: StoreConfig,
    pub(crate) migrate: bool,
    pub(crate) listen: SocketAddr,
    /// Without a trailing slash; made from the actual address when absent.
    pub(crate) public_url: Option<String>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) body_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) log: LogConfig,
    pub(crate) bootstrap: Bootstrap,
    pub(crate) role: Role,
    pub(crate) gateway: GatewayConfig,
    /// Threads that serve; one for each core when absent.
    pub(crate) workers: Option<usize>,
}

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// How to log.
#[derive(Debug, Default)]
pub(crate) struct LogConfig {
    /// By the terminal when absent.
    pub(crate) format: Option<LogFormat>,
    /// What to log.
    pub(crate) filter: EnvFilter,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("write human or json"),
        }
    }
}

/// What a first start was told to make.
#[derive(Debug, Default)]
pub(crate) struct Bootstrap {
    /// Id and name of the zone; made up when absent.
    pub(crate) zone: Option<(ZoneId, String)>,
    /// The token; made up when absent.
    pub(crate) token: Option<SuppliedToken>,
}

/// A token that the operator knows already.
#[derive(Debug)]
pub(crate) struct SuppliedToken {
    /// The secret.
    pub(crate) secret: Secret,
    /// The file that it came from; none if it stood in the variable.
    pub(crate) file: Option<PathBuf>,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems(Vec<String>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return f.write_str(only);
        }
        write!(f, "the configuration has {} problems", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl StoreConfig {
    /// Reads flags and environment.
    pub(crate) fn resolve(flags: RawStore, environment: &Environment) -> Result<Self, Problems> {
        let mut resolver = Resolver::default();
        let config = resolver.store(flags.settings(environment));
        resolver.finish(config)
    }

    /// How to open the store.
    pub(crate) fn options(&self, migrate: bool) -> StoreOptions {
        StoreOptions { database: self.database.clone(), migrate, operations_per_zone_max: self.operations_per_zone_max }
    }
}

impl ServeConfig {
    /// Reads flags, environment, and the files that they name.
    pub(crate) fn resolve(flags: RawServe, environment: &Environment) -> Result<Self, Problems> {
        let mut resolver = Resolver::default();
        let config = resolver.serve(flags.settings(environment));
        resolver.finish(config)
    }
}

impl Bootstrap {
    /// The token that a first start was told to use, for commands that print it.
    pub(crate) fn resolve_token(environment: &Environment) -> Result<Option<SuppliedToken>, Problems> {
        let mut resolver = Resolver::default();
        let settings = RawServe::default().settings(environment);
        let token = resolver.bootstrap_token(settings.bootstrap_token, settings.bootstrap_token_file);
        resolver.finish(token)
    }
}

/// Parses settings and collects what is wrong with them; a setting with a problem takes its default, so that the
/// search goes on.
#[derive(Default)]
pub(super) struct Resolver {
    problems: Vec<String>,
}

impl Resolver {
    fn finish<T>(self, config: T) -> Result<T, Problems> {
        if self.problems.is_empty() { Ok(config) } else { Err(Problems(self.problems)) }
    }

    pub(super) fn problem(&mut self, origin: &str, sentence: impl fmt::Display) {
        self.problems.push(format!("{origin}: {sentence}"));
    }

    fn serve(&mut self, settings: ServeSettings) -> ServeConfig {
        let listen = self.listen(settings.listen.as_ref(), LISTEN_DEFAULT);
        let wants_tls = settings.tls_cert.is_some() || settings.tls_key.is_some();
        let tls = self.tls(settings.tls_cert, settings.tls_key);
        let insecure_http = self.switch(settings.insecure_http);
        let role = settings.gateway.role.as_ref().and_then(|setting| self.parse(setting)).unwrap_or_default();
        if !listen.ip().is_loopback() && !wants_tls && !insecure_http {
            let sentence = format!(
                "{listen} is open to other machines and credentials would cross the network unencrypted: give \
                 --tls-cert and --tls-key, or --insecure-http if a proxy in front ends TLS"
            );
            self.problem(settings.listen.map_or("--listen", |setting| setting.origin), sentence);
        }
        let store = self.store(settings.store);
        if role == Role::Gateway && matches!(store.database, Database::Sqlite(_)) {
            let sentence =
                "a gateway by itself needs the PostgreSQL database of its control process: name it with --database";
            self.problem("--role", sentence);
        }
        ServeConfig {
            store,
            migrate: !self.switch(settings.no_migrate),
            listen,
            public_url: settings.public_url.and_then(|setting| self.public_url(&setting)),
            tls,
            body_bytes_max: self.number(settings.body_bytes_max, BODY_BYTES_MAX_DEFAULT, 1, BODY_BYTES_MAX_CEILING),
            connections_max: self.number(settings.connections_max, CONNECTIONS_MAX_DEFAULT, 1, CONNECTIONS_MAX_CEILING),
            log: self.log(settings.log_format, settings.log_level),
            bootstrap: Bootstrap {
                zone: settings.bootstrap_zone.and_then(|setting| self.bootstrap_zone(&setting)),
                token: self.bootstrap_token(settings.bootstrap_token, settings.bootstrap_token_file),
            },
            role,
            workers: settings.gateway.workers.clone().map(|workers| self.number(Some(workers), 1, 1, WORKERS_CEILING)),
            gateway: self.gateway(settings.gateway),
        }
    }

    fn store(&mut self, settings: StoreSettings) -> StoreConfig {
        let data = settings.data.map_or_else(|| DATA_DEFAULT.into(), |setting| PathBuf::from(setting.value));
        let data = self.absolute("--data", &data);
        let database_named = settings.database.is_some();
        let database = settings.database.and_then(|setting| self.database(&setting));
        StoreConfig {
            database: database.unwrap_or_else(|| Database::Sqlite(data.join(DATABASE_FILE))),
            database_named,
            data,
            operations_per_zone_max: self.number(
                settings.operations_per_zone_max,
                OPERATIONS_PER_ZONE_MAX_DEFAULT,
                1,
                u32::MAX,
            ),
        }
    }

    /// The text of a setting is never quoted here: it may hold a password.
    fn database(&mut self, setting: &Setting) -> Option<Database> {
        let text = self.text(setting)?;
        match text.parse() {
            Ok(Database::Sqlite(path)) => Some(Database::Sqlite(self.absolute(setting.origin, &path))),
            Ok(database) => Some(database),
            Err(error) => {
                self.problem(setting.origin, error);
                None
            }
        }
    }

    pub(super) fn absolute(&mut self, origin: &str, path: &Path) -> PathBuf {
        match std::path::absolute(path) {
            Ok(path) => path,
            Err(error) => {
                self.problem(origin, format!("{}: {error}", path.display()));
                path.to_owned()
            }
        }
    }

    pub(super) fn listen(&mut self, setting: Option<&Setting>, default: SocketAddr) -> SocketAddr {
        let Some(setting) = setting else { return default };
        let Some(text) = self.text(setting) else { return default };
        let written = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.clone(),
        };
        written.parse().unwrap_or_else(|_| {
            let port = default.port();
            let sentence = format!("{text:?} is no address with a port: write it as 127.0.0.1:{port} or [::1]:{port}");
            self.problem(setting.origin, sentence);
            default
        })
    }

    fn public_url(&mut self, setting: &Setting) -> Option<String> {
        let text = self.text(setting)?;
        let url = text.trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let legal = |rest: &str| {
            !rest.is_empty()
                && !rest.starts_with('/')
                && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\"'<>\\".contains(&byte))
        };
        if rest.is_some_and(legal) {
            return Some(url.to_owned());
        }
        self.problem(setting.origin, "a public URL is written as https://api.example.com, without a query");
        None
    }

    pub(super) fn tls(&mut self, cert: Option<Setting>, key: Option<Setting>) -> Option<TlsFiles> {
        match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.value.into(), key: key.value.into() }),
            (Some(cert), None) => {
                self.problem(cert.origin, "a certificate needs its private key: give --tls-key too");
                None
            }
            (None, Some(key)) => {
                self.problem(key.origin, "a private key needs its certificate: give --tls-cert too");
                None
            }
        }
    }

    fn log(&mut self, format: Option<Setting>, level: Option<Setting>) -> LogConfig {
        let format = format.and_then(|setting| self.parse(&setting));
        let filter = level.and_then(|setting| {
            let text = self.text(&setting)?;
            EnvFilter::try_new(&text)
                .map_err(|error| self.problem(setting.origin, format!("{text:?} says not what to log: {error}")))
                .ok()
        });
        LogConfig { format, filter: filter.unwrap_or_else(|| EnvFilter::new("info")) }
    }

    fn bootstrap_zone(&mut self, setting: &Setting) -> Option<(ZoneId, String)> {
        let text = self.text(setting)?;
        let Some((id, name)) = text.split_once(':') else {
            self.problem(setting.origin, "a first zone is written as ID:NAME");
            return None;
        };
        let name_fits = (1..=ZONE_NAME_CHARS_MAX).contains(&name.chars().count());
        if !name_fits || name.trim() != name || name.chars().any(char::is_control) {
            self.problem(setting.origin, "a zone's name has 1 to 253 characters, none of them a control character");
            return None;
        }
        match id.parse() {
            Ok(id) => Some((id, name.to_owned())),
            Err(error) => {
                self.problem(setting.origin, error);
                None
            }
        }
    }

    fn bootstrap_token(&mut self, text: Option<Setting>, file: Option<Setting>) -> Option<SuppliedToken> {
        let (setting, file) = match (text, file) {
            (None, None) => return None,
            (Some(_), Some(file)) => {
                self.problem(file.origin, "the first token is given twice: leave DEMILUNE_BOOTSTRAP_TOKEN out");
                return None;
            }
            (Some(text), None) => (text, None),
            (None, Some(file)) => {
                let path = PathBuf::from(&file.value);
                match read_token_file(&path) {
                    Ok(text) => (Setting { origin: file.origin, value: text.into() }, Some(path)),
                    Err(error) => {
                        self.problem(file.origin, format!("{} cannot be read: {error}", path.display()));
                        return None;
                    }
                }
            }
        };
        let text = self.text(&setting)?;
        match Secret::supplied(text) {
            Ok(secret) => Some(SuppliedToken { secret, file }),
            Err(error) => {
                self.problem(setting.origin, error);
                None
            }
        }
    }

    pub(super) fn number<T>(&mut self, setting: Option<Setting>, default: T, min: T, max: T) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let Some(setting) = setting else { return default };
        let Some(text) = self.text(&setting) else { return default };
        match text.parse() {
            Ok(number) if number >= min && number <= max => number,
            _ => {
                self.problem(setting.origin, format!("{text:?} is no number from {min} to {max}"));
                default
            }
        }
    }

    pub(super) fn switch(&mut self, setting: Option<Setting>) -> bool {
        let Some(setting) = setting else { return false };
        let Some(text) = self.text(&setting) else { return false };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.problem(setting.origin, format!("{text:?} is neither true nor false"));
                false
            }
        }
    }

    pub(super) fn parse<T: FromStr<Err: fmt::Display>>(&mut self, setting: &Setting) -> Option<T> {
        let text = self.text(setting)?;
        text.parse().map_err(|error| self.problem(setting.origin, format!("{text:?} cannot be used: {error}"))).ok()
    }

    pub(super) fn text(&mut self, setting: &Setting) -> Option<String> {
        let text = setting.value.to_str().map(ToOwned::to_owned);
        if text.is_none() {
            self.problem(setting.origin, "the value is not UTF-8");
        }
        text
    }
}

/// The token in a file, without the newline that editors add.
fn read_token_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pairs: &[(&str, &str)]) -> Result<ServeConfig, Problems> {
        let environment = Environment::from_pairs(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        ServeConfig::resolve(RawServe::default(), &environment)
    }

    fn check_problem(pairs: &[(&str, &str)], expected: &str) {
        let problems = resolve(pairs).unwrap_err().to_string();
        assert!(problems.contains(expected), "{pairs:?}: {problems}");
    }

    #[test]
    fn nothing_needs_to_be_said() {
        let config = resolve(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
        assert!(config.store.data.is_absolute() && config.store.data.ends_with("demilune-data"));
        assert_eq!(config.store.database, Database::Sqlite(config.store.data.join("demilune.db")));
        assert!(config.migrate && config.tls.is_none() && config.public_url.is_none());
        assert_eq!(config.store.operations_per_zone_max, 10_000);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let problems = resolve(&[
            ("DEMILUNE_LISTEN", "8787"),
            ("DEMILUNE_DATABASE", "mysql://root:hunter2@h/x"),
            ("DEMILUNE_BODY_BYTES_MAX", "many"),
            ("DEMILUNE_BOOTSTRAP_ZONE", "no-colon"),
            ("DEMILUNE_TLS_CERT", "cert.pem"),
        ])
        .unwrap_err();
        assert_eq!(problems.0.len(), 5, "{problems}");
        assert!(problems.to_string().starts_with("the configuration has 5 problems\n"));
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }

    #[test]
    fn other_machines_are_served_with_tls_or_on_request() {
        check_problem(&[("DEMILUNE_LISTEN", "0.0.0.0:80")], "--insecure-http");
        check_problem(&[("DEMILUNE_LISTEN", "[::]:80")], "--insecure-http");
        assert!(resolve(&[("DEMILUNE_LISTEN", "0.0.0.0:80"), ("DEMILUNE_INSECURE_HTTP", "1")]).is_ok());
        let tls = [("DEMILUNE_LISTEN", "0.0.0.0:80"), ("DEMILUNE_TLS_CERT", "c"), ("DEMILUNE_TLS_KEY", "k")];
        assert!(resolve(&tls).is_ok());
        for address in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "localhost:80"] {
            assert!(resolve(&[("DEMILUNE_LISTEN", address)]).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_first_zone_has_an_id_and_a_name() {
        let config = resolve(&[("DEMILUNE_BOOTSTRAP_ZONE", "023e105f4ecef8ad9ca31a8372d0c353:my: zone")]).unwrap();
        let (id, name) = config.bootstrap.zone.unwrap();
        assert_eq!((id.as_str(), name.as_str()), ("023e105f4ecef8ad9ca31a8372d0c353", "my: zone"));
        check_problem(&[("DEMILUNE_BOOTSTRAP_ZONE", "a/b:name")], "a zone id has");
        check_problem(&[("DEMILUNE_BOOTSTRAP_ZONE", "a:")], "a zone's name has");
    }

    #[test]
    fn a_first_token_is_checked_and_never_quoted() {
        let problems = resolve(&[("DEMILUNE_BOOTSTRAP_TOKEN", "tooshort")]).unwrap_err().to_string();
        assert!(problems.contains("16 to 256") && !problems.contains("tooshort"), "{problems}");
    }

    #[test]
    fn a_first_token_may_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789abcdef0123\n").unwrap();
        let path = file.path().to_str().unwrap();
        let token = resolve(&[("DEMILUNE_BOOTSTRAP_TOKEN_FILE", path)]).unwrap().bootstrap.token.unwrap();
        assert_eq!(token.secret.reveal(), "0123456789abcdef0123");
        check_problem(&[("DEMILUNE_BOOTSTRAP_TOKEN_FILE", "/does/not/exist")], "cannot be read");
        check_problem(
            &[("DEMILUNE_BOOTSTRAP_TOKEN_FILE", path), ("DEMILUNE_BOOTSTRAP_TOKEN", "0123456789abcdef")],
            "given twice",
        );
    }

    #[test]
    fn a_public_url_loses_its_last_slash() {
        let config = resolve(&[("DEMILUNE_PUBLIC_URL", "https://shield.example.com/api/")]).unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://shield.example.com/api"));
        for url in ["shield.example.com", "https://", "https:///x", "https://h/?q", "ftp://h"] {
            check_problem(&[("DEMILUNE_PUBLIC_URL", url)], "a public URL is written as");
        }
    }

    #[test]
    fn a_switch_reads_the_usual_words() {
        assert!(!resolve(&[("DEMILUNE_NO_MIGRATE", "TRUE")]).unwrap().migrate);
        assert!(resolve(&[("DEMILUNE_NO_MIGRATE", "off")]).unwrap().migrate);
        check_problem(&[("DEMILUNE_NO_MIGRATE", "maybe")], "neither true nor false");
    }

    #[test]
    fn a_number_stays_in_its_bounds() {
        check_problem(&[("DEMILUNE_CONNECTIONS_MAX", "0")], "no number from 1");
        check_problem(&[("DEMILUNE_OPERATIONS_PER_ZONE_MAX", "-1")], "no number from 1");
    }

    #[test]
    fn a_log_setting_is_checked() {
        check_problem(&[("DEMILUNE_LOG_FORMAT", "xml")], "write human or json");
        check_problem(&[("DEMILUNE_LOG_LEVEL", "a=b=c")], "says not what to log");
    }
}
