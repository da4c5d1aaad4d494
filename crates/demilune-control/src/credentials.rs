//! Who is calling: credentials looked up in the store, and kept for a moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{PermissionGroup, SecretHash, Store, StoreFailure, Token, User};
use moka::sync::Cache;
use subtle::ConstantTimeEq;

use crate::secret::hash_secret;

/// How long a credential is believed without asking the store again: half of the second within which a revocation
/// must reach other processes.
const CACHE_AGE_MAX: Duration = Duration::from_millis(500);
/// Most credentials remembered at once; further ones cost a look into the store each.
const CACHE_ENTRIES_MAX: u64 = 10_000;

/// The credentials that were good a moment ago. Cheap to clone; all clones share the entries.
#[derive(Clone)]
pub struct CredentialCache {
    /// Only good credentials are kept: a flood of bad ones must not push them out.
    callers: Cache<CacheKey, Arc<Caller>>,
    /// How often everything was forgotten: a look-up that began before must not be remembered after.
    generation: Arc<AtomicU64>,
}

impl CredentialCache {
    /// Forgets every entry, so that the next request of each caller reads the store.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.callers.invalidate_all();
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Keeps what was read from the store since `generation`.
    fn remember(&self, generation: u64, key: &CacheKey, caller: Caller) -> Arc<Caller> {
        let caller = Arc::new(caller);
        if self.generation() == generation {
            self.callers.insert(key.clone(), Arc::clone(&caller));
            if self.generation() != generation {
                self.callers.invalidate(key);
            }
        }
        caller
    }
}

impl Default for CredentialCache {
    fn default() -> Self {
        let callers = Cache::builder().max_capacity(CACHE_ENTRIES_MAX).time_to_live(CACHE_AGE_MAX).build();
        Self { callers, generation: Arc::default() }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum CacheKey {
    Token(SecretHash),
    User { email: String, key: SecretHash },
}

/// Somebody whose credential was good when it was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The holder of an API token.
    Token(Token),
    /// A person with their global key, which acts with every group.
    User(User),
}

/// What a request wants to do in a zone: the first two are the contract's (1.3), the others are for what it has no
/// call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To read the inventory.
    Read,
    /// To change the inventory.
    Write,
    /// To see the zone itself and how its gateway is set up.
    See,
    /// To change how its gateway is set up.
    Operate,
}

impl Access {
    /// Whether a grant of this group is enough.
    fn is_allowed_by(self, group: PermissionGroup) -> bool {
        use PermissionGroup::{AccountApiGateway, DemiluneOperator, DomainApiGateway};
        match self {
            Self::Read => group != DemiluneOperator,
            Self::Write => matches!(group, AccountApiGateway | DomainApiGateway),
            Self::See => true,
            Self::Operate => group == DemiluneOperator,
        }
    }
}

/// Whether a caller may do something in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// A grant allows it.
    Granted,
    /// There are grants on the zone, none of them for this.
    GroupMissing,
    /// No grant covers the zone, whether it exists or not.
    ZoneOutOfScope,
}

impl Caller {
    /// Whether this caller has this access to a zone.
    pub(crate) fn permission(&self, access: Access, zone: &ZoneId) -> Permission {
        let Self::Token(token) = self else { return Permission::Granted };
        let mut verdict = Permission::ZoneOutOfScope;
        for grant in &token.grants {
            if grant.zone.as_ref().is_some_and(|granted| granted != zone) {
                continue;
            }
            if access.is_allowed_by(grant.group) {
                return Permission::Granted;
            }
            verdict = Permission::GroupMissing;
        }
        verdict
    }

    fn is_current(&self, now: Timestamp) -> bool {
        match self {
            Self::Token(token) => token.expires_at.is_none_or(|expires_at| now < expires_at),
            Self::User(_) => true,
        }
    }
}

/// Looks credentials up, through the cache.
pub(crate) struct Credentials {
    store: Store,
    cache: CredentialCache,
}

impl Credentials {
    pub(crate) fn new(store: Store, cache: CredentialCache) -> Self {
        Self { store, cache }
    }

    /// The cache behind this look-up, for those who change credentials.
    pub(crate) fn cache(&self) -> CredentialCache {
        self.cache.clone()
    }

    /// The holder of an API token; none if there is no such token or it has expired.
    pub(crate) async fn by_token(&self, secret: &[u8], now: Timestamp) -> Result<Option<Arc<Caller>>, StoreFailure> {
        let hash = hash_secret(secret);
        let key = CacheKey::Token(hash);
        if let Some(caller) = self.cache.callers.get(&key) {
            return Ok(current(caller, now));
        }
        let generation = self.cache.generation();
        // Looking up by the hash of the secret compares nothing an attacker can steer byte by byte.
        let Some(token) = self.store.token_by_secret(&hash).await? else { return Ok(None) };
        Ok(current(self.cache.remember(generation, &key, Caller::Token(token)), now))
    }

