# PostgreSQL from Debian: one database, one superuser, password and TLS on, everything durable (fsync).
#
# Settings for experiments: PERDURE_POSTGRES_OPTIONS holds more `-c name=value` arguments for the server,
# PERDURE_POSTGRES_INITDB more arguments for initdb.

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$programs" ] || programs=$(dirname "$(command -v initdb || echo /nowhere/initdb)")
user=postgres

url() { cat "$home/url"; }

answers() { [ -e "$home/url" ] && "$programs/psql" "$(url)" -qAtc 'SELECT 1' >/dev/null 2>&1; }

# The certificates are made on the spot: an authority, and a server's certificate for localhost and 127.0.0.1.
make_certificates() {
    local to=$1
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=perdure test authority' \
        -keyout "$to/authority.key" -out "$to/authority.crt" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$to/server.key" -out "$to/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$to/server.ext"
    openssl x509 -req -in "$to/server.csr" -CA "$to/authority.crt" -CAkey "$to/authority.key" -CAcreateserial \
        -days 30 -extfile "$to/server.ext" -out "$to/server.crt" 2>/dev/null
    chmod 600 "$to/server.key" "$to/authority.key"
}

# launch PORT: starts the server on the data that is there and waits until it answers.
launch() {
    # shellcheck disable=SC2086
    (cd "$home" && as_user "$user" "$programs/pg_ctl" start --silent --wait --timeout 60 --pgdata "$home/data" --log "$home/log" --options "-c \
        listen_addresses=127.0.0.1 -c port=$1 -c unix_socket_directories= -c fsync=on -c synchronous_commit=on \
        -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=4GB -c jit=off \
        -c ssl=on -c ssl_ca_file=$home/authority.crt -c ssl_cert_file=$home/server.crt -c ssl_key_file=$home/server.key \
        ${PERDURE_POSTGRES_OPTIONS-}" >"$home/pg_ctl.log" 2>&1)
}

started() {
    answers || fail "PostgreSQL started but does not answer; see $home/log"
    say "postgres $("$programs/postgres" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/') answers; its log is $home/log"
    url
}

start() {
    if answers; then say "postgres runs already"; url; return; fi
    [ -x "$programs/initdb" ] || fail "PostgreSQL's server programs are missing; run script/bootstrap"
    [ "$(id -u)" -ne 0 ] || id "$user" >/dev/null 2>&1 || fail "the user '$user' is missing; run script/bootstrap"
    if [ -e "$home/url" ]; then
        # It crashed, or was killed: the same data on the same port.
        launch "$(url | sed 's/.*:\([0-9]*\)\/.*/\1/')" && { started; return; }
        say "what was left of the last server does not start; beginning anew"
    fi
    stop
    mkdir -p "$home"
    [ "$(id -u)" -ne 0 ] || chown "$user" "$home"
    chmod 755 "$home"
    local password port
    password=$(openssl rand -hex 12)
    (umask 077; printf '%s\n' "$password" >"$home/password")
    [ "$(id -u)" -ne 0 ] || chown "$user" "$home/password"
    make_certificates "$home"
    [ "$(id -u)" -ne 0 ] || chown "$user" "$home"/*.key "$home"/*.crt

    # shellcheck disable=SC2086
    (cd "$home" && as_user "$user" "$programs/initdb" ${PERDURE_POSTGRES_INITDB-} --pgdata "$home/data" --username perdure --pwfile "$home/password" \
        --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 >"$home/initdb.log" 2>&1) ||
        { tail -n 20 "$home/initdb.log" >&2; fail "initdb failed; its last lines are above"; }

    local attempt
    for attempt in 1 2 3; do
        port=$(free_port)
        if launch "$port"; then
            printf 'postgres://perdure:%s@127.0.0.1:%s/postgres\n' "$password" "$port" >"$home/url"
            started
            return
        fi
    done
    tail -n 20 "$home/log" >&2
    fail "PostgreSQL did not start; its last lines are above"
}

# The server and all its processes end at once, as when the power goes; its data stays for the next start.
crash() {
    local pid
    pid=$(head -n 1 "$home/data/postmaster.pid") || fail "postgres does not run"
    # shellcheck disable=SC2046
    kill -KILL "$pid" $(ps -o pid= --ppid "$pid") 2>/dev/null || true
    local attempt
    for attempt in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
}

stop() {
    [ -e "$home" ] || return 0
    if [ -e "$home/data/postmaster.pid" ]; then
        (cd "$home" && as_user "$user" "$programs/pg_ctl" stop --silent --wait --timeout 60 --mode immediate --pgdata "$home/data" >/dev/null 2>&1) || true
    fi
    rm -rf "$home"
    rmdir "$servers" 2>/dev/null || true
}

status() {
    answers || fail "postgres does not run"
    url
}
