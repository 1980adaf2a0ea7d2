#!/bin/sh
# Creates the secrets of compose.yaml in the folder secrets/ beside it. Existing ones are kept.
set -eu
cd "$(dirname "$0")/../.."

# Nobody else can enter the folder. The files themselves can be read by the containers, whose users are
# others than yours: Docker mounts a file with its owner and its mode.
mkdir -p secrets
chmod 700 secrets

random() { head -c 48 /dev/urandom | base64 | tr -d '\n/+='; }

store() { # store NAME TEXT
  if [ -e "secrets/$1" ]; then return; fi
  printf '%s\n' "$2" >"secrets/$1"
  chmod 444 "secrets/$1"
  echo "created secrets/$1"
}

store postgres_password "$(random)" # the superuser of the database
store database_password "$(random)" # Postly and the backups
store secret_key "$(random)"        # signs the tokens of Postly
store pgadmin_password "$(random)"  # logs in to pgAdmin
# With this file, pgAdmin does not ask for the password of the database.
store pgpass "*:*:*:postly:$(cat secrets/database_password)"
