//! Times as Ganeti prints them, in the local time zone.

use gannet_core::quantity::Timestamp;
use jiff::tz::TimeZone;

fn zoned(seconds: i64, micros: i64) -> Option<jiff::Zoned> {
    let nanos = i32::try_from(micros * 1000).ok()?;
    Some(jiff::Timestamp::new(seconds, nanos).ok()?.to_zoned(TimeZone::system()))
}

/// `2026-11-05 10:00:00`
#[must_use]
pub fn date_time(seconds: f64) -> String {
    zoned(seconds.floor() as i64, 0).map_or_else(|| "N/A".into(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// `2026-11-05 10:00:00.123456`
#[must_use]
pub fn exact(time: Timestamp) -> String {
    let (seconds, micros) = time.split();
    format!("{}.{micros:06}", date_time(seconds as f64))
}

/// `Thu Nov  5 10:00:00 2026`, the form of job logs.
#[must_use]
pub fn ctime(time: Timestamp) -> String {
    zoned(time.split().0, 0).map_or_else(|| "N/A".into(), |time| time.strftime("%a %b %e %H:%M:%S %Y").to_string())
}
