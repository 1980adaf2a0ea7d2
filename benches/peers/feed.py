"""The database that the Python peers share: the feed of 20 posts, and a new post."""

import os
from datetime import datetime, timezone

from sqlalchemy import ForeignKey, Index, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship

engine = create_engine(f"sqlite:///{os.environ['FEED_DATABASE']}")


@event.listens_for(engine, "connect")
def durable(connection, _record):
    """The settings that Postly's database has too."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000"):
        connection.execute(f"PRAGMA {pragma}")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]


class Post(Base):
    __tablename__ = "posts"
    __table_args__ = (Index("posts_published_at", "published_at", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    content: Mapped[str]
    excerpt: Mapped[str]
    votes: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[str]
    author: Mapped[User] = relationship()


def listing():
    newest = (
        select(Post)
        .options(joinedload(Post.author))
        .order_by(Post.published_at.desc(), Post.id.desc())
        .limit(20)
    )
    with Session(engine) as session:
        return {"items": [shown(post) for post in session.scalars(newest)]}


def write(title, content):
    with Session(engine) as session:
        author = session.get(User, 1)
        post = Post(
            author=author,
            title=title,
            content=content,
            excerpt=content[:200],
            published_at=datetime.now(timezone.utc).isoformat(),
        )
        session.add(post)
        session.commit()
        return shown(post)


def shown(post):
    return {
        "id": post.id,
        "author": post.author.username,
        "title": post.title,
        "excerpt": post.excerpt,
        "votes": post.votes,
        "published_at": post.published_at,
    }
