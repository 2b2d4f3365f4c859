import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Checks of MariaDB's JDBC driver (see ../README.md). */
public final class Checks {
    static final String DIRECTORY = System.getenv("MATRIX_DIR");
    private static final String URL = "jdbc:mariadb://127.0.0.1:" + System.getenv("MATRIX_PORT") + "/";
    /** Whether every connection has to use TLS. */
    private static final String TLS = System.getenv("MATRIX_TLS") == null ? "false" : "true";
    private static final int MIB = 1024 * 1024;
    private static final int CONNECTIONS = 50;
    private static final int QUERIES_PER_CONNECTION = 10;
    private static final String WHO = "SELECT CURRENT_USER(), DATABASE(), @@character_set_client";
    private static final String AFTER = "SELECT 'after'";
    private static final String STREAM = "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000";
    private static final byte[] BLOB = blob();
    private static final Object[] VALUES = {
        -5, Long.MAX_VALUE, 2.5, new BigDecimal("1.50"), Timestamp.valueOf("2024-02-29 12:34:56.654321"),
        "žluťoučký 🐎 ' \" \\ \0", new byte[] {0, -1, 39, 92}, "", null, true,
    };

    private Checks() {}

    private static byte[] blob() {
        byte[] bytes = new byte[20 * MIB];
        for (int index = 0; index < bytes.length; index++) {
            bytes[index] = (byte) index;
        }
        return bytes;
    }

    /** What a check does with its connection. */
    private interface Use {
        Object run(Connection connection) throws Exception;
    }

    private static Connection connect(String database, String... changes) throws SQLException {
        Properties settings = new Properties();
        settings.setProperty("user", "u");
        settings.setProperty("password", "secret");
        settings.setProperty("allowMultiQueries", "true");
        settings.setProperty("allowLocalInfile", "true");
        settings.setProperty("useSsl", TLS);
        settings.setProperty("trustServerCertificate", "true");
        for (int index = 0; index < changes.length; index += 2) {
            settings.setProperty(changes[index], changes[index + 1]);
        }
        return DriverManager.getConnection(URL + database, settings);
    }

    private static void check(String name, Use use, String... changes) {
        Report.check(name, () -> {
            try (Connection connection = connect("matrix", changes)) {
                return use.run(connection);
            }
        });
    }

    /** Logs in with each method, with the right and with a wrong password. */
    private static void logins() {
        for (String account : System.getenv("MATRIX_LOGINS").trim().split(" ")) {
            String[] parts = account.split(":");
            String url = "jdbc:mariadb://127.0.0.1:" + parts[1] + "/?allowPublicKeyRetrieval=true&useSsl=" + TLS
                    + "&trustServerCertificate=true&user=" + parts[0];
            for (String password : List.of("secret", "wrong")) {
                String name = password.equals("secret") ? "login." : "login_refused.";
                Report.check(name + parts[0], () -> {
                    try (Connection connection = DriverManager.getConnection(url + "&password=" + password)) {
                        return query(connection, "SELECT CURRENT_USER()");
                    }
                });
            }
        }
    }

    private static List<Object> read(ResultSet rows) throws SQLException {
        List<Object> seen = new ArrayList<>();
        ResultSetMetaData meta = rows.getMetaData();
        for (int column = 1; column <= meta.getColumnCount(); column++) {
            seen.add(meta.getColumnLabel(column) + " " + meta.getColumnTypeName(column) + " "
                    + meta.getPrecision(column) + " " + meta.getScale(column) + " " + meta.isNullable(column));
        }
        while (rows.next()) {
            for (int column = 1; column <= meta.getColumnCount(); column++) {
                int index = column;
                seen.add(Report.outcome(() -> rows.getObject(index)));
                seen.add(Report.outcome(() -> rows.getString(index)));
            }
        }
        return seen;
    }

