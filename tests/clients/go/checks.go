// Checks of Go's driver (see ../README.md).
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"database/sql"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	mib                  = 1024 * 1024
	connections          = 50
	queriesPerConnection = 10
	who                  = "SELECT CURRENT_USER(), DATABASE(), @@character_set_client"
	after                = "SELECT 'after'"
	stream               = "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000"
	columnNames          = "SELECT column_name FROM information_schema.columns " +
		"WHERE table_schema = 'matrix' AND table_name = 'types' ORDER BY ordinal_position"
)

var (
	directory = os.Getenv("MATRIX_DIR")
	ctx       = context.Background()
	blob      = bytes.Repeat(allBytes(), 20*mib/256)
	values    = list{-5, int64(9223372036854775807), 2.5, "žluťoučký 🐎 ' \" \\ \x00",
		[]byte{0, 255, 39, 92}, "", nil, true, time.Date(2024, 2, 29, 12, 34, 56, 654321000, time.UTC)}
)

func allBytes() []byte {
	all := make([]byte, 256)
	for index := range all {
		all[index] = byte(index)
	}
	return all
}

// open returns a pool for the usual settings, with changes.
func open(changes ...func(*mysql.Config)) *sql.DB {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", "127.0.0.1:"+os.Getenv("MATRIX_PORT")
	config.User, config.Passwd, config.DBName = "u", "secret", "matrix"
	config.MultiStatements = true
	config.AllowAllFiles = true
	config.MaxAllowedPacket = 64 * mib
	config.Params = map[string]string{"charset": "utf8mb4"}
	if os.Getenv("MATRIX_TLS") != "" {
		config.TLSConfig = "skip-verify"
	}
	for _, change := range changes {
		change(config)
	}
	pool, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		panic(err)
	}
	return pool
}

// connected runs a function with one connection of its own.
func connected(run func(*sql.Conn) (interface{}, error), changes ...func(*mysql.Config)) (interface{}, error) {
	pool := open(changes...)
	defer pool.Close()
	connection, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return run(connection)
}

func withConnection(run func(*sql.Conn) (interface{}, error)) func() (interface{}, error) {
	return func() (interface{}, error) { return connected(run) }
}

func one(query string, arguments ...interface{}) func() (interface{}, error) {
	return withConnection(func(c *sql.Conn) (interface{}, error) { return rows(c, query, arguments...) })
}

func login(change func(*mysql.Config)) func() (interface{}, error) {
	return func() (interface{}, error) {
		return connected(func(c *sql.Conn) (interface{}, error) { return rows(c, who) }, change)
	}
}

// logins logs in with each method, with the right and with a wrong password.
func logins() {
	for _, account := range strings.Fields(os.Getenv("MATRIX_LOGINS")) {
		parts := strings.Split(account, ":")
		become := func(password string) func() (interface{}, error) {
			return func() (interface{}, error) {
				return connected(func(c *sql.Conn) (interface{}, error) {
					return rows(c, "SELECT CURRENT_USER()")
				}, func(c *mysql.Config) {
					c.User, c.Passwd, c.Addr = parts[0], password, "127.0.0.1:"+parts[1]
					c.AllowOldPasswords, c.AllowCleartextPasswords = true, true
				})
			}
		}
		check("login."+parts[0], become("secret"))
		check("login_refused."+parts[0], become("wrong"))
	}
}

// rows returns all results of a query with the types of their columns. Arguments make it a prepared
// statement.
func rows(c *sql.Conn, query string, arguments ...interface{}) (interface{}, error) {
	found, err := c.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	return readAll(found)
}

func readAll(found *sql.Rows) (interface{}, error) {
	defer found.Close()
	var seen list
	for {
		types, err := found.ColumnTypes()
		if err != nil {
			return nil, err
		}
		for _, column := range types {
			precision, scale, _ := column.DecimalSize()
			nullable, _ := column.Nullable()
			seen = append(seen, column.Name(), column.DatabaseTypeName(), precision, scale, nullable)
		}
		for found.Next() {
			row := make([]interface{}, len(types))
			targets := make([]interface{}, len(types))
			for index := range row {
				targets[index] = &row[index]
			}
			if err := found.Scan(targets...); err != nil {
				return nil, err
			}
			for _, value := range row {
				seen = append(seen, fmt.Sprintf("%T %v", value, value))
			}
		}
		if !found.NextResultSet() {
			break
		}
	}
	if found.Err() != nil {
		seen = append(seen, "failed: "+found.Err().Error())
	}
	return seen, nil
}

func execute(c *sql.Conn, query string, arguments ...interface{}) (interface{}, error) {
	result, err := c.ExecContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	affected, _ := result.RowsAffected()
	last, _ := result.LastInsertId()
	return list{affected, last}, nil
}

