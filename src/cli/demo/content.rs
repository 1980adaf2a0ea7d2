//! The content of the demo: usernames, hand-written posts and generated filler.

/// Usernames.
pub const PEOPLE: &[&str] = &[
    "mirela", "tobias-k", "nanami", "oyelaran", "ines", "farid", "signe", "wanjiru", "luca",
    "yusra", "bartek", "hine", "old_tom", "priya",
];

/// A hand-written post.
pub struct Piece {
    pub author: &'static str,
    /// Separated by commas.
    pub tags: &'static str,
    /// The title of the series, if it is in one.
    pub series: Option<&'static str>,
    pub title: &'static str,
    pub content: &'static str,
}

impl Piece {
    /// The same, as if it had been generated.
    pub fn as_filler(&self) -> Filler {
        let author = PEOPLE.iter().position(|name| *name == self.author).unwrap_or_default();
        let (title, content) = (self.title.to_owned(), self.content.to_owned());
        Filler { author, tags: self.tags, series: self.series, title, content }
    }
}

/// Parses `pieces.md`: each piece is a line `%%% author: tags`, perhaps with ` | series` at its end, a line
/// `# title`, then the text.
pub fn pieces() -> Vec<Piece> {
    include_str!("pieces.md")
        .split("%%% ")
        .filter_map(|piece| {
            let (head, rest) = piece.split_once('\n')?;
            let (author, labels) = head.split_once(": ")?;
            let (tags, series) = match labels.split_once(" | ") {
                Some((tags, series)) => (tags, Some(series)),
                None => (labels, None),
            };
            let (title, content) = rest.strip_prefix("# ")?.split_once('\n')?;
            Some(Piece { author, tags, series, title, content: content.trim() })
        })
        .collect()
}

/// Conversations below posts: each comment with the place of the one that it replies to.
pub const CONVERSATIONS: [&[(Option<usize>, &str)]; 4] = [
    &[
        (None, "I read this on the bus and missed my stop. Thank you, I think."),
        (Some(0), "Which stop? Asking as somebody who has missed most of them."),
        (Some(1), "The one by the swimming pool. I walked back *in the rain*."),
        (None, "My aunt says the same, but she says it louder."),
    ],
    &[],
    &[
        (None, "One small doubt: would it still hold in winter?"),
        (Some(0), "It did last winter. The year before that I would rather not talk about."),
        (
            None,
            "> Nobody measures it, so everybody is sure\n\nI shall put that on the wall of our office.",
        ),
    ],
    &[(None, "More of this, please.")],
];

/// What filler is about, and its tags.
const SUBJECTS: [(&str, &str); 14] = [
    ("The harbour", "sea, towns"),
    ("My neighbour's fence", "neighbours"),
    ("The second-hand piano", "music"),
    ("A wet Sunday", "weather"),
    ("The late bus", "travel, towns"),
    ("Our kitchen clock", "home"),
    ("The allotment", "garden"),
    ("A borrowed coat", "neighbours, weather"),
    ("The library stairs", "books, towns"),
    ("First frost", "garden, weather"),
    ("The paper round", "towns"),
    ("An unposted letter", "letters"),
    ("The long bridge", "travel"),
    ("Grandfather's radio", "home, music"),
];

const TURNS: [&str; 10] = [
    "in the rain",
    "before breakfast",
    "and what came of it",
    "for beginners",
    "once more",
    "without hurry",
    "from memory",
    "in eleven steps",
    "by candlelight",
    "at low water",
];

const OPENINGS: [&str; 8] = [
    "It began with a noise that nobody admitted to hearing.",
    "I had meant to write about something else today.",
    "There are two kinds of people, and on Saturday I was both.",
    "Somebody asked me about this in the queue, and I gave the short answer.",
    "For years I walked past it and thought: tomorrow.",
    "The first attempt was a failure, and so was the second, but differently.",
    "My mother maintains that it happened otherwise.",
    "You need less equipment than you think, and more time.",
];

const MIDDLES: [&str; 12] = [
    "The trick, if it is one, is to stop just before you are satisfied.",
    "We tried it with string, with wire, and at last with *patience*, which held.",
    "Nobody measures it, so everybody is sure.",
    "A boy on the wall counted aloud and got it right every time.",
    "It looks smaller in the morning, like most things.",
    "I wrote the numbers on the back of an envelope and then lost the envelope.",
    "The old hands say nothing and move their chairs a little to the left.",
    "There was **one** dry place, and the dog had it.",
    "By noon we had an audience; by one we had advice.",
    "What the manual calls optional turned out to be the point.",
    "You can hear the difference before you can see it.",
    "It cost nothing and took all day.",
];

const ENDINGS: [&str; 8] = [
    "I would do it again, with better shoes.",
    "That was in spring. It still works.",
    "We have not spoken of it since, but the gate is mended.",
    "If you know a better way, write it down before you forget.",
    "Next year, the other half.",
    "The rest you can imagine, and you will be right.",
    "It is still there, if you want to look.",
    "I kept the receipt, in case.",
];

/// A generated post.
#[derive(Debug, PartialEq, Eq)]
pub struct Filler {
    /// The place of the author in `PEOPLE`.
    pub author: usize,
    /// Separated by commas.
    pub tags: &'static str,
    /// The title of the series, if it is in one.
    pub series: Option<&'static str>,
    pub title: String,
    pub content: String,
}

/// The `n`th filler post: an index into `PEOPLE`, a title and a text. Deterministic, so that
/// benchmarks run on identical data.
pub fn filler(n: u64) -> Filler {
    let mut state = n;
    // The SplitMix64 finaliser: random enough for filler.
    let mut next = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    };
    let author = next(PEOPLE.len());
    let (subject, tags) = SUBJECTS[next(SUBJECTS.len())];
    let title = format!("{subject} {}", TURNS[next(TURNS.len())]);
    let mut content = OPENINGS[next(OPENINGS.len())].to_owned();
    for _ in 0..2 + next(3) {
        content.push_str("\n\n");
        for sentence in 0..2 + next(3) {
            if sentence > 0 {
                content.push(' ');
            }
            content.push_str(MIDDLES[next(MIDDLES.len())]);
        }
    }
    content.push_str("\n\n");
    content.push_str(ENDINGS[next(ENDINGS.len())]);
    Filler { author, tags, series: None, title, content }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::posts::tag_name;

    #[test]
    fn every_piece_is_whole_and_has_an_author() {
        let pieces = pieces();
        assert_eq!(pieces.len(), 21);
        assert_eq!(pieces.iter().filter(|piece| piece.series.is_some()).count(), 3);
        for piece in pieces {
            assert!(PEOPLE.contains(&piece.author), "{}", piece.author);
            assert!(!piece.title.is_empty() && piece.title.chars().count() <= 255);
            assert!(!piece.content.is_empty(), "{}", piece.title);
        }
    }

    #[test]
    fn filler_repeats_itself_exactly_and_varies() {
        assert_eq!(filler(7), filler(7));
        assert_ne!(filler(7).content, filler(8).content);
        assert!(
            (0..1_000).all(|n| filler(n).author < PEOPLE.len() && !filler(n).content.is_empty())
        );
    }

    #[test]
    fn the_tags_are_written_as_they_are_stored() {
        let all = pieces().into_iter().map(|piece| piece.tags);
        for tags in all.chain(SUBJECTS.iter().map(|(_, tags)| *tags)) {
            let parsed = tag_name::parse("tags", &[tags.to_owned()]).unwrap();
            assert_eq!(parsed.join(", "), tags);
        }
    }
}
