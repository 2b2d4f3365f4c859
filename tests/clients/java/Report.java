import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.stream.Collectors;

/** How the checks report: one line per check (see ../README.md). */
final class Report {
    /** Longer texts are told by their digest. */
    private static final int LONGEST_TEXT = 300;

    private Report() {}

    /** What a check does; what it returns is printed. */
    interface Check {
        Object run() throws Exception;
    }

    /** Runs one check and prints its line. */
    static void check(String name, Check check) {
        String line;
        try {
            line = "ok " + digest(show(check.run()));
        } catch (Exception error) {
            line = "error " + digest(failure(error));
        }
        System.out.println(name + ": " + line);
    }

    /** Returns what a check returns, or how it fails. */
    static Object outcome(Check check) {
        try {
            return check.run();
        } catch (Exception error) {
            return failure(error);
        }
    }

    /** The driver's text without the numbers of the connection and of the port. */
    private static String failure(Exception error) {
        String text = String.valueOf(error.getMessage())
                .replaceAll("\\(conn=\\d+\\)", "(conn)").replaceAll("port=\\d+", "port");
        text = error.getClass().getSimpleName() + " " + text;
        if (error instanceof SQLException sql) {
            text = sql.getErrorCode() + " " + sql.getSQLState() + " " + text;
        }
        return text;
    }

    private static String show(Object value) {
        if (value instanceof byte[] bytes) {
            return "bytes " + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof int[] numbers) {
            return Arrays.toString(numbers);
        }
        if (value instanceof Collection<?> items) {
            return items.stream().map(Report::show).collect(Collectors.joining(", ", "[", "]"));
        }
        return String.valueOf(value);
    }

    private static String digest(String text) throws IllegalStateException {
        String line = text.replace(Checks.DIRECTORY, "DIR").replace("\n", "\\n").replace("\0", "\\0");
        if (line.length() <= LONGEST_TEXT) {
            return line;
        }
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(line.getBytes(StandardCharsets.UTF_8));
            return line.length() + " characters, " + HexFormat.of().formatHex(sum).substring(0, 16);
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
