"""State machines as frozen tables, and the one function that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trustcore.primitives.errors import InvalidTransition


@dataclass(frozen=True)
class Machine:
    """A named table (state, action) -> state.

    `initial` is where a new object starts. A state with no row leading out of it is final.
    """

    name: str
    initial: str
    transitions: Mapping[tuple[str, str], str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "transitions", MappingProxyType(dict(self.transitions)))

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in order of first mention; the initial one first."""
        seen = dict.fromkeys([self.initial])
        for (state, _), target in self.transitions.items():
            seen.setdefault(state)
            seen.setdefault(target)
        return tuple(seen)

    @property
    def final_states(self) -> tuple[str, ...]:
        left = {state for state, _ in self.transitions}
        return tuple(state for state in self.states if state not in left)


def next_state(machine: Machine, state: str, action: str) -> str:
    """The state after `action`.

    Raises:
        InvalidTransition: the table has no row for (state, action).
    """
    try:
        return machine.transitions[state, action]
    except KeyError:
        raise InvalidTransition(
            f"A {machine.name} that is {state} cannot be {action}. Reload it and see what is possible now.",
            machine=machine.name, state=state, action=action,
        ) from None


def mermaid(machine: Machine) -> str:
    """The machine as a Mermaid state diagram; `docs/flow.md` holds these and a test compares them."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    lines += [f"    {source} --> {target}: {action}" for (source, action), target in machine.transitions.items()]
    lines += [f"    {state} --> [*]" for state in machine.final_states]
    return "\n".join(lines)
