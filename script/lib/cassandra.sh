# Apache Cassandra from Maven Central as plain JVM processes on loopback; sourced by the servers made of it.
#
# Settings: PERDURE_CASSANDRA_HEAP is each JVM's heap, 768m; PERDURE_CASSANDRA_SYNC how the commit log is written: `batch`,
# the usual here, before a write is acknowledged; `periodic`, as Cassandra comes, a moment later, so that killing a node may
# take its last writes with it.
#
# A server sets before it sources this file: nodes, how many; secured, 1 for passwords and TLS, or empty; compiler, options of
# the JVM's compiler.

. script/lib/maven.sh
cassandra_version=5.0.6
cassandra_jars=$(jar_folder cassandra "$cassandra_version")

# On every node the same two ports, of 127.0.0.1, 127.0.0.2, ...
native_port() { sed -n 1p "$home/ports"; }
storage_port() { sed -n 2p "$home/ports"; }
address() { printf '127.0.0.%s\n' "$1"; }

# free_ports: two ports that nothing listens on, on any of the nodes' addresses.
free_ports() {
    python3 - "$nodes" <<'PYTHON'
import socket, sys
addresses = [f"127.0.0.{node + 1}" for node in range(int(sys.argv[1]))]
found, held = [], []
for _ in range(100):
    first = socket.socket()
    first.bind((addresses[0], 0))
    held.append(first)
    port = first.getsockname()[1]
    try:
        for address in addresses[1:]:
            other = socket.socket()
            other.bind((address, port))
            held.append(other)
    except OSError:
        continue
    found.append(port)
    if len(found) == 2:
        print(*found, sep="\n")
        sys.exit(0)
sys.exit("found no free ports")
PYTHON
}

url() {
    local hosts
    hosts=$(for node in $(seq "$nodes"); do address "$node"; done | paste -sd ,)
    # The port belongs to the host before it; hosts without one have that of the last.
    if [ -n "$secured" ]; then
        printf 'cassandra://cassandra:cassandra@%s:%s/perdure?tls=verify&ca_file=%s\n' "$hosts" "$(native_port)" "$home/authority.crt"
    else
        printf 'cassandra://%s:%s/perdure\n' "$hosts" "$(native_port)"
    fi
}

# answers NODE [PEERS]: whether it takes requests, and knows so many others.
answers() {
    [ -e "$home/ports" ] || return 1
    local more=()
    [ -z "$secured" ] || more=(--user cassandra --password cassandra --authority "$home/authority.crt")
    [ -z "${2-}" ] || more+=(--peers "$2")
    python3 script/lib/cassandra-answers.py "$(address "$1")" "$(native_port)" ${more[@]+"${more[@]}"} 2>/dev/null
}

