import gc
from collections.abc import Generator

import hypothesis
import pytest
from untraced import NOTHING, Traces, current_traces, trace, traced, untraced

# No test depends on how busy the machine is.
hypothesis.settings.register_profile(
    "untimed", deadline=None, max_examples=50, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

_TRACES = pytest.StashKey[Traces]()


# -- To be quick -----------------------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Trace what is covered while it is imported, and then the tests themselves."""
    is_run_elsewhere = session.config.getoption("dist", "no") != "no" and not hasattr(session.config, "workerinput")
    if not is_run_elsewhere:
        with untraced():
            import pulumi_aws  # noqa: F401, PLC0415
        from private_pypi import component, config  # noqa: F401, PLC0415
        from private_pypi.cli import adopt, check, diff, main, markdown, new, recorder  # noqa: F401, PLC0415
    session.config.stash[_TRACES] = current_traces()
    trace(NOTHING)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    # What a property tries differs from run to run: it cannot be what covers a line.
    if pyfuncitem.get_closest_marker("untraced") or hypothesis.is_hypothesis_test(pyfuncitem.obj):
        return (yield)
    with traced(pyfuncitem.config.stash[_TRACES]):
        return (yield)


def pytest_collection_finish() -> None:
    from pulumi.runtime import resource  # noqa: PLC0415
    from pulumi.runtime.proto.source_pb2 import StackTrace  # noqa: PLC0415

    # The SDK describes where a resource is made by each frame of the stack, of which pytest has fifty.
    resource._get_stack_trace = StackTrace  # noqa: SLF001
    # What is imported stays to the end: the garbage collector need not look through it after every run of a program.
    gc.freeze()
    gc.freeze = lambda: None  # a preview's, which would keep what was left by the run before it


# -- The environment -------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PULUMI_STACK", raising=False)  # no stack is selected
        patch.setenv("PULUMI_HOME", str(tmp_path_factory.getbasetemp() / "no-pulumi"))
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")  # outputs in texts are errors
        yield
