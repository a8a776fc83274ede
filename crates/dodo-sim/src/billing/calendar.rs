//! Billing dates.

use crate::model::catalogue::{Every, TimeInterval};
use crate::policy::{Granularity, MonthStep};
use time::{Duration, Month, OffsetDateTime, util::days_in_month};

use super::ratio::Ratio;

/// `from` plus one cycle. `day` is the day of the month that the subscription is billed on: a short month is
/// clamped to its end and the next long one returns to `day`.
pub(crate) fn step(from: OffsetDateTime, every: Every, day: u8, months: MonthStep) -> OffsetDateTime {
    let count = i64::from(every.count.max(1));
    match (every.interval, months) {
        (TimeInterval::Day, _) => from.saturating_add(Duration::days(count)),
        (TimeInterval::Week, _) => from.saturating_add(Duration::weeks(count)),
        (TimeInterval::Month, MonthStep::ThirtyDays) => from.saturating_add(Duration::days(count * 30)),
        (TimeInterval::Month, MonthStep::Calendar) => add_months(from, count, day),
        (TimeInterval::Year, _) => add_months(from, count * 12, day),
    }
}

fn add_months(from: OffsetDateTime, count: i64, day: u8) -> OffsetDateTime {
    let months = i64::from(from.year()) * 12 + i64::from(u8::from(from.month())) - 1 + count;
    let year = i32::try_from(months.div_euclid(12)).unwrap_or(9999).min(9999);
    let month = u8::try_from(months.rem_euclid(12) + 1).ok().and_then(|number| Month::try_from(number).ok());
    let month = month.unwrap_or(Month::December);
    let day = day.clamp(1, days_in_month(month, year));
    time::Date::from_calendar_date(year, month, day).map_or(from, |date| from.replace_date(date))
}

/// What is left of a period.
pub(crate) fn remaining(
    start: OffsetDateTime,
    end: OffsetDateTime,
    now: OffsetDateTime,
    granularity: Granularity,
) -> Ratio {
    let units = |length: Duration| match granularity {
        Granularity::Day => length.whole_days(),
        Granularity::Second => length.whole_seconds(),
    };
    let total = units(end - start).max(1);
    Ratio::new((total - units(now - start)).clamp(0, total), total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const MONTHLY: Every = Every { count: 1, interval: TimeInterval::Month };

    #[test]
    fn a_short_month_does_not_move_the_billing_day_for_good() {
        let january = datetime!(2026-01-31 9:00 UTC);
        let february = step(january, MONTHLY, 31, MonthStep::Calendar);
        assert_eq!(february, datetime!(2026-02-28 9:00 UTC));
        assert_eq!(step(february, MONTHLY, 31, MonthStep::Calendar), datetime!(2026-03-31 9:00 UTC));
    }

    #[test]
    fn months_are_of_the_calendar_or_of_thirty_days() {
        let start = datetime!(2026-01-16 0:00 UTC);
        assert_eq!(step(start, MONTHLY, 16, MonthStep::Calendar), datetime!(2026-02-16 0:00 UTC));
        assert_eq!(step(start, MONTHLY, 16, MonthStep::ThirtyDays), datetime!(2026-02-15 0:00 UTC));
        let yearly = Every { count: 1, interval: TimeInterval::Year };
        assert_eq!(
            step(datetime!(2028-02-29 0:00 UTC), yearly, 29, MonthStep::Calendar),
            datetime!(2029-02-28 0:00 UTC)
        );
    }

    #[test]
    fn whole_days_count_as_used_only_when_they_are_over() {
        let (start, end) = (datetime!(2026-04-01 0:00 UTC), datetime!(2026-05-01 0:00 UTC));
        let left = |now| remaining(start, end, now, Granularity::Day);
        assert_eq!(left(datetime!(2026-04-01 23:59 UTC)), Ratio::new(30, 30));
        assert_eq!(left(datetime!(2026-04-16 12:00 UTC)), Ratio::new(15, 30));
        assert_eq!(left(datetime!(2026-06-01 0:00 UTC)), Ratio::new(0, 30));
    }
}
