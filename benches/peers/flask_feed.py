"""The feed on Flask + SQLAlchemy, served by gunicorn."""

import feed
from flask import Flask, request

app = Flask(__name__)


@app.get("/posts")
def index():
    return feed.listing()


@app.post("/posts")
def create():
    fields = request.get_json()
    return feed.write(fields["title"], fields["content"]), 201
