//! Reading permission groups, and which zones they cover.

use demilune_inventory::ZoneId;
use demilune_store::{Grant, PermissionGroup, PermissionGroupError};

use super::ManageError;

/// Reads group names in any letter case.
pub(super) fn parse_all(names: &[String]) -> Result<Vec<PermissionGroup>, ManageError> {
    if names.is_empty() {
        return Err(ManageError::GroupNone(PermissionGroupError));
    }
    names
        .iter()
        .map(|name| name.trim().parse().map_err(|error| ManageError::GroupUnknown(name.clone(), error)))
        .collect()
}

/// One grant for each `Domain …` group and zone, and one for each other group; sorted, without repetition.
pub(super) fn grants(groups: &[PermissionGroup], zones: &[ZoneId]) -> Vec<Grant> {
    let mut grants = Vec::new();
    for group in groups {
        if group.is_zone_scoped() {
            grants.extend(zones.iter().map(|zone| Grant { group: *group, zone: Some(zone.clone()) }));
        } else {
            grants.push(Grant { group: *group, zone: None });
        }
    }
    grants.sort();
    grants.dedup();
    grants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_letter_case_of_a_group_does_not_matter() {
        let groups = parse_all(&names(&["domain api gateway READ", "Account API Gateway"])).unwrap();
        assert_eq!(groups, [PermissionGroup::DomainApiGatewayRead, PermissionGroup::AccountApiGateway]);
    }

    #[test]
    fn an_unknown_group_is_answered_with_the_names_of_all() {
        let error = parse_all(&names(&["API Gateway Read"])).unwrap_err().chain();
        for group in PermissionGroup::ALL {
            assert!(error.contains(group.as_str()), "{error}");
        }
    }

    #[test]
    fn a_token_without_a_group_is_refused() {
        assert!(matches!(parse_all(&[]), Err(ManageError::GroupNone(_))));
    }

    #[test]
    fn domain_groups_are_granted_zone_by_zone() {
        let zones: Vec<ZoneId> = vec!["b".parse().unwrap(), "a".parse().unwrap(), "a".parse().unwrap()];
        let groups = [
            PermissionGroup::DomainApiGateway,
            PermissionGroup::AccountApiGatewayRead,
            PermissionGroup::DomainApiGateway,
        ];
        let found: Vec<_> = grants(&groups, &zones)
            .into_iter()
            .map(|grant| (grant.group.as_str(), grant.zone.map(|zone| zone.to_string())))
            .collect();
        assert_eq!(
            found,
            [
                ("Account API Gateway Read", None),
                ("Domain API Gateway", Some("a".to_owned())),
                ("Domain API Gateway", Some("b".to_owned())),
            ]
        );
    }
}
