//! Calendar and clock of a moment in a time zone, from the zone database that is built in.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rquickjs::{Ctx, Function, Object, Result};

use super::Fetches;

pub(super) fn natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    object.set("zoneName", Function::new(ctx.clone(), zone_name)?)?;
    object.set("zoneFields", Function::new(ctx.clone(), zone_fields)?)?;
    object.set("zoneAbbreviation", Function::new(ctx.clone(), zone_abbreviation)?)
}

fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" => Some(TimeZone::UTC),
        _ => jiff::tz::TimeZoneDatabase::bundled().get(name).ok(),
    }
}

/// The name of a zone as the database spells it; nothing for an unknown one.
fn zone_name(name: String) -> Option<String> {
    if ["utc", "etc/utc", "gmt", "etc/gmt"].contains(&name.to_ascii_lowercase().as_str()) {
        return Some("UTC".to_owned());
    }
    zone(&name)?.iana_name().map(str::to_owned)
}

/// Year, month, day, hour, minute, second, day of the week from Sunday, minutes east of UTC; nothing beyond the years
/// that the calendar covers.
fn zone_fields(name: String, at_ms: f64) -> Option<Vec<i32>> {
    // Whole milliseconds within ±8.64e15, as a Date holds them: exact in both types.
    let moment = Timestamp::from_millisecond(at_ms as i64).ok()?;
    let local = moment.to_zoned(zone(&name)?);
    Some(vec![
        local.year().into(),
        local.month().into(),
        local.day().into(),
        local.hour().into(),
        local.minute().into(),
        local.second().into(),
        local.weekday().to_sunday_zero_offset().into(),
        local.offset().seconds() / 60,
    ])
}

fn zone_abbreviation(name: String, at_ms: f64) -> Option<String> {
    let moment = Timestamp::from_millisecond(at_ms as i64).ok()?;
    Some(zone(&name)?.to_offset_info(moment).abbreviation().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{zone_abbreviation, zone_fields, zone_name};

    #[test]
    fn summer_time_is_known() {
        let fields = zone_fields("Europe/Berlin".to_owned(), 1_751_328_000_000.0).unwrap();
        assert_eq!(fields, [2025, 7, 1, 2, 0, 0, 2, 120]);
        let winter = zone_abbreviation("America/New_York".to_owned(), 1_735_689_600_000.0);
        assert_eq!(winter.as_deref(), Some("EST"));
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(zone_name("europe/berlin".to_owned()).as_deref(), Some("Europe/Berlin"));
        assert_eq!(zone_name("GMT".to_owned()).as_deref(), Some("UTC"));
        assert_eq!(zone_name("Mars/Base".to_owned()), None);
    }
}
