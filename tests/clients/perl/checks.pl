# Checks of the Perl drivers; the argument names the driver of DBI: mysql or MariaDB.
use strict;
use warnings;

use DBI;
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8 is_utf8);
use utf8;

my $driver = shift;
# The names of the driver's attributes begin with its own.
my $prefix = lc $driver;
my $directory = $ENV{MATRIX_DIR};
# If they insist, one of the drivers says that it cannot, and the other verifies the certificate.
my $tls = ";${prefix}_ssl=1;${prefix}_ssl_optional=1";

# Longer texts are told by their digest.
use constant LONGEST_TEXT => 300;
use constant MIB => 1024 * 1024;
use constant CONNECTIONS => 50;
use constant STREAM => "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000";
use constant WHO => 'SELECT CURRENT_USER(), DATABASE(), @@character_set_client';

$| = 1;

# Returns a text that differs when the value differs.
sub show {
    my ($value) = @_;
    return 'undef' if !defined $value;
    return '[' . join(', ', map { show($_) } @$value) . ']' if ref $value;
    return "'" . (is_utf8($value) ? 'text ' . encode_utf8($value) : $value) . "'";
}

sub digest {
    my ($text) = @_;
    if (length $text > LONGEST_TEXT) {
        return length($text) . ' characters, ' . substr(sha256_hex($text), 0, 16);
    }
    return join '', map { /[\x00-\x1f]/ ? sprintf('\\x%02x', ord) : $_ } split //, $text;
}

# Runs one check and prints its line.
sub check {
    my ($name, $code) = @_;
    my $value = eval { show([$code->()]) };
    my $line = defined $value ? 'ok ' . digest($value) : 'error ' . digest(failure($@));
    print "$name: $line\n";
    return;
}

