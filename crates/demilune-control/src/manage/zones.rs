//! The commands about zones.

use demilune_inventory::ZoneId;
use demilune_store::Zone;

use super::{ManageError, Manager, Reply, manager::random_id};
use crate::clock;

/// Longest zone name in characters: that of a domain name, which is what most zones are called by.
const NAME_CHARS_MAX: usize = 253;

impl Manager {
    pub(super) async fn zone_create(&self, name: String, id: Option<String>) -> Result<Reply, ManageError> {
        check_name(&name)?;
        let id = match id {
            Some(text) => parse_id(text)?,
            None => parse_id(random_id().map_err(ManageError::Random)?)?,
        };
        let clash =
            self.store.zone_list().await?.into_iter().any(|zone| zone.name == id.as_str() || zone.id.as_str() == name);
        if clash || name == id.as_str() {
            return Err(ManageError::ZoneAmbiguous(if clash { name } else { id.to_string() }));
        }
        let zone = Zone { id, name, created_at: clock::now() };
        self.store.zone_create(zone.clone()).await.map_err(ManageError::ZoneCreate)?;
        self.credentials.forget_all();
        Ok(Reply::Zone((&zone).into()))
    }

    pub(super) async fn zone_list(&self) -> Result<Reply, ManageError> {
        Ok(Reply::Zones(self.store.zone_list().await?.iter().map(Into::into).collect()))
    }

    pub(super) async fn zone_delete(&self, zone: &str) -> Result<Reply, ManageError> {
        let zone = self.zone_find(Some(zone)).await?;
        if !self.store.zone_delete(&zone.id).await? {
            return Err(ManageError::ZoneGone(zone.id));
        }
        self.credentials.forget_all();
        Ok(Reply::ZoneDeleted((&zone).into()))
    }

    /// The zone with this id or name, or the only one.
    pub(super) async fn zone_find(&self, zone: Option<&str>) -> Result<Zone, ManageError> {
        pick(&self.store.zone_list().await?, zone).cloned()
    }
}

/// An id wins over a name; neither was allowed to equal the other when they were added here.
pub(super) fn pick<'zones>(zones: &'zones [Zone], wanted: Option<&str>) -> Result<&'zones Zone, ManageError> {
    let Some(wanted) = wanted else {
        return match zones {
            [] => Err(ManageError::ZoneNone),
            [only] => Ok(only),
            several => Err(ManageError::ZoneUnclear(several.len())),
        };
    };
    let by_id = zones.iter().find(|zone| zone.id.as_str() == wanted);
    let by_name = || zones.iter().find(|zone| zone.name == wanted);
    by_id.or_else(by_name).ok_or_else(|| ManageError::ZoneNotFound(wanted.to_owned()))
}

fn parse_id(text: String) -> Result<ZoneId, ManageError> {
    text.parse().map_err(|error| ManageError::ZoneId(text, error))
}

fn check_name(name: &str) -> Result<(), ManageError> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    let legal = name.trim() == name && !name.chars().any(char::is_control);
    if fits && legal { Ok(()) } else { Err(ManageError::ZoneName) }
}

#[cfg(test)]
mod tests {
    use demilune_inventory::Timestamp;

    use super::*;

    fn zones(pairs: &[(&str, &str)]) -> Vec<Zone> {
        let created_at = Timestamp::from_micros(0).unwrap();
        pairs.iter().map(|(id, name)| Zone { id: id.parse().unwrap(), name: (*name).to_owned(), created_at }).collect()
    }

    #[test]
    fn a_zone_is_found_by_id_or_name() {
        let zones = zones(&[("a1", "shop"), ("b2", "blog")]);
        assert_eq!(pick(&zones, Some("b2")).unwrap().name, "blog");
        assert_eq!(pick(&zones, Some("shop")).unwrap().id.as_str(), "a1");
        assert!(matches!(pick(&zones, Some("SHOP")), Err(ManageError::ZoneNotFound(_))));
    }

    #[test]
    fn the_zone_may_be_left_out_when_there_is_one() {
        assert_eq!(pick(&zones(&[("a1", "shop")]), None).unwrap().name, "shop");
        assert!(matches!(pick(&[], None), Err(ManageError::ZoneNone)));
        assert!(matches!(pick(&zones(&[("a", "b"), ("c", "d")]), None), Err(ManageError::ZoneUnclear(2))));
    }

    #[test]
    fn a_zone_name_is_short_and_printable() {
        let check = |name: &str, accepted: bool| assert_eq!(check_name(name).is_ok(), accepted, "{name:?}");
        check("default", true);
        check("Ünïcode shop", true);
        check(&"é".repeat(253), true);
        check(&"e".repeat(254), false);
        check("", false);
        check(" x", false);
        check("a\nb", false);
    }
}
