"""What the current request or task is called, for the events it writes."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("trustcore_request_id", default="")
