"""Imports the Python library that the plugin carries. Run once at the start."""

import importlib.machinery


class Library:
    """Finds and loads the package `pyproxy`: modules made by the plugin, and source texts.

    Asked before the path is searched, so that another version of the package, in the script's virtual environment
    perhaps, does not mix with the plugin that runs.
    """

    def __init__(self, ready, sources):
        """`ready` has modules by name; `sources` has tuples of name, file name and text."""
        self._ready = ready
        self._sources = {name: (file, text) for name, file, text in sources}

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self._ready:
            return importlib.machinery.ModuleSpec(fullname, self)
        if fullname not in self._sources:
            return None
        spec = importlib.machinery.ModuleSpec(
            fullname, self, origin=self.get_filename(fullname), is_package=self.is_package(fullname)
        )
        # The module gets a __file__, and tracebacks a name under which they ask for the lines.
        spec.has_location = True
        return spec

    def create_module(self, spec):
        return self._ready.get(spec.name)

    def exec_module(self, module):
        name = module.__spec__.name
        if name in self._sources:
            exec(self.get_code(name), vars(module))

    def is_package(self, fullname):
        return self.get_filename(fullname).endswith("/__init__.py")

    def get_filename(self, fullname):
        return f"libpyproxy.so/{self._source(fullname)[0]}"

    def get_source(self, fullname):
        """The text; None for what the plugin made."""
        return None if fullname in self._ready else self._source(fullname)[1]

    def get_code(self, fullname):
        if fullname in self._ready:
            return None
        return compile(
            self.get_source(fullname), self.get_filename(fullname), "exec", dont_inherit=True
        )

    def _source(self, fullname):
        try:
            return self._sources[fullname]
        except KeyError:
            raise ImportError(
                f"the plugin carries no source of {fullname}", name=fullname
            ) from None