# An authority, and a certificate for the nodes' addresses and localhost, as a keystore that the JVM reads.
make_certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=perdure test authority' \
        -keyout "$home/authority.key" -out "$home/authority.crt" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$home/server.key" -out "$home/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3\n' >"$home/server.ext"
    openssl x509 -req -in "$home/server.csr" -CA "$home/authority.crt" -CAkey "$home/authority.key" -CAcreateserial \
        -days 30 -extfile "$home/server.ext" -out "$home/server.crt" 2>/dev/null
    openssl pkcs12 -export -in "$home/server.crt" -inkey "$home/server.key" -name node -passout pass:perdure -out "$home/server.p12"
    chmod 600 "$home"/*.key "$home/server.p12"
}

configure() { # NODE
    local folder=$home/node$1 sync
    mkdir -p "$folder"
    case "${PERDURE_CASSANDRA_SYNC:-batch}" in
        batch) sync='commitlog_sync: batch' ;;
        periodic) sync=$'commitlog_sync: periodic\ncommitlog_sync_period: 10000ms' ;;
        *) fail "PERDURE_CASSANDRA_SYNC is batch or periodic, not '$PERDURE_CASSANDRA_SYNC'" ;;
    esac
    cat >"$folder/cassandra.yaml" <<YAML
cluster_name: perdure
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
num_tokens: 16
$sync
commitlog_directory: $folder/commitlog
data_file_directories: [$folder/data]
saved_caches_directory: $folder/saved_caches
hints_directory: $folder/hints
cdc_raw_directory: $folder/cdc_raw
endpoint_snitch: SimpleSnitch
listen_address: $(address "$1")
rpc_address: $(address "$1")
storage_port: $(storage_port)
native_transport_port: $(native_port)
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "$(address 1):$(storage_port)"
memtable_heap_space: 128MiB
auto_snapshot: false
auto_bootstrap: false
user_defined_functions_enabled: false
YAML
    # A node that shares a small machine is slow at times, not overloaded. Where nodes get killed, the others must notice soon.
    [ "$nodes" -gt 1 ] || cat >>"$folder/cassandra.yaml" <<YAML
read_request_timeout: 10s
range_request_timeout: 20s
write_request_timeout: 10s
cas_contention_timeout: 10s
request_timeout: 20s
YAML
    [ -z "$secured" ] || cat >>"$folder/cassandra.yaml" <<YAML
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
# Rights that a test gives or takes count at once.
roles_validity: 0ms
permissions_validity: 0ms
client_encryption_options:
  enabled: true
  optional: false
  keystore: $home/server.p12
  keystore_password: perdure
  store_type: PKCS12
YAML
    cat >"$folder/logback.xml" <<XML
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
XML
}

# The modules of the JDK that Cassandra looks into.
exports=(java.base/jdk.internal.misc java.base/java.lang.ref java.management.rmi/com.sun.jmx.remote.internal.rmi
    java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql jdk.unsupported/sun.misc)
opens=(java.base/java.lang java.base/java.lang.module java.base/java.io java.base/java.nio java.base/java.util
    java.base/java.util.concurrent java.base/java.util.concurrent.atomic java.base/sun.nio.ch java.base/jdk.internal.loader
    java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
    java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal)

# launch NODE: starts a node on the data that is there, and does not wait.
launch() {
    local folder=$home/node$1 options=() module
    for module in "${exports[@]}"; do options+=("--add-exports=$module=ALL-UNNAMED"); done
    for module in "${opens[@]}"; do options+=("--add-opens=$module=ALL-UNNAMED"); done
    (cd "$folder" && exec setsid java -Xms512m "-Xmx${PERDURE_CASSANDRA_HEAP:-768m}" -XX:+UseSerialGC -Xss512k $compiler \
        -Djdk.attach.allowAttachSelf=true "${options[@]}" \
        "-Dcassandra.config=file:$folder/cassandra.yaml" "-Dcassandra.storagedir=$folder" \
        "-Dlogback.configurationFile=file:$folder/logback.xml" \
        -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=100 -Dcassandra-foreground=yes \
        -Dcassandra.superuser_setup_delay_ms=0 \
        -cp "$cassandra_jars/*" org.apache.cassandra.service.CassandraDaemon >>"$folder/log" 2>&1 </dev/null) &
    printf '%s\n' "$!" >"$folder/pid"
}

# pid NODE: the process of a node, if it is still the one that we started.
pid() {
    local number
    number=$(cat "$home/node$1/pid" 2>/dev/null) || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$number/cmdline" | grep -qxF -- "-Dcassandra.storagedir=$home/node$1" || return 1
    printf '%s\n' "$number"
}

# wait_for NODE [PEERS]: until it answers.
wait_for() {
    local attempt
    for attempt in $(seq 240); do
        if answers "$@"; then return; fi
        if ! pid "$1" >/dev/null; then break; fi
        sleep 0.25
    done
    tail -n 20 "$home/node$1/log" >&2
    return 1
}

# check_node [NODE]: refuses a number that no node has.
check_node() {
    [ -z "${1-}" ] || { [[ $1 =~ ^[0-9]$ ]] && [ "$1" -ge 1 ] && [ "$1" -le "$nodes" ]; } || fail "there are nodes 1 to $nodes, none '$1'"
}

# start [NODE]: all nodes, or one that was crashed.
start() {
    check_node "${1-}"
    command -v java >/dev/null 2>&1 || fail "Java is missing; run script/bootstrap"
    fetch_jars cassandra "$cassandra_version" org.apache.cassandra cassandra-all
    local node attempt
    if [ -e "$home/ports" ]; then
        # What crashed comes up on its own data and port.
        for node in ${1:-$(seq "$nodes")}; do
            if pid "$node" >/dev/null; then say "$name: node $node runs already"; else launch "$node"; fi
            wait_for "$node" || fail "node $node did not start; its last lines are above"
        done
        url
        return
    fi
    [ -z "${1-}" ] || fail "$name does not run; start all of it first"
    for attempt in 1 2 3; do
        stop
        mkdir -p "$home"
        free_ports >"$home/ports"
        [ -z "$secured" ] || make_certificates
        for node in $(seq "$nodes"); do
            configure "$node"
            launch "$node"
            # The first is whom the others ask.
            [ "$node" -gt 1 ] || wait_for 1 || continue 2
        done
        for node in $(seq "$nodes"); do wait_for "$node" $((nodes - 1)) || continue 2; done
        say "cassandra $cassandra_version answers on $nodes node(s), port $(native_port); their logs are $home/node*/log"
        url
        return
    done
    fail "Cassandra did not start; its last lines are above"
}

# crash [NODE]: all nodes, or one.
crash() {
    check_node "${1-}"
    local node number attempt
    for node in ${1:-$(seq "$nodes")}; do
        number=$(pid "$node") || fail "node $node does not run"
        kill -KILL "$number" 2>/dev/null || true
        for attempt in $(seq 100); do kill -0 "$number" 2>/dev/null || break; sleep 0.05; done
    done
}

# There is nothing to be saved: the data goes.
stop() {
    [ -e "$home" ] || return 0
    local node number attempt
    for node in $(seq "$nodes"); do
        if number=$(pid "$node"); then
            kill -KILL "$number" 2>/dev/null || true
            for attempt in $(seq 100); do kill -0 "$number" 2>/dev/null || break; sleep 0.05; done
        fi
    done
    rm -rf "$home"
    rmdir "$servers" 2>/dev/null || true
}

# status [NODE]
status() {
    check_node "${1-}"
    local node
    for node in ${1:-$(seq "$nodes")}; do answers "$node" || fail "$name: node $node does not run"; done
    url
}
