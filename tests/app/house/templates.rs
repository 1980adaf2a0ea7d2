//! Templates escape everything except the values reviewed here.

use std::fs;

use super::{files, root};

#[test]
fn unescaped_html_stands_only_where_it_was_reviewed() {
    // Rendered Markdown, and a QR code that we draw ourselves.
    let reviewed = [
        // Paths are built by the model from ids.
        "path | safe",
        // The origin of the configuration, which was parsed as a URL.
        "site.url | safe",
        "content_html | safe",
        "preview | safe",
        "view.qr | safe",
    ];
    for file in files(&root().join("templates"), "html") {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains("| safe") || line.contains("|safe")) {
            assert!(
                reviewed.iter().any(|known| line.contains(known)),
                "{}: {line}",
                file.display()
            );
        }
        assert!(!text.contains("<script>") && !text.contains("style=\""), "{}", file.display());
        assert!(!text.contains("autoescape false"), "{}", file.display());
    }
}
