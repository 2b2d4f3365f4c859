# MariaDB's JDBC driver as Debian packages it. Sourced by scripts/client-matrix.sh; see
# ../README.md.
# shellcheck shell=bash disable=SC2034

CLIENTS=(jdbc-mariadb)
PACKAGES=(libmariadb-java)
# Any JDK of Java 11 or later will do.
command -v javac >/dev/null || PACKAGES+=(default-jdk-headless)
JAR=/usr/share/java/mariadb-java-client.jar

prepare() {
    javac -encoding UTF-8 -cp "$JAR" -d "$WORK/java" "$CLIENTS_DIR"/java/*.java
}

version() {
    dpkg-query -W -f '${Version}' libmariadb-java
}

run() {
    exec java -Dfile.encoding=UTF-8 -Duser.timezone=UTC -Xmx2g \
        -cp "$WORK/java:$JAR" Checks
}
