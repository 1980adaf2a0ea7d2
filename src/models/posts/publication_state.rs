//! Whether a post is published, and who may read it.

use chrono::{DateTime, Datelike, Duration, DurationRound, NaiveDateTime, SubsecRound, Utc};
use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use crate::db::now;
use crate::error::{Error, Result};
use crate::validation::Rule;

/// How far ahead a post can be scheduled, in days.
const MAX_DAYS_AHEAD: i64 = 366 * 2;

/// Where a post stands on its way to its readers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PostState {
    /// Only its author reads it.
    Draft,
    /// It is published at `published_at`; until then, only its author reads it.
    Scheduled,
    /// Those read it who may.
    Published,
}

/// Who may read a published post.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Visibility {
    /// Everybody; it is in lists, in feeds and in the search.
    Public,
    /// Everybody who knows its address.
    Unlisted,
    /// Everybody who is logged in and knows its address.
    Members,
    /// Its author.
    Private,
}

impl TryFrom<String> for PostState {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse().map_err(|_| Error::invalid("state", Rule::Unknown))
    }
}

impl TryFrom<String> for Visibility {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse().map_err(|_| Error::invalid("visibility", Rule::Unknown))
    }
}

/// What a request says about publication, checked. What it does not mention stays as it is.
#[derive(Debug, Clone, Default)]
pub struct PublicationChange {
    /// Whether it is to be published, at once or at `at`, or a draft.
    pub publishes: Option<bool>,
    pub visibility: Option<Visibility>,
    pub at: Option<DateTime<Utc>>,
}

impl PublicationChange {
    /// # Errors
    /// `Invalid`, about `state`, `visibility` and `published_at`, one at a time.
    pub fn parse(
        state: Option<&str>,
        visibility: Option<&str>,
        published_at: Option<&str>,
    ) -> Result<PublicationChange> {
        let publishes = match given(state) {
            None => None,
            Some("draft") => Some(false),
            Some("published") => Some(true),
            // As programs read it.
            Some("scheduled") if given(published_at).is_none() => {
                return Err(Error::invalid("published_at", Rule::Required));
            }
            Some("scheduled") => Some(true),
            Some(_) => return Err(Error::invalid("state", Rule::Unknown)),
        };
        let visibility =
            given(visibility).map(|text| Visibility::try_from(text.to_owned())).transpose()?;
        let at = given(published_at).map(parse_time).transpose()?;
        Ok(PublicationChange { publishes, visibility, at })
    }

    /// Whether this asks for anything that the post does not have yet.
    pub fn changes(&self, standing: &Publication) -> bool {
        self.of(standing) != *standing
    }

    /// Whether a post that nobody else could read is published, now or later.
    pub fn releases(&self, standing: &Publication) -> bool {
        standing.state == PostState::Draft && self.publishes == Some(true)
    }

    /// What becomes of a new post.
    pub fn of_new(&self) -> Publication {
        let visibility = self.visibility.unwrap_or(Visibility::Public);
        match self.publishes {
            // The time is a plan that its author has not confirmed.
            Some(false) => Publication { state: PostState::Draft, visibility, at: self.at },
            _ => Publication::at(self.at.unwrap_or_else(now), visibility),
        }
    }

    /// What becomes of a post that stands. Published again, it keeps its time; what was planned for later
    /// is published at once, unless this says when.
    pub fn of(&self, standing: &Publication) -> Publication {
        let visibility = self.visibility.unwrap_or(standing.visibility);
        // The fields of forms know no seconds.
        let typed = self.at.map(|at| match standing.at {
            Some(old) if at == old || Some(at) == old.duration_trunc(Duration::minutes(1)).ok() => {
                old
            }
            _ => at,
        });
        let at = typed.or(standing.at);
        match self.publishes {
            Some(true) => {
                let at = typed.or(at.filter(|at| *at <= now()));
                Publication::at(at.unwrap_or_else(now), visibility)
            }
            None if standing.state != PostState::Draft => {
                Publication::at(at.unwrap_or_else(now), visibility)
            }
            _ => Publication { state: PostState::Draft, visibility, at },
        }
    }
}

/// The state of a post, who may read it, and when it was or will be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    pub state: PostState,
    pub visibility: Visibility,
    pub at: Option<DateTime<Utc>>,
}

impl Publication {
    /// Published at this time, which may be to come.
    pub fn at(at: DateTime<Utc>, visibility: Visibility) -> Publication {
        let state = if at > now() { PostState::Scheduled } else { PostState::Published };
        Publication { state, visibility, at: Some(at) }
    }

    /// The key of lists: null unless the post is published for everybody.
    pub fn listed_at(&self) -> Option<DateTime<Utc>> {
        let is_listed = self.state == PostState::Published && self.visibility == Visibility::Public;
        self.at.filter(|_| is_listed)
    }
}

/// Browsers send an empty text for a field that nobody filled in.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// As RFC 3339, or as a browser's field for date and time sends it, in UTC.
fn parse_time(text: &str) -> Result<DateTime<Utc>> {
    let local = |text: &str| {
        let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    let time = DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .ok()
        .or_else(|| local(text).map(|time| time.and_utc()));
    let Some(time) = time else { return Err(Error::invalid("published_at", Rule::Malformed)) };
    // As both engines keep it.
    let time = time.trunc_subsecs(6);
    // Lists count from 1970; what is planned for another century is a mistake.
    if time.year() < 1970 || time > now() + Duration::days(MAX_DAYS_AHEAD) {
        return Err(Error::invalid("published_at", Rule::OutOfRange));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_those_of_forms() {
        let expected = "2026-11-28T12:30:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in ["2026-11-28T12:30:00Z", "2026-11-28T13:30:00+01:00", "2026-11-28T12:30"] {
            assert_eq!(parse_time(text).unwrap(), expected, "{text}");
        }
        for text in
            ["tomorrow", "2026-11-28", "1969-12-31T23:59", "2999-01-01T00:00", "2026-02-30T00:00"]
        {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_is_published_for_everybody_is_listed() {
        let (past, future) = (now() - Duration::days(1), now() + Duration::days(1));
        assert_eq!(Publication::at(past, Visibility::Public).listed_at(), Some(past));
        assert_eq!(Publication::at(future, Visibility::Public).listed_at(), None);
        for visibility in [Visibility::Unlisted, Visibility::Members, Visibility::Private] {
            assert_eq!(Publication::at(past, visibility).listed_at(), None);
        }
    }
}
