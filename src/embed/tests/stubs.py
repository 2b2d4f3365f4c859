"""Compares the type stubs with the live objects of a running interpreter."""

import ast
import inspect

import pyproxy

# What every class has, or gets without being asked.
GENERAL = set("__dict__ __doc__ __getattribute__ __module__ __repr__ __weakref__".split())
GENERAL |= set("__ge__ __gt__ __le__ __lt__ __ne__".split())

# Scripts may set anything on some objects. Of these the stubs do not say so: a type checker shall find what is misspelt.
FREE_FORM = {"__getattr__", "__setattr__"}
CHECKED = {"Proxy", "Response"}

SUBCLASSES_ALLOWED = 1 << 10


def is_public(name):
    return not name.startswith("_") or name in ("__hash__", "__match_args__")


class Stub:
    """The members of one class or module of a stub file."""

    def __init__(self, body):
        self.doc = None
        self.functions = {}
        self.properties = {}
        self.setters = set()
        self.classes = {}
        self.constants = {}
        self.annotations = set()
        self.imports = set()
        if isinstance(body[0], ast.Expr):
            self.doc = body[0].value.value
        for node in body:
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.FunctionDef):
                self._function(node)
            elif isinstance(node, ast.AnnAssign) and is_public(node.target.id):
                self._annotation(node)
            elif isinstance(node, ast.ImportFrom):
                # `x as x` says that it belongs to this module, too.
                self.imports |= {name.name for name in node.names if name.name == name.asname}

    def _function(self, node):
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if "property" in decorators:
            self.properties[node.name] = node
        elif f"{node.name}.setter" in decorators:
            self.setters.add(node.name)
        else:
            self.functions[node.name] = node

    def _annotation(self, node):
        if ast.unparse(node.annotation).startswith("Final"):
            self.constants[node.target.id] = ast.literal_eval(node.value) if node.value else None
        else:
            self.annotations.add(node.target.id)


def words(text):
    return " ".join((text or "").split())


def parameters(node):
    """Name and default of each parameter but self, and whether it is given by its name only."""
    empty = inspect.Parameter.empty
    names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
    values = [ast.literal_eval(value) for value in node.args.defaults]
    defaults = [empty] * (len(names) - len(values)) + values
    found = [(*pair, False) for pair in zip(names, defaults) if pair[0] not in ("self", "cls")]
    for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults):
        found.append((argument.arg, empty if value is None else ast.literal_eval(value), True))
    return found


def live_parameters(function):
    found = inspect.signature(function).parameters.values()
    by_name = inspect.Parameter.KEYWORD_ONLY
    return [(p.name, p.default, p.kind is by_name) for p in found if p.name != "self"]


def is_writable(instance, name):
    try:
        type(instance).__dict__[name].__set__(instance, object())
    except AttributeError as error:
        return "not writable" not in str(error)
    except (TypeError, ValueError):
        return True
    return True


def compare_names(where, stub, live):
    yield from (f"{where}: the stub lacks {name}" for name in sorted(live - stub))
    yield from (f"{where}: there is no {name}" for name in sorted(stub - live))


def compare_constants(where, constants, owner):
    for name, value in constants.items():
        live = getattr(owner, name, None)
        if value != live and name != "PROXY_VERSION":
            yield f"{where}.{name} is {live}, the stub says {value}"


def compare_class(cls, node, constants, instance, options):
    where, stub = cls.__name__, Stub(node.body)
    constants = {**constants, **stub.constants}
    live = set(vars(cls)) - GENERAL
    is_open = "__dict__" in vars(cls)
    takes_any = is_open or "__setattr__" in vars(cls)
    live -= FREE_FORM
    if takes_any and where not in CHECKED:
        live |= FREE_FORM
    live |= set(dir(instance)) - set(dir(cls)) - set(vars(instance) if is_open else ())
    names = stub.functions.keys() | stub.properties.keys() | constants.keys()
    if cls is pyproxy.Config:
        # The options become attributes of the one instance, and a test has a few of them only.
        live |= options
    yield from compare_names(where, names | stub.annotations, live)
    if words(stub.doc) != words(cls.__doc__) or not stub.doc:
        yield f"{where}: documented as {cls.__doc__!r}"
    is_final = "final" in map(ast.unparse, node.decorator_list)
    if is_final == bool(cls.__flags__ & SUBCLASSES_ALLOWED):
        yield f"{where}: final in the stub is {is_final}"
    yield from compare_constants(where, constants, cls)
    for name, member in stub.properties.items():
        if name in live - set(dir(cls)):
            # The class looks its members up itself.
            continue
        found = vars(cls).get(name)
        if not inspect.isgetsetdescriptor(found):
            yield f"{where}.{name} is {found!r}"
            continue
        if words(ast.get_docstring(member)) != words(found.__doc__) or not found.__doc__:
            yield f"{where}.{name}: documented as {found.__doc__!r}"
        if is_writable(instance, name) != (name in stub.setters):
            yield f"{where}.{name}: writable in the stub is {name in stub.setters}"
    if "__new__" in stub.functions and parameters(stub.functions["__new__"]) != live_parameters(
        cls
    ):
        yield f"{where} is made with {inspect.signature(cls)}"
    for name, member in stub.functions.items():
        if not name.startswith("__"):
            yield from compare_function(f"{where}.{name}", member, vars(cls).get(name))


