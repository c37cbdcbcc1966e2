#!/bin/sh
# A database per service with two roles: the owner migrates, the service itself reads and writes rows and nothing else.
# Says the same thing every time it runs: on an empty server, on a volume of last year, after a password was changed.
#
# PGHOST, PGUSER, PGPASSWORD name the server and its administrator; USER_OWNER_PASSWORD, USER_PASSWORD and so on the
# passwords to give. Each may come by file: USER_PASSWORD_FILE=/run/secrets/user_password.
set -eu

# from_file NAME exports NAME from the file that NAME_FILE names, when one is named.
from_file() {
    eval "file=\${${1}_FILE:-}"
    [ -z "$file" ] || export "$1=$(cat "$file")"
}

from_file PGPASSWORD
for name in USER COURSE NOTIFICATION; do
    from_file "${name}_OWNER_PASSWORD"
    from_file "${name}_PASSWORD"
done

# Everybody may connect to these by default; nobody here has business in them.
psql -q -v ON_ERROR_STOP=1 -d postgres -c 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'

for name in USER COURSE NOTIFICATION; do
    eval "export OWNER_PASSWORD=\${${name}_OWNER_PASSWORD:?} APP_PASSWORD=\${${name}_PASSWORD:?}"
    database=$(echo "$name" | tr '[:upper:]' '[:lower:]')
    psql -q -v ON_ERROR_STOP=1 -d postgres -v database="$database" -v owner="${database}_owner" -v app="${database}_app" <<'SQL'
-- By the environment: what stands on a command line can be read by every process.
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'owner', :'app']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"owner" LOGIN PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN PASSWORD :'app_password';

-- An administrator who is no superuser, as hosted servers have, gives away only what is a role's it belongs to.
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
 WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"app";

\connect :"database"
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app";
-- What is there, and what the owner's migrations will yet make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"app";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"app";
SQL
    echo "database $database: ready, for ${database}_owner and ${database}_app"
done
