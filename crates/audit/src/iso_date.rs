//! Calendar days as `2030-12-31` in serialised data.

use serde::{Deserialize, Deserializer, Serializer, de};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

pub(crate) fn parse(text: &str) -> Option<Date> {
    Date::parse(text, DAY).ok()
}

pub(crate) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is no day as 2030-12-31")))
}

/// A day that may be absent.
pub(crate) mod option {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use time::Date;

    pub(crate) fn serialize<S: Serializer>(
        day: &Option<Date>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match day {
            Some(day) => serializer.collect_str(day),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Date>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let parsed = |text: String| {
            super::parse(&text)
                .ok_or_else(|| de::Error::custom(format!("{text:?} is no day as 2030-12-31")))
        };
        text.map(parsed).transpose()
    }
}