def compare_function(where, node, function):
    if not callable(function):
        yield f"{where} is {function!r}"
        return
    if parameters(node) != live_parameters(function):
        yield f"{where} takes {inspect.signature(function)}"
    if words(ast.get_docstring(node)) != words(inspect.getdoc(function)) or not function.__doc__:
        yield f"{where}: documented as {function.__doc__!r}"


def differences(files, instances, options):
    """All of them, as texts.

    `files` are the texts of the stub files by name, `instances` one object of each class, `options` the names that
    `proxy.globals.config` has.
    """
    package = Stub(ast.parse(files["__init__.pyi"]).body)
    constants = Stub(ast.parse(files["_constants.pyi"]).body)
    inherited = Stub(constants.classes["Constants"].body).constants
    live = {name: value for name, value in vars(pyproxy).items() if not name.startswith("_")}
    names = package.classes.keys() | package.functions.keys()
    names |= constants.constants.keys() | package.imports
    yield from compare_names("pyproxy", names, live.keys())
    yield from compare_constants("pyproxy", constants.constants, pyproxy)
    for name, node in package.functions.items():
        yield from compare_function(f"pyproxy.{name}", node, live.get(name))
    package.classes.update(Stub(ast.parse(files["_answers.pyi"]).body).classes)
    by_class = {type(instance).__name__: instance for instance in instances}
    for name, node in package.classes.items():
        if not isinstance(live.get(name), type):
            yield f"pyproxy.{name} is no class"
            continue
        own = inherited if "_Constants" in map(ast.unparse, node.bases) else {}
        yield from compare_class(live[name], node, own, by_class[name], options)
    chassis = Stub(ast.parse(files["chassis.pyi"]).body)
    live = {name for name in vars(pyproxy.chassis) if not name.startswith("_")}
    yield from compare_names("chassis", chassis.functions.keys(), live)
    for name, node in chassis.functions.items():
        yield from compare_function(f"chassis.{name}", node, getattr(pyproxy.chassis, name, None))


# Each of these changes must be noticed: file, text, replacement, what is said.
MISTAKES = [
    ("__init__.pyi", "def ndx(self)", "def index(self)", "the stub lacks ndx"),
    ("__init__.pyi", "def ndx(self)", "def index(self)", "there is no index"),
    ("__init__.pyi", "class Auth", "class Login", "the stub lacks Auth"),
    ("__init__.pyi", "    def __dir__", "    def __getattr__", "there is no __getattr__"),
    ("__init__.pyi", "import ResultDict as ResultDict", "import ResultDict", "lacks ResultDict"),
    ("__init__.pyi", "    errmsg: ", "    message: ", "there is no message"),
    ("__init__.pyi", "    venv: ", "    environment: ", "there is no environment"),
    ("__init__.pyi", "def __contains__", "def __missing__", "there is no __missing__"),
    ("__init__.pyi", "    @state.setter\n", "", "Backend.state is "),
    ("__init__.pyi", "Index in `proxy", "The index in `proxy", "Backend.ndx: documented as"),
    ("__init__.pyi", "A client connection.", "A connection.", "Connection: documented as"),
    ("__init__.pyi", "failure_is_needed: bool", "failure: bool", "Queries.append takes"),
    ("__init__.pyi", "why: str, *, lasts", "why: str, lasts", "ServerSession.tie takes"),
    ("__init__.pyi", "type: int = 1", "type: int = 2", "Backends.add takes"),
    ("__init__.pyi", "@final\nclass Field", "class Field", "Field: final in the stub is False"),
    (
        "_constants.pyi",
        "\nCOM_QUERY: Final = 3",
        "\nCOM_QUERY: Final = 4",
        "pyproxy.COM_QUERY is 3",
    ),
    (
        "_constants.pyi",
        "    COM_PING: Final = 14",
        "    COM_PING: Final = 4",
        "Proxy.COM_PING is 14",
    ),
    ("__init__.pyi", "def spawn(coroutine", "def spawn(task", "pyproxy.spawn takes"),
    ("_constants.pyi", "\nCOM_QUIT: Final = 1\n", "\n", "the stub lacks COM_QUIT"),
    ("_answers.pyi", "code: int = 1105", "code: int = 1", "Error is made with (message, code=1105"),
    ("_answers.pyi", '("packets",)', '("payloads",)', "Raw.__match_args__ is ('packets',)"),
    ("_answers.pyi", "def what(", "def packet(", "the stub lacks what"),
    ("chassis.pyi", "def info(text", "def info(words", "chassis.info takes"),
    ("chassis.pyi", "def debug", "def trace", "there is no trace"),
]


def check(files, instances, options):
    found = list(differences(files, instances, options))
    assert not found, "\n".join(found)
    for name, text, replacement, wanted in MISTAKES:
        assert text in files[name], text
        changed = {**files, name: files[name].replace(text, replacement, 1)}
        try:
            found = list(differences(changed, instances, options))
        except KeyError as error:
            found = [f"no instance of {error}"]
        assert any(wanted in line for line in found), (wanted, found)
