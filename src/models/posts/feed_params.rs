//! What is asked of a feed: its order, and which posts it has.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::models::base::choice::{choice, chosen};
use crate::models::base::form_value;
use crate::models::base::page::PageParams;
use crate::models::base::url_path;
use crate::models::posts::tag_name;
use crate::validation::{FieldError, Rule};

choice! {
    /// The order of a feed.
    pub enum Sort {
        /// Newest first.
        #[default]
        New,
        /// New posts with many votes first: ten times as many votes weigh as much as twelve and a half
        /// hours.
        Hot,
        /// Most votes first.
        Top,
    }
}

choice! {
    /// When the posts of the order `top` were published: in the current day, week (from Monday on), month
    /// or year, in UTC; or ever.
    pub enum Period {
        Day,
        Week,
        Month,
        Year,
        #[default]
        All,
    }
}

impl Period {
    /// The number of the period at this time, as in the columns of posts (migration 24).
    pub fn number(self, time: DateTime<Utc>) -> i64 {
        let day = time.timestamp().div_euclid(86_400);
        match self {
            Period::Day => day,
            // 1 January 1970 was a Thursday.
            Period::Week => (day + 3).div_euclid(7),
            Period::Month => i64::from(time.year() - 1970) * 12 + i64::from(time.month0()),
            Period::Year => time.year().into(),
            Period::All => 0,
        }
    }
}

/// Raw, unvalidated parameters of the feed.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedParams {
    /// `new` (the default), `hot` or `top`.
    #[param(value_type = Option<Sort>)]
    pub sort: Option<String>,
    /// With `sort=top`: `day`, `week`, `month`, `year` or `all` (the default).
    #[param(value_type = Option<Period>)]
    pub period: Option<String>,
    /// Only the posts of this user.
    #[param(example = "ann")]
    pub author: Option<String>,
    /// Only posts with this tag; several, at most five, for posts that have all of them.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[param(value_type = Option<Vec<String>>, example = json!(["sea"]), max_items = 5)]
    pub tag: Option<Vec<String>>,
    /// Only posts that were published at this time or later: a date such as 2026-11-28, in UTC, or a
    /// time (RFC 3339).
    #[param(example = "2026-11-28", max_length = 40)]
    pub since: Option<String>,
    /// Only posts that were published before this time: a date or a time.
    #[param(example = "2026-12-01T12:00:00Z", max_length = 40)]
    pub until: Option<String>,
    /// Only posts that were written or edited at this time or later: a date or a time.
    #[param(example = "2026-11-28T00:00:00Z", max_length = 40)]
    pub updated_since: Option<String>,
    /// Only posts with at least so many votes.
    #[param(value_type = Option<i64>, minimum = 0)]
    pub min_votes: Option<String>,
    /// Only posts that a search for this finds, as `GET /search` does, the latest written first. It knows
    /// tags, authors and days itself, so no order and no other filter goes with it.
    #[param(example = "tides -moon", max_length = 300)]
    pub q: Option<String>,
    /// `content` adds the full text in Markdown; such a page ends early if it would exceed 1 MiB.
    #[param(pattern = "^(content)?$")]
    pub include: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

impl FeedParams {
    /// # Errors
    /// `Invalid`, about `sort`.
    pub fn sort(&self) -> Result<Sort> {
        chosen("sort", self.sort.as_deref())
    }

    /// # Errors
    /// `Invalid`, about `period`.
    pub fn period(&self) -> Result<Period> {
        chosen("period", self.period.as_deref())
    }

    /// # Errors
    /// `Invalid`, about `include`.
    pub(super) fn includes_content(&self) -> Result<bool> {
        match given(&self.include) {
            None => Ok(false),
            Some("content") => Ok(true),
            Some(_) => Err(Error::invalid("include", Rule::Unknown)),
        }
    }

    /// What to search for.
    ///
    /// # Errors
    /// `Invalid`, about `q`, if there is another filter or another order.
    pub(super) fn q(&self) -> Result<Option<&str>> {
        let Some(q) = given(&self.q) else { return Ok(None) };
        let is_alone = self.order_query()?.is_empty()
            && FeedParams { q: None, ..self.clone() }.filter_query().is_empty();
        if is_alone { Ok(Some(q)) } else { Err(Error::invalid("q", Rule::Exclusive)) }
    }

