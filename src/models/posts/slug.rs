//! The readable part of a post's address: made from its title, unless the author has chosen one. The
//! number before it finds the post, so two posts may have the same.

use crate::error::{Error, Result};
use crate::validation::{FieldError, Rule};

/// Longest slug, in characters, which are all ASCII.
pub const MAX_LENGTH: usize = 60;

/// Longest text from which a slug is made, in characters.
const MAX_INPUT: usize = 255;

/// For titles of which nothing is left.
const FALLBACK: &str = "post";

/// What stands at `/posts/<id>/…` besides the post itself, now or as the API foresees it. A test compares
/// it with the routes.
pub const RESERVED: [&str; 12] = [
    "bookmark",
    "comments",
    "draft",
    "edit",
    "new",
    "preview",
    "publication",
    "revisions",
    "shares",
    "vote",
    "votes",
    "watch",
];

/// The slug of a post: the one that was chosen, or else (if that is empty) one made from the title.
pub fn of(chosen: &str, title: &str) -> String {
    let slug = if chosen.is_empty() { shorten(&slugify(title)) } else { chosen.to_owned() };
    if RESERVED.contains(&slug.as_str()) {
        return format!("{slug}-{FALLBACK}");
    }
    if slug.is_empty() { FALLBACK.to_owned() } else { slug }
}

/// A chosen slug in its normal form; empty if the title is to make it.
///
/// # Errors
/// `Invalid`, about `slug`, when it is too long or nothing of it can stand in an address.
pub(super) fn parse(text: &str) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length > MAX_INPUT {
        return Err(too_long(length));
    }
    let slug = slugify(text);
    match slug.len() {
        0 if !text.is_empty() => Err(Error::invalid("slug", Rule::Malformed)),
        length if length > MAX_LENGTH => Err(too_long(length)),
        _ => Ok(slug),
    }
}

/// Lower-case words of ASCII letters and digits with `-` between them.
fn slugify(text: &str) -> String {
    slug::slugify(text.replace(['\'', '’'], ""))
}

fn too_long(actual: usize) -> Error {
    FieldError::new("slug", Rule::TooLong).with("max", MAX_LENGTH).with("actual", actual).into()
}

/// What to store of a chosen slug: one that the title makes anyway goes on following it.
pub(super) fn to_store(chosen: String, title: &str) -> String {
    if chosen == of("", title) { String::new() } else { chosen }
}

/// At most `MAX_LENGTH` characters, and whole words if they leave half of it.
fn shorten(slug: &str) -> String {
    let Some(start) = slug.get(..=MAX_LENGTH) else { return slug.to_owned() };
    match start.rfind('-') {
        Some(end) if end >= MAX_LENGTH / 2 => start[..end].to_owned(),
        _ => start[..MAX_LENGTH].trim_end_matches('-').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LENGTH, of, parse};

    #[test]
    fn a_title_makes_a_slug() {
        for (title, slug) in [
            ("On tides", "on-tides"),
            ("  What’s new in 2026?  ", "whats-new-in-2026"),
            ("Über Größe & Maß", "uber-grosse-mass"),
            ("Привет, мир", "privet-mir"),
            ("北京", "bei-jing"),
            ("", "post"),
            ("!!!", "post"),
            ("Edit", "edit-post"),
            ("Votes!", "votes-post"),
        ] {
            assert_eq!(of("", title), slug, "{title}");
        }
    }

    #[test]
    fn a_long_title_is_cut_between_words() {
        let title = "word ".repeat(51);
        let slug = of("", &title);
        assert!(slug.len() <= MAX_LENGTH && slug.ends_with("-word"), "{slug}");
        assert_eq!(of("", &"x".repeat(255)).len(), MAX_LENGTH);
        assert!(of("", &"\u{1F469}".repeat(255)).len() <= MAX_LENGTH);
    }

    #[test]
    fn a_chosen_slug_is_brought_into_its_normal_form() {
        assert_eq!(parse(" My Slug/../x ").unwrap(), "my-slug-x");
        assert_eq!(parse("").unwrap(), "");
        assert_eq!(of("edit", "On tides"), "edit-post");
        assert_eq!(of("chosen", "On tides"), "chosen");
        assert!(parse("???").is_err() && parse(&"x".repeat(61)).is_err());
    }
}
