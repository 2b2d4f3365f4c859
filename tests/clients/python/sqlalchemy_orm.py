"""Checks of SQLAlchemy over PyMySQL: reflection, mapped objects, transactions, a pool."""

import datetime
import decimal
import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from report import (
    BLOB,
    CONNECTIONS,
    DATABASE,
    GONE,
    HOST,
    IDLE_SECONDS,
    MYSQLCLIENT_TLS,
    PASSWORD,
    PORT,
    PYMYSQL_TLS,
    QUERIES_PER_CONNECTION,
    STREAM,
    TLS,
    USER,
    check,
    run_checks,
)
from sqlalchemy import orm


class Base(orm.DeclarativeBase):
    """The mapped classes."""


class Author(Base):
    __tablename__ = "authors"
    __table_args__ = {"prefixes": ["TEMPORARY"]}
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(50), unique=True)
    born: orm.Mapped[datetime.date]
    seen: orm.Mapped[datetime.datetime]
    balance: orm.Mapped[decimal.Decimal] = orm.mapped_column(sa.Numeric(20, 4))
    active: orm.Mapped[bool]
    notes: orm.Mapped[dict] = orm.mapped_column(sa.JSON)
    picture: orm.Mapped[bytes] = orm.mapped_column(sa.LargeBinary(2**32 - 1))


def author(number):
    return Author(
        name=f"author {number} 🐎",
        born=datetime.date(1900, 1, 1) + datetime.timedelta(days=number),
        seen=datetime.datetime(2024, 2, 29, 12, 34, 56),
        balance=decimal.Decimal(number) / 4,
        active=number % 2 == 0,
        notes={"number": number, "text": "ž"},
        picture=bytes([number % 256]) * 1000,
    )


def fields(item):
    return [getattr(item, column.key) for column in Author.__table__.columns]


def make_engine(driver="pymysql", options=None, **changes):
    settings = {"username": USER, "password": PASSWORD, "database": DATABASE, **changes}
    url = sa.URL.create(f"mysql+{driver}", host=HOST, port=PORT, **settings)
    options = {"pool_size": CONNECTIONS, **(options or {})}
    arguments = {"charset": "utf8mb4"}
    if TLS:
        arguments.update(PYMYSQL_TLS if driver == "pymysql" else MYSQLCLIENT_TLS)
    return sa.create_engine(url, connect_args=arguments, **options)


class Checks:
    """The checks; the tables are temporary, so each works on one connection."""

    def __init__(self):
        self.engine = make_engine()

    def session(self):
        connection = self.engine.connect()
        Base.metadata.create_all(connection, checkfirst=False)
        return orm.Session(connection)

    def end(self, session):
        connection = session.connection()
        session.rollback()
        # Ends the temporary table too.
        connection.invalidate()
        connection.close()

    def check_connect(self):
        with self.engine.connect() as connection:
            return self.engine.dialect.server_version_info, connection.exec_driver_sql(
                "SELECT CURRENT_USER(), DATABASE()"
            ).all()

    def check_wrong_password(self):
        with make_engine(password="wrong").connect():
            return "logged in"

    def check_types_text(self):
        with self.engine.connect() as connection:
            table = sa.Table("types", sa.MetaData(), autoload_with=connection)
            for column in table.columns:
                check(f"types_text.{column.key}", self.column, connection, column)
            return len(table.columns)

    def column(self, connection, column):
        statement = sa.select(column).order_by(sa.text("id"))
        return repr(column.type), [tuple(row) for row in connection.execute(statement)]

    def check_objects(self):
        session = self.session()
        try:
            session.add_all([author(number) for number in range(300)])
            session.flush()
            session.expire_all()
            found = session.scalars(sa.select(Author).order_by(Author.id)).all()
            found[0].name = "changed"
            session.delete(found[1])
            session.flush()
            session.expire_all()
            return [fields(item) for item in session.scalars(sa.select(Author).order_by(Author.id))]
        finally:
            self.end(session)

    def check_blob(self):
        session = self.session()
        try:
            item = author(1)
            item.picture = BLOB
            session.add(item)
            session.flush()
            session.expire_all()
            return session.scalars(sa.select(Author.picture)).one() == BLOB
        finally:
            self.end(session)

    def check_transaction(self):
        session = self.session()
        try:
            session.add(author(1))
            session.commit()
            try:
                session.add(author(1))
                session.commit()
            except sa.exc.IntegrityError as error:
                failure = str(error.orig)
                session.rollback()
            with session.begin_nested() as savepoint:
                session.add(author(2))
                session.flush()
                savepoint.rollback()
            return failure, session.scalar(sa.select(sa.func.count()).select_from(Author))
        finally:
            self.end(session)

    def check_error_continue(self):
        with self.engine.connect() as connection:
            try:
                connection.exec_driver_sql("SELECT nosuch")
            except sa.exc.OperationalError as error:
                failure = str(error.orig)
            return failure, connection.exec_driver_sql("SELECT 'after'").all()

    def check_streaming(self):
        with self.engine.connect() as connection:
            result = connection.execution_options(stream_results=True, yield_per=1000)
            return sum(row[0] for row in result.exec_driver_sql(STREAM))

    def check_idle_ended(self):
        """A pool that looks whether its connections live, and one that does not."""
        seen = []
        for driver in ("pymysql", "mysqldb"):
            for pre_ping in (True, False):
                engine = make_engine(driver, {"pool_size": 1, "pool_pre_ping": pre_ping})
                with engine.connect() as connection:
                    connection.exec_driver_sql("SET SESSION wait_timeout = 1")
                time.sleep(IDLE_SECONDS)
                for _ in range(2):
                    try:
                        with engine.connect() as connection:
                            seen.append(
                                connection.exec_driver_sql("SELECT @@wait_timeout > 1").scalar()
                            )
                    except sa.exc.DBAPIError as error:
                        seen.append((error.orig.args[0] in GONE, error.connection_invalidated))
        return seen

    def check_parallel(self):
        def work(number):
            total = 0
            for step in range(QUERIES_PER_CONNECTION):
                with self.engine.connect() as connection:
                    statement = sa.select(sa.literal(number * 1000 + step))
                    total += connection.execute(statement).scalar_one()
            return total

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return sum(pool.map(work, range(CONNECTIONS)))


if __name__ == "__main__":
    run_checks(Checks())
