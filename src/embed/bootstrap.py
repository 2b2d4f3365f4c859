"""What the plugin does in Python before and around a script. Carried inside the library, run once at the start."""

import atexit
import builtins
import functools
import importlib.machinery
import importlib.util
import logging
import os
import signal
import sys
import threading
import traceback

_HERE = (lambda: 0).__code__.co_filename


class _HostHandler(logging.Handler):
    """Sends records to the host's log, as long as the script adds no handler of its own to the root logger."""

    def __init__(self, write):
        super().__init__()
        self._write = write
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record):
        if logging.root.handlers != [self]:
            return
        try:
            self._write(record.levelno, self.format(record))
        except Exception:
            self.handleError(record)


def prepare(script, library, level, write):
    """Sets up paths, streams and logging for `script`.

    `library` is a folder of modules beside the host, or None. `level` is the lowest level the host's log shows,
    `write(level, text)` writes to it.
    """
    # Importing signal takes over SIGINT, whatever the interpreter was told about signal handlers. They are the host's.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(script))
    if library is not None:
        sys.path.append(library)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    _bridge_logging(level, write)
    _report_to(write)


def _bridge_logging(level, write):
    root = logging.root
    handler = _HostHandler(write)
    root.addHandler(handler)
    root.setLevel(level)
    original = logging.basicConfig

    @functools.wraps(original)
    def basic_config(**options):
        # basicConfig does nothing when the root logger has a handler; ours is not the script's doing.
        if root.handlers == [handler]:
            root.removeHandler(handler)
            root.setLevel(logging.WARNING)
        original(**options)

    logging.basicConfig = basic_config


def _report_to(write):
    """Exceptions that nobody catches go to the host's log instead of stderr."""

    def thread_excepthook(args):
        if issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread is not None else "a thread"
        error = args.exc_value if args.exc_value is not None else args.exc_type()
        write(logging.CRITICAL, f"exception in {name}:\n{describe(error)}")

    def unraisablehook(args):
        error = args.exc_value if args.exc_value is not None else args.exc_type()
        text = args.err_msg or "exception ignored in"
        write(logging.CRITICAL, f"{text} {args.object!r}:\n{describe(error)}")

    threading.excepthook = thread_excepthook
    sys.unraisablehook = unraisablehook


def describe(error):
    """The traceback of `error` as text, without the frames of this file and of the import system.

    A wrong setting is the user's, not the script's: its own text says everything.
    """
    settings = sys.modules.get("pyproxy.settings")
    if settings is not None and isinstance(error, settings.SettingsError):
        return str(error)
    frame = error.__traceback__
    while frame is not None and _is_ours(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame)).rstrip("\n")


def _is_ours(filename):
    return filename == _HERE or filename.startswith("<frozen importlib")


class _ScriptLoader(importlib.machinery.SourceFileLoader):
    """Neither reads nor writes bytecode: a script that changes twice in a second must not load as its first version."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load(path):
    """Runs the script at `path` in a fresh module and gives the module."""
    name = _script_name(path)
    loader = _ScriptLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _script_name(path):
    stem = os.path.splitext(os.path.basename(path))[0]
    return f"pyproxy_script_{stem}"


def modules():
    """What is imported now, for `forget`."""
    return dict(sys.modules)


def forget(path, before):
    """The script at `path` did not load: its module, and what it imported from its own folder, give way to what was
    imported `before`. So the next version begins with fresh modules; connections that are open keep theirs.

    Other modules stay: they are not part of the script, and some extension modules cannot be loaded twice.
    """
    now = modules()
    own = _script_name(path)
    folder = os.path.dirname(path)
    for name, module in now.items():
        if module is before.get(name):
            continue
        if name == own or folder in _homes(now.get(name.partition(".")[0])):
            if name in before:
                sys.modules[name] = before[name]
            else:
                sys.modules.pop(name, None)


def _homes(module):
    """The folders that a top-level module was found in."""
    spec = getattr(module, "__spec__", None)
    places = getattr(spec, "submodule_search_locations", None) or [getattr(spec, "origin", None)]
    return [os.path.dirname(place) for place in places if isinstance(place, str)]


def publish(proxy):
    """Makes the constants reachable without an import, and our modules by the names they had in earlier proxies."""
    builtins.proxy = proxy
    from pyproxy import _former_names

    _former_names.install()


def use_settings(path):
    """Reads the ini file with the script's settings."""
    from pyproxy import settings

    settings.use_file(os.fsdecode(path))


def check_settings():
    """Whether the file's sections are those that the loaded scripts have; says nothing of scripts without settings."""
    settings = sys.modules.get("pyproxy.settings")
    if settings is not None:
        settings.check_sections()


def finish():
    """What Python does at exit, short of tearing the interpreter down."""
    try:
        atexit._run_exitfuncs()
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
