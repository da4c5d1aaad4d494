//! The rules in force, on disk: so that a gateway that starts while the store is gone finds them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use demilune_inventory::{OperationKey, Timestamp};
use demilune_policy::rule::{
    HostHeader, OperationRule, Origin, RouteTarget, SessionIdentifier, ValidationLimits, ValidationSettings, ZoneRules,
    ZoneSettings,
};
use demilune_store::{SchemaId, UserSchema, ZoneValidation};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::saved_schemas::{SavedSchemas, sealed, unsealed, write_whole};

/// The file in the data folder.
const FILE_NAME: &str = "rules.json";
/// The first line of the file says this, and the hash of all that follows.
const MARK: &str = "demilune rules 2 sha256 ";

/// Where the rules are saved.
#[derive(Clone)]
pub(crate) struct RulesCache {
    path: PathBuf,
    schemas: SavedSchemas,
}

/// A zone's rules, and its schemas with what happens to requests that do not fit them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedZone {
    pub(crate) rules: ZoneRules,
    pub(crate) validation: ZoneValidation,
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
    validated_bytes_max: Option<u32>,
    validation: ValidationText,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationText {
    default_action: String,
    is_off: bool,
    actions: Vec<(String, String)>,
    schemas: Vec<SchemaText>,
}

/// Its source is a file of its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaText {
    id: String,
    name: String,
    created_at_us: i64,
    default_host: Option<String>,
    learned_from: Option<String>,
    log_until_us: Option<i64>,
    source_bytes: u64,
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
        Self { path: data.join(FILE_NAME), schemas: SavedSchemas::new(data) }
    }

    /// The rules that were saved last. A file that is damaged or of another release is as good as none, and said so.
    pub(crate) async fn load(&self) -> Option<Vec<SavedZone>> {
        let Self { path, schemas } = self.clone();
        let loaded = spawn_blocking(move || match fs::read_to_string(&path) {
            Ok(text) => {
                let zones = read(&text).and_then(|zones| with_sources(zones, &schemas));
                zones.map(|zones| Some((zones, age(&path))))
            }
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

    /// Saves rules in place of those before. The sources of their schemas were kept before; those of others are removed.
    pub(crate) async fn save(&self, zones: Vec<SavedZone>) -> io::Result<()> {
        let Self { path, schemas } = self.clone();
        spawn_blocking(move || {
            write_whole(&path, &write(&zones)?)?;
            let needed: BTreeSet<SchemaId> =
                zones.iter().flat_map(|zone| &zone.validation.schemas).map(|schema| schema.id).collect();
            schemas.retain(&needed)
        })
        .await?
    }

    /// Keeps the source of a schema.
    pub(crate) async fn keep_source(&self, id: SchemaId, source: String) -> io::Result<()> {
        let schemas = self.schemas.clone();
        spawn_blocking(move || schemas.keep(id, &source)).await?
    }
}

fn age(path: &Path) -> Option<u64> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok().map(|age| age.as_secs())
}

fn write(zones: &[SavedZone]) -> io::Result<String> {
    let zones: Vec<ZoneText> = zones.iter().map(ZoneText::from).collect();
    Ok(sealed(MARK, &format!("{}\n", serde_json::to_string(&zones)?)))
}

fn read(text: &str) -> Result<Vec<SavedZone>, String> {
    let zones: Vec<ZoneText> = serde_json::from_str(unsealed(MARK, text)?).map_err(|error| error.to_string())?;
    zones.into_iter().map(ZoneText::parse).collect()
}

/// A zone whose schemas are not all there would let through what it should not.
fn with_sources(mut zones: Vec<SavedZone>, saved: &SavedSchemas) -> Result<Vec<SavedZone>, String> {
    for schema in zones.iter_mut().flat_map(|zone| &mut zone.validation.schemas) {
        schema.source = Some(saved.read(schema.id)?);
    }
    Ok(zones)
}

impl From<&SavedZone> for ZoneText {
    fn from(SavedZone { rules, validation }: &SavedZone) -> Self {
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
            validated_bytes_max: rules.settings.limits.validated_bytes_max,
            validation: validation.into(),
        }
    }
}