    /// The name of the author by whom the list is filtered.
    pub fn author(&self) -> Option<&str> {
        given(&self.author)
    }

    /// The normalised names of the tags by which the list is filtered.
    ///
    /// # Errors
    /// `Invalid`, about `tag`.
    pub fn tags(&self) -> Result<Vec<String>> {
        tag_name::parse("tag", self.tag.as_deref().unwrap_or_default())
    }

    /// The query of other lists with the same filter: each part begins with `&`.
    pub fn filter_query(&self) -> String {
        let tags = self.tag.iter().flatten().filter(|tag| !tag.trim().is_empty());
        let fields = [
            ("q", given(&self.q)),
            ("author", given(&self.author)),
            ("since", given(&self.since)),
            ("until", given(&self.until)),
            ("updated_since", given(&self.updated_since)),
            ("min_votes", given(&self.min_votes)),
        ];
        let fields = fields.into_iter().filter_map(|(name, text)| Some((name, text?)));
        tags.map(|tag| ("tag", tag.trim()))
            .chain(fields)
            .map(|(name, text)| format!("&{name}={}", url_path::segment(text)))
            .collect()
    }

    /// The query of other lists in the same order: each part begins with `&`.
    ///
    /// # Errors
    /// `Invalid`, about `sort` or `period`.
    pub fn order_query(&self) -> Result<String> {
        Ok(match (self.sort()?, self.period()?) {
            (Sort::New, _) => String::new(),
            (Sort::Top, period) if period != Period::All => {
                let period: &str = period.into();
                format!("&sort=top&period={period}")
            }
            (sort, _) => {
                let sort: &str = sort.into();
                format!("&sort={sort}")
            }
        })
    }

    /// # Errors
    /// `Invalid`, about `since`, `until` or `updated_since`.
    pub(super) fn since(&self) -> Result<Option<DateTime<Utc>>> {
        time("since", &self.since)
    }

    pub(super) fn until(&self) -> Result<Option<DateTime<Utc>>> {
        time("until", &self.until)
    }

    pub(super) fn updated_since(&self) -> Result<Option<DateTime<Utc>>> {
        time("updated_since", &self.updated_since)
    }

    /// # Errors
    /// `Invalid`, about `min_votes`.
    pub(super) fn min_votes(&self) -> Result<Option<i64>> {
        match given(&self.min_votes).map(str::parse::<i64>) {
            None | Some(Ok(0)) => Ok(None),
            Some(Ok(votes)) if votes > 0 => Ok(Some(votes)),
            Some(_) => {
                let error = FieldError::new("min_votes", Rule::OutOfRange);
                Err(error.with("min", 0i64).with("max", i64::MAX).into())
            }
        }
    }
}

/// A time, or the beginning of a day, within the years that both engines can compare.
fn time(field: &'static str, text: &Option<String>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = given(text) else { return Ok(None) };
    let day = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|day| day.and_utc());
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()).or_else(day);
    match time.filter(|time| (1..=9999).contains(&time.year())) {
        Some(time) => Ok(Some(time)),
        None => Err(Error::invalid(field, Rule::Malformed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_at_midnight_and_weeks_on_mondays() {
        let number = |period: Period, time: &str| period.number(time.parse().unwrap());
        for (period, last, first) in [
            (Period::Day, "2026-11-28T23:59:59Z", "2026-11-29T00:00:00Z"),
            (Period::Week, "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z"),
            (Period::Month, "2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z"),
            (Period::Year, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(number(period, last) + 1, number(period, first), "{period:?}");
            assert_eq!(
                number(period, first),
                number(period, &first.replace("00:00:00", "23:59:59"))
            );
        }
        assert_eq!(number(Period::Month, "1970-01-01T00:00:00Z"), 0);
    }

    #[test]
    fn times_are_dates_or_rfc_3339() {
        let read = |text: &str| time("since", &Some(text.to_owned()));
        let midnight = "2026-11-28T00:00:00Z".parse().unwrap();
        assert_eq!(read("2026-11-28").unwrap(), Some(midnight));
        assert_eq!(read("2026-11-28T01:00:00+01:00").unwrap(), Some(midnight));
        assert_eq!(read(" ").unwrap(), None);
        for wrong in ["yesterday", "2026-13-01", "2026-11-28T01:00", "+123456-01-01", "0000-01-01"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
