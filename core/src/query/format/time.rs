//! Times of day without a time zone database.

/// Seconds since the epoch as date and time in UTC, `2024-01-31 23:59:59`. For tests and for machines without a zone.
#[must_use]
pub fn utc_time(seconds: f64) -> String {
    const DAY_S: i64 = 86_400;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and a date of that size means nothing")]
    let seconds = seconds.floor() as i64;
    // Ten thousand years on either side keep the arithmetic small.
    let seconds = seconds.clamp(-4_000_000 * DAY_S, 4_000_000 * DAY_S);
    let (days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The Gregorian date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(utc_time(0.0), "1970-01-01 00:00:00");
        assert_eq!(utc_time(951_782_399.9), "2000-02-28 23:59:59");
        assert_eq!(utc_time(951_782_400.0), "2000-02-29 00:00:00");
        assert_eq!(utc_time(1_704_067_199.0), "2023-12-31 23:59:59");
        assert_eq!(utc_time(-1.0), "1969-12-31 23:59:59");
        assert_eq!(utc_time(4_107_542_400.0), "2100-03-01 00:00:00");
        let _ = (utc_time(f64::NAN), utc_time(f64::INFINITY), utc_time(f64::MIN));
    }
}