impl From<&ZoneValidation> for ValidationText {
    fn from(validation: &ZoneValidation) -> Self {
        let actions = validation.actions.iter();
        Self {
            default_action: validation.settings.default_action.as_str().to_owned(),
            is_off: validation.settings.is_off,
            actions: actions.map(|(id, action)| (id.to_string(), action.as_str().to_owned())).collect(),
            schemas: validation.schemas.iter().map(SchemaText::from).collect(),
        }
    }
}

impl From<&UserSchema> for SchemaText {
    fn from(schema: &UserSchema) -> Self {
        Self {
            id: schema.id.to_string(),
            name: schema.name.clone(),
            created_at_us: schema.created_at.as_micros(),
            default_host: schema.default_host.as_ref().map(ToString::to_string),
            learned_from: schema.learned_from.map(|id| id.to_string()),
            log_until_us: schema.log_until.map(Timestamp::as_micros),
            source_bytes: schema.source_bytes,
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
    fn parse(self) -> Result<SavedZone, String> {
        let identifiers = self.session_identifiers.iter();
        let rules = ZoneRules {
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
                // Gateways have nothing to do with the others.
                limits: ValidationLimits {
                    validated_bytes_max: self.validated_bytes_max,
                    ..ValidationLimits::default()
                },
            },
        };
        Ok(SavedZone { rules, validation: self.validation.parse()? })
    }
}

impl ValidationText {
    fn parse(self) -> Result<ZoneValidation, String> {
        let actions = self.actions.iter().map(|(id, action)| Ok((parsed(id)?, parsed(action)?)));
        Ok(ZoneValidation {
            settings: ValidationSettings { default_action: parsed(&self.default_action)?, is_off: self.is_off },
            actions: actions.collect::<Result<_, String>>()?,
            // It changes nothing for requests, and is found again with the store.
            trial: None,
            schemas: self.schemas.into_iter().map(SchemaText::parse).collect::<Result<_, _>>()?,
        })
    }
}

impl SchemaText {
    fn parse(self) -> Result<UserSchema, String> {
        let time = |micros| Timestamp::from_micros(micros).ok_or("a time is out of range");
        Ok(UserSchema {
            id: parsed(&self.id)?,
            name: self.name,
            created_at: time(self.created_at_us)?,
            validation_enabled: true,
            learned_from: self.learned_from.map(|id| parsed(&id)).transpose()?,
            log_until: self.log_until_us.map(time).transpose()?,
            default_host: self.default_host.map(|host| parsed(&host)).transpose()?,
            source_bytes: self.source_bytes,
            source: None,
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
    use demilune_policy::rule::MitigationAction;

    use super::*;

    const SCHEMA: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";

    fn rules() -> SavedZone {
        let endpoint = "/users/{id}".parse().unwrap();
        let route = RouteTarget::parse("https://h.example/u/{var1}", &endpoint).unwrap();
        let rules = ZoneRules {
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
            settings: ZoneSettings {
                head_as_get: false,
                limits: ValidationLimits { validated_bytes_max: Some(7), ..ValidationLimits::default() },
                ..ZoneSettings::default()
            },
        };
        let schema = UserSchema {
            id: SCHEMA.parse().unwrap(),
            name: "pets.yaml".to_owned(),
            created_at: Timestamp::from_micros(1).unwrap(),
            validation_enabled: true,
            learned_from: None,
            log_until: Timestamp::from_micros(2),
            default_host: Some("a.example".parse().unwrap()),
            source_bytes: 4,
            source: None,
        };
        let validation = ZoneValidation {
            settings: ValidationSettings { default_action: MitigationAction::Log, is_off: true },
            actions: [(rules.operations[0].id, MitigationAction::Block)].into(),
            schemas: vec![schema],
            trial: None,
        };
        SavedZone { rules, validation }
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
        cache.keep_source(SCHEMA.parse().unwrap(), "{  }".to_owned()).await.unwrap();
        cache.save(vec![rules()]).await.unwrap();
        let mut expected = rules();
        expected.validation.schemas[0].source = Some("{  }".to_owned());
        assert_eq!(RulesCache::new(data.path()).load().await, Some(vec![expected]));
    }

    #[tokio::test]
    async fn rules_without_one_of_their_schemas_are_not_used() {
        let data = tempfile::tempdir().unwrap();
        let cache = RulesCache::new(data.path());
        cache.save(vec![rules()]).await.unwrap();
        assert_eq!(cache.load().await, None);
    }
}
