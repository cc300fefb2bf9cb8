# DynamoDB Local from Maven Central, in memory. It has the service's semantics, transactions and TTL included, but does not
# throttle, does not check signatures, and deletes expired items at its own pace.
#
# The jars lie in the user's cache folder and are fetched once. Settings: PERDURE_DYNAMODB_HEAP is the JVM's heap, 384m.

. script/lib/maven.sh
version=3.1.0
jars=$(jar_folder dynamodb-local "$version")

port() { cat "$home/port"; }

url() { printf 'dynamodb://eu-central-1/states_store?endpoint=http://127.0.0.1:%s\n' "$(port)"; }

# DynamoDB Local answers a GET with an error of its own, which is answer enough; nothing else on the port would.
answers() {
    [ -e "$home/port" ] && python3 - "$(port)" <<'PYTHON' 2>/dev/null
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=2)
connection.request("POST", "/", "{}", {
    "X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20000101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"})
sys.exit(0 if connection.getresponse().status == 200 else 1)
PYTHON
}

start() {
    if answers; then say "dynamodb runs already"; url; return; fi
    command -v java >/dev/null 2>&1 || fail "Java is missing; run script/bootstrap"
    fetch_jars dynamodb-local "$version" software.amazon.dynamodb DynamoDBLocal
    stop
    mkdir -p "$home"
    local attempt wait port pid
    for attempt in 1 2 3; do
        port=$(free_port)
        (cd "$home" && exec setsid java "-Xmx${PERDURE_DYNAMODB_HEAP:-384m}" -XX:+UseSerialGC -Djava.library.path="$jars" -cp "$jars/*" \
            software.amazon.dynamodb.services.local.main.ServerRunner -inMemory -sharedDb -port "$port" -disableTelemetry \
            >"$home/log" 2>&1 </dev/null) &
        pid=$!
        printf '%s\n' "$pid" >"$home/pid"
        printf '%s\n' "$port" >"$home/port"
        for wait in $(seq 1 150); do
            if answers; then
                say "dynamodb $version answers on port $port; its log is $home/log"
                url
                return
            fi
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.2
        done
        kill "$pid" 2>/dev/null || true
    done
    tail -n 20 "$home/log" >&2
    fail "DynamoDB Local did not start; its last lines are above"
}

stop() {
    [ -e "$home" ] || return 0
    local pid
    if [ -e "$home/pid" ]; then
        pid=$(cat "$home/pid")
        # Only the process that we started: the number may belong to somebody else by now.
        if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'dynamodb.services.local'; then
            kill "$pid" 2>/dev/null || true
            for _ in $(seq 1 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
            kill -9 "$pid" 2>/dev/null || true
        fi
    fi
    rm -rf "$home"
    rmdir "$servers" 2>/dev/null || true
}

status() {
    answers || fail "dynamodb does not run"
    url
}
