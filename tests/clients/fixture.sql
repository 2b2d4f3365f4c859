-- What the client programs of the matrix find in the server. Read by scripts/client-matrix.sh.
INSTALL SONAME 'auth_ed25519';
CREATE USER 'u'@'%' IDENTIFIED BY 'secret';
CREATE USER 'other'@'%' IDENTIFIED BY 'other-secret';
-- Without this the server refuses passwords of the kind that MySQL had before 4.1.
SET GLOBAL secure_auth = 0;
CREATE USER 'old'@'%' IDENTIFIED VIA mysql_old_password USING '428567f408994404';
CREATE USER 'ed'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret');
CREATE DATABASE matrix CHARACTER SET utf8mb4;
CREATE DATABASE matrix_other CHARACTER SET utf8mb4;
GRANT ALL ON matrix.* TO 'u'@'%', 'other'@'%', 'ed'@'%', 'old'@'%';
GRANT ALL ON matrix_other.* TO 'u'@'%', 'other'@'%';
USE matrix;

-- One column for every type of the server; the programs read each column on its own.
CREATE TABLE types (
    id INT PRIMARY KEY,
    c_bit BIT(10),
    c_boolean BOOLEAN,
    c_tinyint TINYINT,
    c_tinyint_unsigned TINYINT UNSIGNED,
    c_smallint SMALLINT,
    c_smallint_unsigned SMALLINT UNSIGNED,
    c_mediumint MEDIUMINT,
    c_mediumint_unsigned MEDIUMINT UNSIGNED,
    c_int INT,
    c_int_unsigned INT UNSIGNED,
    c_bigint BIGINT,
    c_bigint_unsigned BIGINT UNSIGNED,
    c_zerofill INT(8) ZEROFILL,
    c_decimal DECIMAL(30,10),
    c_float FLOAT,
    c_double DOUBLE,
    c_date DATE,
    c_time TIME,
    c_time6 TIME(6),
    c_datetime DATETIME,
    c_datetime6 DATETIME(6),
    c_timestamp TIMESTAMP NULL,
    c_timestamp6 TIMESTAMP(6) NULL,
    c_year YEAR,
    c_char CHAR(10),
    c_varchar VARCHAR(100),
    c_latin1 VARCHAR(100) CHARACTER SET latin1,
    c_binary BINARY(4),
    c_varbinary VARBINARY(20),
    c_tinyblob TINYBLOB,
    c_blob BLOB,
    c_mediumblob MEDIUMBLOB,
    c_longblob LONGBLOB,
    c_tinytext TINYTEXT,
    c_text TEXT,
    c_mediumtext MEDIUMTEXT,
    c_longtext LONGTEXT,
    c_enum ENUM('small', 'large'),
    c_set SET('a', 'b', 'c'),
    c_json JSON,
    c_uuid UUID,
    c_inet4 INET4,
    c_inet6 INET6,
    c_point POINT
);
-- Usual values.
INSERT INTO types VALUES (1, b'1010101010', TRUE, 7, 8, 700, 800, 70000, 80000, 7000000, 8000000,
    7000000000, 8000000000, 42, 12345.6789, 1.5, 2.25, '2024-02-29', '12:34:56', '12:34:56.654321',
    '2024-02-29 12:34:56', '2024-02-29 12:34:56.654321', '2024-02-29 12:34:56',
    '2024-02-29 12:34:56.654321', 2024, 'char', 'žluťoučký 🐎', 'déjà vu', X'00ff27', X'00ff275c',
    X'00', REPEAT(X'00ff', 200), REPEAT(X'fe', 70000), REPEAT(X'ff', 100000), 'tiny', REPEAT('é', 300),
    REPEAT('🐎', 20000), REPEAT('long', 25000), 'large', 'a,c', '{"key": [1, null, "ž"]}',
    '123e4567-e89b-12d3-a456-426655440000', '192.0.2.1', '2001:db8::1', POINT(1, 2.5));
INSERT INTO types (id) VALUES (2);
-- Least values and empty ones.
INSERT INTO types VALUES (3, b'0', FALSE, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0,
    -9223372036854775808, 0, 0, -12345678901234567890.0123456789, -3.4e38, -1.7e308, '1000-01-01',
    '-838:59:59', '-838:59:59.999999', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001',
    '1970-01-02 00:00:01', '1970-01-02 00:00:01.000001', 1901, '', '', '', '', '', '', '', '', '', '',
    '', '', '', 'small', '', '{}', '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::', POINT(0, 0));
-- Greatest values.
INSERT INTO types VALUES (4, b'1111111111', TRUE, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647,
    4294967295, 9223372036854775807, 18446744073709551615, 99999999, 12345678901234567890.0123456789,
    3.4e38, 1.7e308, '9999-12-31', '838:59:59', '838:59:59.999999', '9999-12-31 23:59:59',
    '9999-12-31 23:59:59.999999', '2038-01-18 03:14:07', '2038-01-18 03:14:07.999999', 2155,
    '🐎🐎🐎🐎🐎🐎🐎🐎🐎🐎', REPEAT('x', 100), REPEAT('é', 100), X'ffffffff', REPEAT(X'ff', 20),
    REPEAT(X'ff', 255), REPEAT(X'fb', 65535), REPEAT(X'fb', 65536), REPEAT(X'00', 65537), REPEAT('t', 255),
    REPEAT('x', 65535), REPEAT('m', 65536), REPEAT('l', 65537), 'large', 'a,b,c', '[]',
    'ffffffff-ffff-ffff-ffff-ffffffffffff', '255.255.255.255',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', POINT(-1e300, 1e300));

CREATE PROCEDURE with_out(IN factor INT, OUT product INT, INOUT text VARCHAR(20))
    SELECT factor * 2, CONCAT(text, '!') INTO product, text;
CREATE PROCEDURE one_result()
    SELECT 1 AS one UNION SELECT 2;
DELIMITER //
CREATE PROCEDURE results_then_error()
BEGIN
    SELECT 1, 'first';
    SELECT seq FROM seq_1_to_3;
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 4711, MESSAGE_TEXT = 'on purpose';
END //
DELIMITER ;
