//! The guide to the API. Its examples are the files in `examples/`, which a test runs.

use rocket::get;
use serde::Serialize;

use crate::web::{self, page, room};

room! {
    pages: [show],
}

/// The examples in one language.
#[derive(Serialize)]
struct GuideLanguage {
    /// In ids and classes of the page.
    id: &'static str,
    name: &'static str,
    sections: Vec<GuideSection>,
}

/// The example of one section of the guide.
#[derive(Serialize)]
struct GuideSection {
    /// The id of the section.
    id: &'static str,
    code: String,
}

const EXAMPLES: [(&str, &str, &str); 4] = [
    ("curl", "curl", include_str!("../../../examples/guide.sh")),
    ("python", "Python", include_str!("../../../examples/guide.py")),
    ("javascript", "JavaScript", include_str!("../../../examples/guide.mjs")),
    ("rust", "Rust", include_str!("../../../examples/guide.rs")),
];

/// The sections of an example: each begins with a comment such as `# == write ==`.
fn sections(text: &'static str) -> Vec<GuideSection> {
    let mut sections: Vec<GuideSection> = Vec::new();
    for line in text.lines() {
        let heading = line.trim_start().trim_start_matches(['#', '/']).trim();
        let heading = heading.strip_prefix("== ").and_then(|rest| rest.strip_suffix(" =="));
        match (heading, sections.last_mut()) {
            (Some(id), _) => sections.push(GuideSection { id, code: String::new() }),
            (None, Some(section)) => {
                // Those in Rust stand in a function.
                let line = if text.starts_with("//!") { line.strip_prefix("    ") } else { None }
                    .unwrap_or(line);
                section.code.push_str(line);
                section.code.push('\n');
            }
            (None, None) => {}
        }
    }
    for section in &mut sections {
        section.code.truncate(section.code.trim_end().len());
    }
    sections
}

/// The page.
#[get("/docs/guide")]
fn show() -> web::Reply {
    let languages =
        EXAMPLES.map(|(id, name, text)| GuideLanguage { id, name, sections: sections(text) });
    page("api/guide.html", serde_json::json!({ "languages": languages }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_section() {
        let ids = |text| sections(text).into_iter().map(|s| s.id).collect::<Vec<_>>();
        let all =
            ["log-in", "lists", "write", "edit", "find", "discuss", "retry", "limits", "errors"];
        for (language, _, text) in EXAMPLES {
            assert_eq!(ids(text).get(..all.len()), Some(&all[..]), "{language}");
            assert!(sections(text).iter().take(all.len()).all(|s| s.code.len() > 60), "{language}");
        }
    }
}
