//! Whether a discovered operation waits for review.

use demilune_inventory::{Matcher, MatcherOptions, NormalizedPath, Variables, ZoneId};
use demilune_policy::rule::ZoneRules;
use demilune_store::{DiscoveredOperation, Store, StoreFailure};

/// What has become of a discovered operation (contract 6.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscoveredState {
    /// Nobody has said anything about it.
    Review,
    /// Somebody said to leave it out.
    Ignored,
    /// A saved operation matches its requests.
    Saved,
}

impl DiscoveredState {
    pub(crate) const ALL: [Self; 3] = [Self::Review, Self::Ignored, Self::Saved];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Ignored => "ignored",
            Self::Saved => "saved",
        }
    }
}

/// A discovered operation and its state.
#[derive(Clone, Debug)]
pub(crate) struct Discovered {
    pub(crate) operation: DiscoveredOperation,
    pub(crate) state: DiscoveredState,
}

impl Discovered {
    /// All of a zone, by id; none if there is no such zone.
    pub(crate) async fn all(store: &Store, zone: &ZoneId) -> Result<Option<Vec<Self>>, StoreFailure> {
        match store.zone_rules(zone).await? {
            Some(rules) => Self::by(store, &rules).await.map(Some),
            None => Ok(None),
        }
    }

    /// All of the zone that has these rules, by id.
    pub(crate) async fn by(store: &Store, rules: &ZoneRules) -> Result<Vec<Self>, StoreFailure> {
        let found = store.discovered_list(&rules.zone).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let saved = Saved::new(rules);
        let mut variables = Variables::default();
        let with_state = |operation: DiscoveredOperation| {
            let state = match (saved.matches(&operation, &mut variables), operation.is_ignored) {
                (true, _) => DiscoveredState::Saved,
                (false, true) => DiscoveredState::Ignored,
                (false, false) => DiscoveredState::Review,
            };
            Self { operation, state }
        };
        Ok(found.into_iter().map(with_state).collect())
    }
}

/// The operations of a zone, as its gateways match requests with them.
struct Saved(Matcher);

impl Saved {
    fn new(rules: &ZoneRules) -> Self {
        let options = MatcherOptions { head_as_get: rules.settings.head_as_get };
        Self(Matcher::build(rules.operations.iter().map(|rule| &rule.key), options))
    }

    /// Whether a request as it stands for is one of an operation.
    fn matches(&self, found: &DiscoveredOperation, variables: &mut Variables) -> bool {
        let (host, path) = &found.example;
        let Ok(path) = NormalizedPath::from_live(path.as_bytes()) else { return false };
        self.0.find(Some(found.key.method), host, &path, variables).is_some()
    }
}
