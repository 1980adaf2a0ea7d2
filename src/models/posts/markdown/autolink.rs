//! Addresses that stand in the text as they are become links, by the rules of GitHub's Markdown.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

/// Finds addresses in the text of events, with their places in the source; not in code or links.
pub fn link<'a>(
    source: &'a str,
    events: impl Iterator<Item = (Event<'a>, Range<usize>)>,
) -> impl Iterator<Item = Event<'a>> {
    let mut events = events.peekable();
    let mut closed = 0usize;
    let mut ready = Vec::new().into_iter();
    std::iter::from_fn(move || {
        if let Some(event) = ready.next() {
            return Some(event);
        }
        let (event, range) = events.next()?;
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }) => closed += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image) => closed -= 1,
            Event::Text(text) if closed == 0 => {
                let mut run = vec![Piece::new(source, text, range)];
                while let Some((Event::Text(text), range)) =
                    events.next_if(|(next, _)| matches!(next, Event::Text(_)))
                {
                    run.push(Piece::new(source, text, range));
                }
                ready = linked(run).into_iter();
                return ready.next();
            }
            _ => {}
        }
        Some(event)
    })
}

/// A piece of text, and what was typed for it: an address keeps its "--" where other text gets a dash.
struct Piece<'a> {
    shown: CowStr<'a>,
    typed: Option<&'a str>,
}

impl<'a> Piece<'a> {
    fn new(source: &'a str, shown: CowStr<'a>, range: Range<usize>) -> Piece<'a> {
        let is_typographic = matches!(&*shown, "–" | "—" | "…" | "‘" | "’" | "“" | "”");
        let typed = source.get(range).filter(|typed| is_typographic && typed.is_ascii());
        // A reference such as `&ndash;` means the character.
        Piece { shown, typed: typed.filter(|typed| !typed.starts_with('&')) }
    }

    fn typed(&self) -> &str {
        self.typed.unwrap_or(&self.shown)
    }
}

fn linked(run: Vec<Piece<'_>>) -> Vec<Event<'_>> {
    let text: String = run.iter().map(Piece::typed).collect();
    let addresses = addresses(&text);
    if addresses.is_empty() {
        return run.into_iter().map(|piece| Event::Text(piece.shown)).collect();
    }
    let mut events = Vec::with_capacity(run.len() + 3 * addresses.len());
    let mut waiting = addresses.into_iter().peekable();
    let (mut start, mut covered) = (0, 0);
    for piece in run {
        let end = start + piece.typed().len();
        let mut at = covered.max(start);
        while let Some(address) = waiting.next_if(|address| address.start < end) {
            if at < address.start {
                events.push(Event::Text(text[at..address.start].to_owned().into()));
            }
            covered = address.end;
            at = covered;
            events.extend(anchor(&text[address]));
        }
        if at == start {
            events.push(Event::Text(piece.shown));
        } else if at < end {
            events.push(Event::Text(text[at..end].to_owned().into()));
        }
        start = end;
    }
    events
}

fn anchor<'a>(address: &str) -> [Event<'a>; 3] {
    let scheme = if address.starts_with(['w', 'W']) { "http://" } else { "" };
    let tag = Tag::Link {
        link_type: LinkType::Autolink,
        dest_url: format!("{scheme}{address}").into(),
        title: CowStr::Borrowed(""),
        id: CowStr::Borrowed(""),
    };
    [Event::Start(tag), Event::Text(address.to_owned().into()), Event::End(TagEnd::Link)]
}

/// Where the addresses are. Each byte is looked at a few times at most, whatever the text.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(place) = text[from..].find([':', 'w', 'W']) {
        let place = from + place;
        let (start, host) = match beginning(text, place, from) {
            Some(beginning) => beginning,
            None => {
                from = place + 1;
                continue;
            }
        };
        let name = host_name(&text[host..]);
        // What was no name of a host is not searched again.
        from = host + name.len();
        let is_mailbox = text[from..].starts_with('@');
        if !is_mailbox && is_host(name, text[start..host].ends_with("://")) {
            let end = from + rest(&text[from..]);
            let end = start + trimmed(&text[start..end]).len();
            found.push(start..end);
            from = from.max(end);
        }
    }
    found
}

/// Where an address begins that has this character in its scheme or at its front, and where its host
/// begins.
fn beginning(text: &str, place: usize, from: usize) -> Option<(usize, usize)> {
    let before = |at: usize| text[..at].chars().next_back();
    let is_word = |c: char| c.is_ascii_alphanumeric();
    if text[place..].starts_with("://") {
        let schemes = ["https", "http"].into_iter();
        let mut starts = schemes.filter_map(|scheme| {
            let start = place.checked_sub(scheme.len()).filter(|start| *start >= from)?;
            text.get(start..place)?.eq_ignore_ascii_case(scheme).then_some(start)
        });
        let start = starts.next()?;
        return (!before(start).is_some_and(is_word)).then_some((start, place + 3));
    }
    let is_www = text.get(place..place + 4).is_some_and(|www| www.eq_ignore_ascii_case("www."));
    // Part of a longer name or path, or of a mailbox.
    let goes_on = |c: char| is_word(c) || matches!(c, '/' | '.' | '@' | '-' | ':');
    (is_www && !before(place).is_some_and(goes_on)).then_some((place, place + 4))
}

/// The characters that a host's name can have, and a port.
fn host_name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')));
    &text[..end.unwrap_or(text.len())]
}

/// Whether a link can lead there: a name, in whose last two parts there is no underscore. After "www.",
/// there is a domain; `http://localhost` is one word.
fn is_host(name: &str, has_scheme: bool) -> bool {
    let name = name.trim_end_matches(['.', '-', '_']);
    let mut parts = name.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let parent = parts.next();
    let is_plain = |part: &str| !part.contains('_');
    !name.starts_with('.')
        && !last.is_empty()
        && is_plain(last)
        && parent.is_none_or(|parent| !parent.is_empty() && is_plain(parent))
        && (has_scheme || parent.is_some())
}

/// The length of what follows the host: a port and a path, up to a space, a "<", or punctuation of East
/// Asian texts, which put no space after an address.
fn rest(text: &str) -> usize {
    let is_end = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '<' | '\u{3000}'..='\u{3011}' | '！' | '（' | '）' | '，' | '：' | '；' | '？'
            )
    };
    match text.starts_with(['/', ':', '?', '#']) {
        true => text.find(is_end).unwrap_or(text.len()),
        false => 0,
    }
}

/// Without what ends the sentence around it. A closing parenthesis stays if it was opened.
fn trimmed(address: &str) -> &str {
    let count = |paren: char| address.matches(paren).count();
    let (opened, mut closed) = (count('('), count(')'));
    let mut kept = address;
    while let Some(last) = kept.chars().next_back() {
        match last {
            '?' | '!' | '.' | ',' | ':' | ';' | '*' | '_' | '~' | '\'' | '"' => {}
            '’' | '”' | '»' | '…' => {}
            ')' if closed > opened => closed -= 1,
            _ => break,
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
    kept
}
