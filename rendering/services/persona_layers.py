"""What of a persona's layers is kept, and what of it a slot is told. PURE.

Layers are stored and logged in the clear. So a persona carries no key, and it names no address that the operator did
not list: it would make the worker call any machine.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rendering.errors import PersonaAddressRefused, PersonaSecretRefused

SECRET_NAMES = frozenset({"apikey", "headers", "extraheaders", "defaultheaders", "authorization"})
LLM_FIELDS = ("model", "base_url")
TOOL_FIELDS = ("name", "description", "parameters")
GUARDRAIL_FIELDS = (
    "guardrail_name", "name", "guardrail_prompt", "guardrail_id", "guardrail_uuid", "uuid", "modality", "topics")


def check(layers: Mapping[str, Any], addresses: Collection[str]) -> None:
    """Refuse layers that may not be stored.

    Args:
        addresses: of services, that the operator listed.

    Raises:
        PersonaSecretRefused: a layer carries a key or headers.
        PersonaAddressRefused: a layer names another address.
    """
    allowed = {address.rstrip("/") for address in addresses}
    for layer, name, value in _fields(layers):
        if not value:
            continue
        if _plain(name) in SECRET_NAMES:
            raise PersonaSecretRefused(
                f"layers.{layer}.{name} would be stored in the clear. Leave it out: the operator sets the keys of "
                "services.", field=f"layers.{layer}")
        if _plain(name) == "baseurl" and str(value).rstrip("/") not in allowed:
            raise PersonaAddressRefused(
                f"layers.{layer}.{name} is an address that this service does not use. Leave it out, or ask the "
                "operator to list it.", field=f"layers.{layer}")


def for_slot(layers: Mapping[str, Any]) -> dict[str, Any]:
    """What the brains read: model, address, tools and guardrails. Never a key or headers, wherever they stand."""
    llm = layers.get("llm")
    llm = llm if isinstance(llm, Mapping) else {}
    tools = llm.get("tools")
    told: dict[str, Any] = {name: str(llm[name]) for name in LLM_FIELDS if llm.get(name)}
    told["tools"] = [_tool(tool) for tool in tools if _is_function(tool)] if isinstance(tools, list) else []
    guardrails = layers.get("guardrails")
    return {
        "layers": {"llm": told},
        "guardrails": [
            {name: one[name] for name in GUARDRAIL_FIELDS if name in one}
            for one in (guardrails if isinstance(guardrails, list) else ()) if isinstance(one, Mapping)],
    }


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool["function"]
    return {"type": "function", "function": {name: function[name] for name in TOOL_FIELDS if name in function}}


def _is_function(tool: object) -> bool:
    return isinstance(tool, Mapping) and tool.get("type") == "function" and isinstance(tool.get("function"), Mapping)


def _fields(layers: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Layer, name and value of everything that stands in a layer itself, in objects and lists inside it. What a
    tool's arguments are called is its own affair.
    """
    for layer, content in layers.items():
        yield from _inside(str(layer), content)


def _inside(layer: str, content: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield layer, str(name), value
            if _plain(str(name)) != "parameters":
                yield from _inside(layer, value)
    elif isinstance(content, list):
        for one in content:
            yield from _inside(layer, one)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
