"""The guide's examples. They read POSTLY_URL, POSTLY_USER and POSTLY_PASSWORD."""

# == log-in ==
import json, os, time, urllib.error, urllib.request, uuid
from urllib.parse import urlencode

API = os.environ["POSTLY_URL"] + "/api/v1"
token = None

def ask(method, path, body=None, headers={}):
    """Returns the status, the headers and the JSON of an answer."""
    headers = {"Content-Type": "application/json", **headers}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, headers, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.loads(answer.read() or "null")

login = {"username": os.environ["POSTLY_USER"], "password": os.environ["POSTLY_PASSWORD"]}
token = ask("POST", "/auth/login", login)[2]["access_token"]
print("user", ask("GET", "/me")[2]["username"])

# == lists ==
count, path = 0, "/posts?limit=2"
while path:
    page = ask("GET", path)[2]
    count += len(page["items"])
    path = f"/posts?limit=2&before={page['next']}" if page["next"] else None
print("posts", count)

# == write ==
post = {"title": "On tides", "content": "The sea comes *twice* a day.", "tags": ["sea"]}
status, headers, written = ask("POST", "/posts", post)
print("title", written["title"])

# == edit ==
path = f"/posts/{written['id']}"
tag = {"If-Match": ask("GET", path)[1]["ETag"]}
print("edit", ask("PUT", path, {"content": "The sea comes and goes."}, tag)[0])
# The tag is that of the first version: somebody could have saved another one.
print("stale", ask("PUT", path, {"content": "The sea goes."}, tag)[0])

# == find ==
name = login["username"]
query = urlencode({"sort": "top", "period": "week", "tag": "sea", "author": name})
print("tagged", ask("GET", f"/posts?{query}")[2]["items"][0]["title"])
query = urlencode({"q": f"comes tag:sea author:{name}"})
found = ask("GET", f"/search?{query}")[2]["items"][0]
print("found", "".join(part["text"] for part in found["title"]))
print("hit", [part["text"] for part in found["excerpt"] if part["hit"]][0])

# == discuss ==
first = ask("POST", f"{path}/comments", {"content": "Twice?"})[2]
ask("POST", f"{path}/comments", {"content": "*Twice.*", "parent_id": first["id"]})
for comment in ask("GET", f"{path}/comments?sort=best")[2]["items"]:
    print(f"depth {comment['depth']}: {comment['content']}")

# == retry ==
def publish(post, key):
    while True:
        try:
            status, headers, answer = ask("POST", "/posts", post, {"Idempotency-Key": key})
        except OSError:
            time.sleep(1)  # Nobody knows whether the request arrived.
            continue
        if status not in (429, 503) and answer.get("code") != "idempotency_key.in_use":
            return answer
        time.sleep(int(headers["Retry-After"]))

key = str(uuid.uuid4())
print("once", str(publish(post, key) == publish(post, key)).lower())

# == limits ==
status, headers, answer = ask("POST", "/posts/preview", post)
print("left", headers["RateLimit"])

# == errors ==
status, headers, problem = ask("POST", "/posts", {"title": ""})
print("code", problem["code"])
for error in problem["errors"]:
    print(f"{error['field']}: {error['message']}")
