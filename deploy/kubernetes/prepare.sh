#!/usr/bin/env bash
# Prints what the manifests refer to and do not contain: Secrets with fresh passwords and keys, the bootstrap script,
# where the database server is. Nothing here reaches a cluster or a file by itself:
#
#     PGPASSWORD=… deploy/kubernetes/prepare.sh --host db.internal --admin postgres --ca ca.pem | kubectl -n lyceum create -f -
#
# With --ca, a file of certificates, every connection verifies the server's name against them (sslmode=verify-full).
# PGPASSWORD is the administrator's password; without one it is made up, for a server that is yet to start.
# `create` refuses what is there already: a second run never replaces a password by accident.
set -euo pipefail
cd "$(dirname "$0")/../.."

host='' port=5432 admin=postgres ca=''
while (($# > 0)); do
    case $1 in
        --host) host=$2 ;;
        --port) port=$2 ;;
        --admin) admin=$2 ;;
        --ca) ca=$2 ;;
        *) echo "prepare.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
[[ -n $host ]] || { echo "prepare.sh: --host is missing" >&2 && exit 2; }

random() { openssl rand -hex 24; }

# object KIND NAME KEY=VALUE… prints a Secret or a ConfigMap. JSON is YAML, and quotes everything.
quoted() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\t'/\\t}
    printf '"%s"' "${text//$'\n'/\\n}"
}
object() {
    local kind=$1 name=$2 field=data entry separator=''
    [[ $kind == ConfigMap ]] || field=stringData
    printf -- '---\napiVersion: v1\nkind: %s\nmetadata: {name: %s, labels: {app.kubernetes.io/part-of: lyceum}}\n%s: {' "$kind" "$name" "$field"
    shift 2
    for entry in "$@"; do
        # A failing command inside an argument stops nothing; an empty secret must not get out.
        [[ -n ${entry#*=} ]] || { echo "prepare.sh: no value for ${entry%%=*}" >&2 && exit 1; }
        printf '%s\n  %s: %s' "$separator" "${entry%%=*}" "$(quoted "${entry#*=}")"
        separator=,
    done
    printf '\n}\n'
}

tls='' server=("PGHOST=$host" "PGPORT=$port" "PGUSER=$admin")
if [[ -n $ca ]]; then
    tls='?sslmode=verify-full&sslrootcert=/run/database-ca/ca.crt'
    server+=(PGSSLMODE=verify-full PGSSLROOTCERT=/run/database-ca/ca.crt)
    object ConfigMap database-ca "ca.crt=$(cat "$ca")"
fi
object ConfigMap database-server "${server[@]}"
object ConfigMap database-bootstrap "bootstrap.sh=$(cat deploy/postgres/bootstrap.sh)"

passwords=("admin_password=${PGPASSWORD:-$(random)}")
for service in user course notification; do
    password=$(random) owner_password=$(random)
    passwords+=("${service}_password=$password" "${service}_owner_password=$owner_password")
    # The service reads and writes rows, the owner migrates. They are apart so that reading one is not reading the other.
    object Secret "$service-database" "url=postgres://${service}_app:$password@$host:$port/$service$tls"
    object Secret "$service-database-owner" "url=postgres://${service}_owner:$owner_password@$host:$port/$service$tls"
done
object Secret database-bootstrap "${passwords[@]}"
object Secret service-auth "secrets=$(random)"
object Secret user-tokens "signing_key=$(openssl rand -base64 32)"
object Secret user-admin "password=${ADMIN_PASSWORD:-$(random)}"