    /// The person with this e-mail address, if the key is theirs.
    pub(crate) async fn by_key(&self, email: &str, secret: &[u8]) -> Result<Option<Arc<Caller>>, StoreFailure> {
        let email = email.to_lowercase();
        let hash = hash_secret(secret);
        let key = CacheKey::User { email: email.clone(), key: hash };
        if let Some(caller) = self.cache.callers.get(&key) {
            return Ok(Some(caller));
        }
        let generation = self.cache.generation();
        let Some((user, expected)) = self.store.user_by_email(&email).await? else { return Ok(None) };
        if !bool::from(hash.0.ct_eq(&expected.0)) {
            return Ok(None);
        }
        Ok(Some(self.cache.remember(generation, &key, Caller::User(user))))
    }
}

fn current(caller: Arc<Caller>, now: Timestamp) -> Option<Arc<Caller>> {
    caller.is_current(now).then_some(caller)
}

#[cfg(test)]
mod tests {
    use demilune_store::Grant;

    use super::*;

    fn token(grants: &[(PermissionGroup, Option<&str>)]) -> Caller {
        Caller::Token(Token {
            id: "0".repeat(32),
            name: String::new(),
            grants: grants
                .iter()
                .map(|(group, zone)| Grant { group: *group, zone: zone.map(|zone| zone.parse().unwrap()) })
                .collect(),
            created_at: Timestamp::from_micros(0).unwrap(),
            expires_at: Timestamp::from_micros(1_000),
        })
    }

    fn check(caller: &Caller, access: Access, zone: &str, expected: Permission) {
        assert_eq!(caller.permission(access, &zone.parse().unwrap()), expected, "{access:?} {zone}");
    }

    #[test]
    fn an_account_group_covers_every_zone() {
        let caller = token(&[(PermissionGroup::AccountApiGateway, None)]);
        check(&caller, Access::Write, "a", Permission::Granted);
        check(&caller, Access::Read, "b", Permission::Granted);
    }

    #[test]
    fn a_read_group_does_not_write() {
        let caller = token(&[(PermissionGroup::AccountApiGatewayRead, None)]);
        check(&caller, Access::Read, "a", Permission::Granted);
        check(&caller, Access::Write, "a", Permission::GroupMissing);
    }

    #[test]
    fn an_operator_sees_and_operates_every_zone_and_has_no_right_in_the_inventory() {
        let caller = token(&[(PermissionGroup::DemiluneOperator, None)]);
        check(&caller, Access::See, "a", Permission::Granted);
        check(&caller, Access::Operate, "a", Permission::Granted);
        check(&caller, Access::Read, "a", Permission::GroupMissing);
        check(&caller, Access::Write, "a", Permission::GroupMissing);
    }

    #[test]
    fn the_groups_of_the_contract_see_and_do_not_operate() {
        for group in PermissionGroup::ALL {
            let expected = match group {
                PermissionGroup::DemiluneOperator => Permission::Granted,
                _ => Permission::GroupMissing,
            };
            let caller = token(&[(group, group.is_zone_scoped().then_some("a"))]);
            check(&caller, Access::See, "a", Permission::Granted);
            check(&caller, Access::Operate, "a", expected);
        }
        let elsewhere = token(&[(PermissionGroup::DomainApiGateway, Some("b"))]);
        check(&elsewhere, Access::See, "a", Permission::ZoneOutOfScope);
        check(&elsewhere, Access::Operate, "a", Permission::ZoneOutOfScope);
    }

    #[test]
    fn a_domain_group_covers_its_zone_alone() {
        let caller = token(&[(PermissionGroup::DomainApiGateway, Some("a"))]);
        check(&caller, Access::Write, "a", Permission::Granted);
        check(&caller, Access::Read, "b", Permission::ZoneOutOfScope);
    }

    #[test]
    fn grants_add_up() {
        let caller =
            token(&[(PermissionGroup::AccountApiGatewayRead, None), (PermissionGroup::DomainApiGateway, Some("a"))]);
        check(&caller, Access::Write, "a", Permission::Granted);
        check(&caller, Access::Write, "b", Permission::GroupMissing);
        check(&caller, Access::Read, "b", Permission::Granted);
    }

    #[test]
    fn a_token_without_grants_may_do_nothing() {
        check(&token(&[]), Access::Read, "a", Permission::ZoneOutOfScope);
    }

    #[test]
    fn a_token_ends_at_its_expiry() {
        let caller = token(&[]);
        assert!(caller.is_current(Timestamp::from_micros(999).unwrap()));
        assert!(!caller.is_current(Timestamp::from_micros(1_000).unwrap()));
    }
}
