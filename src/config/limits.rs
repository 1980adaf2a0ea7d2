//! The limits in the configuration.

use crate::error::Fatal;
use crate::models::base::rate_policy::{MAX_WINDOW, RateLimits};

/// Parses changes to the default limits, such as `posts=20/h, login-account=5/10m`: a name, how
/// often, and a time in seconds, minutes, hours or days.
pub fn parse(text: &str) -> Result<RateLimits, Fatal> {
    let mut limits = RateLimits::default();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let wrong = || {
            Fatal(format!(
                "POSTLY_LIMITS must have entries such as posts=60/h or code=5/5m, \
                 up to a day, not {entry:?}"
            ))
        };
        let (name, limit) = entry.split_once('=').ok_or_else(wrong)?;
        let (quota, window) = parse_limit(limit.trim()).ok_or_else(wrong)?;
        if !limits.set(name.trim(), quota, window) {
            let names: Vec<&str> = limits.all().iter().map(|limit| limit.name).collect();
            return Err(Fatal(format!(
                "POSTLY_LIMITS names an unknown limit {name:?}; there are {}",
                names.join(", ")
            )));
        }
    }
    Ok(limits)
}

/// The quota, and the window in seconds.
fn parse_limit(text: &str) -> Option<(i64, i64)> {
    let (quota, window) = text.split_once('/')?;
    let quota = quota.parse::<u32>().ok()?;
    let unit = window.chars().last()?;
    let count = match &window[..window.len() - unit.len_utf8()] {
        "" => 1,
        count => count.parse::<u32>().ok()?,
    };
    let length = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => MAX_WINDOW,
        _ => return None,
    };
    let window = i64::from(count) * length;
    (1..=MAX_WINDOW).contains(&window).then_some((i64::from(quota), window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_changed_by_name() {
        assert_eq!(parse("").unwrap(), RateLimits::default());
        let limits = parse(" posts = 7/90s,login-account=3/2h, code-mails=0/d,").unwrap();
        assert_eq!(limits.posts.to_string(), "7/90s");
        assert_eq!(limits.login_account.to_string(), "3/2h");
        assert_eq!(limits.code_mails.to_string(), "0/d");
        assert_eq!(limits.edits, RateLimits::default().edits);
        for limit in RateLimits::default().all() {
            assert_eq!(parse(&format!("{}={limit}", limit.name)).unwrap(), RateLimits::default());
        }
    }

    #[test]
    fn what_is_not_a_limit_is_told() {
        let wrong = [
            "posts",
            "posts=",
            "posts=60",
            "posts=60/",
            "posts=60/w",
            "posts=-1/h",
            "posts=1/0s",
            "posts=1/2d",
            "posts=1/é",
            "posts=99999999999/h",
        ];
        for wrong in wrong {
            let Err(Fatal(why)) = parse(wrong) else { panic!("{wrong}") };
            assert!(why.starts_with("POSTLY_LIMITS must have entries such as"), "{why}");
        }
        let Err(Fatal(why)) = parse("pots=1/h") else { panic!("no such limit") };
        assert!(why.contains("\"pots\"") && why.contains(" posts,"), "{why}");
    }
}
