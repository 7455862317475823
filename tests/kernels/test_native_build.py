"""The native engine as it was built: which instruction sets it takes, what it exports, and an installation without it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from recurra.errors import UsageError
from recurra.kernels import native

ROOT = Path(__file__).parents[2]
COMPILER = shutil.which(os.environ.get("CXX", "c++"))
CMAKE = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
# As the kernel names them, which looks at the processor and at what it saves itself.
FLAGS = {
    "baseline": set(),
    "avx2": {"avx2", "fma", "f16c"},
    "avxvnni": {"avx2", "fma", "f16c", "avx_vnni"},
    "avx512": {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx512vnni": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"},
    "avx512bf16": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16"},
    "amx": {"avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"},
}


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECURRA_NATIVE", raising=False)
    monkeypatch.delenv("RECURRA_ISA", raising=False)


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """The engine, which afterwards computes with what it did before."""
    found = fresh()
    if found is None:
        pytest.skip("the engine is not built")
    before = found.selected()
    yield found
    assert found.select(before)


def fresh() -> ModuleType | None:
    """Give the engine as if it were asked for the first time."""
    return native.engine.__wrapped__()


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_with_a_compiler_the_engine_is_there():
    assert fresh() is not None, native.describe()


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="/proc/cpuinfo names x86-64's features on Linux"
)
def test_what_is_usable_is_what_the_processor_has(module: ModuleType):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    has = set(next(line for line in lines if line.startswith("flags")).split(":")[1].split())
    isas = dict(module.isas())
    assert isas == {name: has >= FLAGS[name] for name in isas}
    assert isas["baseline"]
    vendor = next(line for line in lines if line.startswith("vendor_id")).split(":")[1].strip()
    assert module.vendor() == vendor


def test_each_instruction_set_can_be_forced(module: ModuleType, monkeypatch: pytest.MonkeyPatch):
    names = [name for name, runs in module.isas() if runs]
    for name in [*names, *reversed(names)]:
        monkeypatch.setenv("RECURRA_ISA", name)
        assert fresh() is module
        assert module.selected() == name


def test_the_best_instruction_set_is_the_default(module: ModuleType):
    code = "from recurra.kernels import native; print(native.engine().selected())"
    unset = {name: value for name, value in os.environ.items() if name not in ("RECURRA_ISA", "RECURRA_NATIVE")}
    done = subprocess.run([sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == [name for name, runs in module.isas() if runs][-1]


def test_an_unknown_instruction_set_is_refused(module: ModuleType, monkeypatch: pytest.MonkeyPatch):
    before = module.selected()
    monkeypatch.setenv("RECURRA_ISA", "sse9")
    with pytest.raises(
        UsageError, match=r"RECURRA_ISA: expected one of baseline.*, got 'sse9': this build has no such"
    ):
        fresh()
    assert module.selected() == before


def test_an_unusable_instruction_set_is_refused(module: ModuleType, monkeypatch: pytest.MonkeyPatch):
    unusable = [name for name, runs in module.isas() if not runs]
    if not unusable:
        pytest.skip("this machine runs all of them")
    for name in unusable:
        monkeypatch.setenv("RECURRA_ISA", name)
        with pytest.raises(
            UsageError, match=rf"expected one of .*, got '{name}': this machine cannot run it"
        ) as caught:
            fresh()
        assert name not in str(caught.value).split(", got ")[0]


def test_the_engine_can_be_left_aside(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECURRA_NATIVE", "0")
    monkeypatch.setenv("RECURRA_ISA", "avx2")
    assert fresh() is None
    monkeypatch.setattr(native, "engine", native.engine.__wrapped__)
    assert native.describe() == "torch alone (RECURRA_NATIVE is 0)"
    monkeypatch.setenv("RECURRA_NATIVE", "yes")
    with pytest.raises(UsageError, match=r"RECURRA_NATIVE: expected 0 .* or 1 .*, got 'yes'"):
        native.engine()


def test_without_the_engine_it_is_torch_alone_unless_one_asks_for_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(native, "_NAME", "recurra._absent")
    monkeypatch.setattr(native, "engine", native.engine.__wrapped__)
    assert native.engine() is None
    assert native.describe().startswith("torch alone (the engine was not built when Recurra was installed")
    assert "pip install --force-reinstall --no-deps recurra" in native.describe()
    monkeypatch.setenv("RECURRA_ISA", "avx2")
    with pytest.raises(UsageError, match=r"RECURRA_ISA is 'avx2', but the engine was not built"):
        native.engine()
    monkeypatch.setenv("RECURRA_NATIVE", "1")
    with pytest.raises(UsageError, match=r"RECURRA_NATIVE is 1, but the engine was not built"):
        native.engine()


def test_an_engine_that_cannot_be_loaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / f"broken_engine{sysconfig.get_config_var('EXT_SUFFIX')}").write_bytes(b"no library")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(native, "_NAME", "broken_engine")
    with pytest.warns(RuntimeWarning, match=r"the native engine cannot be loaded, and torch computes .*broken_engine"):
        assert fresh() is None


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("nm"), reason="needs Linux and nm")
def test_the_module_exports_nothing_but_its_entry(module: ModuleType):
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(module.__file__)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in listing.splitlines()}
    assert "PyInit__native" in names
    assert {name for name in names if "8nanobind" not in name} == {"PyInit__native"}  # nanobind's own exceptions


CLEAN = "namespace recurra { namespace avx512 { int twice(int x) { return 2 * x; } } }"
SHARED = "template <class T> T twice(T x) { return x + x; } namespace recurra { namespace avx512 { int f(int x) { return twice(x); } } }"
VECTOR = "#include <vector>\nnamespace recurra { namespace avx512 { std::vector<int> f() { return {1, 2}; } } }"


@pytest.mark.skipif(not (COMPILER and CMAKE and shutil.which("nm")), reason="needs a C++ compiler, cmake and nm")
@pytest.mark.parametrize(
    ("source", "leak"), [(CLEAN, None), (SHARED, "twice"), (VECTOR, "vector"), ("int f() { return 1; }", "_Z1fv")]
)
def test_a_target_that_shares_code_with_others_does_not_build(tmp_path: Path, source: str, leak: str | None):
    (tmp_path / "a.cpp").write_text(source)
    subprocess.run([str(COMPILER), "-std=c++17", "-O0", "-c", "a.cpp", "-o", "a.o"], cwd=tmp_path, check=True)
    script = ROOT / "native/targets/check_symbols.cmake"
    command = [str(CMAKE), "-DNM=nm", "-DISA=avx512", "-DOBJECT=a.o", "-P", str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode == 0) == (leak is None), done.stderr
    assert leak is None or leak in done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a package is built from."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ["pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, copy)
    for name in ["src", "native", "recipes"]:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def build(tree: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    code = "import sys, scikit_build_core.build as build; build.build_wheel(sys.argv[1])"
    environment = {**os.environ, **variables, "PATH": f"{Path(str(CMAKE)).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", code, str(tree / "dist")]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


needs_backend = pytest.mark.skipif(
    not (CMAKE and find_spec("scikit_build_core")), reason="needs cmake and scikit-build-core, which make installs"
)


@needs_backend
def test_without_a_compiler_the_package_is_built_of_python_alone(tree: Path):
    done = build(tree, CXX=str(shutil.which("false")))
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tree / "dist").glob("*.whl")
    assert wheel.name == "recurra-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {path.relative_to(tree / "src").as_posix() for path in (tree / "src").rglob("*") if path.is_file()}
    wanted |= {
        f"recurra/{path.relative_to(tree).as_posix()}" for path in (tree / "recipes").rglob("*") if path.is_file()
    }
    assert inside == wanted


@needs_backend
def test_where_the_engine_is_demanded_a_failing_compiler_fails_the_installation(tree: Path):
    done = build(tree, CXX=str(shutil.which("false")), RECURRA_NATIVE="1")
    assert done.returncode != 0
    assert "CMake configuration failed" in done.stdout + done.stderr
