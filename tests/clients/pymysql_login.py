"""Logs in with PyMySQL and prints who that was: a helper of the integration tests.

Arguments: a path of a unix socket, or a port of 127.0.0.1; user; password. Further words are the answers to the
questions of a `dialog` after the password; `--key FILE` is the server's public key.
Prints `CURRENT_USER()`, or the number and text of the error, and then fails.
"""

from __future__ import annotations

import argparse
import sys

import pymysql


class Dialog:
    """Answers the questions of the `dialog` method, as PyMySQL wants it: one object per login."""

    answers: list[str] = []

    def __init__(self, connection: pymysql.Connection) -> None:
        self.left = iter(self.answers)

    def prompt(self, echo: bool, question: bytes) -> bytes:
        return next(self.left).encode()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("place")
    parser.add_argument("user")
    parser.add_argument("password")
    parser.add_argument("answers", nargs="*")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    settings: dict[str, object] = {"auth_plugin_map": {b"dialog": Dialog}}
    Dialog.answers = arguments.answers
    if arguments.place.isdigit():
        settings.update(host="127.0.0.1", port=int(arguments.place))
    else:
        settings.update(unix_socket=arguments.place)
    if arguments.key:
        with open(arguments.key, "rb") as file:
            settings.update(server_public_key=file.read())
    try:
        with pymysql.connect(
            user=arguments.user, password=arguments.password, **settings
        ) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT CURRENT_USER()")
                ((who,),) = cursor.fetchall()
        print(who)
    except pymysql.MySQLError as error:
        sys.exit(" ".join(str(part) for part in error.args))


if __name__ == "__main__":
    main()
