"""The audit door's errors."""

from trustcore.primitives.errors import Fault, Refusal


class UnauditedWrite(Fault):
    """Code tried to change a governed row without a recording for it. The change is not made."""

    code = "audit.unaudited_write"


class EntryMissing(Refusal):
    """No log entry has this number or event id."""

    code = "audit.entry_missing"


class SequencerBusy(Fault):
    """Another process is the sequencer."""

    code = "audit.sequencer_busy"
