#!/bin/sh
# Makes the two roles and the database, once, when PostgreSQL starts on an empty volume. Neither is a
# superuser: the owner migrates, the application cannot change what is append-only.
set -eu
: "${OWNER_PASSWORD:?is missing in deploy/database.env}"
: "${APPLICATION_PASSWORD:?is missing in deploy/database.env}"
psql -v ON_ERROR_STOP=1 -v owner="$OWNER_PASSWORD" -v app="$APPLICATION_PASSWORD" \
     --username postgres --dbname postgres <<'SQL'
CREATE ROLE revampd_owner LOGIN PASSWORD :'owner';
CREATE ROLE revampd_app LOGIN PASSWORD :'app';
CREATE DATABASE revampd OWNER revampd_owner;
SQL
