//! The rules in force, on disk: so that a gateway that starts while the store is gone finds them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use demilune_inventory::OperationKey;
use demilune_policy::rule::{
    HostHeader, OperationRule, Origin, RouteTarget, SessionIdentifier, ZoneRules, ZoneSettings,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::secret::hex;
use crate::data_folder::FILE_MODE;

/// The file in the data folder.
const FILE_NAME: &str = "rules.json";
/// The first line of the file says this, and the hash of all that follows.
const MARK: &str = "demilune rules 1 sha256 ";

/// Where the rules are saved.
#[derive(Clone)]
pub(crate) struct RulesCache {
    path: PathBuf,
}

/// A zone as it is written. The rules have types that are canonical by construction; here they are texts again.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneText {
    zone: String,
    revision: u64,
    operations: Vec<OperationText>,
    origins: Vec<OriginText>,
    session_identifiers: Vec<(String, String)>,
    unmatched: String,
    forward_path: String,
    head_as_get: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationText {
    id: String,
    method: String,
    host: String,
    endpoint: String,
    route: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginText {
    host: String,
    url: String,
    host_header: Option<String>,
}

impl RulesCache {
    pub(crate) fn new(data: &Path) -> Self {
        Self { path: data.join(FILE_NAME) }
    }

    /// The rules that were saved last. A file that is damaged or of another release is as good as none, and said so.
    pub(crate) async fn load(&self) -> Option<Vec<ZoneRules>> {
        let path = self.path.clone();
        let loaded = spawn_blocking(move || match fs::read_to_string(&path) {
            Ok(text) => read(&text).map(|zones| Some((zones, age(&path)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        });
        match loaded.await {
            Ok(Ok(loaded)) => {
                let (zones, age_seconds) = loaded?;
                tracing::info!(
                    zones = zones.len(),
                    age_seconds,
                    "rules that were saved are in force until the store answers"
                );
                Some(zones)
            }
            Ok(Err(error)) => {
                tracing::warn!(error, file = %self.path.display(), "saved rules cannot be used");
                None
            }
            Err(_) => None,
        }
    }

    /// Saves rules in place of those before.
    pub(crate) async fn save(&self, zones: Vec<ZoneRules>) -> io::Result<()> {
        let path = self.path.clone();
        spawn_blocking(move || {
            let unfinished = path.with_extension("new");
            let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(&unfinished);
            let mut file = opened?;
            file.write_all(write(&zones)?.as_bytes())?;
            file.sync_all()?;
            fs::rename(unfinished, path)
        })
        .await?
    }
}

fn age(path: &Path) -> Option<u64> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok().map(|age| age.as_secs())
}

fn write(zones: &[ZoneRules]) -> io::Result<String> {
    let zones: Vec<ZoneText> = zones.iter().map(ZoneText::from).collect();
    let body = serde_json::to_string(&zones)?;
    Ok(format!("{MARK}{}\n{body}\n", hash(&body)))
}

fn read(text: &str) -> Result<Vec<ZoneRules>, String> {
    let (head, body) = text.split_once('\n').ok_or("it has no first line")?;
    let expected = head.strip_prefix(MARK).ok_or("its first line is not that of a file of rules")?;
    let body = body.trim_end();
    if hash(body) != expected {
        return Err("its content does not have the hash that its first line says".to_owned());
    }
    let zones: Vec<ZoneText> = serde_json::from_str(body).map_err(|error| error.to_string())?;
    zones.into_iter().map(ZoneText::parse).collect()
}

fn hash(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

impl From<&ZoneRules> for ZoneText {
    fn from(rules: &ZoneRules) -> Self {
        let identifiers = rules.session_identifiers.iter();
        Self {
            zone: rules.zone.to_string(),
            revision: rules.revision,
            operations: rules.operations.iter().map(OperationText::from).collect(),
            origins: rules.origins.iter().map(OriginText::from).collect(),
            session_identifiers: identifiers
                .map(|identifier| (identifier.kind().as_str().to_owned(), identifier.name().to_owned()))
                .collect(),
            unmatched: rules.settings.unmatched.to_string(),
            forward_path: rules.settings.forward_path.to_string(),
            head_as_get: rules.settings.head_as_get,
        }
    }
}

impl From<&OperationRule> for OperationText {
    fn from(rule: &OperationRule) -> Self {
        Self {
            id: rule.id.to_string(),
            method: rule.key.method.to_string(),
            host: rule.key.host.to_string(),
            endpoint: rule.key.endpoint.to_string(),
            route: rule.route.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Origin> for OriginText {
    fn from(origin: &Origin) -> Self {
        let host_header = match &origin.host_header {
            HostHeader::Client => None,
            HostHeader::Fixed(text) => Some(text.to_string()),
        };
        Self { host: origin.host.to_string(), url: origin.url.to_string(), host_header }
    }
}

impl ZoneText {
    fn parse(self) -> Result<ZoneRules, String> {
        let identifiers = self.session_identifiers.iter();
        Ok(ZoneRules {
            zone: parsed(&self.zone)?,
            revision: self.revision,
            operations: self.operations.into_iter().map(OperationText::parse).collect::<Result<_, _>>()?,
            origins: self.origins.into_iter().map(OriginText::parse).collect::<Result<_, _>>()?,
            session_identifiers: identifiers
                .map(|(kind, name)| SessionIdentifier::parse(kind, name).map_err(|error| error.to_string()))
                .collect::<Result<_, _>>()?,
            settings: ZoneSettings {
                unmatched: parsed(&self.unmatched)?,
                forward_path: parsed(&self.forward_path)?,
                head_as_get: self.head_as_get,
            },
        })
    }
}

impl OperationText {
    fn parse(self) -> Result<OperationRule, String> {
        let endpoint = parsed(&self.endpoint)?;
        let route = self.route.map(|route| RouteTarget::parse(&route, &endpoint)).transpose();
        Ok(OperationRule {
            id: parsed(&self.id)?,
            route: route.map_err(|error| error.to_string())?,
            key: OperationKey { method: parsed(&self.method)?, host: parsed(&self.host)?, endpoint },
        })
    }
}

impl OriginText {
    fn parse(self) -> Result<Origin, String> {
        let host_header = self.host_header.map_or(Ok(HostHeader::Client), |text| parsed(&text))?;
        Ok(Origin { host: parsed(&self.host)?, url: parsed(&self.url)?, host_header })
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> ZoneRules {
        let endpoint = "/users/{id}".parse().unwrap();
        let route = RouteTarget::parse("https://h.example/u/{var1}", &endpoint).unwrap();
        ZoneRules {
            zone: "z".parse().unwrap(),
            revision: 7,
            operations: vec![OperationRule {
                id: "0198a1b2-0000-7000-8000-000000000001".parse().unwrap(),
                key: OperationKey { method: "GET".parse().unwrap(), host: "{x}.a.example".parse().unwrap(), endpoint },
                route: Some(route),
            }],
            origins: vec![Origin {
                host: "{x}.a.example".parse().unwrap(),
                url: "http://10.0.0.1:8080".parse().unwrap(),
                host_header: "inner.example:81".parse().unwrap(),
            }],
            session_identifiers: vec![SessionIdentifier::parse("header", "X-Key").unwrap()],
            settings: ZoneSettings { head_as_get: false, ..ZoneSettings::default() },
        }
    }

    #[test]
    fn rules_are_read_as_they_were_written() {
        let text = write(&[rules()]).unwrap();
        assert_eq!(read(&text), Ok(vec![rules()]));
    }

    #[test]
    fn a_file_that_was_changed_is_not_used() {
        let text = write(&[rules()]).unwrap();
        assert!(read(&text.replace("10.0.0.1", "10.0.0.2")).unwrap_err().contains("hash"));
        assert!(read(&text[..text.len() / 2]).is_err());
        assert!(read("").is_err());
    }

    #[tokio::test]
    async fn saved_rules_are_found_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        let cache = RulesCache::new(data.path());
        assert_eq!(cache.load().await, None);
        cache.save(vec![rules()]).await.unwrap();
        assert_eq!(RulesCache::new(data.path()).load().await, Some(vec![rules()]));
    }
}
