"""The feeds, read by the library that many readers are made with."""

import time

import feedparser
from checks import check

NAME = "iolanda"
TITLE = "On <i>tides</i> & ]]> &amp;"


def read_feeds(site):
    site.register(NAME)
    author = site.client(NAME)
    paths = []
    for title in ("The first", TITLE):
        post = {"title": title, "content": "See [the guide](/docs/guide), *please*\x1f."}
        paths.append(author.post("/posts", json=post).raise_for_status().json()["path"])
    for word in ("older", "newer"):
        author.post(f"{resource(paths[1])}/comments", json={"content": f"The **{word}** comment"}).raise_for_status()
    for format, version in (("atom", "atom10"), ("rss", "rss20")):
        check(f"feedparser reads the posts of a person as {format}", read_posts, site.url, paths, format, version)
        check(f"feedparser reads comments as {format}", read_comments, site.url, paths[1], format, version)
        check(f"feedparser reads the feed of the site as {format}", read, f"{site.url}/feed.{format}", version)


def resource(path):
    """The address of a post without the words of its title."""
    return "/".join(path.split("/")[:3])


def read(address, version):
    found = feedparser.parse(address)
    assert not found.bozo, found.bozo_exception
    assert (found.status, found.version) == (200, version), (found.status, found.version)
    assert found.feed.language == "en", found.feed
    assert [link.href for link in found.feed.links if link.rel == "self"] == [address], found.feed.links
    for entry in found.entries:
        assert entry.id.startswith(address.split("/")[0]) and entry.title and entry.link and entry.author, entry
        assert abs(time.time() - time.mktime(entry.published_parsed) + time.timezone) < 3600, entry.published
    again = feedparser.parse(address, etag=found.etag)
    assert again.status == 304, again.status
    return found


def read_posts(site, paths, format, version):
    found = read(f"{site}/users/{NAME}/feed.{format}", version)
    assert found.feed.link == f"{site}/users/{NAME}", found.feed.link
    last, first = found.entries
    assert (first.title, first.link) == ("The first", site + paths[0]), first
    assert (last.id, last.author) == (site + resource(paths[1]), NAME), last
    # Titles are plain text; feedparser takes those of RSS for HTML, as far as they look like it.
    assert "tides" in last.title and "&" in last.title, last.title
    assert f'<a href="{site}/docs/guide"' in last.content[0].value and "<em>please</em>" in last.content[0].value
    assert last.content[0].type == "text/html", last.content


def read_comments(site, path, format, version):
    found = read(f"{site}{resource(path)}/comments.{format}", version)
    texts = [entry.content[0].value for entry in found.entries]
    assert len(texts) == 2 and "<strong>newer</strong>" in texts[0] and "older" in texts[1], texts