// each runs queries one after the other, with another query after each. Its connection does not wait
// for long: after an error in the middle of several results the driver waits for more.
func each(queries ...string) func() (interface{}, error) {
	return func() (interface{}, error) {
		return connected(func(c *sql.Conn) (interface{}, error) {
			var seen list
			for _, query := range queries {
				seen = append(seen, outcome(rows(c, query)), outcome(rows(c, after)))
			}
			return seen, nil
		}, func(c *mysql.Config) { c.ReadTimeout = 4 * time.Second })
	}
}

// prepared prepares a query, and executes it.
func prepared(c *sql.Conn, query string, arguments ...interface{}) (interface{}, error) {
	statement, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	found, err := statement.QueryContext(ctx, arguments...)
	if err != nil {
		return nil, err
	}
	return readAll(found)
}

type reader func(*sql.Conn, string, ...interface{}) (interface{}, error)

func columns(kind string, read reader) {
	pool := open()
	defer pool.Close()
	found, err := pool.Query(columnNames)
	if err != nil {
		check("types_"+kind, func() (interface{}, error) { return nil, err })
		return
	}
	var names []string
	for found.Next() {
		var name string
		if found.Scan(&name) == nil {
			names = append(names, name)
		}
	}
	for _, name := range names {
		query := "SELECT " + name + " FROM types ORDER BY id"
		check("types_"+kind+"."+name, withConnection(func(c *sql.Conn) (interface{}, error) { return read(c, query) }))
	}
	check("types_"+kind, withConnection(func(c *sql.Conn) (interface{}, error) {
		return read(c, "SELECT * FROM types ORDER BY id")
	}))
}

func load(name string, open func() io.Reader) func() (interface{}, error) {
	return withConnection(func(c *sql.Conn) (interface{}, error) {
		path := directory + "/" + name
		if open != nil {
			mysql.RegisterReaderHandler(name, open)
			path = "Reader::" + name
		}
		if _, err := execute(c, "CREATE TEMPORARY TABLE loaded (a INT, b TEXT)"); err != nil {
			return nil, err
		}
		return list{
			outcome(execute(c, "LOAD DATA LOCAL INFILE '"+path+"' INTO TABLE loaded")),
			outcome(rows(c, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded")),
		}, nil
	})
}

func sendBlob(c *sql.Conn) (interface{}, error) {
	if _, err := execute(c, "CREATE TEMPORARY TABLE blobs (data LONGBLOB)"); err != nil {
		return nil, err
	}
	if _, err := execute(c, "INSERT INTO blobs VALUES (?)", blob); err != nil {
		return nil, err
	}
	var back []byte
	var sum string
	err := c.QueryRowContext(ctx, "SELECT data, MD5(data) FROM blobs").Scan(&back, &sum)
	return list{bytes.Equal(back, blob), sum, fmt.Sprintf("%x", md5.Sum(back))}, err
}

// edges asks for rows, and sends queries, about as long as the longest packet.
func edges(c *sql.Conn) (interface{}, error) {
	var seen list
	for length := 16*mib - 2; length <= 16*mib; length++ {
		var back string
		// A string as long as this has four bytes of length in front.
		err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT REPEAT('x', %d)", length-4)).Scan(&back)
		seen = append(seen, outcome(len(back), err))
		query := "SELECT LENGTH('" + strings.Repeat("x", length-18) + "')"
		seen = append(seen, outcome(rows(c, query)))
	}
	return seen, nil
}

func transaction(c *sql.Conn) (interface{}, error) {
	seen := list{outcome(execute(c, "CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB"))}
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := c.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec("INSERT INTO tx VALUES (?)", 1); err != nil {
			return nil, err
		}
		seen = append(seen, end(tx), outcome(rows(c, "SELECT COUNT(*), @@in_transaction FROM tx")))
	}
	return seen, nil
}

func affected(c *sql.Conn) (interface{}, error) {
	var seen list
	for _, query := range []string{
		"CREATE TEMPORARY TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT)",
		"INSERT INTO a (n) VALUES (1), (2), (3)", "UPDATE a SET n = 1", "DELETE FROM a",
	} {
		seen = append(seen, outcome(execute(c, query)))
	}
	return seen, nil
}

func parallel() (interface{}, error) {
	pool := open()
	defer pool.Close()
	pool.SetMaxIdleConns(connections)
	var group sync.WaitGroup
	var lock sync.Mutex
	var sum, failed int
	for number := 0; number < connections; number++ {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			for step := 0; step < queriesPerConnection; step++ {
				var back int
				err := pool.QueryRow("SELECT ?", number*1000+step).Scan(&back)
				lock.Lock()
				sum += back
				if err != nil {
					failed++
				}
				lock.Unlock()
			}
		}(number)
	}
	group.Wait()
	return list{sum, failed}, nil
}