    /** Returns all results of a statement that was executed, and the error that ends them. */
    private static List<Object> results(Statement statement, boolean first) {
        List<Object> seen = new ArrayList<>();
        seen.add(Report.outcome(() -> {
            boolean isRows = first;
            while (true) {
                if (isRows) {
                    seen.add(read(statement.getResultSet()));
                } else if (statement.getUpdateCount() == -1) {
                    return "all";
                } else {
                    seen.add(statement.getUpdateCount());
                }
                isRows = statement.getMoreResults();
            }
        }));
        return seen;
    }

    private static Object query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return results(statement, statement.execute(sql));
        }
    }

    private static Object prepared(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int index = 0; index < values.length; index++) {
                statement.setObject(index + 1, values[index]);
            }
            return results(statement, statement.execute());
        }
    }

    private static Use each(String... queries) {
        return connection -> {
            List<Object> seen = new ArrayList<>();
            for (String sql : queries) {
                seen.add(Report.outcome(() -> query(connection, sql)));
                seen.add(query(connection, AFTER));
            }
            return seen;
        };
    }

    private static void columns(String kind, String... changes) {
        try (Connection connection = connect("matrix", changes)) {
            List<String> names = new ArrayList<>();
            try (Statement statement = connection.createStatement()) {
                ResultSet rows = statement.executeQuery(
                        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'matrix' "
                        + "AND table_name = 'types' ORDER BY ordinal_position");
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
            }
            for (String name : names) {
                Report.check("types_" + kind + "." + name,
                        () -> prepared(connection, "SELECT " + name + " FROM types WHERE id > ? ORDER BY id", 0));
            }
        } catch (SQLException error) {
            Report.check("types_" + kind, () -> { throw error; });
        }
    }

    private static Use load(String file) {
        return connection -> {
            query(connection, "CREATE TEMPORARY TABLE loaded (a INT, b TEXT)");
            String sql = "LOAD DATA LOCAL INFILE '" + DIRECTORY + "/" + file + "' INTO TABLE loaded";
            return List.of(Report.outcome(() -> query(connection, sql)),
                    Report.outcome(() -> query(connection, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded")));
        };
    }

    private static Object sendBlob(Connection connection) throws Exception {
        query(connection, "CREATE TEMPORARY TABLE blobs (id INT, data LONGBLOB)");
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO blobs VALUES (?, ?)")) {
            statement.setInt(1, 1);
            statement.setBytes(2, BLOB);
            statement.executeUpdate();
            statement.setInt(1, 2);
            statement.setBinaryStream(2, new ByteArrayInputStream(BLOB));
            statement.executeUpdate();
        }
        List<Object> seen = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement("SELECT data, MD5(data) FROM blobs ORDER BY id")) {
            ResultSet rows = statement.executeQuery();
            while (rows.next()) {
                seen.add(Arrays.equals(rows.getBytes(1), BLOB));
                seen.add(rows.getString(2));
            }
        }
        return seen;
    }

    private static Object edges(Connection connection) throws SQLException {
        List<Object> seen = new ArrayList<>();
        for (int length = 16 * MIB - 2; length <= 16 * MIB; length++) {
            try (Statement statement = connection.createStatement()) {
                // A string as long as this has four bytes of length in front.
                ResultSet rows = statement.executeQuery("SELECT REPEAT('x', " + (length - 4) + ")");
                rows.next();
                seen.add(rows.getString(1).length());
            }
            seen.add(query(connection, "SELECT LENGTH('" + "x".repeat(length - 18) + "')"));
        }
        return seen;
    }

    private static Object transaction(Connection connection) throws SQLException {
        List<Object> seen = new ArrayList<>();
        query(connection, "CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB");
        connection.setAutoCommit(false);
        for (boolean commit : new boolean[] {false, true, false}) {
            query(connection, "INSERT INTO tx VALUES (1)");
            if (commit) {
                connection.commit();
            } else {
                connection.rollback();
            }
            seen.add(query(connection, "SELECT COUNT(*), @@in_transaction FROM tx"));
        }
        return seen;
    }

    private static Object batch(Connection connection) throws SQLException {
        query(connection, "CREATE TEMPORARY TABLE b (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t TEXT)");
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO b (n, t) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
            for (int number = 0; number < 500; number++) {
                statement.setInt(1, number);
                statement.setString(2, number % 7 == 0 ? null : "text " + number);
                statement.addBatch();
            }
            return List.of(statement.executeBatch(), read(statement.getGeneratedKeys()),
                    query(connection, "SELECT COUNT(*), SUM(n), COUNT(t), MAX(t) FROM b"));
        }
    }

    private static Object callable(Connection connection) throws SQLException {
        try (CallableStatement statement = connection.prepareCall("{call with_out(?, ?, ?)}")) {
            statement.setInt(1, 21);
            statement.registerOutParameter(2, Types.INTEGER);
            statement.setString(3, "text");
            statement.registerOutParameter(3, Types.VARCHAR);
            statement.execute();
            return List.of(statement.getInt(2), statement.getString(3), query(connection, AFTER));
        }
    }

    private static Object statements(Connection connection) throws SQLException {
        List<PreparedStatement> all = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            all.add(connection.prepareStatement("SELECT ?, ?, " + number));
        }
        List<Object> seen = new ArrayList<>();
        for (int turn = 0; turn < 3; turn++) {
            for (PreparedStatement statement : all) {
                statement.setInt(1, turn);
                statement.setString(2, "text " + turn);
                seen.add(read(statement.executeQuery()));
            }
        }
        for (PreparedStatement statement : all) {
            statement.close();
        }
        seen.add(Report.outcome(() -> prepared(connection, "SELECT nosuch FROM types WHERE id = ?", 1)));
        seen.add(query(connection, AFTER));
        return seen;
    }

    private static Use streaming(int limit) {
        return connection -> {
            long count = 0;
            long total = 0;
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(100);
                ResultSet rows = statement.executeQuery(STREAM);
                while (count != limit && rows.next()) {
                    count += 1;
                    total += rows.getLong(1) + rows.getString(2).length();
                }
            }
            return List.of(count, total, query(connection, AFTER));
        };
    }

    private static Object parallel() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(CONNECTIONS);
        List<Future<Long>> answers = new ArrayList<>();
        for (int number = 0; number < CONNECTIONS; number++) {
            int base = number * 1000;
            answers.add(pool.submit(() -> {
                long sum = 0;
                // The driver sends its first queries at once, and gives their answers half a second: too little for so many
                // logins at a time, where the machine is busy. The other checks do it.
                try (Connection connection = connect("matrix", "usePipelineAuth", "false")) {
                    for (int step = 0; step < QUERIES_PER_CONNECTION; step++) {
                        try (PreparedStatement statement = connection.prepareStatement("SELECT ?")) {
                            statement.setInt(1, base + step);
                            ResultSet rows = statement.executeQuery();
                            rows.next();
                            sum += rows.getLong(1);
                        }
                    }
                }
                return sum;
            }));
        }
        // Else threads that are left keep the program from its end.
        pool.shutdown();
        long sum = 0;
        for (Future<Long> answer : answers) {
            sum += answer.get();
        }
        return sum;
    }

    private static Object metadata(Connection connection) throws SQLException {
        return List.of(connection.getMetaData().getDatabaseProductVersion(),
                read(connection.getMetaData().getColumns("matrix", null, "types", "%")));
    }

    private static Object changeDatabase(Connection connection) throws SQLException {
        connection.setCatalog("matrix_other");
        return List.of(connection.getCatalog(), query(connection, WHO));
    }

    private static Object timeout(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            Object answer = Report.outcome(() -> statement.execute("SELECT SLEEP(5) FROM seq_1_to_3"));
            return List.of(answer, query(connection, AFTER));
        }
    }

    public static void main(String[] arguments) {
        // Whatever the locale says.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        check("connect", connection -> query(connection, WHO));
        Report.check("no_database", () -> query(connect(""), WHO));
        check("wrong_password", connection -> "logged in", "password", "wrong");
        Report.check("unknown_database", () -> connect("nosuch"));
        logins();
        columns("text", "useServerPrepStmts", "false");
        columns("prepared", "useServerPrepStmts", "true");
        check("null", each("SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL"));
        check("utf8mb4", connection ->
                prepared(connection, "SELECT ?, 'žluťoučký 🐎', HEX(?)", "naïve 🐎", "🐎"));
        String marks = Arrays.stream(VALUES).map(value -> "?").collect(Collectors.joining(", "));
        check("values_text", connection -> prepared(connection, "SELECT " + marks, VALUES));
        check("values_written", connection -> prepared(connection, "SELECT " + marks, VALUES),
                "useServerPrepStmts", "true");
        check("many_columns", each("SELECT " + IntStream.range(0, 1000)
                .mapToObj(number -> number + " AS column_" + number).collect(Collectors.joining(", "))));
        check("empty_result", each("SELECT * FROM types WHERE id = 99"));
        check("blob", Checks::sendBlob);
        check("blob_prepared", Checks::sendBlob, "useServerPrepStmts", "true");
        check("edges", Checks::edges);
        check("multi_statement", each("SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3"));
        check("multi_error", each("SELECT 1; SELECT nosuch; SELECT 2"));
        check("procedure", each("CALL one_result()"));
        check("procedure_error", each("CALL results_then_error()"));
        check("callable", Checks::callable);
        check("callable_prepared", Checks::callable, "useServerPrepStmts", "true");
        check("transaction", Checks::transaction);
        check("batch", Checks::batch);
        check("batch_prepared", Checks::batch, "useServerPrepStmts", "true");
        check("batch_rewritten", Checks::batch, "rewriteBatchedStatements", "true");
        check("batch_one_by_one", Checks::batch, "useBulkStmts", "false", "useBatchMultiSend", "false");
        check("warnings", each("SELECT 1/0, CAST('x' AS INT)", "SHOW WARNINGS"));
        check("error_continue",
                each("SELECT nosuch", "nonsense", "SELECT * FROM nosuch", "SIGNAL SQLSTATE '45000'"));
        check("load_data", load("rows.txt"));
        check("load_data_empty", load("empty.txt"));
        check("load_data_missing", load("missing.txt"));
        check("load_data_stream", connection -> {
            query(connection, "CREATE TEMPORARY TABLE loaded (a INT, b TEXT)");
            try (Statement statement = connection.createStatement()) {
                byte[] lines = "1\tone\n2\ttwo\n".getBytes(StandardCharsets.UTF_8);
                statement.unwrap(org.mariadb.jdbc.MariaDbStatement.class)
                        .setLocalInfileInputStream(new ByteArrayInputStream(lines));
                statement.execute("LOAD DATA LOCAL INFILE 'x' INTO TABLE loaded");
            }
            return query(connection, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded");
        });
        check("select_db", Checks::changeDatabase);
        check("ping", connection -> connection.isValid(5));
        check("metadata", Checks::metadata);
        check("timeout", Checks::timeout);
        Report.check("parallel", Checks::parallel);
        check("streaming", streaming(-1));
        check("streaming_abandoned", streaming(1));
        check("statements", Checks::statements, "useServerPrepStmts", "true");
        check("killed", connection -> {
            Object kill = Report.outcome(() -> query(connection, "KILL CONNECTION_ID()"));
            try (Connection another = connect("matrix")) {
                return List.of(kill, query(another, AFTER));
            }
        });
        check("tls", connection -> query(connection, "SHOW STATUS LIKE 'Ssl_version'"),
                "useSsl", "true", "trustServerCertificate", "true");
        check("compression", connection -> query(connection, "SHOW STATUS LIKE 'Compression'"),
                "useCompression", "true", "socketTimeout", "5000");
    }
}