# Returns the text of an error, without place, folder and port.
sub failure {
    my ($error) = @_;
    $error = encode_utf8($error) if is_utf8($error);
    $error =~ s/ at \S+ line \d+\.\n\z//;
    $error =~ s/\Q$directory\E/DIR/g;
    $error =~ s/port=\d+/PORT/g;
    return ($DBI::err // '') . ' ' . ($DBI::state // '') . " $error";
}

# Returns what some code returns, or how it fails.
sub outcome {
    my ($code) = @_;
    my @values = eval { $code->() };
    return $@ ? 'failed: ' . failure($@) : \@values;
}

# Connects with the usual settings; `attributes` are settings of the data source.
sub connected {
    my (%changes) = @_;
    my %settings = (user => 'u', password => 'secret', database => 'matrix', attributes => '',
        port => $ENV{MATRIX_PORT}, %changes);
    my $source = "DBI:$driver:host=127.0.0.1;port=$settings{port}";
    $source .= $tls if $ENV{MATRIX_TLS};
    $source .= ";database=$settings{database}" if $settings{database};
    my %options = (RaiseError => 1, PrintError => 0);
    $options{mysql_enable_utf8mb4} = 1 if $driver eq 'mysql';
    return DBI->connect("$source;${prefix}_local_infile=1;${prefix}_multi_statements=1$settings{attributes}",
        $settings{user}, $settings{password}, \%options);
}

# Logs in with each method, with the right and with a wrong password.
sub logins {
    for my $account (split ' ', $ENV{MATRIX_LOGINS}) {
        my ($user, $port) = split /:/, $account;
        my %settings = (user => $user, port => $port);
        my $become = sub { rows(connected(%settings, @_), 'SELECT CURRENT_USER()') };
        check("login.$user", $become);
        check("login_refused.$user", sub { $become->(password => 'wrong') });
    }
    return;
}

sub rows {
    my ($connection, $sql, @values) = @_;
    return $connection->selectall_arrayref($sql, undef, @values);
}

sub one {
    my ($sql, @values) = @_;
    return rows(connected(), $sql, @values);
}

# Returns the rows of all results of a query, and the error that ends them.
sub all_results {
    my ($connection, $sql) = @_;
    my @results;
    my $ended = outcome(sub {
        my $statement = $connection->prepare($sql);
        $statement->execute;
        do {
            push @results, $statement->{NUM_OF_FIELDS} ? $statement->fetchall_arrayref : $statement->rows;
        } while $statement->more_results;
        return 'all';
    });
    return (\@results, $ended, rows($connection, "SELECT 'after'"));
}

# Reads every column of the table of types.
sub columns {
    my ($kind, %attributes) = @_;
    my $connection = connected();
    my $names = $connection->selectcol_arrayref(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'matrix' "
            . "AND table_name = 'types' ORDER BY ordinal_position");
    for my $name (@$names, '*') {
        check($name eq '*' ? "types_$kind" : "types_$kind.$name", sub {
            my $statement = $connection->prepare("SELECT $name FROM types ORDER BY id", \%attributes);
            $statement->execute;
            return ([@$statement{qw(NAME TYPE PRECISION NULLABLE)}], $statement->fetchall_arrayref);
        });
    }
    return;
}

sub load {
    my ($file) = @_;
    my $connection = connected();
    $connection->do('CREATE TEMPORARY TABLE loaded (a INT, b TEXT)');
    my $answer = outcome(sub {
        $connection->do("LOAD DATA LOCAL INFILE '$directory/$file' INTO TABLE loaded");
    });
    return ($answer, outcome(sub { rows($connection, 'SELECT COUNT(*), SUM(a), MAX(b) FROM loaded') }));
}

my %server_side = ("${prefix}_server_prepare" => 1);
my $blob = join('', map { chr } 0 .. 255) x (20 * MIB / 256);
my @values = (-5, 2.5, "žluťoučký 🐎 ' \" \\ \0", '', undef);
my $placeholders = join ', ', ('?') x @values;

check('connect', sub { one(WHO) });
check('no_database', sub { rows(connected(database => undef), WHO) });
check('wrong_password', sub { connected(password => 'wrong'); 'logged in' });
check('unknown_database', sub { connected(database => 'nosuch'); 'logged in' });
logins();
check('server_version', sub { connected()->{"${prefix}_serverinfo"} });
columns('text');
columns('prepared', %server_side);
check('null', sub { one("SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL") });
check('utf8mb4', sub { one("SELECT ?, 'žluťoučký 🐎', HEX(?)", 'naïve 🐎', '🐎') });
check('values_written', sub { one("SELECT $placeholders", @values) });
check('many_columns', sub { one('SELECT ' . join ', ', map { "$_ AS column_$_" } 0 .. 999) });
check('empty_result', sub { one('SELECT * FROM types WHERE id = 99') });
check('blob', sub {
    my $connection = connected();
    $connection->do('CREATE TEMPORARY TABLE blobs (data LONGBLOB)');
    my $statement = $connection->prepare('INSERT INTO blobs VALUES (?)');
    $statement->bind_param(1, $blob, DBI::SQL_BLOB);
    $statement->execute;
    my ($back, $md5) = $connection->selectrow_array('SELECT data, MD5(data) FROM blobs');
    return ($back eq $blob ? 'equal' : 'different', $md5);
});
check('row_edges', sub {
    my $connection = connected();
    # A string as long as the packet has four bytes of length in front.
    map { length rows($connection, 'SELECT REPEAT(\'x\', ' . (16 * MIB + $_ - 4) . ')')->[0][0] } -2 .. 0;
});
check('query_edges', sub {
    my $connection = connected();
    map { rows($connection, "SELECT LENGTH('" . 'x' x (16 * MIB + $_ - 18) . "')") } -2 .. 0;
});
check('multi_statement', sub {
    all_results(connected(), 'SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3');
});
check('multi_error', sub { all_results(connected(), 'SELECT 1; SELECT nosuch; SELECT 2') });
check('procedure', sub { all_results(connected(), 'CALL one_result()') });
check('procedure_error', sub { all_results(connected(), 'CALL results_then_error()') });
check('transaction', sub {
    my $connection = connected();
    $connection->do('CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB');
    return map {
        my $end = $_;
        $connection->begin_work;
        $connection->do('INSERT INTO tx VALUES (1)');
        $connection->$end;
        rows($connection, 'SELECT COUNT(*), @@in_transaction FROM tx');
    } qw(rollback commit rollback);
});
check('affected', sub {
    my $connection = connected();
    $connection->do('CREATE TEMPORARY TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
    return map { ($connection->do($_), $connection->last_insert_id((undef) x 4)) }
        'INSERT INTO a (n) VALUES (1), (2), (3)', 'UPDATE a SET n = 1', 'DELETE FROM a';
});
check('warnings', sub {
    my $connection = connected();
    my $statement = $connection->prepare("SELECT 1/0, CAST('x' AS INT)");
    $statement->execute;
    my $rows = $statement->fetchall_arrayref;
    return ($rows, $statement->{"${prefix}_warning_count"}, rows($connection, 'SHOW WARNINGS'));
});
check('error_continue', sub {
    my $connection = connected();
    return map {
        my $sql = $_;
        (outcome(sub { rows($connection, $sql) }), rows($connection, "SELECT 'after'"));
    } 'SELECT nosuch', 'nonsense', 'SELECT * FROM nosuch', "SIGNAL SQLSTATE '45000'";
});
check('load_data', sub { load('rows.txt') });
check('load_data_empty', sub { load('empty.txt') });
check('load_data_missing', sub { load('missing.txt') });
check('ping', sub { my $connection = connected(); ($connection->ping, rows($connection, WHO)) });
check('statistics', sub { (split /:/, connected()->{"${prefix}_stat"})[0] });
check('parallel', sub {
    my @connections = map { connected() } 1 .. CONNECTIONS;
    my $sum = 0;
    for my $step (1 .. 10) {
        $sum += rows($connections[$_], 'SELECT ?', $_ * 1000 + $step)->[0][0] for 0 .. $#connections;
    }
    return $sum;
});
for my $abandoned (0, 1) {
    check($abandoned ? 'streaming_abandoned' : 'streaming', sub {
        my $connection = connected();
        my $statement = $connection->prepare(STREAM, { "${prefix}_use_result" => 1 });
        $statement->execute;
        my ($count, $total) = (0, 0);
        while (my $row = $statement->fetchrow_arrayref) {
            $count += 1;
            $total += $row->[0] + length $row->[1];
            last if $abandoned;
        }
        $statement->finish;
        # One of the drivers reads the rest only when the statement is gone.
        undef $statement;
        return ($count, $total, rows($connection, "SELECT 'after'"));
    });
}
check('statements', sub {
    my $connection = connected();
    my @statements = map { $connection->prepare("SELECT ?, ?, $_", \%server_side) } 1 .. 20;
    my @seen;
    for my $turn (0 .. 2) {
        for my $statement (@statements) {
            $statement->execute($turn, "text $turn");
            push @seen, $statement->fetchall_arrayref;
        }
    }
    undef @statements;
    my $bound = $connection->prepare("SELECT $placeholders", \%server_side);
    $bound->execute(@values);
    my $failing = outcome(sub { $connection->prepare('SELECT nosuch', \%server_side)->execute });
    my $long = $connection->prepare('SELECT LENGTH(?), MD5(?)', \%server_side);
    $long->bind_param($_, $blob, DBI::SQL_BLOB) for 1, 2;
    $long->execute;
    return (\@seen, $bound->fetchall_arrayref, $failing, $long->fetchall_arrayref);
});
check('killed', sub {
    my $connection = connected();
    my $kill = outcome(sub { $connection->do('KILL CONNECTION_ID()') });
    return ($kill, one("SELECT 'after'"));
});
check('tls', sub { rows(connected(attributes => $tls), "SHOW STATUS LIKE 'Ssl_version'") });
check('compression', sub {
    rows(connected(attributes => ";${prefix}_compression=1"), "SHOW STATUS LIKE 'Compression'");
});
