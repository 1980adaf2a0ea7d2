#!/bin/bash
# Dumps of the database, for the service "backup" of compose.yaml.
#
#   docker compose exec backup backup now             # one more, at once
#   docker compose exec backup backup list
#   docker compose exec backup backup restore FILE    # replaces everything; stop Postly before
#
# "schedule" is what the service runs, "check" its health check.
set -euo pipefail
folder=${BACKUP_FOLDER:-/backups}
at=${BACKUP_TIME:-03:15}
keep=${BACKUP_KEEP:-14}
[[ $at =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]] || { echo "BACKUP_TIME must be a time such as 03:15" >&2; exit 2; }
[[ $keep =~ ^[1-9][0-9]*$ ]] || { echo "BACKUP_KEEP must be a number from 1 up" >&2; exit 2; }
PGPASSWORD=$(<"${PGPASSWORD_FILE:?}")
export PGPASSWORD
# Dumps hold addresses and hashes of passwords.
umask 077

dumps() { find "$folder" -maxdepth 1 -name 'postly-*.dump' | sort -r; } # the newest first

# A file is called .dump only when it is complete and its table of contents can be read.
now() {
  local name part
  name=$folder/postly-$(date -u +%Y%m%dT%H%M%SZ).dump
  part=$name.part
  rm -f "$folder"/*.part
  pg_dump --format=custom --file="$part"
  pg_restore --list "$part" >/dev/null
  sync "$part"
  mv "$part" "$name"
  echo "backup: $name, $(stat -c %s "$name") bytes"
  dumps | tail -n +$((keep + 1)) | while read -r old; do
    rm "$old"
    echo "backup: deleted $old"
  done
}

# The last time at which there should have been a dump, in seconds since 1970.
scheduled() {
  local today
  today=$(date -u -d "today $at" +%s)
  if [ "$today" -gt "$(date +%s)" ]; then today=$((today - 86400)); fi
  echo "$today"
}

is_due() {
  local newest
  newest=$(dumps | head -n 1)
  [ -z "$newest" ] || [ "$(stat -c %Y "$newest")" -lt "$(scheduled)" ]
}

schedule() {
  trap 'exit 0' TERM INT
  while :; do
    # A failure is in the log and in the health check, and is tried again.
    if is_due && ! now; then echo 'backup: failed; next try in a minute' >&2; fi
    sleep 60 &
    wait $!
  done
}

# Fails an hour after a dump should have been there.
check() {
  local newest
  newest=$(dumps | head -n 1)
  [ -n "$newest" ] || { echo 'there is no backup yet'; exit 1; }
  if is_due && [ "$(date +%s)" -gt $(($(scheduled) + 3600)) ]; then
    echo "the last backup is $newest"
    exit 1
  fi
}

restore() {
  local file=${1:?which file}
  pg_restore --clean --if-exists --single-transaction --exit-on-error --dbname="${PGDATABASE:-postly}" "$file"
  echo "restored $file"
}

case ${1:-} in
  schedule | now | check) "$1" ;;
  list) dumps ;;
  restore) restore "${2:-}" ;;
  *) echo "usage: backup now|list|restore FILE" >&2; exit 2 ;;
esac
