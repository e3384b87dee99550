#!/bin/sh
# Starts Valkey with one user, `frontdesk`, who may touch Frontdesk's keys and channels and nothing of the server.
# Of the password only the hash is written, so any sign may be in it.
set -eu
umask 077
: "${VALKEY_PASSWORD:?is empty: put a password into .env}"
conf=${VALKEY_CONF:-/etc/valkey/valkey.conf}
made=${VALKEY_MADE:-/tmp/valkey.conf}
hash=$(printf %s "$VALKEY_PASSWORD" | sha256sum | cut -d ' ' -f 1)
{
    cat "$conf"
    echo "user default reset"
    echo "user frontdesk on #$hash ~fd:* ~arq:job:* ~arq:retry:* &fd:* +@all -@admin -@dangerous +info"
} > "$made"
exec valkey-server "$made"