func streaming(limit int) func() (interface{}, error) {
	return withConnection(func(c *sql.Conn) (interface{}, error) {
		found, err := c.QueryContext(ctx, stream)
		if err != nil {
			return nil, err
		}
		count, total := 0, 0
		for count != limit && found.Next() {
			var number int
			var text string
			if err := found.Scan(&number, &text); err != nil {
				return nil, err
			}
			count++
			total += number + len(text)
		}
		return list{count, total, found.Close(), outcome(rows(c, after))}, nil
	})
}

func statements(c *sql.Conn) (interface{}, error) {
	var all []*sql.Stmt
	for number := 0; number < 20; number++ {
		statement, err := c.PrepareContext(ctx, fmt.Sprintf("SELECT ?, ?, %d", number))
		if err != nil {
			return nil, err
		}
		all = append(all, statement)
	}
	var seen list
	for turn := 0; turn < 3; turn++ {
		for _, statement := range all {
			found, err := statement.QueryContext(ctx, turn, fmt.Sprint("text ", turn))
			if err != nil {
				return nil, err
			}
			seen = append(seen, outcome(readAll(found)))
		}
	}
	for _, statement := range all {
		seen = append(seen, statement.Close())
	}
	return append(seen, outcome(prepared(c, "SELECT nosuch WHERE 1 = ?", 1)), outcome(rows(c, after))), nil
}

func main() {
	check("connect", one(who))
	check("no_database", login(func(c *mysql.Config) { c.DBName = "" }))
	check("wrong_password", login(func(c *mysql.Config) { c.Passwd = "wrong" }))
	check("unknown_database", login(func(c *mysql.Config) { c.DBName = "nosuch" }))
	logins()
	columns("text", rows)
	columns("prepared", prepared)
	check("null", one("SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL"))
	check("utf8mb4", one("SELECT ?, 'žluťoučký 🐎', HEX(?)", "naïve 🐎", "🐎"))
	placeholders := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	check("values_written", one("SELECT "+placeholders, values...))
	check("values_interpolated", func() (interface{}, error) {
		return connected(func(c *sql.Conn) (interface{}, error) {
			return rows(c, "SELECT "+placeholders, values...)
		}, func(c *mysql.Config) { c.InterpolateParams = true })
	})
	check("empty_result", one("SELECT * FROM types WHERE id = 99"))
	check("blob", withConnection(sendBlob))
	check("edges", withConnection(edges))
	check("multi_statement", each("SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3"))
	check("multi_error", each("SELECT 1; SELECT nosuch; SELECT 2"))
	check("procedure", each("CALL one_result()", "CALL with_out(21, @product, @text)", "SELECT @product"))
	check("procedure_error", each("CALL results_then_error()"))
	check("transaction", withConnection(transaction))
	check("affected", withConnection(affected))
	check("warnings", each("SELECT 1/0, CAST('x' AS INT)", "SHOW WARNINGS"))
	check("error_continue", each("SELECT nosuch", "nonsense", "SELECT * FROM nosuch", "SIGNAL SQLSTATE '45000'"))
	check("load_data", load("rows.txt", nil))
	check("load_data_empty", load("empty.txt", nil))
	check("load_data_missing", load("missing.txt", nil))
	check("load_data_reader", load("reader", func() io.Reader { return strings.NewReader("1\tone\n2\ttwo\n") }))
	check("select_db", each("USE matrix_other", who))
	check("ping", withConnection(func(c *sql.Conn) (interface{}, error) { return "answered", c.PingContext(ctx) }))
	check("parallel", parallel)
	check("streaming", streaming(-1))
	check("streaming_abandoned", streaming(1))
	check("statements", withConnection(statements))
	check("killed", withConnection(func(c *sql.Conn) (interface{}, error) {
		kill := outcome(execute(c, "KILL CONNECTION_ID()"))
		found, err := one(after)()
		return list{kill, found}, err
	}))
	check("tls", func() (interface{}, error) {
		return connected(func(c *sql.Conn) (interface{}, error) {
			return rows(c, "SHOW STATUS LIKE 'Ssl_version'")
		}, func(c *mysql.Config) { c.TLSConfig = "preferred" })
	})
	check("tls_required", func() (interface{}, error) {
		return connected(func(c *sql.Conn) (interface{}, error) {
			return rows(c, "SHOW STATUS LIKE 'Ssl_version'")
		}, func(c *mysql.Config) { c.TLSConfig = "skip-verify" })
	})
}
