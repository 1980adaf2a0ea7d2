#!/bin/sh
# The guide's examples with curl and jq. They read POSTLY_URL, POSTLY_USER and POSTLY_PASSWORD.
set -eu

# == log-in ==
api="$POSTLY_URL/api/v1"
login=$(jq -n '{username: env.POSTLY_USER, password: env.POSTLY_PASSWORD}')
token=$(curl -fsS --json "$login" "$api/auth/login" | jq -r .access_token)
curl -fsS -H "Authorization: Bearer $token" "$api/me" | jq -r '"user " + .username'

# == lists ==
count=0 next=
while :; do
  page=$(curl -fsS "$api/posts?limit=2${next:+&before=$next}")
  count=$((count + $(printf %s "$page" | jq '.items | length')))
  next=$(printf %s "$page" | jq -r '.next // empty')
  [ -n "$next" ] || break
done
echo "posts $count"

# == write ==
post='{"title": "On tides", "content": "The sea comes *twice* a day.", "tags": ["sea"]}'
written=$(curl -fsS -H "Authorization: Bearer $token" --json "$post" "$api/posts")
id=$(printf %s "$written" | jq .id)
printf %s "$written" | jq -r '"title " + .title'

# == edit ==
tag=$(curl -fsS -o /dev/null -D - "$api/posts/$id" |
  tr -d '\r' | sed -n 's/^etag: //Ip')
edit() {
  curl -sS -o /dev/null -w '%{http_code}' -X PUT "$api/posts/$id" \
    -H "Authorization: Bearer $token" -H "If-Match: $tag" --json "$1"
}
echo "edit $(edit '{"content": "The sea comes and goes."}')"
# The tag is that of the first version: somebody could have saved another one.
echo "stale $(edit '{"content": "The sea goes."}')"

# == find ==
curl -fsS "$api/posts?sort=top&period=week&tag=sea&author=$POSTLY_USER" |
  jq -r '"tagged " + .items[0].title'
curl -fsS -G --data-urlencode "q=comes tag:sea author:$POSTLY_USER" "$api/search" |
  jq -r '.items[0] | "found " + ([.title[].text] | join("")),
    (.excerpt[] | select(.hit) | "hit " + .text)'

# == discuss ==
comments="$api/posts/$id/comments"
comment() {
  curl -fsS -H "Authorization: Bearer $token" --json "$1" "$comments"
}
first=$(comment '{"content": "Twice?"}' | jq .id)
comment "{\"content\": \"*Twice.*\", \"parent_id\": $first}" >/dev/null
curl -fsS "$comments?sort=best" | jq -r '.items[] | "depth \(.depth): \(.content)"'

# == retry ==
key=$(cat /proc/sys/kernel/random/uuid)
publish() {
  curl -fsS --retry 5 -H "Authorization: Bearer $token" \
    -H "Idempotency-Key: $key" --json "$post" "$api/posts"
}
# curl repeats after 408, 429 and 5xx, and waits as long as Retry-After says.
first=$(publish | jq .id)
again=$(publish | jq .id)
[ "$first" = "$again" ] && echo "once true"

# == limits ==
curl -fsS -o /dev/null -D - -H "Authorization: Bearer $token" \
  --json "$post" "$api/posts/preview" | tr -d '\r' | sed -n 's/^ratelimit: /left /Ip'

# == errors ==
curl -sS -H "Authorization: Bearer $token" --json '{"title": ""}' "$api/posts" |
  jq -r '"code " + .code, (.errors[] | .field + ": " + .message)'
