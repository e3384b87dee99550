#!/bin/sh
# Starts Valkey with the users of valkey-users.acl, who may touch Frontdesk's keys and channels and nothing of the
# server. Of a password only the hash is written, so any sign may be in it.
set -eu
umask 077
: "${VALKEY_BOT_PASSWORD:?is empty: put a password into .env}"
: "${VALKEY_WORKER_PASSWORD:?is empty: put a password into .env}"
conf=${VALKEY_CONF:-/etc/valkey/valkey.conf}
users=${VALKEY_USERS:-/etc/valkey/users.acl}
made=${VALKEY_MADE:-/tmp/valkey.conf}
hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
{
    cat "$conf"
    sed -e "s/BOT_PASSWORD_SHA256/$(hash "$VALKEY_BOT_PASSWORD")/" \
        -e "s/WORKER_PASSWORD_SHA256/$(hash "$VALKEY_WORKER_PASSWORD")/" "$users"
} > "$made"
exec valkey-server "$made"
