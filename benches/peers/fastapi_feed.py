"""The feed on FastAPI + SQLAlchemy, served by uvicorn."""

import feed
from fastapi import FastAPI
from pydantic import BaseModel


class NewPost(BaseModel):
    title: str
    content: str


class ShownPost(BaseModel):
    id: int
    author: str
    title: str
    excerpt: str
    votes: int
    published_at: str


class Page(BaseModel):
    items: list[ShownPost]


app = FastAPI()


@app.get("/posts")
def index() -> Page:
    return feed.listing()


@app.post("/posts", status_code=201)
def create(post: NewPost) -> ShownPost:
    return feed.write(post.title, post.content)
