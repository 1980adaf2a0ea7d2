#!/bin/bash
# Runs once, when the database is made: a role for Postly that owns its database and nothing else.
set -euo pipefail
password=$(</run/secrets/database_password)
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set "password=$password" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE postly LOGIN PASSWORD :'password';
CREATE DATABASE postly OWNER postly;
REVOKE ALL ON DATABASE postly FROM PUBLIC;
SQL
