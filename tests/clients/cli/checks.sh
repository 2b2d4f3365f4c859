#!/usr/bin/env bash
# Checks of the mariadb command line: every check is a run of its own, told by status and output.
set -uo pipefail

readonly LONGEST_TEXT=300
# The client of MariaDB 11.4 and later insists on TLS and on a certificate that it can verify, unless told otherwise.
tls=(--skip-ssl-verify-server-cert)
[ -z "${MATRIX_TLS:-}" ] || tls+=(--ssl)

# mariadb_at USER PASSWORD ARGUMENT...: $port is another port than that of most checks.
mariadb_at() {
    local user=$1 password=$2
    shift 2
    mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --port="${port:-$MATRIX_PORT}" --user="$user" \
        --password="$password" "${tls[@]}" --default-character-set=utf8mb4 \
        --max-allowed-packet=64M --batch --raw --unbuffered "$@" 2>&1
}

client() {
    mariadb_at u secret matrix "$@"
}

# check NAME COMMAND...: runs a command and prints its line.
check() {
    local name=$1 text status=0 word=ok
    shift
    text=$("$@" | sed 's/\x00/\\0/g') || status=$?
    text=${text//$MATRIX_DIR/DIR}
    if [ ${#text} -gt "$LONGEST_TEXT" ]; then
        text="${#text} characters, $(sha256sum <<<"$text" | cut -c 1-16)"
    fi
    [ "$status" -eq 0 ] || word="error status $status"
    printf '%s: %s %s\n' "$name" "$word" "${text//$'\n'/\\n}"
}

query() {
    client --execute="$1"
}

columns() {
    query "SELECT column_name FROM information_schema.columns WHERE table_schema = 'matrix'
        AND table_name = 'types' ORDER BY ordinal_position" | tail -n +2
}

# login ACCOUNT:PORT PASSWORD: the lines are the answers to the questions of `dialog`.
login() {
    local plain=()
    [ -n "${MATRIX_TLS:-}" ] || plain=(--skip-ssl)
    port=${1#*:} mariadb_at "${1%:*}" "$2" "${plain[@]}" --skip-secure-auth --execute="SELECT CURRENT_USER()" <<'TEXT'
123456
mysql-proxy
TEXT
}

# Prints the columns' types too.
with_types() {
    client --column-type-info --execute="$1"
}

statements() {
    query "PREPARE s FROM 'SELECT ?, ?'; SET @a = 1, @b = 'ž'; EXECUTE s USING @a, @b;
        EXECUTE s USING @b, @a; DEALLOCATE PREPARE s"
}

transaction() {
    query "CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB;
        START TRANSACTION; INSERT INTO tx VALUES (1); ROLLBACK; SELECT COUNT(*) FROM tx;
        START TRANSACTION; INSERT INTO tx VALUES (1); COMMIT; SELECT COUNT(*) FROM tx"
}

# Without the times.
affected() {
    client -vvv --execute="DO 0; CREATE TEMPORARY TABLE a (n INT); INSERT INTO a VALUES (1), (2)" |
        sed 's/ ([0-9.]* sec)//'
}

load() {
    client --local-infile=1 --force --execute="CREATE TEMPORARY TABLE loaded (a INT, b TEXT);
        LOAD DATA LOCAL INFILE '$MATRIX_DIR/$1' INTO TABLE loaded;
        SELECT COUNT(*), SUM(a), MAX(b) FROM loaded"
}

# A statement of 20 MiB from standard input, and a row of that length back.
blob() {
    local file=$MATRIX_DIR/blob.sql
    {
        printf "SELECT MD5('"
        head -c $((20 * 1024 * 1024)) /dev/zero | tr '\0' x
        printf "') AS md5;\n"
    } >"$file"
    client <"$file"
    query "SELECT REPEAT('xyz', 7000000)" | sha256sum
}

row_edges() {
    local length
    for length in 16777210 16777211 16777212; do
        query "SELECT REPEAT('x', $length)" | tail -n 1 | tr -d '\n' | wc -c
    done
}

error_continue() {
    client --force <<'SQL'
SELECT nosuch;
SELECT 'after';
nonsense;
SELECT * FROM nosuch;
SELECT 'after';
SQL
}

# The console's own commands: a new login, and another database.
console() {
    client <<'SQL'
SELECT DATABASE();
USE matrix_other
SELECT DATABASE();
CONNECT matrix
SELECT DATABASE(), CURRENT_USER();
SQL
}

multi_statement() {
    client <<'SQL'
DELIMITER //
SELECT 1; DO 0; SELECT 2, 3//
CALL one_result()//
CALL with_out(21, @product, @text)//
SELECT @product//
SQL
}

completion() {
    # Reads the names of all columns at the start, with COM_FIELD_LIST.
    client --auto-rehash --execute="SELECT 'rehashed'"
}

parallel() {
    local number
    for number in $(seq 50); do
        query "SELECT $number AS n" &
    done | sort -n | uniq -c
    wait
}

abandoned() {
    client --quick --execute="SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000" | head -n 2 | cut -c 1-10
    return 0
}

administer() {
    mariadb-admin --no-defaults --protocol=tcp --host=127.0.0.1 --port="$MATRIX_PORT" --user=u \
        --password=secret "${tls[@]}" "$@" 2>&1
}

# The dump's head and foot name the time.
dump() {
    mariadb-dump --no-defaults --protocol=tcp --host=127.0.0.1 --port="$MATRIX_PORT" --user=u \
        --password=secret "${tls[@]}" --default-character-set=utf8mb4 --skip-comments --hex-blob \
        --single-transaction matrix types 2>&1
}

check connect query "SELECT CURRENT_USER(), DATABASE(), @@character_set_client, @@version"
check no_database mariadb_at u secret --execute="SELECT DATABASE()"
check wrong_password mariadb_at u wrong --execute="SELECT 1"
check unknown_database mariadb_at u secret nosuch --execute="SELECT 1"
for account in $MATRIX_LOGINS; do
    check "login.${account%:*}" login "$account" secret
    check "login_refused.${account%:*}" login "$account" wrong
done
check other_user mariadb_at other other-secret matrix_other --execute="SELECT DATABASE()"
for column in $(columns); do
    check "types_text.$column" with_types "SELECT $column FROM types ORDER BY id"
done
check types_text with_types "SELECT * FROM types ORDER BY id"
check statements statements
check null query "SELECT NULL, '', 'NULL'"
check utf8mb4 query "SELECT 'žluťoučký 🐎', HEX('🐎')"
check blob blob
check row_edges row_edges
check multi_statement multi_statement
check procedure query "CALL one_result()"
check procedure_error query "CALL results_then_error()"
check transaction transaction
check warnings client --show-warnings --execute="SELECT 1/0"
check affected affected
check error_continue error_continue
check error_stops query "SELECT nosuch; SELECT 'after'"
check load_data load rows.txt
check load_data_empty load empty.txt
check load_data_missing load missing.txt
check console console
check completion completion
check parallel parallel
check streaming client --quick --execute="SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000"
check streaming_abandoned abandoned
check killed query "KILL CONNECTION_ID()"
check ping administer ping
check dump dump
check tls query "SHOW STATUS LIKE 'Ssl_version'"
check tls_required client --ssl --execute="SHOW STATUS LIKE 'Ssl_version'"
check compression client --compress --execute="SHOW STATUS LIKE 'Compression'"
