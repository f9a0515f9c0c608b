"""Laws 1 and 2: imports point to the left, never in a circle, and stand at the top."""

import pytest

from tests.architecture.code import Module, modules

# Further right may import what is further left; the names before others win.
LAYERS = (
    ("chatproject.lib", 0),
    ("chatproject.embedded", 0),
    ("accounts", 1),
    ("conversations", 2),
    ("realtime", 3),
    ("chatproject", 4),
)
ALL = sorted(modules().values(), key=lambda module: module.name)


def layer(name: str) -> int:
    return next(number for prefix, number in LAYERS if name == prefix or name.startswith(f"{prefix}."))


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_imports_point_left(module: Module) -> None:
    wrong = [found for found in module.imports() if layer(found) > layer(module.name)]
    assert not wrong, f"{module.path} imports {wrong}, which stand to the right of it"


def test_lib_is_a_leaf() -> None:
    for module in ALL:
        if layer(module.name) == 0:
            assert all(layer(found) == 0 for found in module.imports())


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_no_import_of_ours_inside_a_function(module: Module) -> None:
    for function in module.functions():
        found = list(module.imports(function))
        assert not found, f"{module.path}: {function.name} imports {found}"


def test_no_circles() -> None:
    graph = {module.name: {found for found in module.imports() if found != module.name} for module in ALL}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for following in graph.get(name, ()):
                visit(following, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
