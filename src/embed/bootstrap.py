"""What the plugin does in Python before and around a script. Carried inside the library, run once at the start."""

import atexit
import builtins
import functools
import importlib.machinery
import importlib.util
import logging
import os
import re
import signal
import sys
import threading
import traceback

_HERE = (lambda: 0).__code__.co_filename


# Characters that end a line or move a terminal's cursor, and how the log shows them: text of a client (in an exception,
# in a message) must not make lines of the log.
_HARMFUL = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_SHOWN = {code: repr(chr(code))[1:-1] for code in _HARMFUL}


class _OneLine(logging.Formatter):
    """The message in one line; a traceback behind it keeps its lines."""

    def formatMessage(self, record):
        return super().formatMessage(record).translate(_SHOWN)

    def formatException(self, ei):
        return describe(ei[1])


class _HostHandler(logging.Handler):
    """Sends records to the host's log, as long as the script adds no handler of its own to the root logger."""

    def __init__(self, write):
        super().__init__()
        self._write = write
        self.setFormatter(_OneLine("%(name)s: %(message)s"))

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
        name = name.translate(_SHOWN)
        error = args.exc_value if args.exc_value is not None else args.exc_type()
        write(logging.CRITICAL, f"exception in {name}:\n{describe(error)}")

    def unraisablehook(args):
        error = args.exc_value if args.exc_value is not None else args.exc_type()
        text = args.err_msg or "exception ignored in"
        what = f"{text} {args.object!r}".translate(_SHOWN)
        write(logging.CRITICAL, f"{what}:\n{describe(error)}")

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
    report = traceback.TracebackException(type(error), error, frame)
    _escape(report)
    text = "".join(report.format()).rstrip("\n")
    if isinstance(error, (ImportError, AttributeError)):
        text += "".join(_hiding(text))
    return text


def stack(ident):
    """Where the Python code of a thread is, as a traceback has it, without the frames of this file and of the event loop."""
    frame = sys._current_frames().get(ident)
    if frame is None:
        return ""
    entries = [entry for entry in traceback.extract_stack(frame) if not _is_ours(entry.filename)]
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        folder = os.path.dirname(asyncio.__file__)
        runs = [os.path.dirname(entry.filename) != folder for entry in entries]
        entries = entries[runs.index(True) :] if True in runs else entries
    return "".join(traceback.format_list(entries)).rstrip("\n")


def _hiding(text):
    """A line for each module beside the script that Python finds in place of its own, if the traceback has its name."""
    folder = os.path.dirname(sys.argv[0])
    own = getattr(sys, "stdlib_module_names", None) or _modules_in(os.path.dirname(os.__file__))
    for name, file in sorted(_modules_in(folder).items()):
        if name in own and re.search(rf"\b{re.escape(name)}\b", text):
            yield f"\n{os.path.join(folder, file)} hides Python's own module {name}: rename it"


def _modules_in(folder):
    """The modules and packages in a folder: what their files are called, by name."""
    try:
        files = os.listdir(folder)
    except OSError:
        return {}
    found = {}
    for file in files:
        name, suffix = os.path.splitext(file)
        path = os.path.join(folder, file)
        if suffix == ".py" or os.path.isfile(os.path.join(path, "__init__.py")):
            found[name] = file
    return found


def _escape(report):
    """Puts what the exceptions themselves say into one line each: it may be text of a client."""
    reports = [report]
    while reports:
        part = reports.pop()
        if getattr(part, "_str", None) is not None:
            part._str = part._str.translate(_SHOWN)
        notes = getattr(part, "__notes__", None)
        if isinstance(notes, (list, tuple)):
            part.__notes__ = [str(note).translate(_SHOWN) for note in notes]
        elif notes is not None:
            part.__notes__ = None
        followers = [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
        reports += [follower for follower in followers if follower is not None]


def _is_ours(filename):
    return filename == _HERE or filename.startswith("<frozen importlib")


class _ScriptLoader(importlib.machinery.SourceFileLoader):
    """Neither reads nor writes bytecode: a script that changes twice in a second must not load as its first version."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load(path):
    """Runs the script at `path` in a fresh module and gives the module. Settings are as the file has them now."""
    settings = sys.modules.get("pyproxy.settings")
    if settings is not None:
        settings.read_again()
    name = _script_name(path)
    loader = _ScriptLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    settings = sys.modules.get("pyproxy.settings")
    if settings is not None:
        settings.refresh()
    return module


def _script_name(path):
    stem = os.path.splitext(os.path.basename(path))[0]
    return f"pyproxy_script_{stem}"


def before():
    """What is imported now, and how scripts are set, for `forget`."""
    settings = sys.modules.get("pyproxy.settings")
    return dict(sys.modules), settings.snapshot() if settings is not None else None


def forget(path, before):
    """The script at `path` did not load: its module, and what it imported from its own folder, give way to what was
    imported `before`. So the next version begins with fresh modules; connections that are open keep theirs.

    Settings are what they were. Other modules stay: they are not part of the script, and some extension modules cannot be loaded twice.
    """
    before, settings = before
    if settings is not None:
        sys.modules["pyproxy.settings"].restore(settings)
    now = dict(sys.modules)
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
