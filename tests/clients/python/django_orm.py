"""Checks of Django's ORM over mysqlclient: schema editor, models, transactions, introspection."""

import datetime
import decimal
import threading
import uuid

import django
from django.conf import settings
from report import (
    BLOB,
    CONNECTIONS,
    DATABASE,
    HOST,
    MYSQLCLIENT_TLS,
    PASSWORD,
    PORT,
    QUERIES_PER_CONNECTION,
    TLS,
    USER,
    run_checks,
)


def database(**changes):
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": HOST,
        "PORT": PORT,
        "USER": USER,
        "PASSWORD": PASSWORD,
        "NAME": DATABASE,
        "OPTIONS": {"charset": "utf8mb4", **(MYSQLCLIENT_TLS if TLS else {})},
        **changes,
    }


settings.configure(
    DATABASES={"default": database(), "wrong": database(PASSWORD="wrong")}, USE_TZ=False
)
django.setup()

from django.db import connection, connections, models, transaction  # noqa: E402
from django.db.utils import IntegrityError, ProgrammingError  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)
    born = models.DateField()
    seen = models.DateTimeField()
    awake = models.TimeField()
    slept = models.DurationField()
    balance = models.DecimalField(max_digits=20, decimal_places=4)
    ratio = models.FloatField(null=True)
    active = models.BooleanField()
    key = models.UUIDField()
    notes = models.JSONField()
    picture = models.BinaryField()

    class Meta:
        app_label = "matrix"


class Book(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    class Meta:
        app_label = "matrix"


def author(number):
    return Author(
        name=f"author {number} 🐎",
        born=datetime.date(1900, 1, 1) + datetime.timedelta(days=number),
        seen=datetime.datetime(2024, 2, 29, 12, 34, 56, 654321),
        awake=datetime.time(6, 30, 0, 5),
        slept=datetime.timedelta(hours=-8, microseconds=1),
        balance=decimal.Decimal(number) / 4,
        ratio=None if number % 3 else number / 3,
        active=number % 2 == 0,
        key=uuid.UUID(int=number),
        notes={"number": number, "text": "ž"},
        picture=bytes([number % 256]) * 1000,
    )


class Checks:
    """The checks; the first makes the tables, the last removes them."""

    def check_connect(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_USER(), DATABASE()")
            return connection.mysql_version, cursor.fetchall()

    def check_wrong_password(self):
        connections["wrong"].ensure_connection()

    def check_schema(self):
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS matrix_book, matrix_author")
        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
        return sorted(name for name in connection.introspection.table_names() if "_" in name)

    def check_objects(self):
        Author.objects.bulk_create([author(number) for number in range(300)])
        first, second = Author.objects.order_by("id")[:2]
        first.name = "changed"
        first.save()
        second.delete()
        for number in range(10):
            Book.objects.create(title=f"title {number}", author=first)
        authors = Author.objects.order_by("id")
        books = Book.objects.filter(author__active=True).order_by("-id")
        return (
            list(authors.values_list(*[field.name for field in Author._meta.fields])),
            list(books.values_list("title", "author__name")),
            Book.objects.values("author").annotate(count=models.Count("id"))[0]["count"],
        )

    def check_blob(self):
        item = author(1000)
        item.picture = BLOB
        item.save()
        return bytes(Author.objects.get(name=item.name).picture) == BLOB

    def check_transaction(self):
        before = Author.objects.count()
        try:
            with transaction.atomic():
                author(2000).save()
                with transaction.atomic():
                    author(2001).save()
                author(2001).save()
        except IntegrityError as error:
            return before, Author.objects.count(), error.args

    def check_error_continue(self):
        with connection.cursor() as cursor:
            try:
                cursor.execute("SELECT * FROM nosuch")
            except ProgrammingError as error:
                failure = error.args
            cursor.execute("SELECT 'after'")
            return failure, cursor.fetchall()

    def check_introspection(self):
        with connection.cursor() as cursor:
            return [
                (column.name, connection.introspection.get_field_type(column.type_code, column))
                for column in connection.introspection.get_table_description(cursor, "types")
                if not column.name.endswith(
                    ("uuid", "inet4", "inet6", "point", "bit", "set", "year")
                )
            ]

    def check_streaming(self):
        return sum(len(item.name) for item in Author.objects.iterator(chunk_size=50))

    def check_parallel(self):
        totals = []

        def work(number):
            with connection.cursor() as cursor:
                for step in range(QUERIES_PER_CONNECTION):
                    cursor.execute("SELECT %s", [number * 1000 + step])
                    totals.append(cursor.fetchone()[0])
            connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(totals), sum(totals)

    def check_cleanup(self):
        with connection.schema_editor() as editor:
            editor.delete_model(Book)
            editor.delete_model(Author)
        return "removed"


if __name__ == "__main__":
    run_checks(Checks())
